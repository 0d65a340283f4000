"""What the gate holds a call to, and what the org says of its allowance, lagging behind the truth (facts B.2 to B.4).

Not here: how large the allowance is (store/allowance.py) and the exact account (store/usage.py).
"""

import random

from orgsim.errors import ApiError
from orgsim.oauth.apps import apps_of, find_app
from orgsim.store.org import Org

LONG_REQUESTS_AT_ONCE, LONG_REQUESTS_AT_ONCE_SMALL = 25, 5
_STALE_MINUTES = 5
_ANSWERS_PER_MISSING_HEADER = 1757  # one of the recorded good answers had none
# Servers that take turns in answering: after how many calls each looks at the count again, and how often it is asked.
# Chosen so that the steps from one header to the next come close to the measured ones (facts B.3).
_SERVERS = ((4, 30), (6, 30), (8, 20), (13, 1))


def room_calls(org: Org) -> int:
    """Where the org stops: at its allowance, or at the hard cap of one that may overshoot."""
    allowance = org.allowance_calls()
    if org.setting("may_overshoot") and org.is_paid_production:
        return allowance + allowance * int(org.setting("overshoot_percent")) // 100
    return allowance


def exhausted() -> ApiError:
    return ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def crowded() -> ApiError:
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    return ApiError("REQUEST_LIMIT_EXCEEDED", message, status=403)


def is_crowded(org: Org) -> bool:
    """Whether as many long requests run as may; there is no end to short ones."""
    running = org.running.longer_than(float(org.setting("long_request_seconds")))
    if not running:
        return False
    most = org.setting("long_requests_at_once")
    if most is None:
        may_have_many = org.is_sandbox or org.is_paid_production
        most = LONG_REQUESTS_AT_ONCE if may_have_many else LONG_REQUESTS_AT_ONCE_SMALL
    return bool(running >= int(most))


def limit_info(org: Org, call_number: int, client_id: str) -> str | None:
    """The value of Sforce-Limit-Info, the same for the same call; None where the answer has no such header."""
    is_noisy, app_allowances = org.settings("header_noise", "app_allowances")
    used = org.usage.used_calls()
    if is_noisy and call_number % _ANSWERS_PER_MISSING_HEADER == 0:
        return None
    if is_noisy:
        used = max(0, used - org.usage.credits_after(call_number - _lag_calls(call_number)))
    return f"api-usage={used}/{org.allowance_calls()}{_app_part(org, client_id, app_allowances.get(client_id))}"


def _app_part(org: Org, client_id: str, most: int | None) -> str:
    """Follows only for an app that has an allowance of its own, `most`."""
    app = find_app(org, client_id) if most is not None else None
    if app is None:
        return ""
    return f"; per-app-api-usage={org.usage.used_by_app(client_id)}/{most}(appName={app.name})"


def limits_of_apps(org: Org) -> dict[str, dict[str, int]]:
    """By the name of the app: what /limits nests once an app has an allowance; those without have 0 of 0."""
    given: dict[str, int] = org.setting("app_allowances")
    if not given:
        return {}
    most = {app: int(given.get(app.client_id, 0)) for app in apps_of(org)}
    return {
        app.name: {"Max": calls, "Remaining": max(0, calls - org.usage.used_by_app(app.client_id))}
        for app, calls in most.items()
    }


def _lag_calls(call_number: int) -> int:
    """How many calls ago the server that answers this one looked at the count."""
    dice = random.Random(call_number)  # noqa: S311  repeatable on purpose
    place = dice.choices(range(len(_SERVERS)), [often for _, often in _SERVERS])[0]
    return (call_number + 3 * place) % _SERVERS[place][0]


def reported_calls(org: Org) -> int:
    """What /limits takes as used: the truth, or with `header_noise` that of the last full five minutes."""
    if not org.setting("header_noise"):
        return org.usage.used_calls()
    return org.usage.used_calls_lagging(_STALE_MINUTES)
