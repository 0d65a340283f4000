"""The switches of one org: name, default and meaning in one table. Kept as JSON values in the org's own file."""

import sqlite3

import orjson

DEFAULTS: dict[str, object] = {
    "name": "Acme",  # shown as Organization.Name
    "edition": "Enterprise Edition",  # shown as Organization.OrganizationType
    "is_sandbox": False,  # which door its users log in at
    "allowance_calls": 100_000,  # API requests per rolling 24 hours
    "may_overshoot": False,  # production orgs may pass their allowance (facts B.2)
    "header_noise": False,  # Sforce-Limit-Info wanders as a real org's does (facts B.3)
    "access_token_seconds": 7200,  # life of an access token
    "my_domain_host": "",  # host (or host:port) that is this org's My Domain; besides *.my.salesforce.com, *.localhost
    "login_ip_ranges": [],  # networks people and apps may log in from, as ["10.0.0.0/8"]; empty for everywhere
    "logins_per_hour": 3600,  # logins of one user per hour; one more locks the user out for an hour (facts A.5)
    "soap_login": True,  # whether SOAP login() is open, which new orgs keep closed (facts A.7)
    "bulk_delay_seconds": 0.2,  # how long a Bulk job takes before its result is there
    "bulk_page_rows": 100_000,  # rows of a Bulk query results page when the client names no maxRecords
    "bulk_query_timeout_rows": 0,  # a Bulk API 1 query of more rows than this times out, unless chunked; 0: none does
    "late_visible_seconds": 0,  # how long a change is hidden from queries though it is saved (facts C.1); 0: not at all
    "late_visible_share": 1.0,  # of the changes, the share that is hidden so
    "deploy_delay_seconds": 0.2,  # how long a metadata deployment takes
    "schema_version": "",  # another text after every change of the schema
    "schema_changed_at": "",  # when that was: Last-Modified of every describe
}


def read_setting(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute("SELECT value FROM _setting WHERE name = ?", (name,)).fetchone()
    return DEFAULTS[name] if row is None else orjson.loads(row[0])


def write_setting(connection: sqlite3.Connection, name: str, value: object) -> None:
    if name not in DEFAULTS:
        raise KeyError(f"There is no setting called {name!r}. Known: {', '.join(DEFAULTS)}.")
    connection.execute(
        "INSERT INTO _setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, orjson.dumps(value).decode()),
    )
