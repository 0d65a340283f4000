"""Which objects have formulas whose values are to be read anew, and what to ask for: a formula moves without a stamp.

Why so, and why not otherwise: docs/decisions/0011-formulas.md. Not here: reading them (refresh.py).
"""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.sync.describe import descriptions_of
from headwater.sync.discover import live_rows, tables_of
from headwater.sync.models import DEFAULT_FORMULAS_EVERY_DAYS, CycleSetting, ReplicaTable
from headwater.sync.objects import GOES_WITH, SMALL
from headwater.sync.plan import UNKNOWN_ROW_BYTES, Mode, Wish
from headwater.sync.schemas import formulas_of, schema_of


def formulas_every_days(account: Account) -> int | None:
    row = CycleSetting.of(account).first()
    return row.formulas_every_days if row else DEFAULT_FORMULAS_EVERY_DAYS


def tables_with_formulas(account: Account) -> dict[str, ReplicaTable]:
    """Those that were read and are there, with a formula among their columns.

    What is read whole as often as it is due needs no refresh, nor what is read in full next.
    """
    known = descriptions_of(account)
    return {
        name: table
        for name, table in sorted(tables_of(account).items())
        if formulas_of(table)
        and name in known
        and known[name].is_there
        and name not in SMALL
        and name not in GOES_WITH
        and schema_of(table).has("SystemModstamp")
        and table.read_from_utc is not None
        and not table.full_read_due
    }


def due_wishes(account: Account) -> list[Wish]:
    """What a cycle that begins now is to refresh."""
    days = formulas_every_days(account)
    if days is None:
        return []
    before_utc = now_utc() - timedelta(days=days)
    due = {
        name: table
        for name, table in tables_with_formulas(account).items()
        if table.formulas_read_utc is None or table.formulas_read_utc <= before_utc
    }
    return formula_wishes(due)


def formula_wishes(tables: Mapping[str, ReplicaTable]) -> list[Wish]:
    """All live rows, as many as the replica holds, so that nothing needs to be counted."""
    return [
        Wish(
            sobject=name,
            mode=Mode.FORMULAS,
            rows=live_rows(table),
            row_bytes=table.row_bytes or UNKNOWN_ROW_BYTES,
            page_rows=settings.QUERY_PAGE_ROWS,
            formulas=tuple(formulas_of(table)),
        )
        for name, table in tables.items()
    ]
