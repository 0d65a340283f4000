"""Collects the commands; each lives in its own module."""

import typer

import headwater.wiring  # noqa: F401 - registers every task
from headwater.cli import (
    accounts,
    api_keys,
    attribute,
    audit,
    check,
    client_app,
    connect,
    credits,
    demo,
    disconnect,
    domain_confirm,
    export,
    factor_reset,
    fields,
    keys,
    package,
    parity,
    people,
    plan,
    preflight,
    rebuild,
    replica,
    schedule,
    serve,
    setup,
    sync,
    worker,
)

app = typer.Typer(
    name="headwater",
    help="Self-hosted marketing attribution on Salesforce: connect, plan, sync, attribute, export.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command("setup")(setup.setup)
app.add_typer(accounts.app, name="accounts")
app.add_typer(people.app, name="people")
app.command("connect")(connect.connect)
app.command("client-app")(client_app.client_app)
app.command("disconnect")(disconnect.disconnect)
app.command("package")(package.package)
app.command("parity")(parity.parity)
app.command("preflight")(preflight.preflight)
app.add_typer(fields.app, name="fields")
app.command("plan")(plan.plan)
app.command("sync")(sync.sync)
app.command("replica")(replica.replica)
app.command("schedule")(schedule.schedule)
app.command("audit")(audit.audit)
app.command("rebuild")(rebuild.rebuild)
app.command("attribute")(attribute.attribute)
app.command("export")(export.export)
app.command("domain-confirm")(domain_confirm.domain_confirm)
app.command("factor-reset")(factor_reset.factor_reset)
app.command("credits")(credits.credits)
app.command("api-keys")(api_keys.api_keys)
app.command("serve")(serve.serve)
app.command("keys")(keys.keys)
app.command("worker")(worker.worker)
app.command("check")(check.check)
app.command("demo")(demo.demo)
