"""A full disk, by whatever name it comes: work waits until there is room, and says so."""

import errno
from datetime import timedelta

from django.db import OperationalError

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Wait

RETRY_AFTER = timedelta(minutes=1)
_OF_FILES = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_DATABASES = ("disk is full", "No space left on device")  # SQLite's words, and the system's in PostgreSQL's


def is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _OF_FILES
    return isinstance(error, OperationalError) and any(words in str(error) for words in _OF_DATABASES)


def disk_full(error: BaseException) -> Wait:
    retry_utc = now_utc() + RETRY_AFTER
    return Wait(
        "jobs.disk_full",
        "There is no room left on the disk.",
        retry_utc=retry_utc,
        facts=Facts(
            why=str(error),
            left="Steps that were done stay done; of the one under way nothing was kept.",
            next=f"It goes on by itself as soon as there is room; next try at {retry_utc:%H:%M} UTC.",
            you_can="free some room on the disk of the data directory or of the database, or give it more",
        ),
    )
