"""External Client Apps of a deployment: the files of one app make an app that users can log in by (facts A.7).

Consumer key and secret are made here and shown to administrators alone (server/clientapps.py), never in an answer of
the Metadata API. IP relaxation, session levels and custom attributes are read and have no effect.
"""

import base64
import binascii
import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from orgsim.clock import datetime_text
from orgsim.metadata.fields import ComponentError
from orgsim.metadata.package import Component, text
from orgsim.oauth.apps import IMMEDIATE, INACTIVITY, INFINITE, LIFETIME, App, AppOptions, add_app, apps_of
from orgsim.oauth.users import find_user
from orgsim.store.org import Org

Deed = Callable[[], bool]
_SCOPES = frozenset(
    {"Basic", "Api", "Web", "Full", "Chatter", "CustomApplications", "RefreshToken", "OpenID", "Profile", "Email"}
    | {"Address", "Phone", "OfflineAccess", "CustomPermissions", "Wave", "Eclair", "Pardot", "Lightning", "Content"}
    | {"SFApiPlatform", "Interaction", "MCP", "SCRT"}
)
_REFRESH_POLICIES = {
    "Infinite": INFINITE,
    "SpecificInactivity": INACTIVITY,
    "SpecificLifetime": LIFETIME,
    "Zero": IMMEDIATE,
}
_UNIT_SECONDS = {"Hours": 3600, "Days": 86_400, "Months": 30 * 86_400}
_RELAXATIONS = ("Enforce", "Bypass", "Bypass_2factor", "Enforce_RelaxRefresh")


def _named_app(org: Org, name: str) -> App:
    """The app with this API name. Raises ComponentError."""
    found = next((app for app in apps_of(org) if app.options.developer_name == name), None)
    if not name or found is None:
        raise ComponentError(f"In field: externalClientApplication - no ExternalClientApplication named {name} found")
    return found


def _deploy_header(org: Org, component: Component) -> Deed:
    def deed() -> bool:
        element = component.element
        label = _required(element, "label")
        _required(element, "contactEmail")
        _one_of(element, "distributionState", ("Local", "Packaged", "Managed"))
        known = next((app for app in apps_of(org) if app.options.developer_name == component.name), None)
        if known is not None:
            add_app(org, replace(known, name=label))
            return False
        # An app is not known at once everywhere (facts A.5).
        waits = int(org.setting("app_propagation_seconds"))
        known_from = datetime_text(org.clock.now() + dt.timedelta(seconds=waits)) if waits else ""
        options = AppOptions(external=True, developer_name=component.name, known_from=known_from)
        add_app(org, App(_new_key(), label, _new_secret(), (), options))
        return True

    return deed


def _deploy_global_settings(org: Org, component: Component) -> Deed:
    def changed(element: Element, app: App) -> App:
        options = replace(
            app.options,
            certificate=_certificate(text(element, "certificate")),
            pkce_required=_flag(element, "isPkceRequired", default=True),
            rotate_refresh_token=_flag(element, "isRefreshTokenRotationEnabled", default=False),
            secret_required=not _flag(element, "isConsumerSecretOptional", default=False),
            client_credentials=_flag(element, "isClientCredentialsFlowEnabled", default=False),
        )
        rotated = _new_secret() if _flag(element, "shouldRotateConsumerSecret", default=False) else app.client_secret
        callbacks = tuple(_required(element, "callbackUrl").split())
        return replace(app, callbacks=callbacks, client_secret=rotated, options=options)

    return _change(org, component, changed)


def _deploy_settings(org: Org, component: Component) -> Deed:
    def changed(element: Element, app: App) -> App:
        scopes = [scope.strip() for scope in _required(element, "commaSeparatedOauthScopes").split(",")]
        unknown = sorted(set(scopes) - _SCOPES)
        if unknown:
            raise ComponentError(f"In field: commaSeparatedOauthScopes - invalid scope {unknown[0]}")
        return app

    return _change(org, component, changed)


def _deploy_policies(org: Org, component: Component) -> Deed:
    def changed(element: Element, app: App) -> App:
        _one_of(element, "ipRelaxationPolicyType", _RELAXATIONS)
        permitted = _one_of(element, "permittedUsersPolicyType", ("AllSelfAuthorized", "AdminApprovedPreAuthorized"))
        return replace(
            app,
            options=replace(
                app.options,
                admin_approved=permitted == "AdminApprovedPreAuthorized",
                approved=_approved(org, element),
                run_as=_run_as(org, element),
                **_refresh_policy(element),
            ),
        )

    return _change(org, component, changed)


def _deploy_switches(org: Org, component: Component) -> Deed:
    def changed(element: Element, app: App) -> App:
        is_on = _flag(element, "isEnabled", default=True) and _flag(element, "isOauthPluginEnabled", default=True)
        return replace(app, options=replace(app.options, installed=is_on))

    return _change(org, component, changed)


def _change(org: Org, component: Component, changed: Callable[[Element, App], App]) -> Deed:
    def deed() -> bool:
        _required(component.element, "label")
        app = _named_app(org, text(component.element, "externalClientApplication"))
        is_new = component.name not in app.options.parts
        after = changed(component.element, app)
        parts = (*after.options.parts, component.name) if is_new else after.options.parts
        add_app(org, replace(after, options=replace(after.options, parts=parts)))
        return is_new

    return deed


def _approved(org: Org, element: Element) -> tuple[str, ...]:
    named = {
        "PermissionSet": _list(element, "commaSeparatedPermissionSet"),
        "Profile": _list(element, "commaSeparatedProfile"),
    }
    for kind, names in named.items():
        for name in names:
            known = org.database.connect().execute(f'SELECT 1 FROM "{kind}" WHERE "Name" = ?', (name,)).fetchone()  # noqa: S608  two names of the schema
            if known is None:
                raise ComponentError(f"In field: commaSeparated{kind} - no {kind} named {name} found")
    return (*named["PermissionSet"], *named["Profile"])


def _run_as(org: Org, element: Element) -> str:
    username = text(element, "clientCredentialsFlowUser")
    if username and find_user(org, username) is None:
        raise ComponentError(f"In field: clientCredentialsFlowUser - no User named {username} found")
    return username if _flag(element, "isClientCredentialsFlowEnabled", default=False) else ""


def _refresh_policy(element: Element) -> dict[str, Any]:
    policy = _REFRESH_POLICIES[_one_of(element, "refreshTokenPolicyType", tuple(_REFRESH_POLICIES))]
    if policy not in (INACTIVITY, LIFETIME):
        return {"refresh_policy": policy, "refresh_seconds": 0}
    unit = _one_of(element, "refreshTokenValidityUnit", tuple(_UNIT_SECONDS))
    period = _required(element, "refreshTokenValidityPeriod")
    if not period.isdecimal():
        raise ComponentError(f"'{period}' is not a valid value for the type xsd:int")
    return {"refresh_policy": policy, "refresh_seconds": int(period) * _UNIT_SECONDS[unit]}


def _certificate(body: str) -> str:
    """PEM of a certificate that stands in the file with or without its first and last line."""
    if not body:
        return ""
    plain = "".join(line for line in body.splitlines() if not line.startswith("-----"))
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(plain.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise ComponentError("In field: certificate - The certificate is not valid") from error
    return certificate.public_bytes(Encoding.PEM).decode()


def _required(element: Element, name: str) -> str:
    value = text(element, name)
    if not value:
        raise ComponentError(f"Required field is missing: {name}")
    return value


def _one_of(element: Element, name: str, allowed: tuple[str, ...]) -> str:
    value = text(element, name, allowed[0])
    if value not in allowed:
        raise ComponentError(f"'{value}' is not a valid value for {name}")
    return value


def _flag(element: Element, name: str, *, default: bool) -> bool:
    return text(element, name, "true" if default else "false") == "true"


def _list(element: Element, name: str) -> list[str]:
    return [each.strip() for each in text(element, name).split(",") if each.strip()]


def _new_key() -> str:
    return f"3MVG9{secrets.token_urlsafe(48)}"


def _new_secret() -> str:
    return secrets.token_hex(32).upper()


# By type of metadata, in the order in which one needs the other.
DEEDS: dict[str, Callable[[Org, Component], Deed]] = {
    "ExternalClientApplication": _deploy_header,
    "ExtlClntAppGlobalOauthSettings": _deploy_global_settings,
    "ExtlClntAppOauthSettings": _deploy_settings,
    "ExtlClntAppOauthConfigurablePolicies": _deploy_policies,
    "ExtlClntAppConfigurablePolicies": _deploy_switches,
}
