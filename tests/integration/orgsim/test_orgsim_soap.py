"""SOAP login(), raw at the plain door."""

from xml.etree import ElementTree as ET

import httpx2
import pytest

from orgsim.testing import PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim

REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:{api}.soap.sforce.com">
<soapenv:Header><urn:CallOptions><urn:client>a test</urn:client></urn:CallOptions></soapenv:Header>
<soapenv:Body><urn:{operation}>
<urn:username>{username}</urn:username><urn:password>{password}</urn:password>
</urn:{operation}></soapenv:Body></soapenv:Envelope>"""
APIS = {"u": "partner", "c": "enterprise"}


def call(client: httpx2.Client, api: str = "u", version: str = "59.0", **values: str) -> httpx2.Response:
    given = {"api": APIS[api], "operation": "login", "username": USERNAME, "password": PASSWORD, **values}
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
    return client.post(f"/services/Soap/{api}/{version}", content=REQUEST.format(**given), headers=headers)


def values_of(response: httpx2.Response) -> dict[str, str]:
    """Every element with a text, by its name without the namespace."""
    assert response.headers["content-type"] == "text/xml;charset=utf-8"
    return {each.tag.rpartition("}")[2]: each.text for each in ET.fromstring(response.content).iter() if each.text}  # noqa: S314


def fault_code(response: httpx2.Response) -> str:
    assert response.status_code == 500
    return values_of(response)["faultcode"]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP login() of partner and enterprise API, versions 31 to 64",
    source="facts A.7",
    endpoint="POST /services/Soap/{api}/{version}",
)
@pytest.mark.parametrize("api", ["u", "c"])
@pytest.mark.parametrize("version", ["31.0", "59.0", "64.0", "64"])
def test_it_gives_a_session_for_a_password(
    anyone: httpx2.Client, running: RunningOrgsim, api: str, version: str
) -> None:
    response = call(anyone, api, version)
    assert response.status_code == 200
    found = values_of(response)
    org_id = running.production.org_id
    assert found["serverUrl"].startswith(f"{running.url}/services/Soap/{api}/{version[:2]}.0/{org_id[:15]}")
    assert (found["userId"], found["organizationId"]) == (running.production_user_id, org_id)
    assert (found["userName"], found["sandbox"], found["sessionSecondsValid"]) == (USERNAME, "false", "7200")
    headers = {"Authorization": f"Bearer {found['sessionId']}"}
    assert anyone.get("/services/data/v60.0/limits", headers=headers).status_code == 200


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP answers are in the namespace that was asked in",
    source="api/login",
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_the_answer_is_in_the_namespace_of_the_api_that_was_called(anyone: httpx2.Client) -> None:
    for api, name in APIS.items():
        assert f"{{urn:{name}.soap.sforce.com}}sessionId" in [
            each.tag
            for each in ET.fromstring(call(anyone, api).content).iter()  # noqa: S314
        ]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP: a wrong password is INVALID_LOGIN",
    source="api/login",
    refused=True,
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_a_wrong_password_is_an_invalid_login(anyone: httpx2.Client) -> None:
    response = call(anyone, password="nope & <nothing>".replace("&", "&amp;").replace("<", "&lt;"))
    assert fault_code(response) == "sf:INVALID_LOGIN"
    found = values_of(response)
    assert found["faultstring"].startswith("INVALID_LOGIN: Invalid username, password")
    assert found["exceptionCode"] == "INVALID_LOGIN"
    # Clients look for the prefix in the text.
    assert '<sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>' in response.text


@pytest.mark.conformance(
    area="Reaching it",
    feature="SOAP login() at each user's own door",
    source="facts A.1",
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_each_user_logs_in_at_their_own_door(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    assert fault_code(call(anyone, username=SANDBOX_USERNAME)) == "sf:INVALID_LOGIN"
    with httpx2.Client(base_url=running.sandbox_url) as sandbox_door:
        assert values_of(call(sandbox_door, username=SANDBOX_USERNAME))["sandbox"] == "true"


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP login() is gone from version 65",
    source="facts A.7",
    refused=True,
    endpoint="POST /services/Soap/{api}/{version}",
)
@pytest.mark.parametrize("version", ["65.0", "67.0", "99.0", "30.0", "59.1", "x"])
def test_versions_without_login_refuse_it(anyone: httpx2.Client, version: str) -> None:
    assert fault_code(call(anyone, version=version)) == "sf:UNSUPPORTED_API_VERSION"


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An org may keep SOAP login() closed",
    source="facts A.7",
    refused=True,
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_an_org_may_keep_login_closed(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    running.production.set("soap_login", value=False)
    try:
        response = call(anyone)
    finally:
        running.production.set("soap_login", value=True)
    assert fault_code(response) == "sf:INVALID_OPERATION"
    assert "SOAP API login() is disabled by default in this org" in values_of(response)["faultstring"]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP: login ranges and rates",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_too_many_logins_and_foreign_addresses_are_refused(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    for name, value, usual, code in (
        ("login_ip_ranges", ["10.0.0.0/8"], [], "sf:INVALID_LOGIN"),
        ("logins_per_hour", 0, 3600, "sf:REQUEST_LIMIT_EXCEEDED"),
    ):
        running.production.set(name, value)
        try:
            assert fault_code(call(anyone)) == code
        finally:
            running.production.set(name, usual)


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="SOAP calls other than login() are refused",
    source="reference",
    refused=True,
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_other_calls_and_broken_envelopes_are_the_clients_fault(anyone: httpx2.Client) -> None:
    assert fault_code(call(anyone, operation="query")) == "soapenv:Client"
    assert fault_code(call(anyone, api="u", username="</urn:username>")) == "soapenv:Client"
    wrong_namespace = REQUEST.format(api="enterprise", operation="login", username=USERNAME, password=PASSWORD)
    empty = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>'
    for text in (wrong_namespace, empty, "", "<a/>"):
        assert fault_code(anyone.post("/services/Soap/u/59.0", content=text)) == "soapenv:Client"
    assert anyone.post("/services/Soap/m/59.0", content=empty).status_code == 404


@pytest.mark.conformance(
    area="Limits",
    feature="SOAP login() costs nothing",
    source="facts B.5",
    endpoint="POST /services/Soap/{api}/{version}",
)
def test_logging_in_costs_no_credit(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    call(anyone)
    assert running.production.usage.total_credits() == before
