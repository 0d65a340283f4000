"""A query whose rows go on behind its first page, while others write to the org: it is answered all the same."""

import threading
from itertools import count

import httpx2

from orgsim.seed import load_rows
from orgsim.testing import RunningOrgsim

ROWS, QUERIES = 2_500, 30


def test_long_results_are_kept_while_others_write(running: RunningOrgsim, client: httpx2.Client) -> None:
    org, over = running.production, threading.Event()
    prefix = org.catalog().get("Account").key_prefix
    now = org.now_text()
    stamps: dict[str, object] = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    load_rows(org, [("Account", [{"Id": each, "Name": each, **stamps} for each in org.new_ids(prefix, ROWS)])])

    def keep_writing() -> None:
        for number in count():
            if over.is_set():
                return
            with org.database.write() as connection:
                connection.execute('UPDATE "User" SET "Title" = ?', (f"Writer {number}",))

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        answers = [client.get("/query", params={"q": "SELECT Id, Name FROM Account"}) for _ in range(QUERIES)]
    finally:
        over.set()
        writer.join()
    assert [answer.status_code for answer in answers] == [200] * QUERIES
    assert {(answer.json()["totalSize"], len(answer.json()["records"])) for answer in answers} == {(ROWS, 2_000)}
