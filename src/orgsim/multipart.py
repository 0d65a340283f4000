"""A multipart/form-data body as its parts by name: small loads of Bulk API 2.0, and the zip of a deployment."""

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field as FormField
from python_multipart.multipart import File as FormFile

from orgsim.exchange import Exchange


def is_multipart(exchange: Exchange) -> bool:
    return exchange.headers.get("content-type", "").startswith("multipart/form-data")


def read_parts(exchange: Exchange) -> dict[str, bytes]:
    """Raises ValueError for a body that is none."""
    parts: dict[str, bytes] = {}

    def on_field(field: FormField) -> None:
        parts[(field.field_name or b"").decode()] = field.value or b""

    def on_file(file: FormFile) -> None:
        file.file_object.seek(0)
        parts[(file.field_name or b"").decode()] = file.file_object.read()
        file.close()

    headers = {"Content-Type": exchange.headers.get("content-type", "").encode()}
    exchange.content.seek(0)
    try:
        parse_form(headers, exchange.content, on_field, on_file)
    except FormParserError as error:
        raise ValueError(str(error)) from error
    return parts
