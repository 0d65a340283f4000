"""The objects that exist only in an org with several currencies, and the fields that others have there (facts C.40)."""

from dataclasses import replace

from orgsim.schema.declare import (
    day,
    defaulted,
    flag,
    number,
    pick,
    read_only,
    record_id,
    required,
    system_fields,
    whole,
)
from orgsim.schema.model import Field, SObject

CODE = "CurrencyIsoCode"
DEFAULT_CODE = "DefaultCurrencyIsoCode"
_WITHOUT_AMOUNTS = frozenset(
    {"Contact", "CampaignMember", "Case", "Task", "Event", "OpportunityContactRole", "User"}
)  # have a currency nevertheless, as have all custom objects

CURRENCY_TYPE = SObject(
    "CurrencyType",
    "Currency Type",
    "Currency Types",
    "01L",
    (
        record_id(),
        required(replace(pick("IsoCode", (), 3), label="Currency ISO Code")),
        required(number("ConversionRate", 18, 6)),
        required(whole("DecimalPlaces")),
        flag("IsActive"),
        flag("IsCorporate"),
        *system_fields(bin_flag=False),
    ),
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    bulk_queryable=False,
)
DATED_CONVERSION_RATE = SObject(
    "DatedConversionRate",
    "Dated Conversion Rate",
    "Dated Conversion Rates",
    "04w",
    (
        record_id(),
        required(replace(pick("IsoCode", (), 3), label="Currency ISO Code")),
        required(day("StartDate")),
        read_only(day("NextStartDate")),
        required(number("ConversionRate", 18, 6)),
        *system_fields(bin_flag=False),
    ),
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    bulk_queryable=False,
)


def has_currency(sobject: SObject) -> bool:
    """Whether its records are in a currency once the org has several."""
    return sobject.custom or sobject.name in _WITHOUT_AMOUNTS or any(each.type == "currency" for each in sobject.fields)


def code_field(codes: tuple[str, ...], name: str = CODE) -> Field:
    label = "Default Currency ISO Code" if name == DEFAULT_CODE else "Currency ISO Code"
    return replace(defaulted(pick(name, codes, 3), ""), label=label, default=None, restricted=True)
