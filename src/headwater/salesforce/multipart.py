"""A multipart/form-data body of two parts, as Salesforce's APIs take it.

Built by hand: httpx2 would name a content type per part that Salesforce's readers do not expect.
"""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`file_name` is empty for a part that is no file."""

    name: str
    content_type: str
    content: bytes
    file_name: str = ""

    def as_bytes(self) -> bytes:
        named = f'name="{self.name}"' + (f'; filename="{self.file_name}"' if self.file_name else "")
        head = f"Content-Disposition: form-data; {named}\r\nContent-Type: {self.content_type}\r\n\r\n"
        return head.encode() + self.content


def form(*parts: Part) -> tuple[bytes, dict[str, str]]:
    """The body and the headers that go with it."""
    boundary = secrets.token_hex(16)
    pieces = [f"--{boundary}\r\n".encode() + part.as_bytes() + b"\r\n" for part in parts]
    body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
