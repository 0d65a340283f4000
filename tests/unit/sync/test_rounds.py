"""Pages side by side lose no row and double none, whatever happens in the org between the queries of a composite."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headwater.salesforce.rest import QueryPage
from headwater.sync.plan import Method, Mode, ObjectRead
from headwater.sync.rounds import Ask, Unread, _join
from headwater.sync.soql import Slice, Span

PAGE_ROWS = 5
READ = ObjectRead("Lead", Mode.FULL, 0, "", Method.RANGES, 1, PAGE_ROWS, 100, 1000, "")


def answer(ids: list[str], span: Span, piece: Slice, *, most: int = PAGE_ROWS) -> QueryPage:
    """What an org that holds `ids` sends: `most` rows a page, however many were asked for."""
    found = sorted(each for each in ids if span.after < each and (not span.before or each < span.before))
    if piece.is_from_end:
        found.reverse()
    wanted = found[piece.skip :][: piece.rows]
    return QueryPage("Lead", [{"Id": each} for each in wanted[:most]], len(wanted) <= most, len(wanted))


def unread(**changes: object) -> Unread:
    return Unread(READ, Span(), 0, PAGE_ROWS, **changes)  # type: ignore[arg-type]  # of the fields that have defaults


def ids_up_to(count: int) -> list[str]:
    return [f"00Q{number:012}" for number in range(1, count + 1)]


def read_all(
    ids: list[str], pages_at_once: int, *, most: int = PAGE_ROWS, disturb: dict[int, str] | None = None
) -> list[str]:
    """Rounds until nothing is left. `disturb`: before the query of that number, the row goes out of the org."""
    org, state, came, queries = list(ids), unread(), [], 0
    for _ in range(10 * len(ids) + 10):
        slices = state.slices(pages_at_once)
        pages = []
        for piece in slices:
            gone = (disturb or {}).get(queries)
            org = [each for each in org if each != gone]
            pages.append(answer(org, state.span, piece, most=most))
            queries += 1
        joined = _join(Ask(state, tuple(slices)), pages)
        came += [record["Id"] for record in joined.records]
        if joined.is_done:
            return came
        state = replace(
            state, span=joined.span, left_rows=joined.left_rows, page_rows=joined.page_rows, is_looked_at=True
        )
    raise AssertionError("It never ended.")


@given(st.integers(0, 120), st.integers(1, 5))
def test_every_row_comes_once(count: int, pages_at_once: int) -> None:
    assert sorted(read_all(ids_up_to(count), pages_at_once)) == ids_up_to(count)


@given(st.integers(0, 120), st.integers(1, 5), st.integers(2, PAGE_ROWS))
def test_an_org_that_sends_fewer_rows_a_page_loses_none(count: int, pages_at_once: int, most: int) -> None:
    assert sorted(read_all(ids_up_to(count), pages_at_once, most=most)) == ids_up_to(count)


@given(
    st.integers(1, 80),
    st.integers(1, 5),
    st.dictionaries(st.integers(0, 30), st.integers(1, 80).map(lambda number: f"00Q{number:012}"), max_size=8),
)
def test_rows_that_go_between_two_queries_take_no_other_row_with_them(
    count: int, pages_at_once: int, disturb: dict[int, str]
) -> None:
    came = read_all(ids_up_to(count), pages_at_once, disturb=disturb)
    assert len(came) == len(set(came))
    assert set(ids_up_to(count)) - set(came) <= set(disturb.values())


def test_pages_that_do_not_join_on_are_asked_for_again() -> None:
    state = unread(is_looked_at=True)
    slices = state.slices(2)
    before = answer(ids_up_to(20), Span(), slices[0])
    after = answer(ids_up_to(20)[3:], Span(), slices[1])  # three rows went in between
    joined = _join(Ask(state, tuple(slices)), [before, after])
    assert [record["Id"] for record in joined.records] == ids_up_to(5)
    assert (joined.span, joined.is_done) == (Span(after=ids_up_to(5)[-1]), False)
