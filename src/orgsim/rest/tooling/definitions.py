"""EntityDefinition, FieldDefinition, EntityParticle, ValidationRule, the Tooling form of ApexTrigger: fields and rows.

The rows are made from the org's schema when asked for. Their durable ids are API names, also for custom objects.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

from orgsim.schema.admin import APEX_TRIGGER
from orgsim.schema.catalog import Catalog
from orgsim.schema.declare import flag, named, record_id, text, whole
from orgsim.schema.describe import field_entry, global_entry
from orgsim.schema.model import Field, SObject, ValidationRule
from orgsim.store import ddl
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows, insert_row
from orgsim.store.rules import rules_of

_DURABLE_ID_CHARS = 255
_NO_PREFIX = "000"  # their rows have no id of their own
_UI_TYPES = {
    "textarea": "Text Area({length})",
    "string": "Text({length})",
    "currency": "Currency({whole}, {scale})",
    "double": "Number({whole}, {scale})",
    "int": "Number({precision}, 0)",
    "percent": "Percent({whole}, {scale})",
    "reference": "Lookup({targets})",
    "multipicklist": "Picklist (Multi-Select)",
    "boolean": "Checkbox",
    "datetime": "Date/Time",
    "url": "URL",
    "id": "ID",
}


def _link(name: str, target: str, children: str) -> Field:
    """A durable id is text, so a link by one is a text field that points somewhere."""
    relationship = name.removesuffix("Id")
    return text(
        name,
        _DURABLE_ID_CHARS,
        reference_to=(target,),
        relationship_name=relationship,
        child_relationship=children,
    )


def _definition(name: str, *fields: Field) -> SObject:
    common = (record_id(), text("DurableId", _DURABLE_ID_CHARS), named(text("QualifiedApiName", 255)))
    told = tuple(text(each, 255) for each in ("DeveloperName", "MasterLabel", "Label", "NamespacePrefix", "FullName"))
    return SObject(name, name, f"{name}s", _NO_PREFIX, (*common, *told, *fields))


_ENTITY_FLAGS = {
    "IsApexTriggerable": "triggerable",
    "IsCustomSetting": "customSetting",
    "IsDeprecatedAndHidden": "deprecatedAndHidden",
    "IsEverCreatable": "createable",
    "IsEverDeletable": "deletable",
    "IsEverUpdatable": "updateable",
    "IsQueryable": "queryable",
    "IsReplicateable": "replicateable",
    "IsRetrieveable": "retrieveable",
    "IsSearchable": "searchable",
    "IsTriggerable": "triggerable",
}
_FIELD_FLAGS = {
    "IsApiFilterable": "filterable",
    "IsApiGroupable": "groupable",
    "IsApiSortable": "sortable",
    "IsCalculated": "calculated",
    "IsNameField": "nameField",
    "IsNillable": "nillable",
}
_PARTICLE_FLAGS = {
    **_FIELD_FLAGS,
    "IsAutonumber": "autoNumber",
    "IsCreatable": "createable",
    "IsDefaultedOnCreate": "defaultedOnCreate",
    "IsIdLookup": "idLookup",
    "IsPermissionable": "permissionable",
    "IsUnique": "unique",
    "IsUpdatable": "updateable",
}
_FORMULA_UI_TYPES = {"string": "Text", "double": "Number", "boolean": "Checkbox", "datetime": "Date/Time"}
_FIELD_NUMBERS = ("Length", "Precision", "Scale")

ENTITY_DEFINITION = _definition(
    "EntityDefinition", text("KeyPrefix", 3), text("PluralLabel", 255), *(flag(name) for name in _ENTITY_FLAGS)
)
FIELD_DEFINITION = _definition(
    "FieldDefinition",
    _link("EntityDefinitionId", "EntityDefinition", "Fields"),
    text("DataType", 255),
    text("RelationshipName", 255),
    flag("IsCompound"),
    flag("IsFieldHistoryTracked"),
    flag("IsIndexed"),
    flag("IsPolymorphicForeignKey"),
    *(whole(name) for name in _FIELD_NUMBERS),
    *(flag(name) for name in _FIELD_FLAGS),
)
ENTITY_PARTICLE = _definition(
    "EntityParticle",
    _link("EntityDefinitionId", "EntityDefinition", "Particles"),
    _link("FieldDefinitionId", "FieldDefinition", "Particles"),
    text("Name", 255),
    text("DataType", 255),
    text("RelationshipName", 255),
    whole("ByteLength"),
    whole("Digits"),
    *(whole(name) for name in _FIELD_NUMBERS),
    *(flag(name) for name in _PARTICLE_FLAGS),
)
TOOLING_TRIGGER = replace(
    APEX_TRIGGER,
    fields=(*APEX_TRIGGER.fields, _link("EntityDefinitionId", "EntityDefinition", "ApexTriggers")),
    index={},
)
VALIDATION_RULE = SObject(
    "ValidationRule",
    "Validation Rule",
    "Validation Rules",
    "03d",
    (
        record_id(),
        named(text("ValidationName", 255)),
        flag("Active"),
        text("Description", 255),
        _link("EntityDefinitionId", "EntityDefinition", "ValidationRules"),
        text("ErrorDisplayField", 255),
        text("ErrorMessage", 255),
        text("FullName", 255),
        text("ManageableState", 40),
        text("NamespacePrefix", 15),
    ),
)
DEFINITIONS = (ENTITY_DEFINITION, FIELD_DEFINITION, ENTITY_PARTICLE)
TOOLING_CATALOG = Catalog((*DEFINITIONS, TOOLING_TRIGGER, VALIDATION_RULE))


def open_definitions(org: Org, catalog: Catalog) -> sqlite3.Connection:
    """A database in memory that holds the rows as they are now, of what the catalog shows. The caller closes it."""
    connection = sqlite3.connect(":memory:")
    for sobject in TOOLING_CATALOG:
        connection.execute(ddl.create_table(sobject))
    for each in catalog:
        insert_row(connection, ENTITY_DEFINITION, _entity_row(each))
        for field in each.fields:
            _insert_field(connection, each, field)
    for sobject, rule in rules_of(org):
        if catalog.find(sobject.name) is not None:
            insert_row(connection, VALIDATION_RULE, _rule_row(sobject, rule))
    for trigger in _trigger_rows(org):
        insert_row(connection, TOOLING_TRIGGER, trigger)
    return connection


def _insert_field(connection: sqlite3.Connection, sobject: SObject, field: Field) -> None:
    """The parts of a compound are particles of one field definition."""
    if field.compound_name is None:
        insert_row(connection, FIELD_DEFINITION, _field_row(sobject, field))
    if not field.compound_parts:
        insert_row(connection, ENTITY_PARTICLE, _particle_row(sobject, field))


def _entity_row(sobject: SObject) -> Row:
    entry = global_entry(sobject, "")
    return {
        **_named_row(sobject.name, sobject.name, sobject.label),
        "FullName": sobject.name,
        "KeyPrefix": None if sobject.is_history else sobject.key_prefix,
        "PluralLabel": sobject.label_plural,
        **{name: int(bool(entry[key])) for name, key in _ENTITY_FLAGS.items()},
    }


def _field_row(sobject: SObject, field: Field) -> Row:
    entry = field_entry(field)
    return {
        **_named_row(f"{sobject.name}.{field.name}", field.name, field.label),
        "FullName": f"{sobject.name}.{field.name}",
        "EntityDefinitionId": sobject.name,
        "DataType": ui_type(field),
        "RelationshipName": field.relationship_name,
        "IsCompound": int(bool(field.compound_parts)),
        "IsFieldHistoryTracked": int(bool(sobject.history_name) and field.track_history),
        "IsIndexed": int(field.is_stored and (field.name == "Id" or ddl.create_index(sobject, field) is not None)),
        "IsPolymorphicForeignKey": int(field.is_polymorphic),
        **{name: int(str(entry[name.lower()])) for name in _FIELD_NUMBERS},
        **{name: int(bool(entry[key])) for name, key in _FIELD_FLAGS.items()},
    }


def _particle_row(sobject: SObject, field: Field) -> Row:
    entry = field_entry(field)
    durable_id = f"{sobject.name}.{field.name}"
    return {
        **_named_row(durable_id, field.name, field.label),
        "FullName": durable_id,
        "EntityDefinitionId": sobject.name,
        "FieldDefinitionId": f"{sobject.name}.{field.compound_name or field.name}",
        "Name": field.name,
        "DataType": field.type,
        "RelationshipName": field.relationship_name,
        "ByteLength": int(str(entry["byteLength"])),
        "Digits": int(str(entry["digits"])),
        **{name: int(str(entry[name.lower()])) for name in _FIELD_NUMBERS},
        **{name: int(bool(entry[key])) for name, key in _PARTICLE_FLAGS.items()},
    }


def _rule_row(sobject: SObject, rule: ValidationRule) -> Row:
    return {
        "Id": rule.id,
        "ValidationName": rule.name,
        "Active": int(rule.active),
        "Description": rule.description or None,
        "EntityDefinitionId": sobject.name,
        "ErrorDisplayField": rule.display_field or None,
        "ErrorMessage": rule.message,
        "FullName": f"{sobject.name}.{rule.name}",
        "ManageableState": "unmanaged",
    }


def _named_row(durable_id: str, name: str, label: str) -> Row:
    return {
        "Id": durable_id,
        "DurableId": durable_id,
        "QualifiedApiName": name,
        "DeveloperName": name.removesuffix("__c"),
        "MasterLabel": label,
        "Label": label,
    }


def _trigger_rows(org: Org) -> Iterator[Row]:
    connection = org.database.connect()
    for status in ("Active", "Inactive"):
        for row in find_rows(connection, APEX_TRIGGER, "Status", status):
            yield {**row, "EntityDefinitionId": row["TableEnumOrId"]}


def ui_type(field: Field) -> str:
    """The type as Setup shows it: `Text(40)`, `Lookup(User)`, `Date/Time`, `Formula(Currency)`."""
    if field.formula is not None:
        return f"Formula({_FORMULA_UI_TYPES.get(field.type, field.type.capitalize())})"
    if field.auto_number:
        return "Auto Number"
    pattern = _UI_TYPES.get(field.type, field.type.capitalize())
    return pattern.format(
        length=field.length,
        precision=field.precision,
        whole=field.precision - field.scale,
        scale=field.scale,
        targets=",".join(field.reference_to),
    )
