"""Secrets of an embedded installation: made once, kept in a file that only its owner may read.

Not here: encrypting with them (accounts/crypt.py). A server installation sets the variables instead.
"""

import fcntl
import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    session_key: str
    encryption_key: str  # one or, with commas, several: the first seals, all open

    @property
    def encryption_keys(self) -> list[str]:
        return self.encryption_key.split(",")


def read_or_create_secrets(path: Path) -> Secrets:
    """Read the secrets at `path`; make them on first use. Two processes that start together agree on one file."""
    made = Secrets(session_key=secrets.token_urlsafe(48), encryption_key=new_encryption_key())
    if not path.exists():
        draft = _draft(path, made)
        with suppress(FileExistsError):  # another process was first: its file holds
            path.hardlink_to(draft)
        draft.unlink()
    return read_secrets(path)


def read_secrets(path: Path) -> Secrets:
    return Secrets(**json.loads(path.read_text()))


def new_encryption_key() -> str:
    """32 random bytes, url-safe base64, as Fernet wants them."""
    return urlsafe_b64encode(os.urandom(32)).decode()


def set_encryption_keys(path: Path, keys: list[str]) -> None:
    """Replace the keys at once: whoever reads meanwhile sees the old ones or the new ones, and so does a crash."""
    draft = _draft(path, replace(read_secrets(path), encryption_key=",".join(keys)))
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def only_one_changes(path: Path) -> Iterator[None]:
    """Hold other changes of the file off until the block ends; a dead holder holds nothing."""
    descriptor = os.open(path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _draft(path: Path, content: Secrets) -> Path:
    """The content, safe on the disk, in a file beside `path` that only its owner may read."""
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(content), file)
        file.flush()
        os.fsync(file.fileno())
    return draft
