"""What each refusal of a log-in means and what mends it (facts A.5): by Salesforce's code and words, one table.

Not here: the requests themselves (oauth.py, app_check.py).
"""

from dataclasses import dataclass
from datetime import timedelta

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.salesforce.errors import Refusal, unavailable

LOGIN_RATE_RETRY = timedelta(hours=1)
APP_MANAGER = "Setup > External Client App Manager"
NOT_FOR_GOOD = frozenset({"salesforce.ip_refused", "salesforce.clock_wrong"})  # the grant outlives them


@dataclass(frozen=True, slots=True)
class _Row:
    """`codes` and `words` as Salesforce writes them; empty stands for any. The first row that fits is the answer."""

    codes: tuple[str, ...]
    words: str
    means: Fix

    def fits(self, refusal: Refusal) -> bool:
        is_code = not self.codes or refusal.error_code in self.codes
        return is_code and self.words in refusal.message.lower().replace("+", " ")


_NOT_INSTALLED = Fix(
    "salesforce.app_not_installed",
    "The External Client App is not installed in this org, or it is switched off there.",
    Facts(
        why="An app of one org works in that org alone, and only while it is enabled.",
        you_can=f"create it in the org that you log in to, and see in {APP_MANAGER} that its status is Enabled",
    ),
)
_NOT_APPROVED = Fix(
    "salesforce.user_not_approved",
    "The user may not use this External Client App.",
    Facts(
        why="The app's policy lets in only users whom an administrator approved beforehand.",
        you_can=f"open the app in {APP_MANAGER} > Policies > App Policies, select a profile or permission set there, "
        "and give it to the user",
    ),
)
_TABLE = (
    _Row(
        ("redirect_uri_mismatch",),
        "",
        Fix(
            "salesforce.callback_mismatch",
            "The External Client App does not list Headwater's callback address.",
            Facts(
                why="The address must stand there exactly so: http or https, port, and the slash at its end.",
                you_can=f"copy the callback address from the guide into {APP_MANAGER} > Settings > OAuth Settings",
            ),
        ),
    ),
    _Row(("OAUTH_EC_APP_NOT_FOUND", "app_not_found"), "", _NOT_INSTALLED),
    _Row((), "must be installed", _NOT_INSTALLED),
    _Row((), "is not installed", _NOT_INSTALLED),
    _Row(
        (),
        "blocked",
        Fix(
            "salesforce.app_blocked",
            "An administrator of the org has blocked this app.",
            Facts(you_can="unblock it in Setup > Connected Apps OAuth Usage"),
        ),
    ),
    _Row(("invalid_app_access", "OAUTH_APP_ACCESS_DENIED"), "", _NOT_APPROVED),
    _Row((), "not admin approved", _NOT_APPROVED),
    _Row((), "approved this consumer", _NOT_APPROVED),
    _Row(
        ("invalid_client_id",),
        "",
        Fix(
            "salesforce.app_unknown",
            "Salesforce does not know this consumer key here.",
            Facts(
                why="A new key takes up to ten minutes to work; or it was copied in part, belongs to an app of another "
                "org (production and sandbox each have their own), or its app was deleted.",
                you_can="wait ten minutes after creating the app and check again, compare the key in "
                f"{APP_MANAGER} > Settings > OAuth Settings > Consumer Key and Secret, or choose where the org logs in",
            ),
        ),
    ),
    _Row(
        ("invalid_client",),
        "",
        Fix(
            "salesforce.app_secret_refused",
            "Salesforce knows the consumer key and refuses the consumer secret.",
            Facts(
                why="The secret was copied in part, is missing, or was changed in the org since.",
                you_can=f"copy it again from {APP_MANAGER} > Settings > OAuth Settings > Consumer Key and Secret",
            ),
        ),
    ),
    _Row(
        (),
        "no client credentials user enabled",
        Fix(
            "salesforce.no_run_as_user",
            "The app has no user to run as.",
            Facts(
                why="The client credentials flow speaks for one user, whom an administrator chooses.",
                you_can=f"open the app in {APP_MANAGER} > Policies > OAuth Policies, tick Enable Client Credentials "
                "Flow and enter the integration user's username under Run As",
            ),
        ),
    ),
    _Row(
        (),
        "not supported on this domain",
        Fix(
            "salesforce.not_my_domain",
            "Client credentials work at the org's own My Domain address only.",
            Facts(you_can="enter the org's My Domain, as in Setup > My Domain: acme.my.salesforce.com"),
        ),
    ),
    _Row(
        (),
        "flow not enabled",
        Fix(
            "salesforce.flow_not_enabled",
            "The app does not allow this way of logging in.",
            Facts(
                you_can=f"open the app in {APP_MANAGER} > Settings > OAuth Settings > Flow Enablement and enable the "
                "flow: JWT Bearer Flow with Headwater's certificate, or Client Credentials Flow"
            ),
        ),
    ),
    _Row(
        (),
        "ip restricted",
        Fix(
            "salesforce.ip_refused",
            "The org does not let anyone log in from Headwater's network address.",
            Facts(
                you_can="add the address of this machine to the Login IP Ranges of the user's profile, or relax IP "
                f"restrictions for the app in {APP_MANAGER} > Policies > OAuth Policies > IP Relaxation",
            ),
        ),
    ),
    _Row(
        (),
        "audience",
        Fix(
            "salesforce.audience_refused",
            "The org logs in at another address than the one that was chosen.",
            Facts(
                why="The signed request names the address it is for: production and sandboxes have different ones.",
                you_can="choose Production, Sandbox or the org's My Domain, whichever the org is",
            ),
        ),
    ),
    _Row(
        ("inactive_user",),
        "",
        Fix(
            "salesforce.user_inactive",
            "The user is deactivated in Salesforce.",
            Facts(you_can="activate the user in Setup > Users, or log in as another user of the same org"),
        ),
    ),
    _Row(
        (),
        "invalid assertion",
        Fix(
            "salesforce.certificate_refused",
            "Salesforce does not accept Headwater's signature.",
            Facts(
                why="The app holds no certificate, or another one than Headwater signs with, or it has expired.",
                you_can="download the certificate from Settings > Connections > Client app (headwater client-app "
                "--certificate FILE) and upload it under "
                f"{APP_MANAGER} > Settings > OAuth Settings > Flow Enablement > Enable JWT Bearer Flow",
            ),
        ),
    ),
    _Row(
        (),
        "authentication failure",
        Fix(
            "salesforce.user_refused",
            "Salesforce refuses the user.",
            Facts(
                why="The user is frozen or locked, must pass a login flow, or may not use the API.",
                you_can="see the user's Login History in Setup > Users, and grant API Enabled",
            ),
        ),
    ),
    _Row(
        ("unsupported_grant_type",),
        "",
        Fix(
            "salesforce.grant_not_supported",
            "The log-in server does not know this way of logging in.",
            Facts(you_can="check that the address is a Salesforce log-in address"),
        ),
    ),
)


def diagnose(refusal: Refusal) -> Fix | Wait | None:
    """What the refusal means, in words that say what to do. None where the table does not know it."""
    said = as_said(refusal)
    waits = _waits(refusal, said)
    if waits is not None:
        return waits
    means = next((row.means for row in _TABLE if row.fits(refusal)), None)
    if means is None:
        return None
    why = f"{means.facts.why} {said}.".strip()
    return Fix(means.code, means.sentence, Facts(why=why, left="Nothing was changed.", you_can=means.facts.you_can))


def as_said(refusal: Refusal) -> str:
    """Salesforce's own words, to look up or to send to its support."""
    return f"Salesforce answered {refusal.error_code}" + (f": {refusal.message}" if refusal.message else "")


def clock_wrong(refusal: Refusal) -> Fix | None:
    """A signed request that was too old, or of the future, when it arrived, though it was made for this moment."""
    if "expired" not in refusal.message.lower():
        return None
    return Fix(
        "salesforce.clock_wrong",
        "The clock of this machine and Salesforce's do not agree.",
        Facts(
            why=f"A signed request is good for three minutes. {as_said(refusal)}.",
            left="Nothing was changed.",
            you_can="set this machine's clock (NTP), then try again",
        ),
    )


def _waits(refusal: Refusal, said: str) -> Wait | None:
    if "login rate exceeded" in refusal.message.lower() or refusal.error_code == "rate_limit_exceeded":
        return Wait(
            "salesforce.login_rate",
            "The user has logged in too often; Salesforce lets nobody in as that user for an hour.",
            retry_utc=now_utc() + LOGIN_RATE_RETRY,
            facts=Facts(
                why=f"A user may log in 3,600 times an hour. {said}.",
                left="Everything read so far is kept.",
                next="Tries again by itself in an hour.",
                you_can="see in Setup > Login History which other program uses this user, and give Headwater its own",
            ),
        )
    is_server_fault = refusal.status_code >= 500 or "TXN_SECURITY_METERING_ERROR" in refusal.error_code
    return unavailable("the log-in server", said) if is_server_fault else None
