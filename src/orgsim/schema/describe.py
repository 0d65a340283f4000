"""An sObject as its describe shows it (facts C.7). Keys and their order follow recorded describes."""

import re
from collections.abc import Iterable

from orgsim.schema.catalog import Catalog, ChildRelationship
from orgsim.schema.model import ID_TYPES, TEXT_TYPES, Field, RecordTypeInfo, SObject

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "anyType": "xsd:anyType",
}

MASTER_RECORD_TYPE_ID = "012000000000000AAA"
_NAMED_RECORD_TYPES_FROM = 43  # before, a describe tells neither their names nor whether they are active
_HTML_FUNCTION = re.compile(r"\b(hyperlink|image|br)\s*\(", re.IGNORECASE)
_SAME_FOR_ALL: dict[str, object] = {
    "aiPredictionField": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "highScaleNumber": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}


def global_entry(sobject: SObject, version: str) -> dict[str, object]:
    """The 28 keys of one object in the global describe."""
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": sobject.createable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": None if sobject.is_history else sobject.key_prefix,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "layoutable": not sobject.is_history,
        "mergeable": sobject.mergeable,
        "mruEnabled": not sobject.is_history,
        "name": sobject.name,
        "queryable": True,
        "replicateable": sobject.replicateable,
        "retrieveable": True,
        "searchable": not sobject.is_history,
        "triggerable": sobject.createable,
        "undeletable": sobject.undeletable and sobject.has_recycle_bin,
        "updateable": sobject.updateable,
        "urls": {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base},
    }


def full_describe(
    sobject: SObject, catalog: Catalog, version: str, record_types: Iterable[RecordTypeInfo]
) -> dict[str, object]:
    entry = global_entry(sobject, version)
    urls = {**entry["urls"], "layouts": f"/services/data/v{version}/sobjects/{sobject.name}/describe/layouts"}  # type: ignore[dict-item]  # built as a dict just above
    return {
        **entry,
        "actionOverrides": [],
        "childRelationships": [_child(each) for each in catalog.children_of(sobject.name)],
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [field_entry(each) for each in sobject.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": _record_types(sobject, str(urls["layouts"]), version, record_types),
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.label_plural}", "name": "everything"}],
        "urls": urls,
    }


def field_entry(field: Field) -> dict[str, object]:
    """The keys of one field that clients read, with the fixed ones around them."""
    is_text = field.type in TEXT_TYPES or field.type in ID_TYPES or field.type == "anyType"
    return {
        **_SAME_FOR_ALL,
        "aggregatable": field.type not in ("boolean", "address") and field.filterable,
        "autoNumber": field.auto_number,
        "byteLength": field.length * 3 if field.type in TEXT_TYPES else field.length,
        "calculated": field.calculated,
        "calculatedFormula": field.formula,
        "cascadeDelete": field.cascade_delete,
        "compoundFieldName": field.compound_name,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default if field.type == "boolean" else field.default or None,
        "defaultedOnCreate": field.defaulted_on_create,
        "digits": field.precision if field.type == "int" else 0,
        "externalId": field.external_id,
        "filterable": field.filterable,
        "formulaTreatNullNumberAsZero": field.formula is not None and field.blanks_as_zero,
        "groupable": field.is_groupable,
        "htmlFormatted": bool(field.formula and _HTML_FUNCTION.search(field.formula)),
        "idLookup": field.id_lookup or field.external_id,
        "label": field.label,
        "length": field.length if is_text else 0,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.is_polymorphic,
        "nillable": field.nillable,
        "permissionable": field.is_permissionable,
        "picklistValues": [_picklist_value(field, value) for value in field.values],
        "polymorphicForeignKey": field.is_polymorphic,
        "precision": field.precision if field.type != "int" else 0,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "restrictedDelete": field.restricted_delete,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
    }


def _picklist_value(field: Field, value: str) -> dict[str, object]:
    return {
        "active": True,
        "defaultValue": value == field.default,
        "label": value,
        "validFor": None,
        "value": value,
    }


def _record_types(
    sobject: SObject, layouts_url: str, version: str, record_types: Iterable[RecordTypeInfo]
) -> list[dict[str, object]]:
    """The object's own, and the master that every object has."""
    master = RecordTypeInfo(
        MASTER_RECORD_TYPE_ID, "Master", "Master", active=True, is_default=not sobject.default_record_type_id
    )
    named = float(version) >= _NAMED_RECORD_TYPES_FROM
    return [
        {
            **({"active": each.active} if named else {}),
            "available": each.active,
            "defaultRecordTypeMapping": each.is_default,
            **({"developerName": each.developer_name} if named else {}),
            "master": each is master,
            "name": each.label,
            "recordTypeId": each.id,
            "urls": {"layout": f"{layouts_url}/{each.id}"},
        }
        for each in (*record_types, master)
    ]


def _child(relationship: ChildRelationship) -> dict[str, object]:
    return {
        "cascadeDelete": relationship.field.cascade_delete,
        "childSObject": relationship.child.name,
        "deprecatedAndHidden": False,
        "field": relationship.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": relationship.name,
        "restrictedDelete": relationship.field.restricted_delete,
    }
