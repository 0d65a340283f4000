"""The page at /orgsim/ for a person at this machine: orgs, clock, allowance, newest calls. Plain forms, no scripts.

Not here: the pages a user of an org sees (oauth/pages.py) and the JSON side door (admin.py), whose deeds it uses.
"""

from collections.abc import Callable
from html import escape

from starlette.responses import HTMLResponse, RedirectResponse, Response

from orgsim.exchange import Exchange
from orgsim.rest.faults import clear_faults, list_faults
from orgsim.server.admin import move_clock, refuse_strangers
from orgsim.store.org import Org

_ADDRESS = "/orgsim/"
_JOURNAL_ROWS = 25
_COLUMNS = {"at": "Time", "kind": "Kind", "method": "Method", "path": "Path", "credits": "Credits", "status": "Status"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>orgsim</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
form {{ margin: .75rem 0; }}
input, button {{ font: inherit; padding: .25rem .5rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: start; font-weight: bold; }}
th, td {{ text-align: start; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid; }}
</style>
</head>
<body>
<main>
<h1>orgsim</h1>
{body}
</main>
</body>
</html>
"""


def show(exchange: Exchange) -> Response:
    return refuse_strangers(exchange) or _page(exchange)


def take_form(exchange: Exchange) -> Response:
    """Does what a form of the page asks, then leads back to the page; a mistake is told on the page itself."""
    stranger = refuse_strangers(exchange)
    if stranger is not None:
        return stranger
    try:
        _FORMS[exchange.path_params["deed"]](exchange, exchange.form())
    except (LookupError, ValueError, OverflowError) as error:
        return _page(exchange, f"That could not be done: {error}", status=400)
    return RedirectResponse(_ADDRESS, status_code=303)


def _jump(exchange: Exchange, form: dict[str, str]) -> None:
    move_clock(exchange.state, {"jump_seconds": float(form["seconds"])})


def _set_allowance(exchange: Exchange, form: dict[str, str]) -> None:
    calls = int(form["calls"])
    if calls < 0:
        raise ValueError("an allowance cannot be less than 0.")
    exchange.state.org(form["org"]).set("allowance_calls", calls)


def _clear_faults(exchange: Exchange, form: dict[str, str]) -> None:
    clear_faults(exchange.state.org(form["org"]).usage)


_FORMS: dict[str, Callable[[Exchange, dict[str, str]], None]] = {
    "clock": _jump,
    "allowance": _set_allowance,
    "faults": _clear_faults,
}


def _page(exchange: Exchange, mistake: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p role="alert">{escape(mistake)}</p>\n' if mistake else ""
    orgs = "\n".join(_org(org) for org in exchange.state.orgs())
    body = f"{alert}{_clock(exchange)}\n{orgs}"
    return HTMLResponse(_PAGE.format(body=body), status, {"Content-Security-Policy": _POLICY})


def _clock(exchange: Exchange) -> str:
    state = exchange.state
    frozen = " It stands still." if state.clock_setting().frozen_at else ""
    return f"""<section aria-labelledby="clock">
<h2 id="clock">Clock</h2>
<p>The orgs' clock shows <time>{state.clock.now().isoformat(sep=" ", timespec="seconds")}</time>.{frozen}</p>
<form method="post" action="{_ADDRESS}form/clock">
<label for="seconds">Seconds to move on by</label>
<input id="seconds" name="seconds" type="number" value="3600" required>
<button type="submit">Move the clock</button>
</form>
</section>"""


def _org(org: Org) -> str:
    org_id, kind = org.org_id, "sandbox" if org.is_sandbox else "production"
    allowance, faults = int(org.setting("allowance_calls")), len(list_faults(org.usage))
    name = escape(f"{org.setting('name')} ({kind})")
    chosen = f'<input type="hidden" name="org" value="{org_id}">'
    return f"""<section aria-labelledby="{org_id}">
<h2 id="{org_id}">{name}</h2>
<p>{org_id}, {escape(str(org.setting("edition")))}. {org.usage.used_calls():,} of {allowance:,} calls used in 24 hours.
{faults} faults laid.</p>
<form method="post" action="{_ADDRESS}form/allowance">{chosen}
<label for="calls-{org_id}">Calls allowed in 24 hours, {name}</label>
<input id="calls-{org_id}" name="calls" type="number" min="0" value="{allowance}" required>
<button type="submit">Set the allowance</button>
</form>
<form method="post" action="{_ADDRESS}form/faults">{chosen}
<button type="submit">Clear the faults of {name}</button>
</form>
{_journal(org)}
</section>"""


def _journal(org: Org) -> str:
    calls = org.usage.journal(_JOURNAL_ROWS)
    if not calls:
        return "<p>No calls yet.</p>"
    head = "".join(f'<th scope="col">{title}</th>' for title in _COLUMNS.values())
    rows = "\n".join(f"<tr>{_cells(call)}</tr>" for call in reversed(calls))
    label = f"Newest calls, {escape(str(org.setting('name')))}"
    return f"""<div class="scroll" role="region" aria-label="{label}, {org.org_id}" tabindex="0">
<table>
<caption>{label}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>"""


def _cells(call: dict[str, object]) -> str:
    values = ("no answer" if call[column] is None else str(call[column]) for column in _COLUMNS)
    return "".join(f"<td>{escape(value)}</td>" for value in values)
