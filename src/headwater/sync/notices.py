"""What the sync goes on without, or in spite of, and people should know: levels that are so or not, asked at any time.

Not here: telling (watch.py), and what stops the sync (describe.py raises that).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headwater.accounts.models import Account
from headwater.common.errors import Facts
from headwater.connections.preflight_rules import REPLICATED
from headwater.sync.audit_findings import Finding, ObjectFinding
from headwater.sync.describe import descriptions_of
from headwater.sync.models import Audit, DescribedObject, ExtraField, ReplicaTable
from headwater.sync.objects import OBJECTS

TOLD = frozenset(  # an absent object is no trouble: it stands on the page of the fields alone
    {
        "sync.object_lost",
        "sync.field_lost",
        "sync.not_replicateable",
        "sync.currency_missing",
        "sync.audit_differs",
        "sync.many_gone",
    }
)
_GRANT = "grant read to the connected user in a permission set; it is read again from the next sync on"


@dataclass(frozen=True, slots=True)
class Notice:
    """`subject` is the object or Object.Field that it is about."""

    code: str
    subject: str
    sentence: str
    facts: Facts


def notices_of(account: Account) -> list[Notice]:
    tables = {table.sobject: table for table in ReplicaTable.of(account)}
    found: list[Notice] = []
    for row in sorted(descriptions_of(account).values(), key=lambda each: each.sobject):
        found += _of_object(row, tables.get(row.sobject))
    lost = ExtraField.of(account).exclude(lost_utc=None).order_by("sobject", "field", "pk")
    found += {f"{each.sobject}.{each.field}": _field_lost(each) for each in lost}.values()
    audit = Audit.latest(account)
    told = [ObjectFinding.from_json(each) for each in audit.findings] if audit else []
    return found + [_TELLING[each.finding](each) for each in told if each.finding in _TELLING]


def _differs_again(found: ObjectFinding) -> Notice:
    months = [each.month for each in found.differing if each.differs_again]
    return Notice(
        "sync.audit_differs",
        found.sobject,
        f"{found.sobject} differs from the org in {len(months)} months of creation, also after they were read anew.",
        Facts(
            why=f"Created in {', '.join(months[:12])}: rows or stamps are not the same.",
            left="What was read is shown.",
            next="The next audit, a week later, compares them again.",
            you_can=f"run headwater audit again; if it persists, headwater rebuild {found.sobject}",
        ),
    )


def _many_gone(found: ObjectFinding) -> Notice:
    return Notice(
        "sync.many_gone",
        found.sobject,
        f"The org no longer shows {found.kept_rows:,} of the {found.rows:,} {found.sobject} records that were read.",
        Facts(
            why="They went without a trace: the connected user may no longer see them, or they were deleted for good.",
            left="They are kept, and shown as they were last read.",
            next="The next audit, a week later, compares them again.",
            you_can="let the connected user see all records again and run headwater audit; if they are gone for good, "
            f"run headwater rebuild {found.sobject}",
        ),
    )


_TELLING = {Finding.DIFFERS_AGAIN: _differs_again, Finding.MANY_GONE: _many_gone}


def _of_object(row: DescribedObject, table: ReplicaTable | None) -> Iterator[Notice]:
    if not row.is_there:
        if table is not None and table.read_from_utc is not None:
            yield _object_lost(row)
        elif row.sobject in OBJECTS:
            yield _object_absent(row)
        return
    if row.sobject in REPLICATED and not row.is_replicateable:
        yield _not_replicateable(row)
    if table is not None and table.without_currency_rows:
        yield _currency_missing(row, table.without_currency_rows)


def _object_absent(row: DescribedObject) -> Notice:
    return Notice(
        "sync.object_absent",
        row.sobject,
        f"The org shows no {row.sobject} to the connected user; the sync goes on without.",
        Facts(
            why="The org does not use it or does not track it, or the connected user may not read it.",
            left="Everything else is read.",
            you_can=f"leave it so; or {_GRANT}",
        ),
    )


def _object_lost(row: DescribedObject) -> Notice:
    return Notice(
        "sync.object_lost",
        row.sobject,
        f"The org no longer shows {row.sobject} to the connected user.",
        Facts(
            why="The right to read it was taken away, or the object was removed.",
            left="What was read of it stays as it was. Everything else is read on.",
            next="When it comes back, all of it is read anew.",
            you_can=_GRANT,
        ),
    )


def _field_lost(extra: ExtraField) -> Notice:
    name = f"{extra.sobject}.{extra.field}"
    return Notice(
        "sync.field_lost",
        name,
        f"The org no longer shows {name}, which is read because it is named {extra.named_by}.",
        Facts(
            why="The field was removed or renamed, or field-level security hides it.",
            left="Everything else is read on, without this column.",
            next="When it comes back, its values are read for all records.",
            you_can=f"{_GRANT}; or take the field back in Settings > CRM > Fields",
        ),
    )


def _not_replicateable(row: DescribedObject) -> Notice:
    return Notice(
        "sync.not_replicateable",
        row.sobject,
        f"{row.sobject} is not replicateable in this org.",
        Facts(
            why="Salesforce then keeps no list of its deleted records: hard deletes are not told.",
            left="Records are read all the same.",
            you_can="ask Salesforce's support to make the object replicateable",
        ),
    )


def _currency_missing(row: DescribedObject, rows: int) -> Notice:
    return Notice(
        "sync.currency_missing",
        row.sobject,
        f"{rows:,} of the {row.sobject} records that have an amount name no currency.",
        Facts(
            why="The org has several currencies, and their CurrencyIsoCode is empty.",
            left="The records were read; what they are worth in another currency is not known.",
            you_can="fill in a currency that is active in the org",
        ),
    )
