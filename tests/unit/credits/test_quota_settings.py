"""Settings of the credits: read as typed or refused with the reason, never overwritten unseen, kept on record."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.credits.models import Window
from headwater.credits.opening import current_window
from headwater.credits.quota_settings import (
    QuotaSettings,
    SettingFix,
    TypedSettings,
    change_settings,
    settings_changes,
    settings_of,
)
from headwater.credits.windows import MINUTES_A_DAY, span_at

ANN, BOB = "ann@example.com", "bob@example.com"
AT_FIRST = QuotaSettings(100_000, 0, "UTC", 10, 50)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def test_what_an_account_begins_with(account: Account) -> None:
    assert settings_of(account) == AT_FIRST


def test_all_settings_are_stored_together_each_with_its_event(account: Account) -> None:
    typed = TypedSettings("250,000", "6:30", "Europe/Berlin", "20 %", "75")
    stored = change_settings(account, typed, actor=ANN, expected=AT_FIRST)
    assert stored == settings_of(account) == QuotaSettings(250_000, 390, "Europe/Berlin", 20, 75)
    assert stored.reset_time == "06:30"
    kept = {(event.action, event.before, event.after) for event in settings_changes(account)}
    assert kept == {
        ("credits.daily_limit_changed", "100,000", "250,000"),
        ("credits.reset_changed", "00:00", "06:30"),
        ("credits.time_zone_changed", "UTC", "Europe/Berlin"),
        ("credits.floor_changed", "10 %", "20 %"),
        ("credits.backfill_share_changed", "50 %", "75 %"),
    }


def test_what_stays_as_it_is_makes_no_event(account: Account) -> None:
    change_settings(account, TypedSettings("100000", "00:00", "UTC", "10", "50"), actor=ANN, expected=AT_FIRST)
    assert list(settings_changes(account)) == []


@pytest.mark.parametrize(
    ("typed", "code", "setting"),
    [
        (TypedSettings(daily_limit_calls="99999"), "credits.bad_limit", "daily_limit_calls"),
        (TypedSettings(reset_time="24:00"), "credits.bad_reset_time", "reset_minute"),
        (TypedSettings(reset_time="noon"), "credits.bad_reset_time", "reset_minute"),
        (TypedSettings(reset_time="12:60"), "credits.bad_reset_time", "reset_minute"),
        (TypedSettings(time_zone="Mars/Olympus"), "credits.unknown_time_zone", "time_zone"),
        (TypedSettings(time_zone="../../etc/passwd"), "credits.unknown_time_zone", "time_zone"),
        (TypedSettings(floor_percent="91"), "credits.bad_percent", "floor_percent"),
        (TypedSettings(floor_percent="-1"), "credits.bad_percent", "floor_percent"),
        (TypedSettings(backfill_share_percent="0"), "credits.bad_percent", "backfill_share_percent"),
        (TypedSettings(backfill_share_percent="12.5"), "credits.bad_percent", "backfill_share_percent"),
    ],
)
def test_anything_else_is_refused_and_nothing_is_changed(
    account: Account, typed: TypedSettings, code: str, setting: str
) -> None:
    with pytest.raises(SettingFix) as refused:
        change_settings(account, typed, actor=ANN)
    assert (refused.value.code, refused.value.setting) == (code, setting)
    assert settings_of(account) == AT_FIRST
    assert list(settings_changes(account)) == []


def test_nobody_overwrites_what_they_have_not_seen(account: Account) -> None:
    change_settings(account, TypedSettings(floor_percent="20"), actor=ANN, expected=AT_FIRST)
    with pytest.raises(SettingFix) as refused:
        change_settings(account, TypedSettings(floor_percent="30"), actor=BOB, expected=AT_FIRST)
    assert (refused.value.code, refused.value.setting) == ("credits.changed_meanwhile", "floor_percent")
    assert refused.value.facts.why == "ann@example.com changed it from 10 % to 20 %."
    assert settings_of(account).floor_percent == 20


def test_a_form_that_left_a_setting_alone_keeps_what_another_made_of_it(account: Account) -> None:
    change_settings(account, TypedSettings(floor_percent="20"), actor=ANN, expected=AT_FIRST)
    whole_form = TypedSettings("150000", "00:00", "UTC", "10", "50")
    change_settings(account, whole_form, actor=BOB, expected=AT_FIRST)
    assert settings_of(account) == QuotaSettings(150_000, 0, "UTC", 20, 50)


def test_moving_the_reset_prolongs_the_running_window_and_moving_it_back_undoes_that(account: Account) -> None:
    with clock_set_to(NOON):
        current_window(account)
        change_settings(account, TypedSettings(reset_time="12:01"), actor=ANN)
        assert current_window(account).ends_utc == MIDNIGHT + 36 * HOUR + timedelta(minutes=1)
        change_settings(account, TypedSettings(reset_time="00:00"), actor=ANN)
        assert current_window(account).ends_utc == MIDNIGHT + 24 * HOUR
    assert Window.of(account).count() == 1


def test_a_window_that_nobody_had_opened_yet_is_opened_by_the_settings_that_were_in_force(account: Account) -> None:
    with clock_set_to(NOON):
        change_settings(account, TypedSettings(reset_time="13:00"), actor=ANN)
    with clock_set_to(NOON + 2 * HOUR):
        window = current_window(account)
    assert (window.starts_utc, window.ends_utc) == (MIDNIGHT, MIDNIGHT + 37 * HOUR)


class AnySequenceOfChanges(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.integers(1, 40 * 60),  # minutes until the next look or change
                st.none() | st.integers(0, MINUTES_A_DAY - 1),
                st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "Antarctica/Troll"]),
            ),
            max_size=12,
        )
    )
    def test_windows_never_overlap_and_never_end_before_they_were_to(
        self, steps: list[tuple[int, int | None, str]]
    ) -> None:
        account, moment = create_account("Acme"), NOON + timedelta(days=27)  # clocks are put forward the next day
        for pause_minutes, reset_minute, zone in steps:
            moment += timedelta(minutes=pause_minutes)
            with clock_set_to(moment):
                in_force = settings_of(account)
                expected = span_at(moment, ZoneInfo(in_force.time_zone), in_force.reset_minute)
                running = Window.of(account).filter(starts_utc__lte=moment, ends_utc__gt=moment).exists()
                window = current_window(account)
                if not running:
                    assert window.promised_ends_utc == expected.ends_utc
                if reset_minute is not None:
                    time = f"{reset_minute // 60}:{reset_minute % 60:02}"
                    change_settings(account, TypedSettings(reset_time=time, time_zone=zone), actor=ANN)
                    window.refresh_from_db()
                    assert max(window.promised_ends_utc, moment) <= window.ends_utc
                    assert window.ends_utc < max(window.promised_ends_utc, moment) + 27 * HOUR
                assert current_window(account) == window
        spans = list(
            Window.of(account).order_by("starts_utc").values_list("starts_utc", "promised_ends_utc", "ends_utc")
        )
        for (_, promised, ends), (starts, _, _) in pairwise(spans):
            assert promised <= ends <= starts
