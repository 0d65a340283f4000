"""The External Client App as metadata that an administrator deploys, in both layouts of Salesforce's tools.

Types, folders, suffixes and elements: Metadata API Developer Guide, pages ExternalClientApplication,
ExtlClntAppOauthSettings, ExtlClntAppGlobalOauthSettings, ExtlClntAppOauthConfigurablePolicies and
ExtlClntAppConfigurablePolicies (API 60 to 67); the names with `_oauth`, `_glbloauth` and `_plcy` as Salesforce's own
retrieve writes them (Platform Connect guide, "Deploy the Canvas External Client App"). Consumer key and secret are not
in it: the org makes them when the files are deployed, and shows them in Setup alone.
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

import orjson

from headwater.connections.metadata_xml import METADATA_VERSION, NAMESPACE, add, package_xml, to_bytes
from headwater.connections.models import LogIn

APP_NAME = "Headwater"
PERMISSION_SET = "Headwater_Log_In"
COMMAND_LINE_CALLBACK = "http://localhost:1717/OauthRedirect"
SCOPES = "Api, RefreshToken, Basic"  # api, refresh_token, id; JWT bearer is refused without RefreshToken
# By type: the folder and the suffix of its files.
_PLACES = {
    "ExternalClientApplication": ("externalClientApps", "eca"),
    "ExtlClntAppOauthSettings": ("extlClntAppOauthSettings", "ecaOauth"),
    "ExtlClntAppGlobalOauthSettings": ("extlClntAppGlobalOauthSets", "ecaGlblOauth"),
    "ExtlClntAppOauthConfigurablePolicies": ("extlClntAppOauthPolicies", "ecaOauthPlcy"),
    "ExtlClntAppConfigurablePolicies": ("extlClntAppPolicies", "ecaPlcy"),
    "PermissionSet": ("permissionsets", "permissionset"),
}
_SOURCE_FOLDER = "force-app/main/default"


@dataclass(frozen=True, slots=True)
class AppFiles:
    """What the files are filled with.

    callback_address   Of this installation; the command line's is added.
    certificate        PEM, for JWT bearer.
    run_as             Username, for client credentials; without it an administrator chooses one in Setup.
    """

    callback_address: str
    contact_email: str
    log_in: LogIn = LogIn.BROWSER
    certificate: str = ""
    run_as: str = ""


def metadata_files(app: AppFiles) -> dict[str, bytes]:
    """By path, as the Metadata API takes them: package.xml and a folder for each type."""
    parts = _components(app)
    made = {"/".join((folder, f"{name}.{suffix}")): content for folder, name, suffix, content in _placed(parts)}
    return {"package.xml": package_xml(_members(parts)), **made}


def source_files(app: AppFiles) -> dict[str, bytes]:
    """The same as a project of the Salesforce CLI."""
    parts = _components(app)
    made = {
        "/".join((_SOURCE_FOLDER, folder, f"{name}.{suffix}-meta.xml")): content
        for folder, name, suffix, content in _placed(parts)
    }
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "sourceApiVersion": METADATA_VERSION,
    }
    return {
        "sfdx-project.json": orjson.dumps(project, option=orjson.OPT_INDENT_2),
        "manifest/package.xml": package_xml(_members(parts)),
        **made,
    }


def _placed(parts: dict[tuple[str, str], ET.Element]) -> list[tuple[str, str, str, bytes]]:
    return [(_PLACES[kind][0], name, _PLACES[kind][1], to_bytes(root)) for (kind, name), root in parts.items()]


def _members(parts: dict[tuple[str, str], ET.Element]) -> dict[str, list[str]]:
    return {kind: [name] for kind, name in parts}


def _components(app: AppFiles) -> dict[tuple[str, str], ET.Element]:
    """By type and name: one of each type."""
    parts = {
        ("ExternalClientApplication", APP_NAME): _header(app),
        ("ExtlClntAppOauthSettings", f"{APP_NAME}_oauth"): _settings(),
        ("ExtlClntAppGlobalOauthSettings", f"{APP_NAME}_glbloauth"): _global_settings(app),
        ("ExtlClntAppOauthConfigurablePolicies", f"{APP_NAME}_oauthPlcy"): _policies(app),
        ("ExtlClntAppConfigurablePolicies", f"{APP_NAME}_plcy"): _switches(),
    }
    if app.log_in == LogIn.JWT:
        parts["PermissionSet", PERMISSION_SET] = _permission_set()
    return parts


def _root(kind: str, values: dict[str, str]) -> ET.Element:
    root = ET.Element(kind, xmlns=NAMESPACE)
    for name, text in values.items():
        add(root, name, text)
    return root


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _header(app: AppFiles) -> ET.Element:
    values = {
        "contactEmail": app.contact_email,
        "description": "Reads this org for marketing attribution and writes touchpoints back.",
        "distributionState": "Local",
        "isProtected": "false",
        "label": APP_NAME,
    }
    return _root("ExternalClientApplication", values)


def _settings() -> ET.Element:
    values = {
        "commaSeparatedOauthScopes": SCOPES,
        "externalClientApplication": APP_NAME,
        "label": f"{APP_NAME} OAuth",
    }
    return _root("ExtlClntAppOauthSettings", values)


def _global_settings(app: AppFiles) -> ET.Element:
    """Several callback addresses stand in one element, a line each (Metadata API guide, ConnectedApp callbackUrl)."""
    values = {"callbackUrl": f"{app.callback_address}\n{COMMAND_LINE_CALLBACK}"}
    if app.log_in == LogIn.JWT:
        values["certificate"] = _body(app.certificate)
    values |= {
        "externalClientApplication": APP_NAME,
        "isClientCredentialsFlowEnabled": _flag(app.log_in == LogIn.CLIENT_CREDENTIALS),
        "isConsumerSecretOptional": "false",
        "isIntrospectAllTokens": "false",
        "isPkceRequired": "true",
        "isRefreshTokenRotationEnabled": "true",
        "isSecretRequiredForRefreshToken": "true",
        "label": f"{APP_NAME} global OAuth",
        "shouldRotateConsumerKey": "false",
        "shouldRotateConsumerSecret": "false",
    }
    return _root("ExtlClntAppGlobalOauthSettings", values)


def _body(certificate: str) -> str:
    """The element holds the certificate without the lines around it."""
    return "".join(line for line in certificate.splitlines() if not line.startswith("-----"))


def _policies(app: AppFiles) -> ET.Element:
    values = {}
    if app.log_in == LogIn.CLIENT_CREDENTIALS and app.run_as:
        values["clientCredentialsFlowUser"] = app.run_as
    if app.log_in == LogIn.JWT:
        values["commaSeparatedPermissionSet"] = PERMISSION_SET
    permitted = "AdminApprovedPreAuthorized" if app.log_in == LogIn.JWT else "AllSelfAuthorized"
    values |= {
        "externalClientApplication": APP_NAME,
        "ipRelaxationPolicyType": "Enforce",
        "isClientCredentialsFlowEnabled": _flag(app.log_in == LogIn.CLIENT_CREDENTIALS),
        "label": f"{APP_NAME} OAuth policies",
        "permittedUsersPolicyType": permitted,
        "refreshTokenPolicyType": "Infinite",
    }
    return _root("ExtlClntAppOauthConfigurablePolicies", values)


def _switches() -> ET.Element:
    """An app starts closed (facts A.7)."""
    values = {
        "externalClientApplication": APP_NAME,
        "isEnabled": "true",
        "isOauthPluginEnabled": "true",
        "label": f"{APP_NAME} policies",
    }
    return _root("ExtlClntAppConfigurablePolicies", values)


def _permission_set() -> ET.Element:
    values = {"description": "Whoever has it may be spoken for by Headwater. It grants nothing else."}
    return _root("PermissionSet", {**values, "label": "Headwater Log-in"})
