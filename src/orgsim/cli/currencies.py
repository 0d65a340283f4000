"""Commands for an org's currencies: currency enable, add, rate, list."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.server.currencies import describe_currencies, set_currency
from orgsim.store.currencies import Currency

currencies = typer.Typer(help="Currencies of an org and their rates.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="ISO code, as EUR.")]
Rate = Annotated[str, typer.Argument(help="What one unit of the corporate currency is worth, as 0.92.")]


# Rates of some currencies against the US dollar, round as in the middle of the 2020s, and their decimals.
_USUAL = {
    "AUD": ("1.52", 2),
    "CAD": ("1.37", 2),
    "CHF": ("0.88", 2),
    "DKK": ("6.86", 2),
    "EUR": ("0.92", 2),
    "GBP": ("0.79", 2),
    "INR": ("83.5", 2),
    "JPY": ("150", 0),
    "NOK": ("10.6", 2),
    "SEK": ("10.5", 2),
}


def register(app: typer.Typer) -> None:
    app.add_typer(currencies, name="currency")


@currencies.command("enable")
def enable(
    corporate: Annotated[str, typer.Argument(help="The currency of all records there are.")] = "USD",
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Let the org have several currencies. This cannot be taken back."""
    _set({"corporate": corporate}, state, org, as_json=as_json)


@currencies.command("add")
def add(
    code: Code,
    rate: Rate,
    *,
    decimals: Annotated[int, typer.Option(min=0, max=6, help="Decimals that amounts are shown with.")] = 2,
    active: Annotated[bool, typer.Option("--active/--inactive", help="No record can be given an inactive one.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a currency, or change the one of that code."""
    _set({"code": code, "rate": rate, "decimals": decimals, "active": active}, state, org, as_json=as_json)


@currencies.command("rate")
def rate(
    code: Code,
    first_day: Annotated[str, typer.Argument(help="The day it begins, as 2024-01-01.")],
    value: Rate,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Keep the rate of a currency from a day on, for opportunities that close then."""
    _set({"code": code, "rate": value, "from": first_day}, state, org, as_json=as_json)


@currencies.command("list")
def list_all(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """The currencies and their dated rates."""
    with open_state(state) as opened:
        show(describe_currencies(choose_org(opened, org)), as_json=as_json)


def read_list(text: str) -> tuple[Currency, ...]:
    """`EUR=0.92,GBP`."""
    return tuple(_read_one(each.strip()) for each in text.split(",") if each.strip())


def _read_one(text: str) -> Currency:
    code, _, rate = text.upper().partition("=")
    usual, decimals = _USUAL.get(code, ("", 2))
    if not rate and not usual:
        raise typer.BadParameter(f"{code} needs a rate: {code}=1.5")
    return Currency(code, rate or usual, decimals)


def _set(wish: dict[str, object], state: StateFolder, org: OrgId, *, as_json: bool) -> None:
    with open_state(state) as opened:
        show(set_currency(choose_org(opened, org), wish), as_json=as_json)
