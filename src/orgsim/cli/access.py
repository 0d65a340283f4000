"""Commands for what users may: access show, grant, revoke, assign, unassign."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.server.access import change_access, describe_access

access = typer.Typer(help="What users see and may do: profiles and permission sets.", no_args_is_help=True)
What = Annotated[str, typer.Argument(help="An object (Lead), a field (Lead.Email) or a system permission (ViewSetup).")]
User = Annotated[str, typer.Argument(help="The username.")]
SetName = Annotated[str, typer.Argument(help="Name of a permission set; made if it is not there.")]
Rights = Annotated[
    list[str] | None,
    typer.Option("--right", help="read, create, edit, delete, ViewAllRecords or ModifyAllRecords; may be repeated."),
]
Profile = Annotated[str, typer.Option("--profile", help="Whose profile: its name.")]
PermissionSet = Annotated[str, typer.Option("--permission-set", help="Or a permission set; made if it is not there.")]


def register(app: typer.Typer) -> None:
    app.add_typer(access, name="access")


@access.command("show")
def show_access(user: User, state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """What a user may."""
    with open_state(state) as opened:
        show(describe_access(choose_org(opened, org), user), as_json=as_json)


def _add_change(action: str, does: str) -> None:
    @access.command(action, help=does)
    def change(
        on: What,
        *,
        right: Rights = None,
        profile: Profile = "",
        permission_set: PermissionSet = "",
        state: StateFolder = DEFAULT_FOLDER,
        org: OrgId = None,
        as_json: AsJson = False,
    ) -> None:
        wish = {"action": action, "on": on, "rights": right or []}
        with open_state(state) as opened:
            holder = {"profile": profile, "permission_set": permission_set}
            show(change_access(choose_org(opened, org), {**wish, **holder}), as_json=as_json)


def _add_assignment(action: str, does: str) -> None:
    @access.command(action, help=does)
    def change(
        user: User,
        permission_set: SetName,
        *,
        state: StateFolder = DEFAULT_FOLDER,
        org: OrgId = None,
        as_json: AsJson = False,
    ) -> None:
        wish = {"action": action, "user": user, "permission_set": permission_set}
        with open_state(state) as opened:
            show(change_access(choose_org(opened, org), wish), as_json=as_json)


_add_change("grant", "Let a profile or permission set do more; without --right read, create, edit and delete.")
_add_change("revoke", "Let a profile or permission set do less; without --right nothing is left of it.")
_add_assignment("assign", "Give a permission set to a user.")
_add_assignment("unassign", "Take a permission set from a user.")
