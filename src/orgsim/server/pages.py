"""The pages under /orgsim/ for a person at this machine: orgs, clock, snapshots; the account and levers of each org.

Not here: what the forms do (forms.py), pages that users of an org see (oauth/pages.py), the JSON side door (admin.py).
"""

import orjson
from starlette.responses import HTMLResponse, RedirectResponse, Response

from orgsim.edits.checksum import checksum_all
from orgsim.edits.snapshots import list_snapshots
from orgsim.errors import ApiError
from orgsim.exchange import Exchange
from orgsim.html import page
from orgsim.oauth.users import usernames
from orgsim.rest.faults import Effect, list_faults
from orgsim.rest.latency import list_latencies
from orgsim.server.admin import refuse_strangers
from orgsim.server.forms import FORMS
from orgsim.store.org import Org
from orgsim.store.settings import DEFAULTS

_ADDRESS = "/orgsim/"
_JOURNAL_ROWS = 25
_CHART_HEIGHT = 100
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def show_all(exchange: Exchange) -> Response:
    return refuse_strangers(exchange) or _overview(exchange)


def show_org(exchange: Exchange) -> Response:
    return refuse_strangers(exchange) or _of_org(exchange, exchange.path_params["org_id"])


def show_records(exchange: Exchange) -> Response:
    """Counts and checksums, which take a while on a large org and are computed only when this page is asked for."""
    stranger = refuse_strangers(exchange)
    if stranger is not None:
        return stranger
    try:
        org = exchange.state.org(exchange.path_params["org_id"])
    except LookupError as error:
        return _overview(exchange, str(error), 404)
    return _page(exchange, "records.html", org=_facts(org), checksums=checksum_all(org))


def take_form(exchange: Exchange) -> Response:
    """Does what a form of the pages asks, then leads back to its page; a mistake is told on the page itself."""
    stranger = refuse_strangers(exchange)
    if stranger is not None:
        return stranger
    form = exchange.form()
    org_id = form.get("org", "")
    try:
        FORMS[exchange.path_params["deed"]](exchange.state, form)
    except (ApiError, LookupError, TypeError, ValueError, OverflowError) as error:
        mistake = f"That could not be done: {error}"
        return _of_org(exchange, org_id, mistake, 400) if org_id else _overview(exchange, mistake, 400)
    return RedirectResponse(f"{_ADDRESS}org/{org_id}" if org_id else _ADDRESS, status_code=303)


def _overview(exchange: Exchange, mistake: str = "", status: int = 200) -> HTMLResponse:
    state = exchange.state
    return _page(
        exchange,
        "overview.html",
        mistake=mistake,
        status=status,
        orgs=[_facts(org) for org in state.orgs()],
        snapshots=list_snapshots(state),
    )


def _of_org(exchange: Exchange, org_id: str, mistake: str = "", status: int = 200) -> HTMLResponse:
    try:
        org = exchange.state.org(org_id)
    except LookupError as error:
        return _overview(exchange, mistake or str(error), status if mistake else 404)
    names = usernames(org)
    totals = [{"user": names.get(each.user_id, each.user_id), "total": each} for each in org.usage.totals()]
    return _page(
        exchange,
        "org.html",
        mistake=mistake,
        status=status,
        org=_facts(org),
        bars=_bars(org.usage.hourly_credits()),
        totals=totals,
        faults=list_faults(org.usage),
        latencies=list_latencies(org.usage),
        late_seconds=org.setting("late_visible_seconds"),
        late_percent=100 * float(org.setting("late_visible_share")),
        effects=[each.value for each in Effect],
        settings={name: orjson.dumps(org.setting(name)).decode() for name in DEFAULTS if "schema" not in name},
        journal=list(reversed(org.usage.journal(_JOURNAL_ROWS))),
    )


def _page(exchange: Exchange, template: str, *, mistake: str = "", status: int = 200, **shown: object) -> HTMLResponse:
    setting, now = exchange.state.clock_setting(), exchange.state.clock.now()
    return page(
        f"side_door/{template}",
        status,
        {"Content-Security-Policy": _POLICY},
        mistake=mistake,
        now=now.strftime("%Y-%m-%d %H:%M:%S"),
        stands_still=setting.frozen_at is not None,
        ahead_seconds=round(setting.offset_seconds),
        **shown,
    )


def _facts(org: Org) -> dict[str, object]:
    return {
        "id": org.org_id,
        "name": f"{org.setting('name')} ({'sandbox' if org.is_sandbox else 'production'})",
        "edition": org.setting("edition"),
        "used": org.usage.used_calls(),
        "allowance": org.allowance_calls(),
        "faults": len(list_faults(org.usage)),
    }


def _bars(hourly: list[int]) -> list[dict[str, object]]:
    """Heights of the columns of the chart, the oldest hour first."""
    most = max(hourly) or 1
    return [
        {"hours_ago": len(hourly) - 1 - place, "credits": credits, "height": -(-credits * _CHART_HEIGHT // most)}
        for place, credits in enumerate(hourly)
    ]
