"""Sends records in collections, five a call, and settles them one by one. A step a call.

A collection that the org refuses as a whole leaves the others settled, and is sent again: at once where that may help,
else when the job goes on after somebody mended what stood in the way. Not here: Bulk jobs (bulk_lane.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, HeadwaterError, Wait
from headwater.connections.package import UNIQUE_ID, is_read_only
from headwater.credits.write_prices import Action, Way
from headwater.export.package_guard import is_doubtful
from headwater.export.queue_file import QueuedRecord, batches
from headwater.export.record import Settled, record_settled
from headwater.export.sending import Sending
from headwater.salesforce.collections import COLLECTIONS_MAX, Answered, Collection, Delete, Upsert, write
from headwater.salesforce.errors import Refusal, is_transient, to_error
from headwater.salesforce.rest import RecordResult

TRIES = 3  # of a collection that the org could not take just then
PAUSE_SECONDS = 5.0
BUSY_RETRY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Batch:
    action: Action
    sobject: str
    records: Sequence[QueuedRecord]

    def as_collection(self) -> Collection:
        if self.action is Action.DELETE:
            return Delete(self.sobject, [row.salesforce_id for row in self.records])
        return Upsert(self.sobject, UNIQUE_ID, [row.record for row in self.records])


@dataclass(slots=True)
class _Sent:
    """The answers to a call; `trouble` is what the org showed of the package when they made one doubt it."""

    answers: list[Answered]
    trouble: HeadwaterError | None = None
    doubtful: set[int] = field(default_factory=set)

    def refusal(self, place: int) -> Refusal | None:
        """Why a collection counts as refused as a whole."""
        answer = self.answers[place]
        if isinstance(answer, Refusal):
            return answer
        if self.trouble is not None and place in self.doubtful:
            first = next(result for result in answer if result.errors).errors[0]
            return Refusal(200, first.status_code, first.message)
        return None


def send_collections(sending: Sending) -> bool:
    """Deletes first, so that a touchpoint that changed its id never stands in the org twice.

    Returns False where the account was made read only meanwhile: then the rest is not sent.
    """
    for number, group in enumerate(_groups(sending)):
        if is_read_only(sending.exporting.account):
            return False
        _send_group(sending, number, group)
    return True


def _groups(sending: Sending) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for each in sending.plan.writes:
        is_bulk = each.way is Way.BULK
        if is_bulk and not each.unfit_records:
            continue
        size = sending.plan.batch_size
        for records in batches(sending.queue, each.action, each.sobject, size, only_unfit=is_bulk):
            group.append(Batch(each.action, each.sobject, records))
            if len(group) == COLLECTIONS_MAX:
                yield group
                group = []
    if group:
        yield group


def _send_group(sending: Sending, number: int, group: list[Batch]) -> None:
    """Until no collection of it is refused as a whole; what was refused before a restart is sent again at once."""
    attempt, tries = 0, 0
    while group:
        name = sending.step_name(f"collections {number}" + (f", again {attempt}" if attempt else ""))
        is_new = not sending.job.has_done(name)
        met: list[_Sent] = []
        counts = sending.job.step(name, lambda: _send(sending, group, met), lambda sent: _record(sending, group, sent))  # noqa: B023 - called before the next turn
        sending.add(counts, group[0].sobject)
        refused = counts["refused"]
        if refused and is_new:
            tries += 1
            _stop_or_pause(sending, group, met[0], refused, tries)
        group, attempt = [group[each["place"]] for each in refused], attempt + 1


def _send(sending: Sending, group: Sequence[Batch], met: list[_Sent]) -> _Sent:
    sent = _Sent(write(sending.transport, [batch.as_collection() for batch in group]))
    sent.doubtful = {
        place
        for place, (batch, answer) in enumerate(zip(group, sent.answers, strict=True))
        if any(is_doubtful(batch.action, code) for code in _codes(answer))
    }
    if sent.doubtful:
        sent.trouble = sending.guard.trouble()
    met.append(sent)
    return sent


def _codes(answer: Answered) -> set[str]:
    if isinstance(answer, Refusal):
        return {answer.error_code}
    return {error.status_code for result in answer for error in result.errors}


def _record(sending: Sending, group: Sequence[Batch], sent: _Sent) -> dict[str, Any]:
    done, failed, refused = 0, 0, []
    for place, (batch, answer) in enumerate(zip(group, sent.answers, strict=True)):
        refusal = sent.refusal(place)
        if refusal is not None or isinstance(answer, Refusal):
            refused.append({"place": place, "told": f"{refusal.error_code} {refusal.message}" if refusal else ""})
            continue
        rows = [_settled(row, result) for row, result in zip(batch.records, answer, strict=True)]
        counts = record_settled(sending.exporting, batch.action, batch.sobject, rows)
        done, failed = done + counts["done"], failed + counts["failed"]
    return {"done": done, "failed": failed, "refused": refused}


def _settled(row: QueuedRecord, result: RecordResult) -> Settled:
    error = result.errors[0] if result.errors else None
    return Settled(row.unique_id, row.content_hash, result.id or row.salesforce_id, error)


def _stop_or_pause(
    sending: Sending, group: Sequence[Batch], sent: _Sent, refused: Sequence[dict[str, Any]], tries: int
) -> None:
    """Raises what a person must mend, or, after some tries, the wait for what passes by itself."""
    if sent.trouble is not None:
        raise sent.trouble
    refusals = [(group[each["place"]], sent.answers[each["place"]]) for each in refused]
    for batch, refusal in refusals:
        if isinstance(refusal, Refusal) and not is_transient(refusal):
            raise to_error(refusal, f"{batch.action.value} of {len(batch.records)} {batch.sobject}")
    if tries >= TRIES:
        raise _busy(refused[0]["told"])
    sending.job.pause(PAUSE_SECONDS)


def _busy(told: str) -> Wait:
    retry_utc = now_utc() + BUSY_RETRY
    return Wait(
        "export.org_busy",
        "The org could not take some records just now.",
        retry_utc=retry_utc,
        facts=Facts(
            why=f"Salesforce answered {told}, {TRIES} times in a row.",
            left="What went through is recorded; the records that were not taken are kept.",
            next=f"They are sent again at {retry_utc:%H:%M} UTC.",
            you_can="see in Setup what else writes to these records at the same time",
        ),
    )
