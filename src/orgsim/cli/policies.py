"""The commands `app policy` and `app show`: what an administrator decides about an app, and sees of it in Setup."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.orgs import app_without_secret, apps
from orgsim.oauth.apps import REFRESH_POLICIES, change_options
from orgsim.server.clientapps import find_shown_app


def register(app: typer.Typer) -> None:  # noqa: ARG001  joins a group that is registered already
    apps.command("policy")(app_policy)
    apps.command("show")(app_show)


def app_show(
    app_name: Annotated[str, typer.Argument(help="API name, name or consumer key of the app.")],
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Show an app with its consumer key and secret, as Setup does to an administrator."""
    with open_state(state) as opened:
        show(asdict(find_shown_app(choose_org(opened, org), app_name)), as_json=as_json)


def app_policy(
    app_key: Annotated[str, typer.Argument(envvar="ORGSIM_APP_KEY", help="Consumer key of the app.")],
    *,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    certificate: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="X.509 certificate (PEM) for the JWT bearer flow.")
    ] = None,
    run_as: Annotated[
        str | None, typer.Option(help="Username of the client credentials flow; empty closes the flow.")
    ] = None,
    admin_approved: Annotated[
        bool | None, typer.Option("--admin-approved/--self-authorized", help="Who may use the app.")
    ] = None,
    approve: Annotated[
        list[str] | None, typer.Option(help="A profile or permission set that is approved; may be repeated.")
    ] = None,
    installed: Annotated[
        bool | None, typer.Option("--installed/--uninstalled", help="Whether the org has the app installed.")
    ] = None,
    external: Annotated[
        bool | None, typer.Option("--external/--connected", help="An External Client App, or a Connected App.")
    ] = None,
    refresh_policy: Annotated[str | None, typer.Option(help=f"One of {', '.join(REFRESH_POLICIES)}.")] = None,
    refresh_seconds: Annotated[
        int | None, typer.Option(min=0, help="For the policies inactivity and lifetime.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show or change what is decided about an app. What is not named stays as it is."""
    if refresh_policy is not None and refresh_policy not in REFRESH_POLICIES:
        raise typer.BadParameter(f"Known refresh policies: {', '.join(REFRESH_POLICIES)}.")
    given = {
        "certificate": _pem(certificate) if certificate else None,
        "run_as": run_as,
        "admin_approved": admin_approved,
        "approved": tuple(approve) if approve else None,
        "installed": installed,
        "external": external,
        "refresh_policy": refresh_policy,
        "refresh_seconds": refresh_seconds,
    }
    with open_state(state) as opened:
        changes = {name: value for name, value in given.items() if value is not None}
        show(app_without_secret(change_options(choose_org(opened, org), app_key, changes)), as_json=as_json)


def _pem(path: Path) -> str:
    text = path.read_text(encoding="ascii")
    try:
        x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise typer.BadParameter(f"{path} is no X.509 certificate in PEM form.") from error
    return text
