"""Archives activities that have become a year old: IsArchived is set, no stamp moves (facts C.2)."""

from orgsim.clock import datetime_text
from orgsim.store.derive import ARCHIVE_AFTER
from orgsim.store.org import Org

_OLD_EVENTS = 'UPDATE "Event" SET "IsArchived" = 1 WHERE "IsArchived" = 0 AND "EndDateTime" <= :moment'
_OLD_TASKS = (
    'UPDATE "Task" SET "IsArchived" = 1 WHERE "IsArchived" = 0 AND "IsClosed" = 1 AND '
    '("ActivityDate" <= substr(:moment, 1, 10) OR ("ActivityDate" IS NULL AND "CreatedDate" <= :moment))'
)


def archive_old_activities(org: Org) -> int:
    """How many were archived."""
    border = {"moment": datetime_text(org.clock.now() - ARCHIVE_AFTER)}
    with org.database.write() as connection:
        return sum(connection.execute(statement, border).rowcount for statement in (_OLD_EVENTS, _OLD_TASKS))
