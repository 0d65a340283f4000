"""Headwater's own objects, fields and permission set in the org: what they are, their files, their state, their
installation.

Not here: which values are written into them (export/wanted.py).
"""

from headwater.connections.package.definition import (
    BUYER_ATTRIBUTION_TOUCHPOINT,
    BUYER_TOUCHPOINT,
    FIELDS,
    PERMISSION_SET,
    UNIQUE_ID,
)
from headwater.connections.package.files import files
from headwater.connections.package.install import install
from headwater.connections.package.state import INSTALLING, Installed, installed, installed_in, why_missing

__all__ = [
    "BUYER_ATTRIBUTION_TOUCHPOINT", "BUYER_TOUCHPOINT", "FIELDS", "INSTALLING", "PERMISSION_SET",
    "UNIQUE_ID", "Installed", "files", "install", "installed", "installed_in", "why_missing",
]  # fmt: skip
