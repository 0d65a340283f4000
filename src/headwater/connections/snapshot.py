"""Takes and keeps snapshots of an org: its objects, fields, record types, and the triggers, flows and rules in force.

Not here: comparing two of them (parity.py). What is read and what it costs: docs/reference/parity.md
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import transaction

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.connections.models import Connection, OrgSnapshot
from headwater.connections.services import connection_of, schema_session
from headwater.connections.tokens import not_connected
from headwater.credits.services import calls_of_job
from headwater.salesforce.rest import Org, Record
from headwater.salesforce.transport import Transport

SIX = ("Lead", "Contact", "Account", "Opportunity", "Campaign", "Case")  # row A10
PRICE_CALLS = 2  # one more for each further 2,000 triggers, flows or rules
TAKING = "parity"
KEPT_OF_AN_ORG = 10
OBJECT_ATTRIBUTES = ("label", "queryable", "createable", "updateable", "deletable", "replicateable", "triggerable")
FIELD_ATTRIBUTES = (
    "label",
    "type",
    "length",
    "precision",
    "scale",
    "digits",
    "nillable",
    "createable",
    "updateable",
    "defaultedOnCreate",
    "unique",
    "caseSensitive",
    "externalId",
    "calculated",
    "calculatedFormula",
    "autoNumber",
    "restrictedPicklist",
    "controllerName",
    "filterable",
    "referenceTo",
    "inlineHelpText",
)
RECORD_TYPE_ATTRIBUTES = ("name", "active", "available", "defaultRecordTypeMapping")
_DOING = "reading the org's fields, triggers and flows"
_EVENTS = (
    "BeforeInsert", "AfterInsert", "BeforeUpdate", "AfterUpdate", "BeforeDelete", "AfterDelete", "AfterUndelete",
)  # fmt: skip


def take(account: Account, further: Iterable[str], *, actor: str) -> OrgSnapshot:
    """Look at the org as the connected user sees it, and keep what it shows. Two credits; no record is read.

    further   Objects to look at beside the six. Triggers and flows are asked of standard objects only: of custom ones
              Salesforce tells an id of its own in place of the name (facts C.28).
    """
    row = connection_of(account)
    if row is None:
        raise not_connected()
    job_id = f"look-{uuid4().hex[:16]}"
    with schema_session(account, job_kind=TAKING, job_id=job_id) as transport:
        content = read_content(transport, further)
    return _keep(account, row, content, actor=actor, spent_calls=calls_of_job(account, job_id))


def read_content(transport: Transport, further: Iterable[str]) -> dict[str, Any]:
    """The content of a snapshot: JSON, with names as keys. A part that the user may not see is None."""
    names = [*SIX, *sorted(set(further) - set(SIX))]
    standard = [name for name in names if not name.endswith("__c")]
    org = Org(transport)
    queries = [_trigger_soql(standard), _flow_soql(standard)]
    describes, (triggers, flows) = org.describe_and_query(names, queries, _DOING)
    rules = org.tooling_query(_rule_soql(names), _DOING)
    return {
        "objects": {name: _object(describe) for name, describe in describes.items()},
        "triggers": _named(triggers, "Name", _trigger),
        "flows": _named(flows, "ApiName", _flow),
        "validation_rules": None if rules is None else _rules(rules),
    }


def latest_of(account: Account, org_id: str) -> OrgSnapshot | None:
    return OrgSnapshot.of(account).filter(org_id=org_id).first()


def latest_of_others(account: Account, org_id: str) -> OrgSnapshot | None:
    """Of the org that the account tried things out on before this one."""
    return OrgSnapshot.of(account).exclude(org_id=org_id).first()


def snapshots_of(account: Account) -> list[OrgSnapshot]:
    """The newest first."""
    return list(OrgSnapshot.of(account).defer("content"))


def pair_to_compare(account: Account) -> tuple[OrgSnapshot | None, OrgSnapshot | None]:
    """The newest snapshot, of the connected org if there is one, and before it that of another org, or an older one."""
    row = connection_of(account)
    after = (latest_of(account, row.org_id) if row else None) or OrgSnapshot.of(account).first()
    if after is None:
        return None, None
    older = OrgSnapshot.of(account).filter(org_id=after.org_id).exclude(pk=after.pk).first()
    return latest_of_others(account, after.org_id) or older, after


def pair_before_confirming(account: Account, row: Connection) -> tuple[OrgSnapshot | None, OrgSnapshot | None]:
    """How the org before this one was, and this one since the log-in that waits for its confirmation."""
    since = OrgSnapshot.of(account).filter(org_id=row.org_id, taken_utc__gte=row.connected_utc).first()
    return latest_of_others(account, row.org_id), since


def titles(before: OrgSnapshot, after: OrgSnapshot) -> tuple[str, str]:
    """What the two are called in sentences. Kinds tell them apart: a sandbox often has its production's name."""
    if before.org_id == after.org_id:
        first, second = (f"{each.org_name} on {each.taken_utc:%Y-%m-%d at %H:%M} UTC" for each in (before, after))
        return first, second
    if before.org_kind != after.org_kind:
        return f"the {before.org_kind} org", f"the {after.org_kind} org"
    return f"{before.org_name} ({before.org_id})", f"{after.org_name} ({after.org_id})"


def _keep(account: Account, row: Connection, content: dict[str, Any], *, actor: str, spent_calls: int) -> OrgSnapshot:
    with transaction.atomic():
        if not Connection.of(account).filter(pk=row.pk, org_id=row.org_id).exists():
            raise _replaced(row)
        kept = OrgSnapshot.of(account).create(
            account=account,
            org_id=row.org_id,
            org_name=row.org_name,
            org_kind=row.org_kind,
            username=row.username,
            taken_utc=now_utc(),
            taken_by=actor,
            content=content,
            spent_calls=spent_calls,
        )
        of_org = OrgSnapshot.of(account).filter(org_id=row.org_id).values_list("pk", flat=True)
        OrgSnapshot.of(account).filter(pk__in=list(of_org[KEPT_OF_AN_ORG:])).delete()
    return kept


def _object(describe: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "attributes": {name: describe.get(name) for name in OBJECT_ATTRIBUTES},
        "fields": {field["name"]: _field(field) for field in describe["fields"]},
        "record_types": {
            info["developerName"]: {name: info.get(name) for name in RECORD_TYPE_ATTRIBUTES}
            for info in describe.get("recordTypeInfos") or ()
            if not info.get("master")
        },
    }


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: field.get(name) for name in FIELD_ATTRIBUTES}
    kept["referenceTo"] = sorted(field.get("referenceTo") or ())
    kept["defaultValue"] = field.get("defaultValue") or field.get("defaultValueFormula")
    kept["picklistValues"] = {value["value"]: _value(value) for value in field.get("picklistValues") or ()}
    return kept


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": value.get("label"), "active": value["active"], "default": value.get("defaultValue")}


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _trigger_soql(names: Sequence[str]) -> str:
    usages = ", ".join(f"Usage{event}" for event in _EVENTS)
    return (
        f"SELECT Name, NamespacePrefix, TableEnumOrId, ApiVersion, IsValid, LengthWithoutComments, {usages} "  # noqa: S608 - SOQL
        f"FROM ApexTrigger WHERE Status = 'Active' AND TableEnumOrId IN ({_quoted(names)})"
    )


def _flow_soql(names: Sequence[str]) -> str:
    """Processes do not tell their object (facts C.28): all that are active are taken."""
    return (
        "SELECT ApiName, NamespacePrefix, Label, ProcessType, TriggerType, RecordTriggerType, "  # noqa: S608 - SOQL
        "TriggerObjectOrEventId, TriggerOrder, VersionNumber FROM FlowDefinitionView WHERE IsActive = true "
        f"AND (TriggerObjectOrEventId IN ({_quoted(names)}) OR ProcessType = 'Workflow')"
    )


def _rule_soql(names: Sequence[str]) -> str:
    return (
        "SELECT ValidationName, NamespacePrefix, EntityDefinition.QualifiedApiName, ErrorDisplayField, ErrorMessage "  # noqa: S608 - SOQL
        f"FROM ValidationRule WHERE Active = true AND EntityDefinition.QualifiedApiName IN ({_quoted(names)})"
    )


def _named(rows: Sequence[Record] | None, key: str, read: Any) -> dict[str, Any] | None:
    if rows is None:
        return None
    return {_full_name(row, key): read(row) for row in rows}


def _full_name(row: Record, key: str) -> str:
    return f"{row['NamespacePrefix']}__{row[key]}" if row["NamespacePrefix"] else str(row[key])


def _trigger(row: Record) -> dict[str, Any]:
    return {
        "object": row["TableEnumOrId"],
        "events": [event for event in _EVENTS if row[f"Usage{event}"]],
        "apiVersion": row["ApiVersion"],
        "isValid": row["IsValid"],
        "lengthWithoutComments": row["LengthWithoutComments"],
    }


def _flow(row: Record) -> dict[str, Any]:
    return {
        "object": row["TriggerObjectOrEventId"] or "",
        "label": row["Label"],
        "processType": row["ProcessType"],
        "triggerType": row["TriggerType"],
        "recordTriggerType": row["RecordTriggerType"],
        "triggerOrder": row["TriggerOrder"],
        "versionNumber": row["VersionNumber"],
    }


def _rules(rows: Sequence[Record]) -> dict[str, Any]:
    """Names of rules repeat from object to object."""
    return {
        f"{row['EntityDefinition']['QualifiedApiName']}.{_full_name(row, 'ValidationName')}": {
            "object": row["EntityDefinition"]["QualifiedApiName"],
            "errorDisplayField": row["ErrorDisplayField"],
            "errorMessage": row["ErrorMessage"],
        }
        for row in rows
    }


def _replaced(row: Connection) -> Fix:
    return Fix(
        "connections.replaced_meanwhile",
        f"{row.org_name} was looked at, but another log-in took its place meanwhile.",
        Facts(left="The snapshot was thrown away.", you_can="take it again in Settings > Connections > Parity"),
    )
