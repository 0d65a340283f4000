"""The words that pages use for what programmes call otherwise: environments, jobs, calls, states, deeds.

Not here: sentences, which stand in templates. A name without words of its own is shown as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from headwater.connections.models import Status
from headwater.connections.package import Change, PackageState
from headwater.connections.preflight_rules import Level
from headwater.credits.reconcile import Verdict
from headwater.jobs.models import State
from headwater.sync.audit_findings import Finding

ENVIRONMENTS: Mapping[str, str] = {
    "production": "Production",
    "sandbox": "Sandbox",
    "scratch": "Scratch org",
    "trial": "Trial",
    "developer": "Developer Edition",
}
TASKS: Mapping[str, str] = {
    "sync.cycle": "Sync",
    "sync.backfill": "Reading history",
    "sync.audit": "Comparing with the org",
    "attribution.run": "Attribution",
    "export.records": "Export",
    "pipeline.run": "Sync, attribution and export",
    "connections.delete": "Deleting the connection",
    "package.install": "Installing the Salesforce package",
    "connections.snapshot": "Snapshot of the org",
}
LOG_IN_WAYS: Mapping[str, str] = {  # of connections.models.LogIn
    "browser": "A person logs in once",
    "jwt": "JWT bearer",
    "client_credentials": "Client credentials",
}
JOB_KINDS: Mapping[str, str] = {  # as the ledger of credits names them
    "connect": "Connecting",
    "reconcile": "Comparing with the org's own count",
    "parity": "Parity",
    "plan": "Planning",
    "preflight": "Preflight",
    "sync": "Sync",
    "backfill": "History",
    "audit": "Audit",
    "export": "Export",
    "package.install": "Salesforce package",
    "demo": "Demo",
}
CALL_KINDS: Mapping[str, str] = {
    "query": "Query",
    "composite_query": "Query, several in one call",
    "composite_describe": "Describe, several in one call",
    "composite_deleted": "Deleted records, several objects in one call",
    "composite_write": "Write, several in one call",
    "record_count": "Record count",
    "limits": "Limits",
    "bulk_create": "Bulk job",
    "bulk_upload": "Bulk upload",
    "bulk_close": "Bulk upload finished",
    "bulk_poll": "Bulk status",
    "bulk_results": "Bulk results",
    "insert": "Create",
    "upsert": "Write",
    "delete": "Delete",
    "deploy": "Deploy",
}
WAYS_OF_READING: Mapping[str, str] = {  # of sync.plan.Method
    "pages": "Plain query",
    "composite": "Composite",
    "ranges": "Composite, several pages",
    "bulk": "Bulk job",
}
CALLS_OF_PLAN: Mapping[str, str] = {  # of sync.services.CallsLine
    "looking_calls": "Looking",
    "query_calls": "Plain queries",
    "composite_calls": "Composites",
    "bulk_calls": "Bulk jobs",
    "calls": "Together",
}
WAYS_OF_WRITING: Mapping[str, str] = {  # of credits.write_prices.Way
    "collections": "Collections",
    "composite": "Composites of five collections",
    "bulk": "Bulk jobs",
}
PACKAGE_STATES: Mapping[PackageState, tuple[str, str]] = {  # key of templatetags.headwater.STATES, words
    PackageState.NOT_INSTALLED: ("off", "Not installed"),
    PackageState.OLDER: ("warning", "An older version is installed"),
    PackageState.CURRENT: ("ok", "Installed and up to date"),
    PackageState.NEWER: ("error", "A newer version is installed than this Headwater knows"),
    PackageState.DAMAGED: ("warning", "Something is missing or was changed"),
    PackageState.NOT_GRANTED: ("warning", "Installed, but not granted to the connected user"),
    PackageState.CLASH: ("error", "The names are taken by something that is not Headwater's"),
}
PACKAGE_CHANGES: Mapping[Change, str] = {
    Change.NEW: "waiting",
    Change.CHANGED: "busy",
    Change.THERE: "ok",
    Change.HIDDEN: "warning",
    Change.UNSEEN: "off",
    Change.CLASH: "error",
}
FINDING_LEVELS: Mapping[Level, tuple[str, str]] = {  # (a key of templatetags.headwater.STATES, words)
    Level.MUST: ("error", "Must be granted"),
    Level.UNKNOWN: ("waiting", "Could not be asked"),
    Level.SHOULD: ("warning", "Should be granted"),
    Level.WRITING: ("off", "For writing back"),
    Level.FINE: ("ok", "Fine"),
}
# Reasons for which a job stopped that the preflight can explain.
LACKS_PERMISSION = (
    "salesforce.operation_too_large",
    "salesforce.refused",
    "sync.fields_not_readable",
    "sync.objects_not_readable",
)
JOB_STATES: Mapping[State, str] = {  # the keys of templatetags.headwater.STATES
    State.QUEUED: "waiting",
    State.RUNNING: "busy",
    State.WAITING: "waiting",
    State.DONE: "ok",
    State.FAILED: "error",
    State.BLOCKED: "warning",
    State.CANCELLED: "off",
}
READING_STATES: Mapping[str, str] = {  # the same, of an object or a field
    "read": "ok",
    "waiting": "waiting",
    "named": "waiting",
    "lost": "warning",
    "absent": "off",
}
AUDIT_FINDINGS: Mapping[Finding, str] = {  # the same
    Finding.EQUAL: "ok",
    Finding.REPAIRED: "ok",
    Finding.NO_ROOM: "waiting",
    Finding.DIFFERS_AGAIN: "warning",
    Finding.MANY_GONE: "warning",
    Finding.NOT_COMPARED: "off",
}
CONNECTION_STATES: Mapping[Status, str] = {  # the same
    Status.AWAITING_CONFIRMATION: "waiting",
    Status.CONNECTED: "ok",
    Status.AUTHORIZATION_REQUIRED: "error",
    Status.DISCONNECTED: "off",
    Status.DELETING: "busy",
}
DRIFT_VERDICTS: Mapping[Verdict, tuple[str, str]] = {  # (a key of templatetags.headwater.STATES, words)
    Verdict.UNKNOWN: ("waiting", "Not heard yet"),
    Verdict.AGREES: ("ok", "The org counts as Headwater does"),
    Verdict.OTHERS: ("ok", "The org's other users account for the rest"),
    Verdict.LESS: ("warning", "The org counts less than Headwater sent"),
}
DEEDS: Mapping[str, str] = {  # as the record of changes names them
    "account.closed": "Closed the account",
    "account.reopened": "Opened the account again",
    "credits.backfill_share_changed": "Share for reading history",
    "credits.daily_limit_changed": "Daily CRM API Limit",
    "credits.floor_changed": "Left to the org's other users",
    "credits.reset_changed": "Time of the reset",
    "credits.time_zone_changed": "Time zone of the reset",
    "fields.named": "Had a field read",
    "fields.taken_back": "Took a field back",
    "operator.entered": "Came in as an operator",
    "operator.left": "Left again",
    "people.address_changed": "Changed the e-mail address",
    "people.invitation_sent_again": "Sent the invitation again",
    "people.invitation_withdrawn": "Withdrew the invitation",
    "people.invited": "Invited",
    "people.joined": "Joined",
    "people.removed": "Removed",
    "people.role_changed": "Changed the role",
    "sync.audited": "Repaired the local copy",
    "sync.formulas_changed": "How often formulas are read anew",
    "sync.rebuilt": "Had objects read anew",
    "sync.schedule_changed": "How often the org is read",
}


PARITY_LEVELS: Mapping[str, tuple[str, str]] = {  # a key of templatetags.headwater.STATES, and words
    "matters": ("error", "Matters"),
    "worth_knowing": ("warning", "Worth knowing"),
    "cosmetic": ("off", "Cosmetic"),
}


def result_lines(result: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """What a job returned as (label, value) of each number or text in it, with the labels above it in front."""
    for name, value in result.items():
        label = f"{above}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from result_lines(value, f"{label}, ")
        elif not (isinstance(value, list) and value and isinstance(value[0], Mapping)):  # a table is no line
            yield label[:1].upper() + label[1:], value
