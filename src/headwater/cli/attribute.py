"""`headwater attribute`: compute touches, positions and shares from the replica."""

from headwater.accounts.models import Account
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, money, out, print_json, print_table, the_account
from headwater.results.services import attribute as attribute_task
from headwater.results.services import revenue_by_channel, won_total_cents


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
    """The revenue table of each model, in one: a column a model, a row a channel, the sums below."""
    table = revenue_by_channel(account)
    rows = [(row.channel, *(money(row.cents[model]) for model in table.models)) for row in table.rows]
    rows.append(("Sum", *(money(table.sums_cents[model]) for model in table.models)))
    print_table(
        "Attributed revenue of won opportunities",
        ("Channel", *table.models),
        rows,
        numbers=range(1, len(table.models) + 1),
    )
    out.print(f"Won in the org: {money(won_total_cents(account))}", highlight=False)
