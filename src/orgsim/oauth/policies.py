"""Who may use an app: everybody who allows it, or only those an administrator approved (facts A.5, A.7)."""

from orgsim.oauth.apps import App
from orgsim.oauth.errors import OAuthError
from orgsim.oauth.restrictions import check_address
from orgsim.oauth.users import user_row
from orgsim.store.access import ADMIN_PROFILE
from orgsim.store.org import Org

_NOT_APPROVED = "user is not admin approved to access this app"
_NOT_INSTALLED = "External client app is not installed in this org"


def admit(org: Org, app: App, user_id: str, client_host: str) -> None:
    """What stands before every token of a user."""
    if not user_row(org, user_id)["IsActive"]:
        raise OAuthError("inactive_user", "user is inactive")
    if app.options.external and not app.options.installed:
        raise OAuthError("app_not_found", _NOT_INSTALLED)
    if not org.setting("api_enabled"):
        raise OAuthError("invalid_grant", "authentication failure")
    check_admin_approved(org, app, user_id)
    check_address(org, client_host)


def check_admin_approved(org: Org, app: App, user_id: str) -> None:
    if app.options.admin_approved and not _memberships(org, user_id).intersection(app.options.approved):
        raise OAuthError("invalid_app_access", _NOT_APPROVED)


def check_installed(org: Org, app: App, user_id: str) -> None:
    """Only the standard administrators may allow an app nobody installed, and nobody an external one (facts A.7)."""
    if app.options.external and not app.options.installed:
        raise OAuthError("OAUTH_EC_APP_NOT_FOUND", _NOT_INSTALLED)
    if not app.options.installed and ADMIN_PROFILE not in _memberships(org, user_id):
        raise OAuthError("invalid_client", "app must be installed into org")


def _memberships(org: Org, user_id: str) -> set[str]:
    """Names of the user's profile and permission sets."""
    rows = org.database.connect().execute(
        'SELECT p."Name" FROM "Profile" p JOIN "User" u ON u."ProfileId" = p."Id" WHERE u."Id" = :user '
        'UNION SELECT s."Name" FROM "PermissionSet" s JOIN "PermissionSetAssignment" a '
        'ON a."PermissionSetId" = s."Id" WHERE a."AssigneeId" = :user',
        {"user": user_id},
    )
    return {str(row[0]) for row in rows}
