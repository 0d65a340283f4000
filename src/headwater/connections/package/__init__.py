"""Headwater's own objects, fields and permission sets in the org: what they are, their files, their state, their
installation; and whether anything may be written to the org at all.

Not here: which values are written (export/wanted.py).
"""

from headwater.connections.package.compare import Change, Comparison, Component, PackageState
from headwater.connections.package.definition import (
    BUYER_ATTRIBUTION_TOUCHPOINT,
    BUYER_TOUCHPOINT,
    FIELDS,
    PERMISSION_SET,
    PERMISSION_SETS,
    UNIQUE_ID,
    VERSION,
)
from headwater.connections.package.files import downloads, files, save_to
from headwater.connections.package.install import run_install
from headwater.connections.package.price import PricedCall, price_of, total_calls
from headwater.connections.package.seen import version_in
from headwater.connections.package.state import (
    INSTALLING,
    Checked,
    installed,
    installed_in,
    last_check,
    seen_complete,
    why_missing,
)
from headwater.connections.package.writing import CHOOSING, choose_read_only, is_read_only, require_writing

__all__ = [
    "BUYER_ATTRIBUTION_TOUCHPOINT", "BUYER_TOUCHPOINT", "CHOOSING", "FIELDS", "INSTALLING", "PERMISSION_SET",
    "PERMISSION_SETS", "UNIQUE_ID", "VERSION", "Change", "Checked", "Comparison", "Component", "PackageState",
    "PricedCall", "choose_read_only", "downloads", "files", "installed", "installed_in", "is_read_only", "last_check",
    "price_of", "require_writing", "run_install", "save_to", "seen_complete", "total_calls", "version_in",
    "why_missing",
]  # fmt: skip
