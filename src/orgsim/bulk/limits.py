"""How many batches an org has left today. Both Bulk APIs draw on the same allowance (facts B.4)."""

import datetime as dt

from orgsim.clock import datetime_text
from orgsim.store.org import Org

BATCHES_PER_DAY = 15_000
ROWS_PER_BATCH = 10_000


def batches_left(org: Org) -> int:
    """In the 24 hours that end now. An ingest job of Bulk API 2.0 is cut into batches by the org itself."""
    since = datetime_text(org.clock.now() - dt.timedelta(days=1))
    (own,) = org.database.connect().execute("SELECT count(*) FROM _batch WHERE made > ?", (since,)).fetchone()
    (made,) = (
        org.database.connect()
        .execute(
            "SELECT coalesce(sum(1 + coalesce(json_extract(plain, '$.numberRecordsProcessed'), 0) / ?), 0) "
            "FROM _job WHERE family = 'ingest' AND made > ?",
            (ROWS_PER_BATCH, since),
        )
        .fetchone()
    )
    return max(0, BATCHES_PER_DAY - int(own) - int(made))
