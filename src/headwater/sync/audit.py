"""An audit: is each month of creation the same here as in the org? Where not, it is read anew, and what is gone hidden.

Steps of a job like a cycle's, so that a killed audit goes on behind the last credit it paid for. A repair is a cycle of
its own: readers see all of it at once. Not here: the questions (audit_asks.py) and the findings (audit_findings.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.batches import batches
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.connections.services import job_session
from headwater.credits.budget import budget_of
from headwater.credits.priorities import Priority
from headwater.credits.services import calls_of_job
from headwater.jobs.models import LIVE
from headwater.jobs.running import RunningJob
from headwater.jobs.services import jobs_of
from headwater.lake import Fineness, Listing, Part, TableParts, Wrong, can_hold_tombstones, hold_against
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX
from headwater.salesforce.transport import Transport
from headwater.sync.actual import actual_of
from headwater.sync.audit_asks import (
    Compared,
    ask_changed,
    ask_months,
    comparing_calls,
    fineness_of,
    months_here,
    months_of,
    to_compare,
)
from headwater.sync.audit_findings import Finding, Months, ObjectFinding, finding_of, ranges_of
from headwater.sync.cycle import create_cycle, keep_plan, read_plan
from headwater.sync.describe import describe_again, descriptions_of, is_out_of_date
from headwater.sync.discover import page_rows_of, price
from headwater.sync.fitting import that_fits
from headwater.sync.models import Audit, Cycle, ReplicaTable
from headwater.sync.plan import UNKNOWN_ROW_BYTES, Mode, SyncPlan, Wish
from headwater.sync.publish import compact_all, live_parts, parts_of_cycle, retire, sweep_all
from headwater.sync.read import Reading, Seen
from headwater.sync.soql import created_in_soql, stamp_field

JOB_KIND = "audit"
AUDITED = "sync.audited"
NOT_REPAIRED = frozenset({Finding.NO_ROOM, Finding.DIFFERS_AGAIN, Finding.MANY_GONE})
COME_BACK = timedelta(minutes=5)

Ask = Callable[[Transport, Sequence[Compared]], dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Look:
    """What one comparison has found of each object, and the Ids that changed since the last read where it differed."""

    findings: Mapping[str, ObjectFinding]
    changed: Mapping[str, Sequence[str]]

    @property
    def differing(self) -> dict[str, ObjectFinding]:
        return {name: each for name, each in self.findings.items() if each.differing}

    def to_json(self) -> dict[str, Any]:
        return {"findings": [each.to_json() for each in self.findings.values()], "changed": self.changed}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "_Look":
        findings = [ObjectFinding.from_json(each) for each in stored["findings"]]
        return cls({each.sobject: each for each in findings}, stored["changed"])


def run_audit(job: RunningJob, account: Account) -> dict[str, Any]:
    """Compare, repair, look again at what was repaired, and keep what was found."""
    audit = _begin(job, account)
    compared, others = to_compare(account)
    with job_session(account, job, job_kind=JOB_KIND, priority=Priority.BACKFILL) as transport:
        auditing = _Auditing(job, account, transport, compared)
        with job.chapter(f"after cycle {audit.after_cycle}"):
            look = auditing.look(list(compared))
            repaired = auditing.repair(look) if look.differing else {}
        findings = {**look.findings, **auditing.checked(repaired)}
    findings |= {name: ObjectFinding(name, Finding.NOT_COMPARED, why) for name, why in others.items()}
    return _end(job, audit, [findings[name] for name in sorted(findings)], compared)


def _begin(job: RunningJob, account: Account) -> Audit:
    """Where another cycle was published since a killed audit began, it begins anew, unless its repair was, too."""
    _wait_for_cycle(job, account)
    others = Cycle.of(account).exclude(job_id=str(job.id))
    latest = others.filter(published_utc__isnull=False).order_by("-number").first()
    if latest is None:
        raise Fix(
            "sync.nothing_to_compare",
            "Nothing of the org was read yet, so there is nothing to compare.",
            Facts(left="The org was not asked.", you_can="run headwater sync first"),
        )

    def record(_: None) -> int:
        row = Audit.of(account).create(
            account=account,
            job_id=str(job.id),
            after_cycle=latest.number,
            started_utc=now_utc(),
            planned_calls=comparing_calls(account),
        )
        return int(row.pk)

    audit = Audit.of(account).get(pk=job.step("begin", lambda: None, record))
    if not Cycle.of(account).filter(job_id=str(job.id), published_utc__isnull=False).exists():
        audit.after_cycle = latest.number
        audit.save(update_fields=["after_cycle"])
    return audit


def _wait_for_cycle(job: RunningJob, account: Account) -> None:
    """A cycle that waits half-way would show rows that it reads later than we do under a lower number than ours."""
    half_way = Cycle.of(account).filter(published_utc=None, is_backfill=False).exclude(job_id=str(job.id))
    ids = [int(each) for each in half_way.values_list("job_id", flat=True)]
    if jobs_of(str(account.pk)).filter(pk__in=ids, state__in=LIVE).exists():
        raise Wait(
            "sync.audit_behind_cycle",
            "A sync of the account is half-way; the audit compares what it leaves.",
            retry_utc=now_utc() + COME_BACK,
            facts=Facts(left="Nothing was asked of the org.", next="It goes on by itself when that sync is through."),
        )


@dataclass(frozen=True, slots=True)
class _Auditing:
    """One audit's way to the org, and the objects that it compares."""

    job: RunningJob
    account: Account
    transport: Transport
    compared: Mapping[str, Compared]

    def look(self, names: Sequence[str]) -> _Look:
        """Compare these objects by month; where they differ, leave out what changed since the last read.

        A step concludes it, as readers see something else once it is repaired.
        """
        return self._finely(names)._look(names)

    def _finely(self, names: Sequence[str]) -> "_Auditing":
        """Telling rows apart as finely as an answer can hold."""

        def decide() -> dict[str, str]:
            found = fineness_of(self.account, [self.compared[name] for name in names])
            return {name: each.value for name, each in found.items()}

        decided: dict[str, str] = self.job.step("how finely", decide)
        return self._telling_apart({name: Fineness(each) for name, each in decided.items()})

    def _telling_apart(self, by: Mapping[str, Fineness]) -> "_Auditing":
        return replace(
            self, compared={**self.compared, **{name: replace(self.compared[name], fineness=by[name]) for name in by}}
        )

    def _look(self, names: Sequence[str]) -> _Look:
        """Where there are too many sums for one answer, as the replica could not know, they are asked for coarsely."""
        answers = self._ask("months", ask_months, names)
        refused = [name for name, each in answers.items() if "refused" in each]
        too_fine = [name for name in refused if self.compared[name].fineness is not Fineness.NOTHING]
        coarse = self._telling_apart(dict.fromkeys(too_fine, Fineness.NOTHING))
        return coarse._conclude(names, answers | coarse._ask("months, coarsely", ask_months, too_fine))

    def _conclude(self, names: Sequence[str], answers: Mapping[str, Mapping[str, Any]]) -> _Look:
        org = {name: months_of(answer["months"]) for name, answer in answers.items() if "months" in answer}
        asked = self._ask("changed", ask_changed, self._doubtful(org))
        changed = {name: answer["ids"] for name, answer in asked.items() if "ids" in answer}
        refused = {name: each["refused"] for name, each in [*answers.items(), *asked.items()] if "refused" in each}

        def conclude() -> dict[str, Any]:
            ours = months_here(self.account, [self.compared[name] for name in org], changed)
            findings = {name: self._finding(name, org[name], ours[name]) for name in names if name not in refused}
            findings |= {name: ObjectFinding(name, Finding.NOT_COMPARED, why) for name, why in refused.items()}
            return _Look(findings, changed).to_json()

        return _Look.from_json(self.job.step("conclude", conclude))

    def _doubtful(self, org: Mapping[str, Months]) -> list[str]:
        """Kept as a step, because the answers to what is asked of them are."""

        def compare() -> list[str]:
            ours = months_here(self.account, [self.compared[name] for name in org], {})
            return [name for name in org if self._finding(name, org[name], ours[name]).differing]

        names: list[str] = self.job.step("compare", compare)
        return names

    def _finding(self, name: str, org: Months, ours: Months) -> ObjectFinding:
        return finding_of(name, org, ours, may_keep_more=self.compared[name].schema.owner is not None)

    def _ask(self, what: str, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        answers: dict[str, dict[str, Any]] = {}
        for place, five in enumerate(batches(names, COMPOSITE_QUERIES_MAX)):
            some = [self.compared[name] for name in five]
            answers |= self.job.step(f"{what} {place}", partial(ask, self.transport, some))
            self.job.progress(len(answers), len(names), "objects", note=what)
        return answers

    def repair(self, look: _Look) -> dict[str, ObjectFinding]:
        """Read the differing months anew, as far as there is room; returns the findings of what was read."""
        plan = self._plan(look)
        if not plan.reads:
            return {}
        cycle = Cycle.of(self.account).get(job_id=str(self.job.id))
        try:
            reading, final = read_plan(self.job, self.account, cycle, self.transport, plan)
        except Fix as error:
            raise self._org_changed(cycle, error) from error
        names = [read.sobject for read in plan.reads]
        wrong = {name: self._hold_against(reading, look, name) for name in names}
        self._publish(reading, final, wrong)
        return {name: look.findings[name].repaired(wrong[name]) for name in names}

    def _plan(self, look: _Look) -> SyncPlan:
        def make() -> SyncPlan:
            wishes = [self._wish(each) for each in look.differing.values()]
            room_calls = budget_of(self.account).left_for(Priority.BACKFILL)
            return price(self.account, that_fits(self.account, wishes, room_calls), looking_calls=0)

        def record(plan: SyncPlan) -> dict[str, Any]:
            Cycle.of(self.account).filter(job_id=str(self.job.id), published_utc=None).delete()  # of a begin before
            if plan.reads:
                keep_plan(self.account, create_cycle(self.job, self.account), plan)
            return plan.to_json()

        return SyncPlan.from_json(self.job.step("plan the repair", make, record))

    def _wish(self, found: ObjectFinding) -> Wish:
        table = self.compared[found.sobject].table
        return Wish(
            sobject=found.sobject,
            mode=Mode.FULL,
            rows=sum(each.org_rows for each in found.differing),
            row_bytes=table.row_bytes or UNKNOWN_ROW_BYTES,
            page_rows=page_rows_of(table),
            only=created_in_soql(_ranges(found)),
        )

    def _org_changed(self, cycle: Cycle, error: Fix) -> Exception:
        if not is_out_of_date(error):
            return error
        describe_again(self.account)
        cycle.delete()
        return Wait(
            "sync.audit_behind_cycle",
            "The org is not as it was described; the audit goes on after the next sync.",
            retry_utc=now_utc() + COME_BACK,
            facts=Facts(why=error.facts.why, left="Nothing was repaired.", next="It compares again by itself."),
        )

    def _hold_against(self, reading: Reading, look: _Look, name: str) -> dict[str, Wrong]:
        table, schema = self.compared[name].table, reading.schemas[name]

        def hold() -> tuple[dict[str, Wrong], Part | None]:
            listing = Listing(
                parts=parts_of_cycle(self.account, table, reading.cycle),
                ranges=_ranges(look.findings[name]),
                stamp=stamp_field(schema),
                until_utc=self.compared[name].until_utc,
                changed=look.changed[name],
            )
            before = TableParts(schema, live_parts(self.account, table))
            return hold_against(before, listing, reading.directory, reading.cycle.number)

        def record(held: tuple[dict[str, Wrong], Part | None]) -> dict[str, list[int]]:
            wrong, tombstones = held
            if tombstones is not None and not look.findings[name].are_many_gone(wrong):
                reading.record_part(name, tombstones)
            return {month: [each.missing, each.stale, each.gone] for month, each in wrong.items()}

        held = self.job.step(f"hold {name} against the org", hold, record)
        return {month: Wrong(*counts) for month, counts in held.items()}

    def _publish(self, reading: Reading, final: SyncPlan, wrong: Mapping[str, Mapping[str, Wrong]]) -> None:
        """Readers see all that was repaired at once; of what was right after all nothing is kept twice."""
        cycle = reading.cycle

        def record(_: None) -> int:
            right = [name for name, months in wrong.items() if not months]
            retire(cycle.parts.filter(table__sobject__in=right))
            cycle.actual = actual_of(self.account, cycle, final, reading.tally.seen, Seen(), job_kind=JOB_KIND)
            cycle.published_utc, cycle.rows_read = now_utc(), dict(reading.tally.rows)
            cycle.save(update_fields=["published_utc", "rows_read", "actual"])
            return cycle.number

        self.job.step("publish the repair", lambda: None, record)
        compact_all(self.job, self.account, cycle)
        self.job.step("sweep", lambda: sweep_all(self.account))

    def checked(self, repaired: Mapping[str, ObjectFinding]) -> dict[str, ObjectFinding]:
        """The repaired objects, looked at once more. What differs again is told, not repaired again and again."""
        sure = {name: found for name, found in repaired.items() if found.finding is Finding.REPAIRED}
        if not sure:
            return dict(repaired)
        latest = Cycle.of(self.account).filter(published_utc__isnull=False).order_by("-number").first()
        with self.job.chapter(f"check after cycle {latest.number if latest else 0}"):
            again = self.look(list(sure)).findings
        return {**repaired, **{name: _after_check(found, again[name]) for name, found in sure.items()}}


def _ranges(found: ObjectFinding) -> list[tuple[datetime, datetime]]:
    return ranges_of([each.month for each in found.differing])


def _after_check(found: ObjectFinding, again: ObjectFinding) -> ObjectFinding:
    months = {each.month for each in again.differing}
    known = {each.month for each in found.differing}
    differing = tuple(replace(each, differs_again=each.month in months) for each in found.differing)
    is_bad = bool(months & known)
    return replace(found, differing=differing, finding=Finding.DIFFERS_AGAIN if is_bad else Finding.REPAIRED)


def _end(
    job: RunningJob, audit: Audit, findings: Sequence[ObjectFinding], compared: Mapping[str, Compared]
) -> dict[str, Any]:
    account = audit.account

    def record(_: None) -> dict[str, Any]:
        audit.findings = [each.to_json() for each in findings]
        audit.repaired_rows = sum(each.repaired_rows for each in findings)
        audit.spent_calls = calls_of_job(account, str(job.id))
        audit.finished_utc = now_utc()
        audit.save()
        _know_deletions(
            account, [compared[each.sobject] for each in findings if each.sobject in compared and _is_sure(each)]
        )
        result = _result(audit, findings)
        if result["differing_months"]:
            told = f"{result['differing_months']} months differed, {audit.repaired_rows} rows repaired"
            record_event(account, actor="headwater", action=AUDITED, after=told)
        return result

    result: dict[str, Any] = job.step("end", lambda: None, record)
    return result


def _result(audit: Audit, findings: Sequence[ObjectFinding]) -> dict[str, Any]:
    return {
        "compared_objects": sum(each.finding is not Finding.NOT_COMPARED for each in findings),
        "months": sum(each.months for each in findings),
        "differing_months": sum(len(each.differing) for each in findings),
        "repaired_rows": audit.repaired_rows,
        "not_repaired": [each.sobject for each in findings if each.finding in NOT_REPAIRED],
        "planned_calls": audit.planned_calls,
        "spent_calls": audit.spent_calls,
    }


def _is_sure(found: ObjectFinding) -> bool:
    return found.finding in (Finding.EQUAL, Finding.REPAIRED)


def _know_deletions(account: Account, sure: Sequence[Compared]) -> None:
    """What is gone without a trace is known up to the compared moment: Salesforce's list is good from there on."""
    known = descriptions_of(account)
    for each in sure:
        if known[each.sobject].is_replicateable and can_hold_tombstones(each.schema):
            ReplicaTable.of(account).filter(sobject=each.sobject, vanished_until_utc=None).update(
                vanished_until_utc=each.until_utc, vanished_checked_utc=now_utc()
            )
