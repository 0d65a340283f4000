"""What a person sets about an account's credits, as they typed it: read, or refused with the reason; kept on record.

Not here: what the settings do (ledger.py, priorities.py, windows.py). Page: docs/reference/credits.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import events_of, record_event
from headwater.common.errors import Facts, Fix
from headwater.credits.models import MAXIMUM_DAILY_LIMIT_CALLS, MINIMUM_DAILY_LIMIT_CALLS, Quota
from headwater.credits.opening import current_window, move_end, quota_of
from headwater.credits.windows import zone_names

LIMIT_CHANGED = "credits.daily_limit_changed"
CHANGED = {
    "daily_limit_calls": LIMIT_CHANGED,
    "reset_minute": "credits.reset_changed",
    "time_zone": "credits.time_zone_changed",
    "floor_percent": "credits.floor_changed",
    "backfill_share_percent": "credits.backfill_share_changed",
}
MAXIMUM_FLOOR_PERCENT = 90
_SPACES = str.maketrans("", "", ", \u202f\u00a0")


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """What is in force. `reset_minute` is after local midnight in `time_zone`, an IANA name."""

    daily_limit_calls: int
    reset_minute: int
    time_zone: str
    floor_percent: int
    backfill_share_percent: int

    @property
    def reset_time(self) -> str:
        """As a form shows and takes it."""
        return f"{self.reset_minute // 60:02}:{self.reset_minute % 60:02}"


@dataclass(frozen=True, slots=True)
class TypedSettings:
    """What a person typed; None leaves a setting as it is. `reset_time` is HH:MM."""

    daily_limit_calls: str | None = None
    reset_time: str | None = None
    time_zone: str | None = None
    floor_percent: str | None = None
    backfill_share_percent: str | None = None


class SettingFix(Fix):
    """A setting that cannot be stored. `setting` is its name in QuotaSettings."""

    def __init__(self, code: str, sentence: str, facts: Facts, *, setting: str) -> None:
        super().__init__(code, sentence, facts)
        self.setting = setting


def settings_of(account: Account) -> QuotaSettings:
    return _as_settings(quota_of(account))


def change_settings(
    account: Account, typed: TypedSettings, *, actor: str, expected: QuotaSettings | None = None
) -> QuotaSettings:
    """Store what a person typed; raises Fix and changes nothing where a part of it is not right (row B3).

    expected   What the person saw. A setting that they change and another changed meanwhile is not overwritten
               unseen; one that they left alone keeps whatever it is now.
    """
    wanted = _read(typed)
    with transaction.atomic():
        quota = Quota.of(account).select_for_update().get(pk=quota_of(account).pk)
        before = _as_settings(quota)
        if expected is not None:
            wanted = {name: value for name, value in wanted.items() if value != getattr(expected, name)}
            _refuse_unseen(account, before, expected, wanted)
        after = replace(before, **wanted)
        if after != before:
            _store(account, quota, before, after, actor)
    return after


def settings_changes(account: Account) -> QuerySet[AuditEvent]:
    """Who changed which setting and when, the newest first."""
    return events_of(account).filter(action__in=CHANGED.values())


def _as_settings(quota: Quota) -> QuotaSettings:
    return QuotaSettings(**{each.name: getattr(quota, each.name) for each in fields(QuotaSettings)})


def _store(account: Account, quota: Quota, before: QuotaSettings, after: QuotaSettings, actor: str) -> None:
    """The running window is opened, where none is, by the settings that were in force until now; then its end moves."""
    moves = (before.reset_minute, before.time_zone) != (after.reset_minute, after.time_zone)
    running = current_window(account) if moves else None
    for name, action in CHANGED.items():
        if getattr(before, name) != getattr(after, name):
            setattr(quota, name, getattr(after, name))
            record_event(account, actor=actor, action=action, before=_shown(before, name), after=_shown(after, name))
    quota.save()
    if running is not None:
        move_end(running, quota)


def _shown(settings: QuotaSettings, name: str) -> str:
    value = getattr(settings, name)
    if name == "reset_minute":
        return settings.reset_time
    return f"{value} %" if name.endswith("_percent") else f"{value:,}" if isinstance(value, int) else str(value)


def _read(typed: TypedSettings) -> dict[str, Any]:
    readers: dict[str, tuple[str | None, Callable[[str], int | str]]] = {
        "daily_limit_calls": (typed.daily_limit_calls, _read_limit),
        "reset_minute": (typed.reset_time, _read_reset_time),
        "time_zone": (typed.time_zone, _read_time_zone),
        "floor_percent": (typed.floor_percent, _read_floor),
        "backfill_share_percent": (typed.backfill_share_percent, _read_share),
    }
    return {name: read(text) for name, (text, read) in readers.items() if text is not None}


def _whole_number(typed: str) -> int | None:
    """None where it is not one; a number too long for any setting is the largest there is."""
    plain = typed.strip().translate(_SPACES)
    if not (plain.isascii() and plain.isdigit()):
        return None
    return int(plain) if len(plain) <= 20 else MAXIMUM_DAILY_LIMIT_CALLS + 1


def _read_limit(typed: str) -> int:
    limit = _whole_number(typed)
    if limit is None:
        raise _bad_limit(f"“{typed.strip()[:40]}” is not a whole number.")
    if limit < MINIMUM_DAILY_LIMIT_CALLS:
        raise _bad_limit(f"{limit:,} is less than {MINIMUM_DAILY_LIMIT_CALLS:,}, the least an account can work with.")
    if limit > MAXIMUM_DAILY_LIMIT_CALLS:
        raise _bad_limit(f"The limit is at most {MAXIMUM_DAILY_LIMIT_CALLS:,}.")
    return limit


def _read_reset_time(typed: str) -> int:
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", typed.strip())
    if found is None:
        raise SettingFix(
            "credits.bad_reset_time",
            f"“{typed.strip()[:40]}” is not a time of day.",
            Facts(left="Nothing was changed.", you_can="enter hours and minutes from 00:00 to 23:59, as 06:30"),
            setting="reset_minute",
        )
    return int(found[1]) * 60 + int(found[2])


def _read_time_zone(typed: str) -> str:
    name = typed.strip()
    if name not in zone_names():
        raise SettingFix(
            "credits.unknown_time_zone",
            f"“{name[:40]}” is not a time zone that is known here.",
            Facts(left="Nothing was changed.", you_can="choose one by its name, as UTC or Europe/Berlin"),
            setting="time_zone",
        )
    return name


def _read_floor(typed: str) -> int:
    return _read_percent(typed, "floor_percent", 0, MAXIMUM_FLOOR_PERCENT)


def _read_share(typed: str) -> int:
    return _read_percent(typed, "backfill_share_percent", 1, 100)


def _read_percent(typed: str, setting: str, least: int, most: int) -> int:
    percent = _whole_number(typed.strip().removesuffix("%"))
    if percent is None or not least <= percent <= most:
        raise SettingFix(
            "credits.bad_percent",
            f"“{typed.strip()[:40]}” is not a whole number from {least} to {most}.",
            Facts(left="Nothing was changed.", you_can=f"enter a whole number from {least} to {most}"),
            setting=setting,
        )
    return percent


def _bad_limit(why: str) -> SettingFix:
    return SettingFix(
        "credits.bad_limit",
        why,
        Facts(
            left="The limit was not changed.", you_can=f"enter a whole number, {MINIMUM_DAILY_LIMIT_CALLS:,} or more"
        ),
        setting="daily_limit_calls",
    )


def _refuse_unseen(account: Account, present: QuotaSettings, expected: QuotaSettings, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if getattr(present, name) not in (getattr(expected, name), value):
            raise _changed_meanwhile(account, present, name)


def _changed_meanwhile(account: Account, present: QuotaSettings, name: str) -> SettingFix:
    latest, now = events_of(account, CHANGED[name]).first(), _shown(present, name)
    return SettingFix(
        "credits.changed_meanwhile",
        f"It was changed to {now} while this form was open.",
        Facts(
            why=f"{latest.actor} changed it from {latest.before} to {latest.after}." if latest else "",
            left="What you typed was not saved.",
            you_can=f"save again to replace {now}, or cancel to keep it",
        ),
        setting=name,
    )
