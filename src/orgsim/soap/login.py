"""POST /services/Soap/u/{version} and /c/{version}: login(), of the versions that still have it (facts A.7)."""

from starlette.responses import Response

from orgsim.exchange import Exchange, empty_response
from orgsim.oauth.errors import OAuthError
from orgsim.oauth.grants import IssuedTokens, open_grant
from orgsim.oauth.users import check_login, user_row
from orgsim.soap.envelope import NAMESPACES, Operation, SoapFault, fault_response, read_operation, result_response
from orgsim.store.access import may
from orgsim.store.org import Org
from orgsim.store.rows import Row
from orgsim.versions import MIN_VERSION
from orgsim.xmltext import Tree

_LAST_VERSION = 64
_CLIENT = "SOAP login"
_INVALID = "Invalid username, password, security token; or user locked out."


def answer(exchange: Exchange) -> Response:
    api = exchange.path_params["api"]
    if api not in NAMESPACES:
        return empty_response(404)
    try:
        version = _read_version(exchange.path_params["version"])
        operation = read_operation(exchange.body, api)
        return result_response(api, "loginResponse", _log_in(exchange, operation, api, version))
    except SoapFault as fault:
        return fault_response(api, fault)


def _read_version(text: str) -> str:
    major, _, minor = text.partition(".")
    if not major.isdecimal() or minor not in ("", "0") or int(major) < MIN_VERSION:
        raise SoapFault("UNSUPPORTED_API_VERSION", f"Unsupported API version {text}")
    if int(major) > _LAST_VERSION:
        message = f"login() was removed after API version {_LAST_VERSION}.0; log in with OAuth"
        raise SoapFault("UNSUPPORTED_API_VERSION", message)
    return f"{major}.0"


def _log_in(exchange: Exchange, operation: Operation, api: str, version: str) -> Tree:
    if operation.name != "login":
        raise SoapFault("soapenv:Client", f"No operation available for request {operation.name}", kind="")
    given = operation.values
    try:
        org, user_id = check_login(exchange, given.get("username", "").strip(), given.get("password", ""))
    except OAuthError as error:
        raise _fault(error) from error
    if not org.setting("soap_login"):
        raise SoapFault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.", "LoginFault")
    if not may(org, user_id, "ApiEnabled"):
        raise SoapFault("API_CURRENTLY_DISABLED", "API is disabled for this User", "LoginFault")
    issued = open_grant(org, user_id, _CLIENT, "api", with_refresh=False)
    return _result(exchange.base_url, org, issued, api, version)


def _fault(error: OAuthError) -> SoapFault:
    """Salesforce tells inactive users, addresses and wrong passwords apart only in its own login history."""
    if error.error == "rate_limit_exceeded":
        return SoapFault("REQUEST_LIMIT_EXCEEDED", error.description, "LoginFault")
    return SoapFault("INVALID_LOGIN", _INVALID, "LoginFault")


def _result(base: str, org: Org, issued: IssuedTokens, api: str, version: str) -> Tree:
    address = f"{base}/services/Soap/{{}}/{version}/{org.org_id[:15]}"
    return {
        "metadataServerUrl": address.format("m"),
        "passwordExpired": "false",
        "sandbox": _flag(org.is_sandbox),
        "serverUrl": address.format(api),
        "sessionId": issued.access_token,
        "userId": issued.user_id,
        "userInfo": _user_info(org, user_row(org, issued.user_id)),
    }


def _user_info(org: Org, user: Row) -> Tree:
    return {
        "accessibilityMode": "false",
        "chatterExternal": "false",
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": "5242880",
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": "en_US",
        "orgDisallowHtmlAttachments": "false",
        "orgHasPersonAccounts": "false",
        "organizationId": org.org_id,
        "organizationMultiCurrency": "false",
        "organizationName": str(org.setting("name")),
        "profileId": _text(user["ProfileId"]),
        "roleId": _text(user["UserRoleId"]),
        "sessionSecondsValid": str(int(org.setting("access_token_seconds"))),
        "userDefaultCurrencyIsoCode": None,
        "userEmail": _text(user["Email"]),
        "userFullName": _text(user["Name"]),
        "userId": _text(user["Id"]),
        "userLanguage": _text(user["LanguageLocaleKey"]),
        "userLocale": _text(user["LocaleSidKey"]),
        "userName": _text(user["Username"]),
        "userTimeZone": _text(user["TimeZoneSidKey"]),
        "userType": _text(user["UserType"]),
        "userUiSkin": "Theme3",
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
