"""The queue of an export as a file: how it is cut, what it takes as CSV, and that memory does not grow with it."""

import csv
from pathlib import Path

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.connections.package import BUYER_TOUCHPOINT
from headwater.credits.write_prices import Action
from headwater.export.csv_files import read_error, write_upload
from headwater.export.queue_file import queues_in, slices
from headwater.export.wanted import write_queue
from integration.touchpoints import Touchpoints, publish


@pytest.fixture
def account(db: None, settings: Settings, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path
    return create_account("Acme")


def test_parts_of_a_queue_hold_every_row_once_and_no_more_bytes_than_were_priced(
    account: Account, tmp_path: Path
) -> None:
    publish(account, Touchpoints((0, 3_000), unfit=[7]))
    queue = tmp_path / "queue.parquet"
    write_queue(account, queue)
    [priced] = queues_in(queue)
    parts = slices(queue, Action.UPSERT, BUYER_TOUCHPOINT, 4)
    assert (priced.records, priced.unfit_records, len(parts)) == (3_000, 1, 4)
    uploads = [tmp_path / f"{number}.csv" for number in range(4)]
    for part, upload in zip(parts, uploads, strict=True):
        write_upload(queue, part, upload)
    rows = [row for upload in uploads for row in csv.DictReader(upload.read_text().splitlines())]
    assert len({row["UniqueId__c"] for row in rows}) == len(rows) == sum(part.records for part in parts) == 2_999
    assert {row["Ad_Content__c"] for row in rows} == {"#N/A"}
    sizes = [upload.stat().st_size for upload in uploads]
    headers = 3 * len(uploads[0].read_text().splitlines()[0])
    assert 0.8 * priced.csv_bytes < sum(sizes) <= priced.csv_bytes + headers
    assert max(sizes) < 1.2 * min(sizes)


def test_a_large_queue_is_sorted_in_little_memory(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.export.wanted.MEMORY_LIMIT", "250MB")  # of some 400 MB of records
    publish(account, Touchpoints((0, 400_000)))
    assert write_queue(account, tmp_path / "queue.parquet") == {f"upsert {BUYER_TOUCHPOINT}": 400_000}


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        ("REQUIRED_FIELD_MISSING:Missing: [Name]:Name --", "REQUIRED_FIELD_MISSING", "Missing: [Name]", ("Name",)),
        ("INVALID_CROSS_REFERENCE_KEY:invalid id:--", "INVALID_CROSS_REFERENCE_KEY", "invalid id", ()),
        ("CUSTOM_VALIDATION:No: not so:A__c,B__c --", "CUSTOM_VALIDATION", "No: not so", ("A__c", "B__c")),
        ("SOMETHING_NEW", "SOMETHING_NEW", "", ()),
        ("CODE:words alone", "CODE", "words alone", ()),
    ],
)
def test_an_error_of_a_bulk_job_is_read_into_its_parts(
    text: str, code: str, message: str, fields: tuple[str, ...]
) -> None:
    read = read_error(text)
    assert (read.status_code, read.message, read.fields) == (code, message, fields)
