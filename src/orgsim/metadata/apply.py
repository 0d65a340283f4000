"""Carries out a package: objects, then fields (which may point at them), record types, rules, permission sets, apps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from orgsim.errors import ApiError
from orgsim.formula.errors import FormulaError
from orgsim.metadata import clientapps
from orgsim.metadata.fields import ComponentError, read_field
from orgsim.metadata.formulas import check_formula_field, in_order_of_use
from orgsim.metadata.history import (
    name_tracked_fields,
    refuse_untrackable,
    switch_history,
    tracked_standard_field,
)
from orgsim.metadata.package import Component, children, text
from orgsim.metadata.permissions import deploy_permission_set, known_object
from orgsim.metadata.recordtypes import RecordTypeWish, keep_record_type
from orgsim.schema.declare import named, owner, record_id, required, system_fields, viewed_fields
from orgsim.schema.declare import text as text_field
from orgsim.schema.model import Field, SObject, ValidationRule
from orgsim.store.access import keeps_rights
from orgsim.store.currencies import open_currency
from orgsim.store.database import RollBackError, roll_back
from orgsim.store.org import Org
from orgsim.store.rules import keep_rule
from orgsim.store.write import Writer


@dataclass(slots=True)
class Report:
    """What became of each component, as the deployment's details show it."""

    successes: list[dict[str, object]] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.successes) + len(self.failures)


def apply_package(org: Org, user_id: str, components: list[Component], *, keep: bool, all_or_none: bool) -> Report:
    """`keep` False is a dry run (checkOnly); `all_or_none` is rollbackOnError."""
    report = Report()
    objects = [each for each in components if each.kind == "CustomObject"]
    permission_sets = [each for each in components if each.kind == "PermissionSet"]
    try:
        with org.database.write():
            for component in objects:
                _attempt(org, report, "CustomObject", component.name, component, _deploy_object(org, component))
            for full_name, component, element in _fields_in_order(objects):
                deed = _deploy_field(org, user_id, component, element)
                _attempt(org, report, "CustomField", full_name, component, deed)
            for kind, tag, deploy in _PARTS:
                for component, element in _elements(objects, tag):
                    full_name = f"{component.name}.{text(element, 'fullName')}"
                    _attempt(org, report, kind, full_name, component, deploy(org, user_id, component, element))
            for component in permission_sets:
                deed = deploy_permission_set(org, user_id, component)
                _attempt(org, report, "PermissionSet", component.name, component, deed)
            for kind, deploy_part in clientapps.DEEDS.items():
                for component in (each for each in components if each.kind == kind):
                    _attempt(org, report, kind, component.name, component, deploy_part(org, component))
            if not keep or (report.failures and all_or_none):
                roll_back()
    except RollBackError:
        return report
    return report


def _attempt(
    org: Org, report: Report, kind: str, full_name: str, component: Component, deed: Callable[[], bool]
) -> None:
    """`deed` says whether it created something new."""
    outcome: dict[str, object] = {"componentType": kind, "fullName": full_name, "fileName": component.file_name}
    try:
        with org.database.write():
            created = deed()
    except (ComponentError, ApiError) as error:
        message = error.message if isinstance(error, ApiError) else str(error)
        report.failures.append(
            {
                **outcome,
                "success": False,
                "problem": message,
                "problemType": "Error",
                "created": False,
                "changed": False,
            }
        )
        return
    report.successes.append({**outcome, "success": True, "created": created, "changed": True, "deleted": False})


def _deploy_object(org: Org, component: Component) -> Callable[[], bool]:
    def deed() -> bool:
        known = org.catalog().find(component.name)
        if known is not None:
            switch_history(org, known, component.element)
            return False
        if not component.name.endswith("__c"):
            raise ComponentError(f"Entity type: '{component.name}' is unknown")
        added = _read_object(org, component)
        org.add_sobjects([added])
        open_currency(org, added)
        switch_history(org, org.catalog().get(added.name), component.element)
        return True

    return deed


def _read_object(org: Org, component: Component) -> SObject:
    element = component.element
    label, plural = text(element, "label"), text(element, "pluralLabel")
    if not label or not plural:
        raise ComponentError("Required field is missing: label or pluralLabel")
    is_detail = any(text(each, "type") == "MasterDetail" for each in children(element, "fields"))
    owners = () if is_detail else (owner(None, "Group", "User"),)
    fields = (record_id(), *owners, _name_field(element), *system_fields(), *viewed_fields())
    return SObject(component.name, label, plural, org.catalog().next_custom_prefix(), fields, custom=True)


def _name_field(element: Element) -> Field:
    kind, label = text(element, "nameField/type"), text(element, "nameField/label")
    if kind == "AutoNumber":
        form = text(element, "nameField/displayFormat") or "{0}"
        more = {"auto_number": True, "display_format": form, "createable": False, "updateable": False}
        return named(text_field("Name", 80, label=label, **more))
    if kind != "Text":
        raise ComponentError("Must specify a nameField of type Text or AutoNumber for a CustomObject")
    return named(required(text_field("Name", 80, label=label)))


def _fields_in_order(objects: list[Component]) -> list[tuple[str, Component, Element]]:
    """Stored fields first, then formulas, which may be made of any field of the package."""
    found = [
        (f"{component.name}.{text(element, 'fullName')}", component, element)
        for component, element in _elements(objects, "fields")
    ]
    formulas = {each[0]: formula for each in found if (formula := text(each[2], "formula"))}
    places = {full_name: place for place, full_name in enumerate(in_order_of_use(formulas), start=1)}
    return sorted(found, key=lambda each: places.get(each[0], 0))


def _deploy_field(org: Org, user_id: str, component: Component, element: Element) -> Callable[[], bool]:
    def deed() -> bool:
        sobject = org.catalog().find(component.name)
        if sobject is None:
            raise ComponentError(f"Entity {component.name} was not deployed")
        known = sobject.find(text(element, "fullName"))
        wanted = tracked_standard_field(known, element) or read_field(element)
        refuse_untrackable(sobject, wanted)
        for target in wanted.reference_to:
            if org.catalog().find(target) is None:
                raise ComponentError(f"referenceTo value of '{target}' does not resolve to a valid sObject type")
        if known is None:
            new = replace(wanted, needs_grant=wanted.is_permissionable and keeps_rights(org))
            open_currency(org, org.add_field(sobject, new))
        else:
            _refuse_other_type(known, wanted)
            org.change_sobject(sobject.with_field(replace(wanted, needs_grant=known.needs_grant)))
        name_tracked_fields(org, org.catalog().get(sobject.name))
        if wanted.formula is not None:
            check_formula_field(org, user_id, org.catalog().get(sobject.name), wanted)
        return known is None

    return deed


def _refuse_other_type(known: Field, wanted: Field) -> None:
    if known.is_stored != wanted.is_stored:
        raise ComponentError(f"Cannot change {wanted.name} between a formula and a field that is stored")
    if known.is_stored and (known.type, known.scale) != (wanted.type, wanted.scale):
        raise ComponentError(f"Cannot change the type of {wanted.name} from {known.type} to {wanted.type}")


def _deploy_rule(org: Org, user_id: str, component: Component, element: Element) -> Callable[[], bool]:
    def deed() -> bool:
        rule = ValidationRule(
            id="",
            name=text(element, "fullName"),
            formula=text(element, "errorConditionFormula"),
            message=text(element, "errorMessage"),
            display_field=text(element, "errorDisplayField"),
            description=text(element, "description"),
            active=text(element, "active") == "true",
        )
        try:
            return keep_rule(org, user_id, known_object(org, component.name), rule)
        except FormulaError as error:
            raise ComponentError(str(error)) from error

    return deed


def _deploy_record_type(org: Org, user_id: str, component: Component, element: Element) -> Callable[[], bool]:
    def deed() -> bool:
        wish = RecordTypeWish(
            name=text(element, "fullName"),
            label=text(element, "label"),
            description=text(element, "description"),
            active=text(element, "active") == "true",
        )
        return keep_record_type(Writer(org, user_id), known_object(org, component.name), wish)

    return deed


# What stands in an .object file beside fields: kind of component, element, deed. Rules may look at record types.
_PARTS = (
    ("RecordType", "recordTypes", _deploy_record_type),
    ("ValidationRule", "validationRules", _deploy_rule),
)


def _elements(objects: list[Component], tag: str) -> Iterator[tuple[Component, Element]]:
    for component in objects:
        for element in children(component.element, tag):
            yield component, element
