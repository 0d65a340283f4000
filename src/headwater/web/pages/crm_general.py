"""Settings > CRM > General: the Daily CRM API Limit and what else is set about credits, each behind its lock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.models import Role
from headwater.common.errors import Fix
from headwater.credits.budget import budget_of
from headwater.credits.models import DEFAULT_DAILY_LIMIT_CALLS, MINIMUM_DAILY_LIMIT_CALLS
from headwater.credits.priorities import share_calls
from headwater.credits.quota_settings import QuotaSettings, TypedSettings, settings_changes, settings_of
from headwater.credits.windows import zone_names
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.templatetags.headwater import number
from headwater.wiring import change_credit_settings

USUAL_ALLOWANCE_CALLS = 115_000  # the example before the org spoke: Enterprise Edition with 15 licences (facts B.1)


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is one of TypedSettings, `column` that of QuotaSettings which it fills; `keyboard` is a phone's."""

    name: str
    column: str
    label: str
    keyboard: str = "numeric"


@dataclass(frozen=True, slots=True)
class Setting:
    """A card: what is unlocked and saved together.

    unit    stands behind the value
    saved   is told once it is; {0} is the QuotaSettings
    info    is the template of what it means
    """

    slug: str
    title: str
    unit: str
    saved: str
    fields: tuple[Field, ...]

    @property
    def info(self) -> str:
        return f"web/settings/crm_{self.slug.replace('-', '_')}.html"


_ALL = (
    Setting(
        "daily-limit",
        "Daily CRM API Limit",
        "calls in 24 hours",
        "The Daily CRM API Limit is {0.daily_limit_calls:,} calls.",
        (Field("daily_limit_calls", "daily_limit_calls", "Calls in 24 hours"),),
    ),
    Setting(
        "reset",
        "Daily reset",
        "",
        "The limit is reset at {0.reset_time} {0.time_zone}.",
        (Field("reset_time", "reset_minute", "Time", "text"), Field("time_zone", "time_zone", "Time zone", "text")),
    ),
    Setting(
        "floor",
        "Left to the org's other users",
        "% of the org's own allowance",
        "{0.floor_percent} % of the org's own allowance is left to its other users.",
        (Field("floor_percent", "floor_percent", "Percent of the org's allowance"),),
    ),
    Setting(
        "backfill",
        "Share for reading history",
        "% of the Daily CRM API Limit",
        "Reading history may take {0.backfill_share_percent} % of the Daily CRM API Limit.",
        (Field("backfill_share_percent", "backfill_share_percent", "Percent of the limit"),),
    ),
)
SETTINGS: Mapping[str, Setting] = {setting.slug: setting for setting in _ALL}


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as the page shows it. `value` is in force, `typed` stands in the form, `began_from` is for its answer."""

    field: Field
    value: str
    typed: str
    began_from: int | str


@require_GET
@member_page
def crm_general(request: MemberRequest) -> HttpResponse:
    return _page(request, opened=request.GET.get("edit", "") if request.role is Role.ADMIN else "")


@require_POST
@admin_action
def save(request: MemberRequest, setting: str) -> HttpResponse:
    """The form carries the values it began from, so that nobody overwrites a change that they have not seen."""
    if setting not in SETTINGS:
        raise Http404(setting)
    asked = SETTINGS[setting]
    typed = {field.name: request.POST.get(field.name, "") for field in asked.fields}
    expected = _seen(asked, settings_of(request.account), request.POST)
    try:
        stored = change_credit_settings(
            request.account, TypedSettings(**typed), actor=request.user.email, expected=expected
        )
    except Fix as error:
        return _page(request, opened=setting, typed=typed, refused=error, status=409)
    messages.success(request, asked.saved.format(stored))
    return redirect("web:crm_general")


def _seen(setting: Setting, present: QuotaSettings, posted: QueryDict) -> QuotaSettings:
    """What the person saw, where the form says it; else what is in force."""
    seen: dict[str, Any] = {}
    for field in setting.fields:
        began_from = posted.get(f"began_from_{field.column}", "")
        if field.column == "time_zone":
            seen |= {field.column: began_from} if began_from else {}
        elif began_from.isascii() and began_from.isdecimal():
            seen[field.column] = int(began_from)
    return replace(present, **seen)


def _page(
    request: MemberRequest,
    *,
    opened: str,
    typed: Mapping[str, str] | None = None,
    refused: Fix | None = None,
    status: int = 200,
) -> HttpResponse:
    present = settings_of(request.account)
    facts = {
        "cards": [
            (setting, _shown(setting, present, (typed or {}) if setting.slug == opened else {}))
            for setting in SETTINGS.values()
        ],
        "opened": opened,
        "closed": request.GET.get("closed", ""),
        "refused": refused,
        "refused_column": getattr(refused, "setting", ""),
        "settings": present,
        "budget": budget_of(request.account),
        "changes": settings_changes(request.account),
        "usual_calls": USUAL_ALLOWANCE_CALLS,
        "usual_floor_calls": share_calls(present.floor_percent, USUAL_ALLOWANCE_CALLS),
        "minimum": MINIMUM_DAILY_LIMIT_CALLS,
        "default": DEFAULT_DAILY_LIMIT_CALLS,
        "zones": zone_names() if opened == "reset" else (),
    }
    return render(request, "web/settings/crm_general.html", facts, status=status)


def _shown(setting: Setting, present: QuotaSettings, typed: Mapping[str, str]) -> list[Shown]:
    return [_shown_field(field, present, typed) for field in setting.fields]


def _shown_field(field: Field, present: QuotaSettings, typed: Mapping[str, str]) -> Shown:
    value = getattr(present, field.name)
    shown = number(value) if isinstance(value, int) else value
    return Shown(field, shown, typed.get(field.name, shown), getattr(present, field.column))
