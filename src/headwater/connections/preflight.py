"""Asks the org, for two credits, what the connected user may, and keeps what was found.

Not here: what is needed (preflight_rules.py), and which objects and fields are read, which the caller says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree as ET

from django.db.models import QuerySet

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.connections.metadata_xml import NAMESPACE, add, package_xml, to_bytes, zipped
from headwater.connections.models import Connection, PreflightRun
from headwater.connections.package import FIELDS, PERMISSION_SET, version_in
from headwater.connections.preflight_rules import (
    ASKED,
    Facts,
    Finding,
    Grant,
    Kind,
    Level,
    find,
    needed_to_read,
)
from headwater.connections.services import connection_of, session
from headwater.connections.tokens import not_connected
from headwater.salesforce.errors import API_DISABLED_CODES, Refusal, RefusedFix
from headwater.salesforce.rest import Org, QueryPage, SubQuery

PREFLIGHT = "preflight"
PRICE_CALLS = 2  # five queries in one composite, all describes in another (facts B.5)
INTEGRATION_SET = "Headwater_Integration"

Wanted = Mapping[str, Sequence[str]]


def run_preflight(account: Account, wanted: Wanted, *, actor: str) -> PreflightRun:
    """Look, keep and return what was found. `wanted`: the fields that are read, or that a rule names, by object."""
    row = connection_of(account)
    if row is None:
        raise not_connected()
    facts = _ask(account, row, wanted)
    return PreflightRun.of(account).create(
        account=account,
        org_id=row.org_id,
        username=row.username,
        ran_utc=now_utc(),
        ran_by=actor,
        findings=[asdict(finding) for finding in find(facts, wanted)],
        needed=[asdict(grant) for grant in needed_to_read(facts, wanted)],
    )


def latest_preflight(account: Account) -> PreflightRun | None:
    """The last look at the org and as the user that are connected now; another user's rights say nothing."""
    row = connection_of(account)
    if row is None:
        return None
    return _runs(account).filter(org_id=row.org_id, username=row.username).first()


def earlier_preflights(account: Account) -> list[PreflightRun]:
    """The newest first, whoever was connected, without the one that is shown as the latest."""
    runs, latest = _runs(account), latest_preflight(account)
    return list((runs.exclude(pk=latest.pk) if latest else runs)[:20])


def findings_of(run: PreflightRun) -> list[Finding]:
    return [
        Finding(**{**row, "level": Level(row["level"]), "grants": tuple(_grant(each) for each in row["grants"])})
        for row in run.findings
    ]


def count_of(run: PreflightRun, level: Level) -> int:
    return sum(row["level"] == level for row in run.findings)


@dataclass(frozen=True, slots=True)
class Summary:
    """A look in one sentence; `state` is ok, warning or error."""

    state: str
    sentence: str


def summary_of(run: PreflightRun) -> Summary:
    must, unknown = count_of(run, Level.MUST), count_of(run, Level.UNKNOWN)
    later = count_of(run, Level.SHOULD) + count_of(run, Level.WRITING)
    if must:
        return Summary("error", f"{must} must be granted before records can be read in full")
    if unknown:
        return Summary("warning", f"{unknown} could not be asked")
    if later:
        return Summary("warning", f"Reading is fine; {later} to look at, for better figures or for writing back")
    return Summary("ok", "Nothing is missing")


def as_text(run: PreflightRun, instance_url: str) -> str:
    """What is missing, for the administrator of the org: each grant and where to click."""
    lines = [f"Headwater's preflight, {run.ran_utc:%Y-%m-%d %H:%M} UTC: what {run.username} needs in org {run.org_id}"]
    for finding in findings_of(run):
        if finding.level is Level.FINE:
            continue
        lines += ["", f"[{finding.level}] {finding.sentence}"]
        lines += [f"  {finding.cost}"] if finding.cost else []
        lines += [f"  Grant: {grant.label} ({grant.name})" for grant in finding.grants]
        lines += [f"  Where: {finding.where}"] if finding.where else []
        lines += [f"  {instance_url}{finding.setup_path}"] if finding.setup_path else []
    return "\n".join(lines if len(lines) > 1 else [*lines, "", "Nothing is missing."]) + "\n"


def permission_set_zip(run: PreflightRun) -> bytes:
    """A permission set that grants all that reading needs, ready for the Metadata API. It must be assigned by hand."""
    grants = [_grant(each) for each in run.needed]
    files = {
        "package.xml": package_xml({"PermissionSet": [INTEGRATION_SET]}),
        f"permissionsets/{INTEGRATION_SET}.permissionset": _set_xml(grants),
    }
    return zipped(files)


def _runs(account: Account) -> QuerySet[PreflightRun]:
    return PreflightRun.of(account).order_by("-ran_utc", "-pk")


def _grant(stored: Mapping[str, Any]) -> Grant:
    return Grant(Kind(stored["kind"]), stored["name"], stored["label"])


def _ask(account: Account, row: Connection, wanted: Wanted) -> Facts:
    with session(account, job_kind=PREFLIGHT) as transport:
        org = Org(transport)
        try:
            answers = org.ask_together(_queries(row.user_id), "asking what the connected user may")
            described = org.describe([*wanted, *FIELDS])
        except RefusedFix as error:
            if error.error_code not in API_DISABLED_CODES:
                raise
            return Facts(row.user_id, api_refusal=error.error_code)
    return _facts(row.user_id, answers, described)


def _queries(user_id: str) -> list[SubQuery]:
    permissions = ", ".join(f"Permissions{name}" for name in ASKED)
    rights = f"{permissions}, (SELECT SobjectType FROM ObjectPerms WHERE PermissionsViewAllRecords = true)"  # noqa: S608 - SOQL
    assigned = f"Id IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{user_id}')"  # noqa: S608 - SOQL
    of_profile = f"IsOwnedByProfile = true AND ProfileId IN (SELECT ProfileId FROM User WHERE Id = '{user_id}')"  # noqa: S608 - SOQL
    package = f"Id, Description, (SELECT Id FROM Assignments WHERE AssigneeId = '{user_id}')"  # noqa: S608 - SOQL
    return [
        SubQuery("PermissionSet", f"SELECT {rights} FROM PermissionSet WHERE {assigned}"),  # noqa: S608 - SOQL
        SubQuery("PermissionSet", f"SELECT {rights} FROM PermissionSet WHERE {of_profile}"),  # noqa: S608 - SOQL
        SubQuery("PermissionSet", f"SELECT {package} FROM PermissionSet WHERE Name = '{PERMISSION_SET}'"),  # noqa: S608 - SOQL
        SubQuery("User", f"SELECT UserPermissionsMarketingUser FROM User WHERE Id = '{user_id}'"),  # noqa: S608 - SOQL
    ]


def _facts(user_id: str, answers: Sequence[QueryPage | Refusal], described: Mapping[str, Mapping[str, Any]]) -> Facts:
    assigned, of_profile, package, marketing = answers
    untold = next((f"{each.error_code}: {each.message.strip()}" for each in answers if isinstance(each, Refusal)), "")
    permissions, viewed = None, frozenset[str]()
    if isinstance(assigned, QueryPage) and isinstance(of_profile, QueryPage):
        sets = [*assigned.records, *of_profile.records]
        permissions = frozenset(name for name in ASKED if any(each[f"Permissions{name}"] for each in sets))
        viewed = frozenset(
            row["SobjectType"] for each in sets if each["ObjectPerms"] for row in each["ObjectPerms"]["records"]
        )
    in_org = package.records if isinstance(package, QueryPage) else None
    return Facts(
        user_id=user_id,
        permissions=permissions,
        viewed_in_full=viewed,
        is_marketing_user=_is_marketing(marketing),
        described=described,
        package_set=None if in_org is None else in_org[0]["Id"] if in_org else "",
        package_version=version_in(in_org[0]["Description"] or "") if in_org else 0,
        is_package_assigned=bool(in_org and in_org[0]["Assignments"]),
        untold=untold,
    )


def _is_marketing(answer: QueryPage | Refusal) -> bool | None:
    if isinstance(answer, Refusal) or not answer.records:
        return None
    return bool(answer.records[0]["UserPermissionsMarketingUser"])


def _set_xml(grants: Sequence[Grant]) -> bytes:
    """Elements of one name stand together, as the Metadata API wants them."""
    root = ET.Element("PermissionSet", xmlns=NAMESPACE)
    for grant in (each for each in grants if each.kind is Kind.FIELD):
        element = ET.SubElement(root, "fieldPermissions")
        for name, text in (("editable", "false"), ("field", grant.name), ("readable", "true")):
            add(element, name, text)
    add(root, "label", "Headwater Integration")
    for grant in (each for each in grants if each.kind is Kind.OBJECT):
        element = ET.SubElement(root, "objectPermissions")
        for right in ("allowCreate", "allowDelete", "allowEdit"):
            add(element, right, "false")
        add(element, "allowRead", "true")
        add(element, "modifyAllRecords", "false")
        add(element, "object", grant.name)
        add(element, "viewAllRecords", "true")
    for grant in (each for each in grants if each.kind is Kind.SYSTEM):
        element = ET.SubElement(root, "userPermissions")
        add(element, "enabled", "true")
        add(element, "name", grant.name)
    return to_bytes(root)
