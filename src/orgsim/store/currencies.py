"""The currencies of an org, once it has several: what a record's is, and what one is worth in another (facts C.40).

They are rows of CurrencyType and DatedConversionRate. Not here: amounts in queries (soql/currency.py).
"""

from dataclasses import dataclass, replace

from orgsim.errors import ApiError
from orgsim.schema.currency import (
    CODE,
    CURRENCY_TYPE,
    DATED_CONVERSION_RATE,
    DEFAULT_CODE,
    code_field,
    has_currency,
)
from orgsim.schema.model import SObject
from orgsim.soql.currency import Currencies
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows, insert_row, update_row
from orgsim.store.values import to_stored

_CODE_LETTERS = 3
_CODES = (CODE, DEFAULT_CODE)


@dataclass(frozen=True, slots=True)
class Currency:
    """`rate` is how much of it one unit of the corporate currency is worth, as a decimal."""

    code: str
    rate: str
    decimals: int = 2
    active: bool = True
    corporate: bool = False


def has_several(org: Org) -> bool:
    return org.catalog().find(CURRENCY_TYPE.name) is not None


def enable_currencies(org: Org, user_id: str, corporate: str = "USD") -> None:
    """Makes `corporate` the currency of everything there is. It cannot be taken back, as on Salesforce."""
    if has_several(org):
        raise ApiError("INVALID_OPERATION", "The org has several currencies already.")
    with org.database.write() as connection:
        org.add_sobjects((CURRENCY_TYPE, DATED_CONVERSION_RATE))
        keep_currency(org, user_id, Currency(corporate, "1", corporate=True))
        for sobject in list(org.catalog()):
            open_currency(org, sobject)
        users = org.add_field(org.catalog().get("User"), code_field((corporate,), DEFAULT_CODE))
        connection.execute(f'UPDATE "{users.name}" SET "{DEFAULT_CODE}" = ?', (corporate,))  # noqa: S608  names come from the schema


def open_currency(org: Org, sobject: SObject) -> None:
    """Gives an object the field for the currency of its records, where it lacks it and the org has several."""
    if not has_several(org) or sobject.find(CODE) is not None or not has_currency(sobject):
        return
    corporate, active = _codes(org)
    org.add_field(sobject, code_field(active))
    org.database.connect().execute(f'UPDATE "{sobject.name}" SET "{CODE}" = ?', (corporate,))  # noqa: S608  names come from the schema


def keep_currency(org: Org, user_id: str, currency: Currency) -> None:
    """Adds a currency, or changes the one of that code."""
    code = _checked(currency.code)
    row: Row = {
        "IsoCode": code,
        "ConversionRate": _rate(currency.rate),
        "DecimalPlaces": currency.decimals,
        "IsActive": int(currency.active),
        "IsCorporate": int(currency.corporate),
    }
    known = find_rows(org.database.connect(), _currency_type(org), "IsoCode", code)
    if known and known[0]["IsCorporate"] and (not currency.active or row["ConversionRate"] != _rate("1")):
        raise ApiError("INVALID_OPERATION", "The corporate currency is active, and its rate is 1.")
    with org.database.write():
        if known:
            row["IsCorporate"] = known[0]["IsCorporate"]
        _save(org, user_id, _currency_type(org), row, known)
        _offer_codes(org)


def keep_dated_rate(org: Org, user_id: str, code: str, first_day: str, rate: str) -> None:
    """A rate from a day on, until the next rate of the currency begins."""
    code = _checked(code)
    if not find_rows(org.database.connect(), _currency_type(org), "IsoCode", code):
        raise ApiError("INVALID_OPERATION", f"The org has no currency {code}.")
    sobject = org.catalog().get(DATED_CONVERSION_RATE.name)
    start = to_stored(sobject.index["startdate"], first_day)
    with org.database.write() as connection:
        rows = find_rows(connection, sobject, "IsoCode", code)
        known = [each for each in rows if each["StartDate"] == start]
        _save(org, user_id, sobject, {"IsoCode": code, "StartDate": start, "ConversionRate": _rate(rate)}, known)
        connection.execute(
            'UPDATE "DatedConversionRate" SET "NextStartDate" = (SELECT min(later."StartDate") FROM '
            '"DatedConversionRate" later WHERE later."IsoCode" = "DatedConversionRate"."IsoCode" '
            'AND later."StartDate" > "DatedConversionRate"."StartDate")'
        )


def spread_currencies(org: Org) -> None:
    """Gives records there are the active currencies by turns; what belongs to an account has that of the account.

    Not counted as an edit: for a history that is being made up.
    """
    active = _codes(org)[1]
    turns = " ".join(f"WHEN {number} THEN '{code}'" for number, code in enumerate(active))
    with org.database.write() as connection:
        for name in ("Account", "Lead", "Campaign"):
            connection.execute(f'UPDATE "{name}" SET "{CODE}" = CASE rowid % {len(active)} {turns} END')  # noqa: S608  names come from the schema
        for name, link, parent in (
            ("Contact", "AccountId", "Account"),
            ("Opportunity", "AccountId", "Account"),
            ("OpportunityHistory", "OpportunityId", "Opportunity"),
        ):
            connection.execute(
                f'UPDATE "{name}" SET "{CODE}" = parent."{CODE}" FROM "{parent}" parent '  # noqa: S608  names come from the schema
                f'WHERE parent."Id" = "{name}"."{link}"'
            )


def settle_currency(org: Org, user_id: str, sobject: SObject, row: Row) -> None:
    """A record that names no currency is in that of who makes it."""
    if sobject.find(CODE) is not None and row.get(CODE) is None:
        row[CODE] = code_of_user(org, user_id)
    if sobject.find(DEFAULT_CODE) is not None and row.get(DEFAULT_CODE) is None:
        row[DEFAULT_CODE] = row[CODE]


def code_of_user(org: Org, user_id: str) -> str:
    users = find_rows(org.database.connect(), org.catalog().get("User"), "Id", user_id)
    return str((users[0] if users else {}).get(DEFAULT_CODE) or _codes(org)[0])


def read_currencies(org: Org, user_id: str) -> Currencies | None:
    """What one of its users sees; None for an org with one currency."""
    if not has_several(org):
        return None
    connection = org.database.connect()
    rows = connection.execute(
        'SELECT "IsoCode", "ConversionRate", "DecimalPlaces", "IsActive", "IsCorporate" FROM "CurrencyType"'
    ).fetchall()
    dated: dict[str, list[tuple[str, int]]] = {}
    for code, day, rate in connection.execute(
        'SELECT "IsoCode", "StartDate", "ConversionRate" FROM "DatedConversionRate" ORDER BY "StartDate" DESC'
    ):
        dated.setdefault(code, []).append((day, rate))
    return Currencies(
        corporate=next(row[0] for row in rows if row[4]),
        mine=code_of_user(org, user_id),
        rates={row[0]: row[1] for row in rows},
        decimals={row[0]: row[2] for row in rows},
        active=frozenset(row[0] for row in rows if row[3]),
        dated=dated,
    )


def _currency_type(org: Org) -> SObject:
    if not has_several(org):
        raise ApiError("INVALID_OPERATION", "The org has one currency: enable others first.")
    return org.catalog().get(CURRENCY_TYPE.name)


def _codes(org: Org) -> tuple[str, tuple[str, ...]]:
    """(the corporate currency, all that are active)."""
    rows = org.database.connect().execute(
        'SELECT "IsoCode", "IsCorporate" FROM "CurrencyType" WHERE "IsActive" ORDER BY "IsoCode"'
    )
    found = rows.fetchall()
    return next(row[0] for row in found if row[1]), tuple(row[0] for row in found)


def _offer_codes(org: Org) -> None:
    """The picklists of all objects offer the active currencies, and no record can be given another."""
    active = _codes(org)[1]
    for sobject in list(org.catalog()):
        if sobject.find(CODE) is not None:
            offered = [replace(each, values=active) if each.name in _CODES else each for each in sobject.fields]
            org.change_sobject(replace(sobject, fields=tuple(offered), index={}))


def _save(org: Org, user_id: str, sobject: SObject, row: Row, known: list[Row]) -> None:
    now = org.now_text()
    changed: Row = {**row, "LastModifiedById": user_id, "LastModifiedDate": now, "SystemModstamp": now}
    if known:
        update_row(org.database.connect(), sobject, str(known[0]["Id"]), changed)
        return
    made: Row = {"Id": org.new_id(sobject.key_prefix), "CreatedById": user_id, "CreatedDate": now}
    insert_row(org.database.connect(), sobject, made | changed)


def _rate(text: str) -> int:
    stored = to_stored(CURRENCY_TYPE.index["conversionrate"], text)
    if not isinstance(stored, int) or stored <= 0:
        raise ApiError("INVALID_OPERATION", f"A rate is more than 0: {text}")
    return stored


def _checked(code: str) -> str:
    if len(code) != _CODE_LETTERS or not code.isascii() or not code.isalpha():
        raise ApiError("INVALID_OPERATION", f"An ISO code has three letters: {code}")
    return code.upper()
