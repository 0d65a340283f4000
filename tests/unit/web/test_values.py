"""How numbers, money, moments, ids and states look."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.template.base import VariableDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

from headwater.common.clock import clock_set_to
from headwater.web.templatetags.headwater import STATES, amount, duration, moment, money, number, percent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rendered(source: str, **values: object) -> str:
    return Template("{% load headwater %}" + source).render(Context(values))


@given(st.integers())
def test_a_number_keeps_every_digit(value: int) -> None:
    assert int(number(value).replace(",", "")) == value


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_an_amount_keeps_every_cent(cents: int) -> None:
    shown, currency = money(cents, "EUR").split("\N{NO-BREAK SPACE}")
    assert int(shown.replace(",", "").replace(".", "")) == cents
    assert currency == "EUR"


@pytest.mark.parametrize(
    ("cents", "text"),
    [(123450, "1,234.50"), (-5, "-0.05"), (0, "0.00"), (100_000_000_000, "1,000,000,000.00")],
)
def test_an_amount_has_groups_and_two_decimals(cents: int, text: str) -> None:
    assert money(cents, "USD") == f"{text}\N{NO-BREAK SPACE}USD"


def test_what_is_not_known_is_a_dash_and_not_a_zero() -> None:
    assert number(None) == money(None, "USD") == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("OpportunityFieldHistory", "Opportunity<wbr>Field<wbr>History"),
        ("Buyer_Touchpoint__c", "Buyer_<wbr>Touchpoint__c"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_a_name_of_an_object_may_break_between_its_words(name: str, shown: str) -> None:
    assert rendered("{{ name|breakable }}", name=name) == shown


@pytest.mark.parametrize(("cents", "text"), [(None, "\N{EN DASH}"), (-105, "-1.05"), (1_234_567, "12,345.67")])
def test_an_amount_without_a_currency_has_the_same_shape(cents: int | None, text: str) -> None:
    assert amount(cents) == text


@pytest.mark.parametrize(("value", "text"), [("22.5", "22.50%"), ("0.909091", "0.91%"), ("0", "0.00%")])
def test_a_percentage_is_rounded_and_not_cut(value: str, text: str) -> None:
    assert percent(Decimal(value)) == text


@pytest.mark.parametrize(("seconds", "text"), [(5, "less than a minute"), (301, "5\N{NO-BREAK SPACE}minutes")])
def test_a_duration_is_told_in_one_unit(seconds: int, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=-59), "just now"),
        (timedelta(), "just now"),
        (timedelta(seconds=30), "in less than a minute"),
        (timedelta(minutes=-3), "3\N{NO-BREAK SPACE}minutes ago"),
        (timedelta(hours=2, minutes=5), "in 2\N{NO-BREAK SPACE}hours"),
        (timedelta(days=-40), "1\N{NO-BREAK SPACE}month ago"),
    ],
)
def test_a_moment_is_told_from_now(distance: timedelta, text: str) -> None:
    with clock_set_to(NOON):
        assert f">{text}</time>" in moment(NOON + distance)


def test_a_moment_carries_its_exact_time_in_utc() -> None:
    stockholm = datetime.fromisoformat("2026-03-01T13:05:09+01:00")
    with clock_set_to(NOON):
        assert 'title="2026-03-01 12:05:09 UTC"' in moment(stockholm)


def test_a_moment_that_never_was_says_so() -> None:
    assert moment(None) == "never"
    assert moment(None, "not yet") == "not yet"


def test_an_id_can_be_copied_and_is_escaped() -> None:
    shown = rendered("{% ident value %}", value='00D"<x>')
    assert 'data-copy="00D&quot;&lt;x&gt;"' in shown
    assert "<code>00D&quot;&lt;x&gt;</code>" in shown


@pytest.mark.parametrize("kind", STATES)
def test_a_state_is_said_in_words_and_an_icon(kind: str) -> None:
    shown = rendered("{% state kind 'Connected' %}", kind=kind)
    assert "Connected" in shown
    assert f"icons.svg#{STATES[kind]}" in shown


def test_a_state_nobody_knows_is_an_error() -> None:
    with pytest.raises((KeyError, VariableDoesNotExist)):
        rendered("{% state 'purple' 'Connected' %}")
