"""Which months differ, which spans of time are read anew for them, and what is kept of it."""

from datetime import UTC, datetime

from headwater.lake import MonthSum, Wrong
from headwater.sync.audit_findings import MOST_RANGES, Finding, ObjectFinding, differing_months, finding_of, ranges_of

JULY = MonthSum(3, "2026-07-01T00:00:00Z", "2026-07-31T23:59:59Z", 3)


def utc(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


def test_a_month_differs_by_rows_or_by_any_stamp() -> None:
    others = [
        MonthSum(2, JULY.oldest, JULY.newest, 3),
        MonthSum(3, "2026-07-02T00:00:00Z", JULY.newest, 3),
        MonthSum(3, JULY.oldest, "2026-07-30T00:00:00Z", 3),
        MonthSum(3, JULY.oldest, JULY.newest, 2),
    ]
    assert differing_months({"2026-07": JULY}, {"2026-07": JULY}, may_keep_more=False) == []
    for other in others:
        assert differing_months({"2026-07": JULY}, {"2026-07": other}, may_keep_more=False) == ["2026-07"]
    assert differing_months({"2026-07": JULY}, {}, may_keep_more=False) == ["2026-07"]
    assert differing_months({}, {"2026-07": JULY}, may_keep_more=False) == ["2026-07"]


def test_history_that_the_org_forgets_may_be_kept() -> None:
    fewer = MonthSum(1, JULY.oldest, JULY.oldest, 1)
    assert differing_months({"2026-07": fewer}, {"2026-06": JULY, "2026-07": JULY}, may_keep_more=True) == []
    assert differing_months({"2026-07": JULY}, {"2026-07": fewer}, may_keep_more=True) == ["2026-07"]


def test_months_that_touch_are_one_span() -> None:
    assert ranges_of(["2025-11", "2025-12", "2026-01", "2026-03"]) == [
        (utc(2025, 11), utc(2026, 2)),
        (utc(2026, 3), utc(2026, 4)),
    ]


def test_too_many_spans_for_one_query_become_one() -> None:
    every_other = [f"{2000 + place // 6}-{place % 6 * 2 + 1:02}" for place in range(MOST_RANGES + 1)]
    assert ranges_of(every_other) == [(utc(2000, 1), utc(2005, 2))]
    assert len(ranges_of(every_other[1:])) == MOST_RANGES


def test_a_finding_counts_what_was_repaired_and_survives_being_kept() -> None:
    found = finding_of("Lead", {"2026-07": JULY}, {}, may_keep_more=False)
    assert (found.finding, found.org_rows, found.rows, found.repaired_rows) == (Finding.NO_ROOM, 3, 0, 0)
    repaired = found.repaired({"2026-07": Wrong(missing=3), "2026-08": Wrong(gone=1)})
    assert (repaired.finding, repaired.why, repaired.repaired_rows) == (Finding.REPAIRED, "", 4)
    assert ObjectFinding.from_json(repaired.to_json()) == repaired
