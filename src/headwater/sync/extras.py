"""Fields that are read because a person, a setting or a rule names them: name one, take it back, list what is read.

Named fields count with the next cycle. Not here: reading them, and what a change in the org does (describe.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from django.db import transaction

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.connections.services import session
from headwater.lake import can_hold
from headwater.sync.describe import (
    WantedFields,
    describe_again,
    descriptions_of,
    look_now,
    wanted_of,
)
from headwater.sync.models import DescribedObject, ExtraField, ReplicaTable
from headwater.sync.objects import DAILY, IF_SEVERAL_CURRENCIES

BY_HAND = "by hand"
LOOKING = "fields"
STATES_IN_WORDS = {  # of an object or a field
    "read": "read",
    "waiting": "from the next sync on",
    "named": "from the next sync on",
    "lost": "no longer shown by the org",
    "absent": "not shown by the org",
}
LONGEST_QUERY_CHARACTERS = 10_000  # of names: a query stands in an address of at most 16,384 bytes (facts B.5)


@dataclass(frozen=True, slots=True)
class FieldRead:
    """A field that is read, or would be. `named_by` is empty where Headwater reads it of its own.

    state   `read`, `named` (from the next sync on) or `lost` (the org does not show it).
    why     `needed`, `where the org has it`, or who names it.
    """

    name: str
    label: str
    type: str
    is_formula: bool
    state: str
    why: str
    named_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """An object and its fields.

    state           `read`, `waiting` (for its first read), `lost` (it was read, and the org no longer shows it), or
                    `absent` (the org does not show it, and the sync goes on without).
    is_reload_due   A column is new or of another type, and not all rows have been read with it yet.
    others          Names of fields that could be read too.
    """

    sobject: str
    state: str
    is_daily: bool
    is_reload_due: bool
    described_utc: datetime | None
    fields: tuple[FieldRead, ...]
    others: tuple[str, ...]

    @property
    def named(self) -> list[str]:
        return [field.name for field in self.fields if field.named_by]


def name_field(account: Account, sobject: str, field: str, *, actor: str, named_by: str = BY_HAND) -> ExtraField:
    """Have a field read from the next cycle on. Costs a credit where the org was not described since it has the field.

    Safe to repeat.

    Errors    Fix   sync.object_not_read, sync.field_unknown, sync.field_not_held, sync.too_many_fields
    """
    described = _described(account, sobject.strip(), field.strip())
    name = _spelled(described, field.strip()) or _unknown(described, field)
    kind, _, _ = described.fields[name]
    if not can_hold(kind):
        raise _not_held(described, name, kind)
    _refuse_too_many(wanted_of(account)[described.sobject], described, name)
    with transaction.atomic():
        extra, is_new = ExtraField.of(account).get_or_create(
            account=account,
            sobject=described.sobject,
            field=name,
            named_by=named_by,
            defaults={"added_by": actor, "added_utc": now_utc()},
        )
        if is_new:
            after = f"{described.sobject}.{name}, {named_by}"
            record_event(account, actor=actor, action="fields.named", after=after)
    return extra


@transaction.atomic
def take_back(account: Account, sobject: str, field: str, *, actor: str, named_by: str = BY_HAND) -> None:
    """Whoever named the field needs it no more: where nobody else names it, it is read no longer, and not shown.

    Raises Fix sync.field_not_named.
    """
    rows = ExtraField.of(account).filter(
        sobject__iexact=sobject.strip(), field__iexact=field.strip(), named_by=named_by
    )
    extra = rows.first()
    if extra is None:
        raise Fix(
            "sync.field_not_named",
            f"{sobject}.{field} is not read {named_by}.",
            Facts(left="Nothing was changed.", you_can="look at Settings > CRM > Fields, or run headwater fields list"),
        )
    rows.delete()
    before = f"{extra.sobject}.{extra.field}, {named_by}"
    record_event(account, actor=actor, action="fields.taken_back", before=before)


def objects_read(account: Account) -> list[ObjectRead]:
    """Every object with its fields, as the org was last described; before that, with the names alone."""
    known = descriptions_of(account)
    tables = {table.sobject: table for table in ReplicaTable.of(account)}
    named: dict[tuple[str, str], list[str]] = {}
    for extra in ExtraField.of(account).order_by("pk"):
        named.setdefault((extra.sobject, extra.field), []).append(extra.named_by)
    return [
        _object(name, wanted, known.get(name), tables.get(name), named) for name, wanted in wanted_of(account).items()
    ]


def _object(
    sobject: str,
    wanted: WantedFields,
    described: DescribedObject | None,
    table: ReplicaTable | None,
    named: Mapping[tuple[str, str], Sequence[str]],
) -> ObjectRead:
    fields = described.fields if described else {}
    conditional = [name for name in wanted.if_there if name in fields or not _is_conditional(name, described)]
    names = dict.fromkeys([*wanted.required, *conditional, *wanted.extra])
    read = [
        _field(name, fields.get(name), wanted, table, tuple(named.get((sobject, name), ())), described)
        for name in names
    ]
    others = sorted(name for name, (kind, _, _) in fields.items() if name not in names and can_hold(kind))
    return ObjectRead(
        sobject=sobject,
        state=_state(described, table),
        is_daily=sobject in DAILY,
        is_reload_due=bool(table and table.full_read_due and table.read_from_utc),
        described_utc=described.described_utc if described else None,
        fields=tuple(read),
        others=tuple(others),
    )


def _is_conditional(name: str, described: DescribedObject | None) -> bool:
    """Not worth a line where it is not there: the org does not have the feature."""
    return described is not None or name in IF_SEVERAL_CURRENCIES


def _state(described: DescribedObject | None, table: ReplicaTable | None) -> str:
    was_read = table is not None and table.read_from_utc is not None
    if described is not None and not described.is_there:
        return "lost" if was_read else "absent"
    return "read" if was_read else "waiting"


def _field(
    name: str,
    told: Sequence[object] | None,
    wanted: WantedFields,
    table: ReplicaTable | None,
    named_by: tuple[str, ...],
    described: DescribedObject | None,
) -> FieldRead:
    kind, is_formula, label = told or ("", False, "")
    columns = {column for column, _ in table.columns} if table else set()
    is_lost = told is None and described is not None
    why = "needed" if name in wanted.required else "where the org has it" if name in wanted.if_there else ""
    return FieldRead(
        name=name,
        label=str(label),
        type=str(kind),
        is_formula=bool(is_formula),
        state="lost" if is_lost else "read" if name in columns else "named",
        why=why or ", ".join(named_by),
        named_by=named_by,
    )


def _described(account: Account, sobject: str, field: str) -> DescribedObject:
    """As the org was last described, or as it is now where the field was not there then."""
    wanted = {name.lower(): name for name in wanted_of(account)}
    name = wanted.get(sobject.lower())
    if name is None:
        raise Fix(
            "sync.object_not_read",
            f"Headwater does not read an object called {sobject[:80]}.",
            Facts(left="Nothing was changed.", you_can=f"name a field of one of: {', '.join(wanted.values())}"),
        )
    row = descriptions_of(account).get(name)
    if row is None or not _spelled(row, field):
        describe_now(account)
        row = descriptions_of(account)[name]
    return row


def describe_now(account: Account) -> None:
    """Ask the org what its objects look like, for one credit."""
    describe_again(account)
    with session(account, job_kind=LOOKING) as transport:
        look_now(account, transport)


def _spelled(described: DescribedObject, field: str) -> str:
    """The field's name as the org writes it; empty where there is none."""
    return next((name for name in described.fields if name.lower() == field.lower()), "")


def _unknown(described: DescribedObject, field: str) -> str:
    alike = get_close_matches(field, list(described.fields), n=3)
    meant = f"if you meant {' or '.join(alike)}, name that; else " if alike else ""
    raise Fix(
        "sync.field_unknown",
        f"{described.sobject} shows no field called {field[:80]} to the connected user.",
        Facts(
            why="It does not exist, or field-level security hides it. API names of custom fields end with __c.",
            left="Nothing was changed.",
            you_can=f"{meant}create the field, or grant read on it to the connected user",
        ),
    )


def _not_held(described: DescribedObject, name: str, kind: str) -> Fix:
    return Fix(
        "sync.field_not_held",
        f"{described.sobject}.{name} is of the type {kind}, which the local copy cannot hold.",
        Facts(
            why="Salesforce's Bulk API gives out no compound fields (addresses, places) and no files.",
            left="Nothing was changed.",
            you_can="name the parts of a compound field instead, for instance MailingCity",
        ),
    )


def _refuse_too_many(wanted: WantedFields, described: DescribedObject, name: str) -> None:
    names = {*wanted.of(described.fields), name}
    if sum(len(each) + len(", ") for each in names) > LONGEST_QUERY_CHARACTERS:
        raise Fix(
            "sync.too_many_fields",
            f"Too many fields are read from {described.sobject} for one query.",
            Facts(
                why=f"Their names together may have {LONGEST_QUERY_CHARACTERS:,} characters.",
                left="Nothing was changed.",
                you_can="take back fields that nothing needs, then name this one again",
            ),
        )
