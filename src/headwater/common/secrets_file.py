"""Secrets of an embedded installation: made once, kept in a file that only its owner may read.

Not here: encrypting with them (accounts/crypt.py). A server installation sets the variables instead.
"""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    session_key: str
    encryption_key: str  # 32 random bytes, url-safe base64, as Fernet wants them


def read_or_create_secrets(path: Path) -> Secrets:
    """Read the secrets at `path`; make them on first use. Two processes that start together agree on one file."""
    made = Secrets(session_key=secrets.token_urlsafe(48), encryption_key=urlsafe_b64encode(os.urandom(32)).decode())
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(made), file)
        with suppress(FileExistsError):  # another process was first: its file holds
            path.hardlink_to(draft)
        draft.unlink()
    return Secrets(**json.loads(path.read_text()))
