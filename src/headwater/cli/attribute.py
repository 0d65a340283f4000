"""`headwater attribute`: compute touches, positions and shares from the replica."""

from collections.abc import Sequence

from headwater.accounts.models import Account
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, money, out, print_json, print_table, the_account
from headwater.results.services import RevenueTable, revenue_by_channel, won_total_cents
from headwater.results.services import attribute as attribute_task

WIDE_COLUMNS = 110


def attribute(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Work out which touches led to which revenue, by every model. Spends no credits."""
    tenant = the_account(account)
    job = attribute_task.enqueue(tenant=str(tenant.pk), account_id=tenant.pk)
    view = follow(job, "Attributing", quiet=as_json)
    if as_json:
        print_json(view.result)
        return
    print_revenue(tenant)


def print_revenue(account: Account) -> None:
    """The revenue table of each model: all side by side, or one below the other where the terminal is narrow."""
    table = revenue_by_channel(account)
    if out.width >= WIDE_COLUMNS:
        _print_models(table, table.models)
    else:
        for model in table.models:
            _print_models(table, (model,))
    out.print(f"Won in the org: {money(won_total_cents(account))}", highlight=False)


def _print_models(table: RevenueTable, models: Sequence[str]) -> None:
    """A row a channel, a column a model, the sums below."""
    rows = [(row.channel, *(money(row.cents[model]) for model in models)) for row in table.rows]
    rows.append(("Sum", *(money(table.sums_cents[model]) for model in models)))
    title = "Attributed revenue of won opportunities"
    print_table(title, ("Channel", *models), rows, numbers=range(1, len(models) + 1))
