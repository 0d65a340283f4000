"""How often an account is read by itself: what a person chose, what it costs, and keeping the schedule true to it.

The first read is a person's deed, after they saw its plan; from then on cycles follow by themselves while the
connection is live. Not here: turning a schedule into jobs (jobs/schedules.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.db.models import QuerySet

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import events_of, record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.connections.models import Connection, Status
from headwater.jobs.models import Schedule
from headwater.jobs.services import set_schedule, stop_schedule
from headwater.sync.describe import DESCRIBE_EVERY
from headwater.sync.discover import price, tables_of, wishes_of
from headwater.sync.formulas import formula_wishes, formulas_every_days, tables_with_formulas
from headwater.sync.models import DEFAULT_EVERY_MINUTES, CycleSetting, ReplicaTable
from headwater.sync.objects import DAILY
from headwater.sync.schemas import formulas_of

CYCLE_TASK = "sync.cycle"
AUDIT_TASK = "sync.audit"
AUDIT_EVERY_DAYS = 7
SCHEDULE_CHANGED = "sync.schedule_changed"
FORMULAS_CHANGED = "sync.formulas_changed"
CHOICES_MINUTES = (5, 10, 15, 30, 60, 180, 360, 720, 1440)
FORMULA_CHOICES_DAYS = (1, 7, None)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the intervals; what a day of it costs while nothing changes."""

    minutes: int
    calls_a_day: int


@dataclass(frozen=True, slots=True)
class Cadence:
    """`every_minutes` is None where cycles are started by hand alone; `next_utc` where none will come by itself."""

    every_minutes: int | None
    next_utc: datetime | None
    choices: tuple[Choice, ...]
    formulas: "FormulaCadence"


@dataclass(frozen=True, slots=True)
class FormulaCadence:
    """How often a read takes formulas anew; None: never. `calls` is what each time costs, 0 where none is read.

    fields   Object.Field of each formula that is read.
    """

    every_days: int | None
    calls: int
    fields: tuple[str, ...]

    @property
    def calls_a_day(self) -> int:
        return ceil(self.calls / self.every_days) if self.every_days else 0


def cadence_of(account: Account) -> Cadence:
    chosen, formulas = chosen_minutes(account), formula_cadence_of(account)
    cycle_calls, daily_calls = _idle_calls(account)
    daily_calls += formulas.calls_a_day
    choices = tuple(Choice(minutes, cycle_calls * (1440 // minutes) + daily_calls) for minutes in CHOICES_MINUTES)
    return Cadence(chosen, next_cycle_utc(account), choices, formulas)


def formula_cadence_of(account: Account) -> FormulaCadence:
    tables = tables_with_formulas(account)
    fields = tuple(f"{name}.{each}" for name, table in tables.items() for each in formulas_of(table))
    calls = price(account, formula_wishes(tables), looking_calls=0).calls if tables else 0
    return FormulaCadence(formulas_every_days(account), calls, fields)


def next_cycle_utc(account: Account) -> datetime | None:
    return _next_utc(account, CYCLE_TASK)


def next_audit_utc(account: Account) -> datetime | None:
    return _next_utc(account, AUDIT_TASK)


def _next_utc(account: Account, task: str) -> datetime | None:
    schedule = Schedule.objects.filter(tenant=str(account.pk), task=task, enabled=True).first()
    return schedule.next_utc if schedule else None


def chosen_minutes(account: Account) -> int | None:
    row = CycleSetting.of(account).first()
    return row.every_minutes if row else DEFAULT_EVERY_MINUTES


def _idle_calls(account: Account) -> tuple[int, int]:
    """Of a cycle while nothing changes, and once a day besides. Asks the org nothing; 0 before anything was read."""
    read = {name: table for name, table in tables_of(account).items() if table.read_from_utc is not None}
    for table in read.values():
        table.full_read_due, table.changed_rows_per_hour = False, None  # of these objects here, not in the database
    daily = {name: table for name, table in read.items() if name in DAILY}
    each_time = {name: table for name, table in read.items() if name not in DAILY}
    return _price(account, each_time), _price(account, daily) + (_DAY // DESCRIBE_EVERY if read else 0)


def _price(account: Account, tables: Mapping[str, ReplicaTable]) -> int:
    return price(account, wishes_of(tables, {}), looking_calls=0).calls if tables else 0


def change_cadence(account: Account, minutes: int | None, *, actor: str) -> Cadence:
    """Read every so many minutes from now on, or (None) only when a person says so. Kept on record."""
    if minutes is not None and minutes not in CHOICES_MINUTES:
        raise Fix(
            "sync.bad_interval",
            f"{minutes} minutes is not one of the intervals.",
            Facts(
                left="Nothing was changed.",
                you_can=f"choose one of {', '.join(str(each) for each in CHOICES_MINUTES)}, or off",
            ),
        )
    with transaction.atomic():
        before = chosen_minutes(account)
        if before != minutes:
            CycleSetting.of(account).update_or_create(account=account, defaults={"every_minutes": minutes})
            told = {"before": in_words(before), "after": in_words(minutes)}
            record_event(account, actor=actor, action=SCHEDULE_CHANGED, **told)
        keep_schedules([account.pk])
    return cadence_of(account)


@transaction.atomic
def change_formulas(account: Account, days: int | None, *, actor: str) -> Cadence:
    """Read formulas anew every so many days from now on, or (None) never. Kept on record."""
    if days not in FORMULA_CHOICES_DAYS:
        raise Fix(
            "sync.bad_interval",
            f"{days} days is not one of the intervals for formulas.",
            Facts(
                left="Nothing was changed.",
                you_can=f"choose one of {', '.join(formulas_in_words(each) for each in FORMULA_CHOICES_DAYS)}",
            ),
        )
    before = formulas_every_days(account)
    if before != days:
        CycleSetting.of(account).update_or_create(account=account, defaults={"formulas_every_days": days})
        told = {"before": formulas_in_words(before), "after": formulas_in_words(days)}
        record_event(account, actor=actor, action=FORMULAS_CHANGED, **told)
    return cadence_of(account)


@transaction.atomic
def change_schedule(account: Account, wished: Mapping[str, int | None], *, actor: str) -> Cadence:
    """`every_minutes` and `formulas_every_days`; what is not named stays as it is."""
    if "formulas_every_days" in wished:
        change_formulas(account, wished["formulas_every_days"], actor=actor)
    if "every_minutes" in wished:
        change_cadence(account, wished["every_minutes"], actor=actor)
    return cadence_of(account)


def formulas_in_words(days: int | None) -> str:
    return {None: "never", 1: "once a day", 7: "once a week"}[days]


def formulas_sentence(days: int | None) -> str:
    how = f"read anew {formulas_in_words(days)}" if days else "never read anew"
    return f"Formulas are {how}."


def cadence_changes(account: Account) -> QuerySet[AuditEvent]:
    """Who changed it and when, the newest first."""
    return events_of(account).filter(action__in=[SCHEDULE_CHANGED, FORMULAS_CHANGED])


def in_words(minutes: int | None) -> str:
    if minutes is None:
        return "only when started by hand"
    if minutes % 60:
        return f"every {minutes} minutes"
    hours = minutes // 60
    return {1: "every hour", 24: "once a day"}.get(hours, f"every {hours} hours")


def keep_schedules(only: Collection[int] | None = None) -> None:
    """Make the schedules what they should be now, of all accounts or of some. Cheap where nothing is to be done."""
    minutes = _wanted_minutes(only)
    _keep(CYCLE_TASK, {account_id: each * 60 for account_id, each in minutes.items()}, only)
    _keep(AUDIT_TASK, dict.fromkeys(minutes, AUDIT_EVERY_DAYS * 86_400), only)


def _keep(task: str, wanted_seconds: Mapping[int, int], only: Collection[int] | None) -> None:
    present = _enabled_seconds(task, only)
    for account_id, seconds in wanted_seconds.items():
        if present.get(account_id) != seconds:
            first_utc = None if account_id in present else now_utc() + timedelta(seconds=seconds)
            arguments = {"account_id": account_id}
            set_schedule(task, tenant=str(account_id), every_seconds=seconds, arguments=arguments, first_utc=first_utc)
    for account_id in present.keys() - wanted_seconds.keys():
        stop_schedule(task, tenant=str(account_id))


def _wanted_minutes(only: Collection[int] | None) -> Mapping[int, int]:
    """By account: those with a live connection that were read once, are not closed and want it."""
    live = Connection.of_all().filter(status=Status.CONNECTED, account__closed_utc=None)
    was_read = ReplicaTable.of_all().filter(read_from_utc__isnull=False)
    ids = set(live.filter(account_id__in=was_read.values("account_id")).values_list("account_id", flat=True))
    ids = ids if only is None else ids & set(only)
    chosen = dict(CycleSetting.of_all().filter(account_id__in=ids).values_list("account_id", "every_minutes"))
    each = {account_id: chosen.get(account_id, DEFAULT_EVERY_MINUTES) for account_id in ids}
    return {account_id: minutes for account_id, minutes in each.items() if minutes is not None}


def _enabled_seconds(task: str, only: Collection[int] | None) -> Mapping[int, int]:
    rows = Schedule.objects.filter(task=task, enabled=True).values_list("tenant", "every_seconds")
    found = {int(tenant): seconds for tenant, seconds in rows if tenant.isdigit()}
    return found if only is None else {key: seconds for key, seconds in found.items() if key in only}
