"""Field history by metadata: `enableHistory` of an object, `trackHistory` of a field (facts C.27)."""

from dataclasses import replace
from xml.etree.ElementTree import Element

from orgsim.metadata.fields import ComponentError
from orgsim.metadata.package import text
from orgsim.schema.history import KEEPERS, MAX_TRACKED_FIELDS, can_be_tracked, history_name, history_object
from orgsim.schema.model import Field, SObject
from orgsim.store.org import Org


def switch_history(org: Org, sobject: SObject, element: Element) -> None:
    """Begins or ends the history of an object, where its metadata says so. What has been written stays."""
    wanted = text(element, "enableHistory")
    if not wanted or (wanted == "true") == bool(sobject.history_name):
        return
    if wanted != "true":
        org.change_sobject(replace(sobject, history_name="", index={}))
        return
    if not sobject.custom and sobject.name not in KEEPERS:
        raise ComponentError(f"{sobject.name}: this object cannot keep a field history")
    name = history_name(sobject.name)
    org.change_sobject(replace(sobject, history_name=name, index={}))
    if org.catalog().find(name) is None:
        org.add_sobjects([history_object(sobject)])


def tracked_standard_field(known: Field | None, element: Element) -> Field | None:
    """A standard field of which the metadata says only whether it is tracked; None for anything else."""
    wanted = text(element, "trackHistory")
    if known is None or known.custom or not wanted:
        return None
    return replace(known, track_history=wanted == "true")


def refuse_untrackable(sobject: SObject, wanted: Field) -> None:
    if not wanted.track_history:
        return
    if not can_be_tracked(wanted):
        raise ComponentError(f"{wanted.name}: the history of this type of field cannot be tracked")
    others = sum(each.track_history for each in sobject.fields if each.name != wanted.name)
    if others >= MAX_TRACKED_FIELDS:
        raise ComponentError("exceeded the allowed number of fields to track on a given entity")


def name_tracked_fields(org: Org, sobject: SObject) -> None:
    """The describe of the history names the fields there are now."""
    history = org.catalog().find(sobject.history_name) if sobject.history_name else None
    if history is not None:
        org.change_sobject(replace(history, fields=history_object(sobject).fields, index={}))
