"""Amounts of several currencies in one query: converted, compared and written out (facts C.40).

A rate is an integer in millionths: how much of a currency one unit of the corporate currency is worth. Not here: where
the currencies come from (store/currencies.py).
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orgsim.formula.term import Kind, Term, rounded
from orgsim.schema.model import SObject

if TYPE_CHECKING:
    from orgsim.soql.scope import Column

CODE_FIELD = "CurrencyIsoCode"
RATE_SCALE = 6
ONE = 10**RATE_SCALE
# Objects whose amounts are converted at the rate of their day, and the field that tells it.
DATED_BY = {"Opportunity": "CloseDate", "OpportunityHistory": "CloseDate"}


@dataclass(frozen=True, slots=True)
class Money:
    """In which currency an amount is, and the day whose rate converts it (empty where it does not matter); SQL."""

    code_sql: str
    day_sql: str = ""


@dataclass(frozen=True, slots=True)
class Currencies:
    """The currencies of an org, as one of its users sees them."""

    corporate: str
    mine: str
    rates: dict[str, int]
    decimals: dict[str, int]
    active: frozenset[str]
    dated: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # (first day, rate), the latest first

    def money_of(self, alias: str, sobject: SObject) -> Money | None:
        if sobject.find(CODE_FIELD) is None:
            return None
        day = DATED_BY.get(sobject.name) if self.dated else None
        return Money(f'{alias}."{CODE_FIELD}"', f'{alias}."{day}"' if day else "")

    def rate_sql(self, money: Money) -> str:
        whens = " ".join(f"WHEN '{code}' THEN {self._rate_at(code, money.day_sql)}" for code in self.rates)
        return f"CASE {money.code_sql} {whens} END"

    def _rate_at(self, code: str, day_sql: str) -> str:
        now = str(self.rates[code])
        if not day_sql or code not in self.dated:
            return now
        whens = " ".join(f"WHEN {day_sql} >= '{first}' THEN {rate}" for first, rate in self.dated[code])
        return f"CASE {whens} ELSE {now} END"

    def converted(self, column: "Column", money: Money, code: str) -> "Column":
        """The amount in another currency, rounded as its field is."""
        scale = column.field.scale
        to_rate = self.rate_sql(Money(f"'{code}'", money.day_sql))
        exact = Term(Kind.NUMBER, f"{column.sql} * {to_rate}", scale, divisor=self.rate_sql(money))
        sql = f"CAST({rounded(exact, scale).sql} AS INTEGER)"
        return replace(column, sql=sql, money=Money(f"'{code}'"))


def corporate(column: "Column", currencies: Currencies | None) -> "Column":
    """What sorting and aggregates take an amount for; anything else is left as it is."""
    if currencies is None or column.money is None:
        return column
    return currencies.converted(column, column.money, currencies.corporate)
