"""How an sObject becomes an SQLite table, and the tables an org needs besides its records.

Text is kept with NOCASE, because SOQL compares text without regard to case; ids and moments are compared exactly.
"""

from orgsim.schema.model import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field, SObject

ORG_TABLES = """
CREATE TABLE IF NOT EXISTS _setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _sobject (name TEXT PRIMARY KEY, position INTEGER NOT NULL, plain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _sequence (name TEXT PRIMARY KEY, next_number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _deleted (
    sobject TEXT NOT NULL, record_id TEXT NOT NULL, deleted_at TEXT NOT NULL, PRIMARY KEY (sobject, record_id)
);
CREATE TABLE IF NOT EXISTS _binned (
    record_id TEXT PRIMARY KEY, sobject TEXT NOT NULL, root_id TEXT NOT NULL, binned_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS _binned_at ON _binned (binned_at);
CREATE TABLE IF NOT EXISTS _held (
    number INTEGER PRIMARY KEY, sobject TEXT NOT NULL, record_id TEXT NOT NULL, made TEXT NOT NULL, until TEXT NOT NULL,
    image TEXT, deleted_at TEXT
);
CREATE INDEX IF NOT EXISTS _held_sobject ON _held (sobject, until);
CREATE INDEX IF NOT EXISTS _held_record ON _held (record_id);
CREATE TABLE IF NOT EXISTS _login (
    user_id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE COLLATE NOCASE, salt BLOB NOT NULL, digest BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS _login_rate (user_id TEXT PRIMARY KEY, since TEXT NOT NULL, logins INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _app (
    client_id TEXT PRIMARY KEY, name TEXT NOT NULL, client_secret TEXT NOT NULL, callbacks TEXT NOT NULL,
    options TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS _browser (
    digest TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS _approval (
    digest TEXT PRIMARY KEY, user_id TEXT NOT NULL, request TEXT NOT NULL, expires TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS _code (
    digest TEXT PRIMARY KEY, user_id TEXT NOT NULL, request TEXT NOT NULL, expires TEXT NOT NULL, used INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS _grant (
    id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL, made TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS _refresh (
    digest TEXT PRIMARY KEY, grant_id INTEGER NOT NULL, replaced INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS _access (
    digest TEXT PRIMARY KEY, grant_id INTEGER NOT NULL, issued TEXT NOT NULL, expires TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS _cursor (
    id TEXT PRIMARY KEY, soql TEXT NOT NULL, all_rows INTEGER NOT NULL, total INTEGER NOT NULL, user_id TEXT NOT NULL,
    batch_rows INTEGER NOT NULL, made TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS _job (
    id TEXT PRIMARY KEY, family TEXT NOT NULL, made TEXT NOT NULL, state TEXT NOT NULL, plain TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS _job_row (
    job_id TEXT NOT NULL, number INTEGER NOT NULL, record_id TEXT, created INTEGER NOT NULL, error TEXT,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _batch (
    id TEXT PRIMARY KEY, job_id TEXT NOT NULL, state TEXT NOT NULL, made TEXT NOT NULL, plain TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS _batch_job ON _batch (job_id);
CREATE TABLE IF NOT EXISTS _trigger_cost (trigger_id TEXT PRIMARY KEY, cpu_ms_per_record INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _deploy (id TEXT PRIMARY KEY, made TEXT NOT NULL, plain TEXT NOT NULL)
"""


def column_type(field: Field) -> str:
    if field.type in NUMBER_TYPES or field.type == "boolean":
        return "INTEGER"
    return "TEXT COLLATE NOCASE" if field.type in TEXT_TYPES else "TEXT"


def create_table(sobject: SObject) -> str:
    columns = [f'"{each.name}" {column_type(each)}' for each in sobject.stored_fields if each.name != "Id"]
    return f'CREATE TABLE "{sobject.name}" ("Id" TEXT PRIMARY KEY NOT NULL, {", ".join(columns)})'


def create_indexes(sobject: SObject) -> list[str]:
    indexes = [statement for each in sobject.stored_fields if (statement := create_index(sobject, each))]
    return indexes + [_create_index_of_hidden(sobject, name) for name in hiding_fields(sobject)]


def hiding_fields(sobject: SObject) -> list[str]:
    """Where one of these is true, a record is out of sight, unless one asks for all (facts C.2)."""
    return [name for name in ("IsDeleted", "IsArchived") if sobject.find(name)]


def _create_index_of_hidden(sobject: SObject, name: str) -> str:
    """Holds only what is hidden, so that those in sight are counted without being read."""
    return f'CREATE INDEX "{sobject.name}.{name}" ON "{sobject.name}" ("{name}") WHERE "{name}" = 1'


def create_index(sobject: SObject, field: Field) -> str | None:
    """The fields Salesforce indexes by default (facts C.1): references, stamps, external ids, lookup e-mails.

    A unique field gets no UNIQUE index: a record in the recycle bin does not hold its value. The writer checks.
    """
    is_looked_up = field.external_id or field.unique or field.id_lookup or field.type in ID_TYPES
    is_stamp = field.name in (sobject.stamp_field, "CreatedDate")
    if field.name in ("Id", "CreatedById", "LastModifiedById") or not (is_looked_up or is_stamp):
        return None
    second = ', "Id"' if field.name == sobject.stamp_field else ""
    return f'CREATE INDEX IF NOT EXISTS "{sobject.name}.{field.name}" ON "{sobject.name}" ("{field.name}"{second})'


def create_match_index(sobject: SObject, names: tuple[str, ...]) -> str:
    """For a duplicate rule: finds the records that have the same values in these fields."""
    columns = ", ".join(f'"{name}"' for name in names)
    return f'CREATE INDEX IF NOT EXISTS {_match_index(sobject, names)} ON "{sobject.name}" ({columns})'


def drop_match_index(sobject: SObject, names: tuple[str, ...]) -> str:
    return f"DROP INDEX IF EXISTS {_match_index(sobject, names)}"


def _match_index(sobject: SObject, names: tuple[str, ...]) -> str:
    return f'"{sobject.name}.match.{"+".join(names)}"'


def add_column(sobject: SObject, field: Field) -> str:
    return f'ALTER TABLE "{sobject.name}" ADD COLUMN "{field.name}" {column_type(field)}'
