"""A file is read while it arrives, and nothing of what turns out not to be the file becomes a part."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from headwater.lake import Arrival, Interrupted, write_part_from_csv
from headwater.lake.arriving import piped, text_of
from unit.lake.conftest import OPPORTUNITY

HEADER = '"Id","Name","Amount","Probability","IsDeleted","CloseDate","SystemModstamp"\n'
ROWS = [f'"006{number:06}","Deal {number}","","","false","","2022-03-17T16:21:26.000Z"\n' for number in range(5_000)]
CSV = (HEADER + "".join(ROWS)).encode()


def write_in_two(path: Path, body: bytes, between: Callable[[], object]) -> None:
    with path.open("wb", buffering=0) as file:
        file.write(body[: len(body) // 2])
        between()
        file.write(body[len(body) // 2 :])


@pytest.mark.parametrize(
    "body", [CSV, gzip.compress(CSV), gzip.compress(HEADER.encode()) + gzip.compress(CSV[len(HEADER) :])]
)
def test_a_part_is_made_of_a_file_while_that_arrives_compressed_or_not(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "0.csv"
    with ThreadPoolExecutor(1) as beside, Arrival(path) as arrival:
        text = text_of(arrival)
        read = beside.submit(next, text)
        write_in_two(path, body, read.result)  # half of the file is not there before some of it was read
        arrival.complete(path.rename(tmp_path / "whole.csv"), len(ROWS))
        assert read.result() + b"".join(text) == CSV
    part = write_part_from_csv(tmp_path / "whole.csv", OPPORTUNITY, tmp_path / "lake", 1)
    assert part.row_count == len(ROWS)


def test_whoever_reads_does_not_wait_for_the_file_to_be_there(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as beside, Arrival(tmp_path / "0.csv") as arrival:
        writing = beside.submit(write_part_from_csv, arrival, OPPORTUNITY, tmp_path / "lake", 1)
        write_in_two(arrival.path, CSV, lambda: None)
        arrival.complete(arrival.path, len(ROWS))
        assert writing.result().row_count == len(ROWS)


def test_a_fetch_that_is_begun_anew_interrupts_who_reads_even_where_the_first_part_ends_with_a_row(
    tmp_path: Path,
) -> None:
    path, half = tmp_path / "0.csv", (HEADER + "".join(ROWS[:2_000])).encode()
    path.write_bytes(half)
    with ThreadPoolExecutor(1) as beside, Arrival(path) as arrival:
        writing = beside.submit(write_part_from_csv, arrival, OPPORTUNITY, tmp_path / "lake", 1)
        while arrival._file is None:
            Event().wait(0.001)
        path.unlink()
        path.write_bytes(CSV)
        arrival.complete(path, len(ROWS))
        with pytest.raises(Interrupted):
            writing.result()
        assert arrival.was_replaced()
    assert list(tmp_path.glob("lake/*.parquet*")) == []


def test_a_fetch_that_is_given_up_leaves_no_part(tmp_path: Path) -> None:
    arrival = Arrival(tmp_path / "0.csv")
    arrival.path.write_bytes(CSV)
    arrival.end()
    with pytest.raises(Interrupted):
        write_part_from_csv(arrival, OPPORTUNITY, tmp_path / "lake", 1)
    assert not arrival.was_replaced()
    assert list(tmp_path.glob("lake/*.parquet*")) == []


def test_a_reader_that_stops_early_holds_up_nobody() -> None:
    with piped([b"x" * 5_000_000]) as pipe, open(pipe, "rb") as file:  # noqa: PTH123 - no path but a descriptor
        assert file.read(10) == b"x" * 10
