"""SOAP envelopes: reading a request, writing a result or a fault. Knows nothing of what is asked."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from starlette.responses import Response

from orgsim.xmltext import Tree, document, fill

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES = {"u": "partner.soap.sforce.com", "c": "enterprise.soap.sforce.com"}
# Clients look for these very prefixes, so they are written out.
_DECLARED = {"xmlns:soapenv": _ENVELOPE, "xmlns:xsi": _INSTANCE}


@dataclass(slots=True)
class SoapFault(Exception):
    """Salesforce's refusals name their code; `kind` is the fault's type, empty for faults of SOAP itself."""

    code: str
    message: str
    kind: str = "ApiFault"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is the operation called, `values` its simple arguments."""

    name: str
    values: dict[str, str]


def read_operation(body: bytes, api: str) -> Operation:
    """Raises SoapFault for what is no envelope, or a call of another namespace."""
    try:
        root = ET.fromstring(body)  # noqa: S314  expat fetches nothing and bounds entity expansion
    except ET.ParseError as error:
        raise SoapFault("soapenv:Client", f"Unable to parse the request: {error}", kind="") from error
    called = root.find(f"{{{_ENVELOPE}}}Body/*")
    if called is None:
        raise SoapFault("soapenv:Client", "The request has no operation", kind="")
    namespace, _, name = called.tag.rpartition("}")
    if namespace != f"{{urn:{NAMESPACES[api]}":
        raise SoapFault("soapenv:Client", f"No operation available for request {called.tag}", kind="")
    return Operation(name, {each.tag.rpartition("}")[2]: each.text or "" for each in called})


def result_response(api: str, name: str, result: Tree) -> Response:
    envelope = _envelope({"xmlns": f"urn:{NAMESPACES[api]}"})
    fill(envelope[0], {name: {"result": result}})
    return _response(envelope, 200)


def fault_response(api: str, fault: SoapFault) -> Response:
    """HTTP 500, with the code both as `faultcode` and in the detail (facts A.5)."""
    envelope = _envelope({"xmlns:sf": f"urn:fault.{NAMESPACES[api]}"})
    shown = ET.SubElement(envelope[0], "soapenv:Fault")
    if not fault.kind:
        fill(shown, {"faultcode": fault.code, "faultstring": fault.message})
        return _response(envelope, 500)
    fill(shown, {"faultcode": f"sf:{fault.code}", "faultstring": str(fault)})
    kind = ET.SubElement(ET.SubElement(shown, "detail"), f"sf:{fault.kind}", {"xsi:type": f"sf:{fault.kind}"})
    fill(kind, {"sf:exceptionCode": fault.code, "sf:exceptionMessage": fault.message})
    return _response(envelope, 500)


def _envelope(namespaces: dict[str, str]) -> ET.Element:
    """The envelope with an empty body as its only child."""
    root = ET.Element("soapenv:Envelope", {**_DECLARED, **namespaces})
    ET.SubElement(root, "soapenv:Body")
    return root


def _response(envelope: ET.Element, status: int) -> Response:
    return Response(document(envelope), status_code=status, headers={"Content-Type": "text/xml;charset=utf-8"})
