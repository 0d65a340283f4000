"""Commands that make and set up orgs: seed, app, user, limit, clock, setting."""

import secrets
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from orgsim.cli.currencies import read_list
from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.progress import progress_bars
from orgsim.oauth.apps import App, AppOptions, add_app, apps_of
from orgsim.oauth.users import NewUser, add_user
from orgsim.seed import Founding, found_org
from orgsim.server.admin import describe_org, move_clock
from orgsim.store.settings import DEFAULTS
from orgsim.store.state import NewOrg

apps = typer.Typer(help="The apps that may ask an org's users for access.", no_args_is_help=True)
users = typer.Typer(help="The people who can log in.", no_args_is_help=True)

AppKey = Annotated[str | None, typer.Option(envvar="ORGSIM_APP_KEY", help="Consumer key. Default: a new one.")]
AppSecret = Annotated[str | None, typer.Option(envvar="ORGSIM_APP_SECRET", help="Consumer secret. Default: a new one.")]
AppName = Annotated[str, typer.Option(help="The app's name, as the approval page shows it.")]
Callbacks = Annotated[list[str] | None, typer.Option("--callback", help="An allowed callback URL; may be repeated.")]
Pkce = Annotated[bool, typer.Option(help="Insist on PKCE (S256).")]
Rotate = Annotated[bool, typer.Option(help="Give a new refresh token at every refresh.")]
Password = Annotated[str, typer.Option(envvar="ORGSIM_PASSWORD", help="The user's password.")]


def register(app: typer.Typer) -> None:
    app.command()(seed)
    app.add_typer(apps, name="app")
    app.add_typer(users, name="user")
    app.command()(limit)
    app.command()(clock)
    app.command(name="set")(set_setting)


def seed(
    *,
    user: Annotated[str, typer.Option(help="Username of the administrator, shaped like an e-mail address.")],
    password: Password,
    state: StateFolder = DEFAULT_FOLDER,
    records: Annotated[int, typer.Option(min=0, help="How many records to make up; 0 for an empty org.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed at the same moment makes the same records.")] = 1,
    name: Annotated[str, typer.Option(help="The organization's name.")] = "Acme",
    edition: Annotated[
        str, typer.Option(help="Organization.OrganizationType; decides the allowance.")
    ] = "Enterprise Edition",
    sandbox_of: Annotated[str | None, typer.Option(help="Make a sandbox of this org id.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Make a sandbox of no particular org.")] = False,
    allowance: Annotated[int | None, typer.Option(help="API calls per 24 hours, instead of the edition's.")] = None,
    licences: Annotated[int, typer.Option(min=0, help="Salesforce user licences, which add to the allowance.")] = 0,
    trial: Annotated[bool, typer.Option("--trial", help="Make a trial, which ends after 30 days.")] = False,
    currencies: Annotated[
        str, typer.Option(help="Other currencies than USD and their rates: EUR=0.92,GBP. Usual ones need no rate.")
    ] = "",
    app_key: AppKey = None,
    app_secret: AppSecret = None,
    app_name: AppName = "Headwater",
    callback: Callbacks = None,
    pkce: Pkce = True,
    rotate: Rotate = False,
    as_json: AsJson = False,
) -> None:
    """Found an org with an administrator, an app and a made-up sales history."""
    new_app = None
    if app_key or callback or not sandbox_of:
        new_app = _app(app_key, app_secret, app_name, callback, AppOptions(pkce, rotate))
    is_sandbox = sandbox or sandbox_of is not None
    bought = {"Salesforce": licences} if licences else {}
    new_org = NewOrg(name, edition, is_sandbox, sandbox_of, allowance, bought, trial)
    with open_state(state) as opened:
        founding = Founding(new_org, NewUser(user, password), new_app, records, seed, read_list(currencies))
        with progress_bars(quiet=as_json) as told:
            org = found_org(opened, founding, told)
        answer = {**describe_org(org), "apps": [app_without_secret(each) for each in apps_of(org)], "user": user}
        if new_app and app_secret is None:
            answer["client_secret"] = new_app.client_secret
        show(answer, as_json=as_json)


@apps.command("add")
def app_add(
    *,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    app_key: AppKey = None,
    app_secret: AppSecret = None,
    app_name: AppName = "Headwater",
    callback: Callbacks = None,
    pkce: Pkce = True,
    rotate: Rotate = False,
    as_json: AsJson = False,
) -> None:
    """Register an app, or replace the one with the same consumer key."""
    added = _app(app_key, app_secret, app_name, callback, AppOptions(pkce, rotate))
    with open_state(state) as opened:
        add_app(choose_org(opened, org), added)
        show({**app_without_secret(added), "client_secret": added.client_secret}, as_json=as_json)


@apps.command("list")
def app_list(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """The apps of an org, without their secrets."""
    with open_state(state) as opened:
        show([app_without_secret(each) for each in apps_of(choose_org(opened, org))], as_json=as_json)


@users.command("add")
def user_add(
    username: Annotated[str, typer.Argument(help="Shaped like an e-mail address.")],
    password: Password,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    first_name: Annotated[str, typer.Option(help="First name.")] = "Ada",
    last_name: Annotated[str, typer.Option(help="Last name.")] = "Admin",
    profile: Annotated[
        str | None, typer.Option(help="Its name; made if it is not there. A new user's is System Administrator.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a user, or give a known one a new password and, if named, another profile."""
    with open_state(state) as opened:
        user_id = add_user(choose_org(opened, org), NewUser(username, password, first_name, last_name, profile=profile))
        show({"id": user_id, "username": username}, as_json=as_json)


def limit(
    allowance: Annotated[int | None, typer.Option(help="Set the API calls allowed per 24 hours.")] = None,
    use: Annotated[int | None, typer.Option(help="Let other programs have used this many calls.")] = None,
    minutes_ago: Annotated[int, typer.Option(help="When those other programs made their calls.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Show or set an org's API allowance and what is used of it."""
    with open_state(state) as opened:
        chosen = choose_org(opened, org)
        if allowance is not None:
            chosen.set("allowance_calls", allowance)
        if use is not None:
            chosen.usage.use_elsewhere(use, minutes_ago)
        used, allowed = chosen.usage.used_calls(), chosen.allowance_calls()
        show({"org_id": chosen.org_id, "used_calls": used, "allowance_calls": allowed}, as_json=as_json)


def clock(
    freeze: Annotated[str | None, typer.Option(help="Stop the clock at this moment (ISO 8601).")] = None,
    offset: Annotated[float | None, typer.Option(help="Run this many seconds ahead of the machine.")] = None,
    jump: Annotated[float | None, typer.Option(help="Move on by this many seconds.")] = None,
    state: StateFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Show or move the clock all orgs of the state folder share."""
    changes = {"freeze": freeze, "offset_seconds": offset, "jump_seconds": jump}
    with open_state(state) as opened:
        for name, value in changes.items():
            if value is not None:
                move_clock(opened, {name: value})
        show({"now": opened.clock.now().isoformat()}, as_json=as_json)


def set_setting(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(DEFAULTS)}.")],
    value: Annotated[str, typer.Argument(help='As JSON: true, 300, "text".')],
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Change one of an org's settings."""
    with open_state(state) as opened:
        chosen = choose_org(opened, org)
        chosen.set(name, orjson.loads(value))
        show({name: chosen.setting(name)}, as_json=as_json)


def _app(key: str | None, secret: str | None, name: str, callbacks: list[str] | None, options: AppOptions) -> App:
    client_id = key or f"3MVG9{secrets.token_urlsafe(48)}"
    return App(client_id, name, secret or secrets.token_hex(32), tuple(callbacks or ()), options)


def app_without_secret(app: App) -> dict[str, object]:
    shown = asdict(app)
    del shown["client_secret"]
    return shown
