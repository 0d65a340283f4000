"""How long jobs live: one may stay open for a day, and all are gone after a week (facts C.5). Both Bulk APIs."""

import datetime as dt

import orjson

from orgsim.bulk.jobs import Job, find_job
from orgsim.clock import datetime_text
from orgsim.store.org import Org

OPEN_TIME = dt.timedelta(hours=24)
KEPT_TIME = dt.timedelta(days=7)
# Of a job of Bulk API 1 the youngest batch counts.
_OLD = "coalesce((SELECT max(made) FROM _batch WHERE _batch.job_id = _job.id), made) < :week"
_TOO_LONG_OPEN = "state = 'Open' AND made < :day"
# A jobInfo of Bulk API 1 has no message.
_TOLD = "json_set(plain, CASE family WHEN 'classic' THEN '$._error' ELSE '$.errorMessage' END, :error)"
_ERROR = "The job was open for more than 24 hours"


def living_job(org: Org, family: str, job_id: str) -> Job:
    """Raises ApiError NOT_FOUND, also for a job that has become too old."""
    end_old_jobs(org)
    return find_job(org, family, job_id)


def end_old_jobs(org: Org) -> None:
    """Asked for before jobs are looked at, so that nothing needs to run by itself when the clock is moved."""
    now = org.clock.now()
    borders = {"day": datetime_text(now - OPEN_TIME), "week": datetime_text(now - KEPT_TIME)}
    select = f"SELECT id, family, state, plain FROM _job WHERE made < :day AND (({_TOO_LONG_OPEN}) OR {_OLD})"  # noqa: S608  nothing but the two names above
    if org.database.connect().execute(f"{select} LIMIT 1", borders).fetchone() is None:
        return
    with org.database.write() as connection:
        connection.execute(
            f"UPDATE _job SET state = 'Failed', plain = {_TOLD} WHERE {_TOO_LONG_OPEN}",  # noqa: S608  nothing but the names above
            {**borders, "error": _ERROR},
        )
        old = connection.execute(f"SELECT id, family, state, plain FROM _job WHERE {_OLD}", borders).fetchall()  # noqa: S608  nothing but a name above
        for row in old:
            Job(org, row[0], row[1], row[2], orjson.loads(row[3])).forget()
