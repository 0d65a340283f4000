"""What a command says when the database does not answer it, or was never prepared.

Not here: waiting for it, which workers do (jobs/worker.py).
"""

from datetime import timedelta

from django.db import Error, ProgrammingError, connection

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait
from headwater.jobs.lease import DATABASE_TROUBLE

REFUSALS = (*DATABASE_TROUBLE, ProgrammingError)  # the last is how PostgreSQL says that a table is not there
LOOK_AGAIN = timedelta(minutes=1)


def error_of(refusal: Error) -> HeadwaterError:
    """In our words. The database itself is asked what is the matter, not the text of its error.

    Raises the refusal again where it is a bug of ours.
    """
    if _answers_without_tables():
        return _not_set_up()
    if isinstance(refusal, ProgrammingError):
        raise refusal
    return _away(refusal)


def _answers_without_tables() -> bool:
    connection.close()
    try:
        return Account._meta.db_table not in connection.introspection.table_names()
    except Error:
        return False


def _away(refusal: Error) -> Wait:
    return Wait(
        "cli.database_away",
        "The database does not answer.",
        retry_utc=now_utc() + LOOK_AGAIN,
        facts=Facts(
            why=" ".join(str(refusal).split()) or type(refusal).__name__,
            left="What was recorded before stays. Of the step under way nothing is recorded; its calls count as spent.",
            next="Once the database answers, a worker (headwater serve, headwater worker) goes on with a job that was "
            "under way, behind its last step.",
            you_can="see to the database, then run the same command again; it goes on in the same way",
        ),
    )


def _not_set_up() -> Fix:
    return Fix(
        "cli.not_set_up",
        "This installation has no tables yet.",
        Facts(
            left="Nothing was done.",
            you_can="run headwater setup; or look whether HEADWATER_DATA_DIR and "
            "HEADWATER_DATABASE_URL name the installation that is meant",
        ),
    )
