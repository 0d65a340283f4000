"""Who a token belongs to: the identity URL, userinfo, and the discovery document (facts A.1, A.6)."""

import datetime as dt
from zoneinfo import ZoneInfo

from starlette.responses import Response

from orgsim.clock import machine_now
from orgsim.exchange import Exchange, json_response
from orgsim.oauth.grants import Session, session_of
from orgsim.oauth.users import user_row
from orgsim.store.rows import Row
from orgsim.versions import MAX_VERSION

_URLS = {
    "enterprise": "/services/Soap/c/{version}/%s",
    "metadata": "/services/Soap/m/{version}/%s",
    "partner": "/services/Soap/u/{version}/%s",
    "rest": "/services/data/v{version}/",
    "sobjects": "/services/data/v{version}/sobjects/",
    "search": "/services/data/v{version}/search/",
    "query": "/services/data/v{version}/query/",
    "recent": "/services/data/v{version}/recent/",
    "tooling_soap": "/services/Soap/T/{version}/%s",
    "tooling_rest": "/services/data/v{version}/tooling/",
    "profile": "/%s",
    "feeds": "/services/data/v{version}/chatter/feeds",
    "groups": "/services/data/v{version}/chatter/groups",
    "users": "/services/data/v{version}/chatter/users",
    "feed_items": "/services/data/v{version}/chatter/feed-items",
    "feed_elements": "/services/data/v{version}/chatter/feed-elements",
    "custom_domain": "",
}
_NO_TIME = dt.timedelta()
_SCOPES = (
    "id api web full chatter_api visualforce refresh_token openid profile email address phone offline_access "
    "custom_permissions wave_api eclair_api"
)


def userinfo(exchange: Exchange) -> Response:
    session = bearer_session(exchange)
    if session is None:
        return Response("Bad_OAuth_Token", status_code=403, media_type="text/plain")
    user, base = user_row(session.org, session.user_id), exchange.base_url
    return json_response(
        {
            "sub": f"{base}/id/{session.org.org_id}/{session.user_id}",
            "user_id": session.user_id,
            "organization_id": session.org.org_id,
            "preferred_username": user["Username"],
            "nickname": user["CommunityNickname"],
            "name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "given_name": user["FirstName"],
            "family_name": user["LastName"],
            "zoneinfo": user["TimeZoneSidKey"],
            "photos": _photos(base),
            "profile": f"{base}/{session.user_id}",
            "picture": f"{base}/profilephoto/005/F",
            "address": {},
            "is_salesforce_integration_user": False,
            "urls": _urls(exchange, session),
            "active": bool(user["IsActive"]),
            **_shared(user),
            "updated_at": user["LastModifiedDate"],
        }
    )


def identity(exchange: Exchange) -> Response:
    session = bearer_session(exchange)
    wanted = (exchange.path_params["org_id"][:15], exchange.path_params["user_id"][:15])
    if session is None or (session.org.org_id[:15], session.user_id[:15]) != wanted:
        return Response("Bad_OAuth_Token", status_code=403, media_type="text/plain")
    user, base = user_row(session.org, session.user_id), exchange.base_url
    return json_response(
        {
            "id": f"{base}/id/{session.org.org_id}/{session.user_id}",
            "asserted_user": True,
            "user_id": session.user_id,
            "organization_id": session.org.org_id,
            "username": user["Username"],
            "nick_name": user["CommunityNickname"],
            "display_name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user["TimeZoneSidKey"],
            "photos": _photos(base),
            "addr_street": None,
            "addr_city": None,
            "addr_state": None,
            "addr_country": None,
            "addr_zip": None,
            "mobile_phone": user["MobilePhone"],
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "urls": _urls(exchange, session),
            "active": bool(user["IsActive"]),
            **_shared(user),
            "last_modified_date": user["LastModifiedDate"],
        }
    )


def discovery(exchange: Exchange) -> Response:
    oauth = f"{exchange.base_url}/services/oauth2"
    return json_response(
        {
            "issuer": exchange.base_url,
            "authorization_endpoint": f"{oauth}/authorize",
            "token_endpoint": f"{oauth}/token",
            "revocation_endpoint": f"{oauth}/revoke",
            "userinfo_endpoint": f"{oauth}/userinfo",
            "introspection_endpoint": f"{oauth}/introspect",
            "jwks_uri": f"{exchange.base_url}/id/keys",
            "scopes_supported": _SCOPES.split(),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
    )


def bearer_session(exchange: Exchange) -> Session | None:
    """The session of `Authorization: Bearer …` or the older `OAuth …`."""
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        return None
    return session_of(exchange.state, token.strip())


def _photos(base: str) -> dict[str, str]:
    return {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/005/T"}


def _urls(exchange: Exchange, session: Session) -> dict[str, str]:
    """With `{version}` left in, unless the request names a version, or asks for the latest."""
    org15 = session.org.org_id[:15]
    filled = {name: path % org15 if "%s" in path else path for name, path in _URLS.items()}
    filled["profile"] = f"/{session.user_id}"
    version = exchange.query.get("version", "{version}")
    version = f"{MAX_VERSION}.0" if version == "latest" else version
    return {name: f"{exchange.base_url}{path.replace('{version}', version)}" for name, path in filled.items()}


def _standard_offset_ms(zone_name: str) -> int:
    """From UTC, without summer time."""
    noon = machine_now().astimezone(ZoneInfo(zone_name))
    offset, summer = noon.utcoffset(), noon.dst()
    return int(((offset or _NO_TIME) - (summer or _NO_TIME)).total_seconds() * 1000)


def _shared(user: Row) -> dict[str, object]:
    return {
        "user_type": str(user["UserType"]).upper(),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": _standard_offset_ms(str(user["TimeZoneSidKey"] or "GMT")),
    }
