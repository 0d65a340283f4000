"""Record types as the side door and the command `orgsim record-type` show and change them."""

from dataclasses import asdict
from typing import Any

from orgsim.metadata.recordtypes import RecordTypeWish, keep_record_type
from orgsim.oauth.users import any_admin
from orgsim.server.rules import sobject_named
from orgsim.store.org import Org
from orgsim.store.recordtypes import record_types_of
from orgsim.store.write import Writer


def describe_record_types(org: Org) -> list[dict[str, object]]:
    return [{"sobject": each.name, **asdict(info)} for each in org.catalog() for info in record_types_of(org, each)]


def set_record_type(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"sobject", "name"} and, if wanted, "label", "description", "active", "is_default"."""
    told = {"label": str(wish["name"]).replace("_", " "), **wish}
    sobject = sobject_named(org, told.pop("sobject"))
    keep_record_type(Writer(org, any_admin(org)), sobject, RecordTypeWish(**told))
    return describe_record_types(org)
