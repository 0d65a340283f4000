"""Currencies as the side door and the command `orgsim currency` show and change them."""

from typing import Any

from orgsim.oauth.users import any_admin
from orgsim.schema.currency import CURRENCY_TYPE, DATED_CONVERSION_RATE
from orgsim.schema.model import SObject
from orgsim.store.currencies import Currency, enable_currencies, has_several, keep_currency, keep_dated_rate
from orgsim.store.org import Org
from orgsim.store.values import to_number

_SHOWN = ("IsoCode", "ConversionRate", "DecimalPlaces", "IsActive", "IsCorporate", "StartDate", "NextStartDate")


def describe_currencies(org: Org) -> dict[str, object]:
    """The currencies and their dated rates; nothing in an org with one currency."""
    if not has_several(org):
        return {"currencies": [], "dated_rates": []}
    return {"currencies": _rows(org, CURRENCY_TYPE), "dated_rates": _rows(org, DATED_CONVERSION_RATE)}


def set_currency(org: Org, wish: dict[str, Any]) -> dict[str, object]:
    """{"corporate": code} has several from now on; {"code", "rate"} and, if wanted, "decimals", "active" keeps one;
    {"code", "rate", "from": day} a dated rate.
    """
    user_id = any_admin(org)
    if "corporate" in wish:
        enable_currencies(org, user_id, str(wish["corporate"]).upper())
    elif "from" in wish:
        keep_dated_rate(org, user_id, str(wish["code"]), str(wish["from"]), str(wish["rate"]))
    else:
        told = {name: wish[name] for name in ("decimals", "active") if name in wish}
        keep_currency(org, user_id, Currency(str(wish["code"]), str(wish["rate"]), **told))
    return describe_currencies(org)


def _rows(org: Org, sobject: SObject) -> list[dict[str, object]]:
    names = [name for name in _SHOWN if sobject.find(name)]
    columns = ", ".join(f'"{name}"' for name in names)
    found = org.database.connect().execute(
        f'SELECT {columns} FROM "{sobject.name}" ORDER BY "IsoCode", "Id"'  # noqa: S608  names come from the schema
    )
    return [
        {name: _shown(sobject, name, value) for name, value in zip(names, row, strict=True)} for row in found.fetchall()
    ]


def _shown(sobject: SObject, name: str, value: object) -> object:
    field = sobject.index[name.lower()]
    if field.type == "boolean":
        return bool(value)
    return float(to_number(field, value)) if field.type == "double" and isinstance(value, int) else value
