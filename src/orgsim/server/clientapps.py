"""What Setup shows an administrator of the org's apps: consumer key and secret, and what was decided about each."""

from dataclasses import asdict

from orgsim.oauth.apps import App, apps_of
from orgsim.store.org import Org


def describe_apps(org: Org) -> list[dict[str, object]]:
    """With the secrets: for the org's owner on this machine (Setup > Consumer Key and Secret)."""
    return [asdict(app) for app in apps_of(org)]


def find_shown_app(org: Org, name_or_key: str) -> App:
    """By consumer key, API name or name. Raises LookupError."""
    for app in apps_of(org):
        if name_or_key in (app.client_id, app.options.developer_name, app.name):
            return app
    raise LookupError(f"Org {org.org_id} has no app {name_or_key!r}.")
