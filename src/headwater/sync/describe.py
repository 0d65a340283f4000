"""What the org's objects look like: asked once a day, and at once where a read was refused; what follows from a change.

Values of a new column are read with the next full read; a lost column of a setting or rule is left out and told; one
that we cannot do without stops the sync, naming everything that is missing at once.
Not here: how many rows there are (discover.py), how a column is stored (schemas.py), telling people (notices.py).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError
from headwater.lake import canonical_type
from headwater.salesforce.errors import RefusedFix
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, COMPOSITE_SUBREQUESTS_MAX, Org, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.learning import described_row_bytes
from headwater.sync.models import DescribedObject, ExtraField, ReplicaTable
from headwater.sync.objects import BESIDES, COUNTED_BY_QUERY, IF_SEVERAL_CURRENCIES, IF_THERE, OBJECTS, OPTIONAL
from headwater.sync.schemas import Columns, adopt
from headwater.sync.soql import count_all_soql

DESCRIBE_EVERY = timedelta(hours=24)
_NO_SUCH_COLUMN = "No such column"
_UNSEEN_NOW = frozenset({"INVALID_FIELD", "INVALID_TYPE"})  # a query named what is not there, or not for this user


@dataclass(frozen=True, slots=True)
class WantedFields:
    """Of one object: what must be there, what is read where the org has it, and what a person or a rule names."""

    required: tuple[str, ...]
    if_there: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def of(self, described: Collection[str]) -> list[str]:
        """What is read of the object, Id first, else in the order of the describe."""
        chosen = {*self.required, *self.if_there, *self.extra}
        return sorted((name for name in described if name in chosen), key=lambda name: name != "Id")


@dataclass(frozen=True, slots=True)
class Look:
    """What was asked of the org to make a plan: describes (None: they are fresh), counts, and what that cost."""

    described: Mapping[str, Mapping[str, Any]] | None
    counts: Mapping[str, int]
    calls: int


def wanted_of(account: Account) -> dict[str, WantedFields]:
    """By object; of those besides the standard ones everything but the Id is read where it is there."""
    extras: dict[str, list[str]] = {}
    for sobject, name in ExtraField.of(account).values_list("sobject", "field").distinct():
        extras.setdefault(sobject, []).append(name)
    wanted = {
        name: WantedFields(fields, (*IF_THERE.get(name, ()), *IF_SEVERAL_CURRENCIES))
        for name, fields in OBJECTS.items()
    } | {name: WantedFields(("Id",), (*fields, *IF_SEVERAL_CURRENCIES)) for name, fields in BESIDES.items()}
    return {
        name: WantedFields(each.required, each.if_there, tuple(sorted(extras.get(name, ()))))
        for name, each in wanted.items()
    }


def needed_fields(account: Account) -> dict[str, tuple[str, ...]]:
    """What the connected user must be let read: of the standard objects what we need, and what is named."""
    wanted = wanted_of(account)
    return {name: (*wanted[name].required, *wanted[name].extra) for name in OBJECTS}


def descriptions_of(account: Account) -> dict[str, DescribedObject]:
    return {row.sobject: row for row in DescribedObject.of(account)}


def needs_describe(account: Account) -> bool:
    """True where an object was not described in the last 24 hours, or lacks a field that we now cannot do without."""
    known, since_utc = descriptions_of(account), now_utc() - DESCRIBE_EVERY
    for name, wanted in wanted_of(account).items():
        row = known.get(name)
        if row is None or row.described_utc is None or row.described_utc < since_utc:
            return True
        if row.is_there and not set(wanted.required) <= row.fields.keys():
            return True
    return False


def look_at_fields(account: Account, transport: Transport) -> Look:
    """Every object that is read, for one credit, and with it counts of what is surely read in full.

    Raises Fix naming everything that the user may not see and we cannot do without.
    """
    if not needs_describe(account):
        return Look(None, {}, 0)
    wanted = wanted_of(account)
    never = set(OBJECTS) - set(_read_before(account))
    room = min(COMPOSITE_QUERIES_MAX, COMPOSITE_SUBREQUESTS_MAX - len(wanted))
    new = [name for name in COUNTED_BY_QUERY if name in wanted and name in never]
    counting = [SubQuery(name, count_all_soql(name)) for name in new[:room]]
    described, counts = Org(transport).describe_and_count(list(wanted), counting)
    _refuse_missing(wanted, described)
    return Look(described, counts, 1)


def _read_before(account: Account) -> Iterable[str]:
    return ReplicaTable.of(account).exclude(read_from_utc=None).values_list("sobject", flat=True)


def _refuse_missing(wanted: Mapping[str, WantedFields], described: Mapping[str, Mapping[str, Any]]) -> None:
    unseen = [name for name in wanted if name not in described and name not in OPTIONAL]
    fields = [
        f"{name}.{each}"
        for name, describe in described.items()
        for each in sorted(set(wanted[name].required) - {str(told["name"]) for told in describe["fields"]})
    ]
    if unseen:
        raise _objects_not_readable(unseen, fields)
    if fields:
        raise _fields_not_readable(fields)


def _objects_not_readable(unseen: list[str], fields: list[str]) -> Fix:
    besides = f" Nor these fields: {', '.join(fields)}." if fields else ""
    return Fix(
        "sync.objects_not_readable",
        f"The connected user may not read {', '.join(unseen)}.{besides}",
        Facts(
            why="Salesforce answers as if they did not exist.",
            left="Nothing was read. The replica still shows the last complete cycle.",
            you_can="grant read on all of these in a permission set and assign it to the connected user",
        ),
    )


def _fields_not_readable(fields: list[str]) -> Fix:
    return Fix(
        "sync.fields_not_readable",
        f"The connected user may not read {len(fields)} of the fields that are needed: {', '.join(fields)}.",
        Facts(
            why="Field-level security hides them, or they were removed or renamed.",
            left="Nothing was read. The replica still shows the last complete cycle.",
            you_can="grant read on all of these fields in a permission set and assign it to the connected user",
        ),
    )


def look_now(account: Account, transport: Transport) -> Look:
    """Look and keep it, where no job's step does so."""
    look = look_at_fields(account, transport)
    with transaction.atomic():
        store_look(account, look)
    return look


def store_look(account: Account, look: Look) -> None:
    """Called in a transaction. Keep what was described, and take it over into the tables and the extra fields."""
    if look.described is not None:
        for name, wanted in wanted_of(account).items():
            _keep(account, name, wanted, look.described.get(name))
    settle_columns(account)


def _keep(account: Account, sobject: str, wanted: WantedFields, describe: Mapping[str, Any] | None) -> None:
    row, _ = DescribedObject.of(account).get_or_create(sobject=sobject, account=account)
    row.described_utc = now_utc()
    if describe is None:
        row.fields, row.lost_utc = {}, row.lost_utc or now_utc()
    else:
        row.fields = {
            str(each["name"]): [each["type"], bool(each["calculated"]), each["label"]] for each in describe["fields"]
        }
        row.is_replicateable, row.lost_utc = bool(describe["replicateable"]), None
        row.row_bytes = described_row_bytes(describe, wanted.of(row.fields))
    row.save()


def settle_columns(account: Account) -> None:
    """Let each table have the columns that are wanted and there. It costs nothing, so what was named counts at once."""
    known, tables = descriptions_of(account), {table.sobject: table for table in ReplicaTable.of(account)}
    for extra in ExtraField.of(account):
        described = known.get(extra.sobject)
        _note_lost(extra, is_lost=described is None or extra.field not in described.fields)
    for name, fields in wanted_of(account).items():
        described, table = known.get(name), tables.get(name)
        if described is not None and described.is_there:
            _settle_table(table or ReplicaTable(account=account, sobject=name), described, fields)
        elif table is not None and not table.full_read_due:
            table.full_read_due = True  # what happens while it is out of sight will not be known
            table.save(update_fields=["full_read_due"])


def _settle_table(table: ReplicaTable, described: DescribedObject, fields: WantedFields) -> None:
    names = fields.of(described.fields)
    columns: Columns = [[name, canonical_type(described.fields[name][0]).value] for name in names]
    if adopt(table, columns, described):
        table.row_bytes = table.row_bytes or described.row_bytes
        table.save()


def _note_lost(extra: ExtraField, *, is_lost: bool) -> None:
    if is_lost != (extra.lost_utc is not None):
        extra.lost_utc = now_utc() if is_lost else None
        extra.save(update_fields=["lost_utc"])


def is_out_of_date(error: HeadwaterError) -> bool:
    """Whether an error says that the org is no longer as it was described; Bulk says it in the words of the query."""
    if error.code == "lake.bad_value":
        return True
    if isinstance(error, RefusedFix):
        return error.error_code in _UNSEEN_NOW or _NO_SUCH_COLUMN in error.facts.why
    words = (*_UNSEEN_NOW, _NO_SUCH_COLUMN)
    return error.code == "sync.bulk_failed" and any(each in error.facts.why for each in words)


def describe_again(account: Account) -> int:
    """Have the next look ask the org, whenever it was last asked."""
    return DescribedObject.of(account).update(described_utc=None)
