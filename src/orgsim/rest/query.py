"""GET /query, /queryAll and their nextRecordsUrl pages (facts C.3)."""

from starlette.responses import Response

from orgsim.exchange import json_response, json_text_response
from orgsim.rest.call import Call
from orgsim.soql.cursors import Page
from orgsim.soql.explain import explain
from orgsim.soql.plan import first_page, next_page

DEFAULT_BATCH_ROWS = 2000
MIN_BATCH_ROWS = 200


def query(call: Call) -> Response:
    if soql := call.exchange.query.get("explain"):
        return json_response(explain(call.asker, soql))
    return _first(call, "query", all_rows=False)


def query_all(call: Call) -> Response:
    return _first(call, "queryAll", all_rows=True)


def query_more(call: Call) -> Response:
    resource = "queryAll" if "/queryAll/" in call.exchange.path else "query"
    return _answer(call, resource, next_page(call.asker, call.param("locator")))


def _first(call: Call, resource: str, *, all_rows: bool) -> Response:
    page = first_page(call.asker, call.query("q"), all_rows=all_rows, batch_rows=_batch_rows(call))
    return _answer(call, resource, page)


def _batch_rows(call: Call) -> int:
    """`Sforce-Query-Options: batchSize=500`, kept within 200 to 2000."""
    header = call.exchange.headers.get("sforce-query-options", "")
    options = dict(part.strip().partition("=")[::2] for part in header.split(","))
    wanted = options.get("batchSize", "")
    if not wanted.isdigit():
        return DEFAULT_BATCH_ROWS
    return max(MIN_BATCH_ROWS, min(int(wanted), DEFAULT_BATCH_ROWS))


def _answer(call: Call, resource: str, page: Page) -> Response:
    url = f',"nextRecordsUrl":"{call.base_path}/{resource}/{page.locator}"' if page.locator else ""
    done = "false" if page.locator else "true"
    text = f'{{"totalSize":{page.total_size},"done":{done}{url},"records":[{",".join(page.records)}]}}'
    return json_text_response(text)
