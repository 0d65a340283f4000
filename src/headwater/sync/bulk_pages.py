"""Takes in the result of a complete Bulk job: a page becomes a part while it arrives, or while the next one does.

A fetched page stays on disk until its part is listed, so that a killed cycle pays for no page twice. A result that the
org no longer has (it keeps one for seven days) is told, for the job to be made anew.
Not here: making jobs and waiting for them (bulk_jobs.py).
"""

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from headwater.common.clock import now_utc
from headwater.common.errors import Bug, Fix
from headwater.jobs.running import Cancelled
from headwater.lake import GZIP_SUFFIX, Arrival, Interrupted, Part, csv_size_bytes
from headwater.salesforce.bulk import Bulk, ResultPage
from headwater.sync.plan import ObjectRead
from headwater.sync.read import SCRATCH_PREFIX, Reading


def take_pages(reading: Reading, read: ObjectRead, job_id: str) -> bool:
    """Returns False where the org lost the result before all of it was fetched; what came of it stays."""
    taking = _Taking(reading, read, job_id)
    try:
        with taking.beside:
            _take_all(taking)
    except Cancelled:  # nobody goes on with this job
        taking.clear()
        raise
    except _ResultGone:
        reading.job.step(taking.gone_step, lambda: True)
        taking.clear()
        return False
    taking.clear()
    return True


def _take_all(taking: "_Taking") -> None:
    page: _Page | None = taking.fetch(0, "")
    while page is not None:
        part = taking.begin_part(page)
        try:
            following = taking.fetch(page.number + 1, page.next_locator) if page.next_locator else None
        finally:  # this page is paid for, whatever becomes of the next
            taking.end_part(page, part)
        page = following


class _ResultGone(Exception):
    """The org no longer has the job's result."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A fetched page, as the step that fetched it told it. `next_locator` is empty after the last."""

    number: int
    locator: str
    next_locator: str
    file: str
    size_bytes: int
    rows: int
    row_bytes: int | None
    seconds: float


class _Taking:
    """The pages of one job. Only `_write` runs beside the rest, one page at a time: it knows files, and no database."""

    def __init__(self, reading: Reading, read: ObjectRead, job_id: str) -> None:
        self._reading = reading
        self._read = read
        self._job_id = job_id
        self.beside = ThreadPoolExecutor(1, thread_name_prefix="part")
        self._parts: dict[int, Future[Part]] = {}
        self._folder = reading.directory / f"{SCRATCH_PREFIX}{job_id}"

    def fetch(self, number: int, locator: str) -> _Page:
        def save() -> dict[str, Any]:
            began_utc = now_utc()
            result, path = self._save(number, locator)
            return {
                "file": path.name,
                "size_bytes": path.stat().st_size,
                "rows": result.row_count,
                "row_bytes": csv_size_bytes(path) // result.row_count if result.row_count else None,
                "next_locator": result.locator,
                "seconds": (now_utc() - began_utc).total_seconds(),
            }

        name = f"Bulk page {self._read.sobject} {self._job_id} {number}"
        return _Page(number, locator, **self._reading.job.step(name, save))

    def begin_part(self, page: _Page) -> Future[Part] | None:
        """None where the part is there already. A page that the machine did not get to disk whole is fetched again."""
        if self._reading.job.has_done(self._part_step(page)):
            return None
        path = self._folder / page.file
        if page.number not in self._parts:
            if path.exists() and path.stat().st_size == page.size_bytes:
                self._parts[page.number] = self.beside.submit(self._write_whole, path, page.rows)
            else:
                self._save(page.number, page.locator)
        return self._parts.pop(page.number)

    def end_part(self, page: _Page, part: Future[Part] | None) -> None:
        """List the part as soon as it is written."""
        began_utc = now_utc()

        def record(written: Part) -> dict[str, Any]:
            self._reading.record_part(self._read.sobject, written)
            waited_seconds = (now_utc() - began_utc).total_seconds()
            return {"rows": page.rows, "row_bytes": page.row_bytes, "seconds": page.seconds + waited_seconds}

        job, name, path = self._reading.job, self._part_step(page), self._folder / page.file
        try:
            told = job.step(name, partial(self._written, page, part), record) if part else job.result_of(name)
        except (Bug, Fix):  # the page is not what it should be: who tries again shall fetch it again
            path.unlink(missing_ok=True)
            raise
        self._reading.tally.add_bulk_page(self._read.sobject, told)
        path.unlink(missing_ok=True)

    def _written(self, page: _Page, part: Future[Part]) -> Part:
        """A page that is not what Salesforce documents was spoiled on its way, as a rule: it is fetched once more."""
        try:
            return part.result()
        except Bug:
            self._save(page.number, page.locator)
            return self._parts.pop(page.number).result()

    def clear(self) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _save(self, number: int, locator: str) -> tuple[ResultPage, Path]:
        """Raises _ResultGone, without asking again where the org said so before."""
        if self._reading.job.has_done(self.gone_step):
            raise _ResultGone
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{number}.csv"
        path.unlink(missing_ok=True)  # the rest of a fetch that was killed
        arrival = Arrival(path)
        self._parts[number] = self.beside.submit(self._write, arrival)
        try:
            page = Bulk(self._reading.transport).fetch_page(
                self._read.sobject, self._job_id, locator, self._read.bulk_page_rows, path
            )
            if page is None:
                raise _ResultGone
            whole = path.rename(path.with_name(path.name + GZIP_SUFFIX)) if page.is_gzip else path
            arrival.complete(whole, page.row_count)
        finally:
            arrival.end()
        return page, whole

    def _write(self, arrival: Arrival) -> Part:
        """From the beginning where its fetch had to be."""
        with arrival:
            try:
                return self._reading.write_csv(self._read.sobject, arrival)
            except (Bug, Fix, Interrupted):
                if not arrival.was_replaced():
                    raise
        return self._write_whole(arrival.path, arrival.row_count)

    def _write_whole(self, path: Path, row_count: int) -> Part:
        with Arrival(path) as whole:
            whole.complete(path, row_count)
            return self._reading.write_csv(self._read.sobject, whole)

    @property
    def gone_step(self) -> str:
        return f"Bulk result {self._read.sobject} {self._job_id} is gone"

    def _part_step(self, page: _Page) -> str:
        return f"Bulk part {self._read.sobject} {self._job_id} {page.number}"
