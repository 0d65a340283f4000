"""How values look on every page: numbers, money, moments, ids, states, icons, form fields, menus.

Not here: any arithmetic; a tag shows what a service has worked out.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, Select
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.timesince import timesince

from headwater.accounts import invitations
from headwater.accounts.mail import is_mail_only_logged
from headwater.accounts.models import Invitation
from headwater.common.clock import now_utc
from headwater.common.money import from_cents
from headwater.connections.models import Connection, Status
from headwater.connections.package import Change, PackageState
from headwater.connections.preflight_rules import Level
from headwater.credits.reconcile import Drift
from headwater.jobs.models import State
from headwater.jobs.services import JobView, job_view, jobs_of
from headwater.notify import services as notify
from headwater.notify.models import Notification
from headwater.results.services import ChannelRow
from headwater.sync.audit_findings import Finding
from headwater.sync.extras import STATES_IN_WORDS
from headwater.watch import PAUSES
from headwater.web import navigation
from headwater.web.wording import (
    AUDIT_FINDINGS,
    CALL_KINDS,
    CALLS_OF_PLAN,
    CONNECTION_STATES,
    DEEDS,
    DRIFT_VERDICTS,
    ENVIRONMENTS,
    FINDING_LEVELS,
    JOB_KINDS,
    JOB_STATES,
    LACKS_PERMISSION,
    LOG_IN_WAYS,
    PACKAGE_CHANGES,
    PACKAGE_STATES,
    PARITY_LEVELS,
    READING_STATES,
    TASKS,
    WAYS_OF_READING,
    WAYS_OF_WRITING,
)

register = template.Library()

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
NO_TOUCH = "(no touch)"
UNKNOWN = "\N{EN DASH}"
_WORD_OF_NAME = re.compile(r"(?<=[a-z0-9_])(?=[A-Z])")
STATES = {
    "ok": "circle-check",
    "busy": "refresh",
    "waiting": "clock",
    "warning": "alert-triangle",
    "error": "alert-circle",
    "off": "circle-minus",
}


@register.filter
def number(value: int | Decimal | None, decimals: int | None = None) -> str:
    """Digits in the locale's groups; a dash stands for a number that is not known."""
    if value is None:
        return UNKNOWN
    return formats.number_format(value, decimal_pos=decimals, use_l10n=True, force_grouping=True)


@register.filter
def breakable(api_name: str) -> SafeString:
    """A name of Salesforce's that may go on in the next line before each of its words: OpportunityFieldHistory."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((word,) for word in _WORD_OF_NAME.split(api_name)))


@register.filter
def money(cents: int | None, currency: str) -> str:
    """Whole cents as an amount with its ISO code: 123450 -> 1,234.50 USD."""
    return UNKNOWN if cents is None else f"{number(from_cents(cents), 2)}{NO_BREAK_SPACE}{currency}"


@register.filter
def amount(cents: int | None) -> str:
    """Whole cents as an amount where the page has no currency to name: 123450 -> 1,234.50."""
    return UNKNOWN if cents is None else number(from_cents(cents), 2)


@register.filter
def percent(value: Decimal) -> str:
    """Rounded to two decimals, so that they stand in line: 22.5 -> 22.50%, 0.909 -> 0.91%."""
    return f"{number(round(value, 2), 2)}%"


@register.filter
def channel_name(row: ChannelRow) -> str:
    return NO_TOUCH if row.is_none else row.channel


@register.filter
def result_value(value: Any, label: str) -> str:
    """A number or text of a job's result; its label says which numbers are money."""
    if isinstance(value, bool) or not isinstance(value, int):
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return amount(value) if "cents" in label else number(value)


@register.filter
def calls_of_plan(kind: str) -> str:
    return CALLS_OF_PLAN[kind]


@register.filter
def way_of_reading(method: str) -> str:
    return WAYS_OF_READING[method]


@register.filter
def way_of_writing(way: str) -> str:
    return WAYS_OF_WRITING[way]


@register.filter
def of_model(by_model: Mapping[str, int], model: str) -> int:
    """A model's value, by its label."""
    return by_model[model]


@register.simple_tag
def moment(at_utc: datetime | None, absent: str = "never") -> str:
    """How long ago, or how long until; the exact moment in UTC on hover and for machines."""
    if at_utc is None:
        return absent
    exact = f"{at_utc.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    shape = '<time datetime="{}" title="{}">{}</time>'
    return format_html(shape, at_utc.isoformat(), exact, _distance(at_utc))


def _distance(at_utc: datetime) -> str:
    now = now_utc()
    if abs((now - at_utc).total_seconds()) < 60:
        return "just now" if at_utc <= now else "in less than a minute"
    if at_utc < now:
        return f"{timesince(at_utc, now, depth=1)} ago"
    return f"in {timesince(now, at_utc, depth=1)}"


@register.filter
def duration(seconds: int) -> str:
    """How long, in one unit: 200 -> 3 minutes."""
    if seconds < 60:
        return "less than a minute"
    now = now_utc()
    return timesince(now, now + timedelta(seconds=seconds), depth=1)


@register.filter
def environment(org_kind: str) -> str:
    return ENVIRONMENTS.get(org_kind, org_kind)


@register.filter
def log_in_way(way: str) -> str:
    return LOG_IN_WAYS.get(way, way)


@register.filter
def task_name(task: str) -> str:
    return TASKS.get(task, task)


@register.filter
def job_kind(kind: str) -> str:
    return JOB_KINDS.get(kind, kind)


@register.filter
def call_kind(kind: str) -> str:
    return CALL_KINDS.get(kind, kind)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the vendored sprite; silent for screen readers unless it has a label of its own."""
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    drawing = f"{static('vendor/icons.svg')}#{name}"
    return format_html('<svg class="icon" {}><use href="{}"></use></svg>', said, drawing)


@register.simple_tag
def state(kind: str, words: str) -> SafeString:
    """A state in words and an icon. `kind` is a key of STATES; an unknown one is an error."""
    shape = '<span class="state state-{}">{}<span>{}</span></span>'
    return format_html(shape, kind, icon(STATES[kind]), words)


@register.simple_tag
def reading_state(name: str) -> SafeString:
    """Of an object or a field that is read."""
    return state(READING_STATES[name], capfirst(STATES_IN_WORDS[name]))


@register.simple_tag
def audit_finding(name: str) -> SafeString:
    finding = Finding(name)
    return state(AUDIT_FINDINGS[finding], capfirst(finding.in_words))


@register.simple_tag
def parity_level(level: str) -> SafeString:
    return state(*PARITY_LEVELS[level])


@register.filter
def parity_words(name: str) -> str:
    """A level, or the kind of a thing, in words: `validation_rule` -> Validation rule."""
    return PARITY_LEVELS[name][1] if name in PARITY_LEVELS else name.replace("_", " ").capitalize()


@register.simple_tag
def job_state(view: JobView) -> SafeString:
    return state("busy", "Stopping") if view.is_cancelling else state(JOB_STATES[view.state], view.state.label)


@register.simple_tag
def package_state(of: PackageState) -> SafeString:
    return state(*PACKAGE_STATES[of])


@register.simple_tag
def package_change(change: Change) -> SafeString:
    return state(PACKAGE_CHANGES[change], change.value)


@register.simple_tag
def finding_level(level: Level) -> SafeString:
    return state(*FINDING_LEVELS[level])


@register.filter
def lacks_permission(code: str) -> bool:
    return code in LACKS_PERMISSION


@register.simple_tag
def connection_state(connection: Connection) -> SafeString:
    return state(CONNECTION_STATES[Status(connection.status)], connection.get_status_display())


@register.simple_tag
def drift_verdict(found: Drift) -> SafeString:
    """Whether the org counts as Headwater does."""
    return state(*DRIFT_VERDICTS[found.verdict])


@register.filter
def deed(action: str) -> str:
    """What was done, as the history of an account tells it."""
    return DEEDS.get(action, action)


@register.filter
def has_expired(invitation: Invitation) -> bool:
    return invitations.has_expired(invitation)


@register.simple_tag
def mail_only_logged() -> bool:
    """Whether mails go nowhere but to the log, so that a page must say so."""
    return is_mail_only_logged()


@register.inclusion_tag("web/parts/pause.html", takes_context=True)
def pause_banner(context: template.Context) -> dict[str, JobView | None]:
    """The newest job that waits for credits, if one does: said once, however many wait."""
    account = getattr(context.get("request"), "account", None)
    if account is None:
        return {"view": None}
    waiting = jobs_of(str(account.pk)).filter(state=State.WAITING, reason_code__in=PAUSES).first()
    return {"view": job_view(waiting) if waiting else None}


@register.simple_tag(takes_context=True)
def unread_count(context: template.Context) -> int:
    request = context["request"]
    return notify.unread_count(request.account, request.user)


@register.simple_tag
def notification_state(told: Notification) -> SafeString:
    return state("ok", "Resolved") if told.resolved_utc else state("warning", "Needs attention")


@register.filter
def about(told: Notification) -> str:
    """What the notification is about, where its subject has a name of its own."""
    return f"{TASKS[told.subject]}, " if told.subject in TASKS else ""


@register.simple_tag
def remedy(told: Notification) -> navigation.Entry | None:
    """Where a person mends it: by the room that its code names."""
    return navigation.REMEDIES.get(told.code.partition(".")[0], navigation.REMEDIES["jobs"])


@register.inclusion_tag("web/parts/ident.html")
def ident(value: str) -> dict[str, str]:
    """An id in monospace with a button that copies it."""
    return {"value": value}


@register.inclusion_tag("web/parts/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form field with its label, help and errors, in Tabler's classes."""
    widget = bound.field.widget
    is_check = isinstance(widget, CheckboxInput)
    css = "form-check-input" if is_check else "form-select" if isinstance(widget, Select) else "form-control"
    if bound.errors:
        css += " is-invalid"
    return {"field": bound, "is_check": is_check, "control": bound.as_widget(attrs={"class": css})}


@register.inclusion_tag("web/parts/top_menu.html", takes_context=True)
def top_menu(context: template.Context) -> dict[str, Any]:
    return {"groups": navigation.TOP, "here": _view_name(context)}


@register.inclusion_tag("web/parts/settings_menu.html", takes_context=True)
def settings_menu(context: template.Context) -> dict[str, Any]:
    return {"label": "Settings", "groups": navigation.SETTINGS, "here": _view_name(context)}


@register.inclusion_tag("web/parts/settings_menu.html", takes_context=True)
def profile_menu(context: template.Context) -> dict[str, Any]:
    return {"label": "My profile", "groups": navigation.PROFILE, "here": _view_name(context)}


@register.filter
def is_here(entry: navigation.Entry, view: str) -> bool:
    return view == entry.view or view.startswith(f"{entry.view}_")


def _view_name(context: template.Context) -> str:
    request: HttpRequest = context["request"]
    return request.resolver_match.view_name if request.resolver_match else ""
