"""The switches of one org: name, default and meaning in one table. Kept as JSON values in the org's own file."""

import sqlite3

import orjson

from orgsim.store.allowance import check_licences

DEFAULTS: dict[str, object] = {
    "name": "Acme",  # shown as Organization.Name
    "edition": "Enterprise Edition",  # shown as Organization.OrganizationType
    "is_sandbox": False,  # which door its users log in at
    "is_trial": False,  # a trial never overshoots, and has room for few long requests (facts B.2, B.4)
    "licences": {},  # user licences by name, as {"Salesforce": 15}; they add to the allowance (facts B.1)
    "allowance_calls": None,  # API requests per rolling 24 hours, instead of what edition and licences give
    "app_allowances": {},  # calls of single apps in 24 hours by consumer key; shown, never enforced (facts B.3)
    "may_overshoot": False,  # paid production orgs may pass their allowance (facts B.2)
    "overshoot_percent": 50,  # by how much of it, if they may; Salesforce does not publish its hard cap
    "header_noise": False,  # Sforce-Limit-Info and /limits lag and waver as a real org's do (facts B.3)
    "long_request_seconds": 20,  # a request that runs longer counts as a long one (facts B.4)
    "long_requests_at_once": None,  # how many may run at once; null: 25, or 5 in trials and Developer Edition
    "request_timeout_seconds": 600,  # a request that would take longer is given up (facts B.4)
    "event_log_lag_seconds": 0,  # how long ApiTotalUsageEventLog does not show a call yet; Salesforce names no time
    "client_name_everywhere": False,  # the log names the sender of calls that Call Options is not documented for too
    "access_token_seconds": 7200,  # life of an access token
    "my_domain_host": "",  # host (or host:port) that is this org's My Domain; besides *.my.salesforce.com, *.localhost
    "login_ip_ranges": [],  # networks people and apps may log in from, as ["10.0.0.0/8"]; empty for everywhere
    "logins_per_hour": 3600,  # logins of one user per hour; one more locks the user out for an hour (facts A.5)
    "api_enabled": True,  # an org whose edition has no API gives no tokens and answers no call (facts A.5)
    "soap_login": True,  # whether SOAP login() is open, which new orgs keep closed (facts A.7)
    "query_timeout_seconds": 120,  # how long a query over REST may take before it ends with QUERY_TIMEOUT (facts C.3)
    "bulk_delay_seconds": 0.2,  # how long a Bulk job takes before its result is there
    "bulk_page_rows": 100_000,  # rows of a Bulk query results page when the client names no maxRecords
    "bulk_query_timeout_rows": 0,  # a Bulk API 1 query of more rows than this times out, unless chunked; 0: none does
    "late_visible_seconds": 0,  # how long a change is hidden from queries though it is saved (facts C.1); 0: not at all
    "late_visible_share": 1.0,  # of the changes, the share that is hidden so
    "bulk_query_jobs_per_day": 10_000,  # query jobs of Bulk API 2.0 in 24 hours (facts B.4)
    "bulk_result_mb_per_day": 976_562,  # their results
    "bulk_batches_per_day": 15_000,  # batches of both Bulk APIs in 24 hours; an ingest job makes one for 10,000 rows
    "bulk_records_per_day": 150_000_000,  # rows that both upload
    "app_propagation_seconds": 0,  # how long a deployed External Client App is not known yet (facts A.5)
    "deploy_delay_seconds": 0.2,  # how long a metadata deployment takes
    "schema_version": "",  # another text after every change of the schema
    "schema_changed_at": "",  # when that was: Last-Modified of every describe
}


def read_setting(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute("SELECT value FROM _setting WHERE name = ?", (name,)).fetchone()
    return DEFAULTS[name] if row is None else orjson.loads(row[0])


def write_setting(connection: sqlite3.Connection, name: str, value: object) -> None:
    """Raises KeyError for a setting that does not exist, ValueError for a table of licences that makes no sense."""
    if name not in DEFAULTS:
        raise KeyError(f"There is no setting called {name!r}. Known: {', '.join(DEFAULTS)}.")
    if name == "licences":
        check_licences(value)
    connection.execute(
        "INSERT INTO _setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, orjson.dumps(value).decode()),
    )
