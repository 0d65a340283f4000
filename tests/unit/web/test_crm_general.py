"""Settings > CRM > General over HTTP: the locks, the refusals, two admins at once, the history."""

import re

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.credits.quota_settings import TypedSettings, change_settings, settings_of
from headwater.credits.services import change_daily_limit, daily_limit, meter_for
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement

PAGE = "/settings/crm/general/"
SAVE = PAGE + "daily-limit/"


def test_the_limit_is_locked_until_the_lock_is_clicked(as_admin: Client) -> None:
    assert 'name="daily_limit_calls"' not in as_admin.get(PAGE).content.decode()
    opened = as_admin.get(PAGE + "?edit=daily-limit").content.decode()
    assert 'name="daily_limit_calls"' in opened
    assert 'name="began_from_daily_limit_calls" value="100000"' in opened


def test_the_lock_does_not_open_for_a_standard_user(as_standard: Client) -> None:
    page = as_standard.get(PAGE + "?edit=daily-limit").content.decode()
    assert "100,000" in page
    assert 'name="daily_limit_calls"' not in page


def test_a_standard_user_cannot_save(as_standard: Client, alder: Account) -> None:
    assert as_standard.post(SAVE, {"daily_limit_calls": "200000"}).status_code == 403
    assert daily_limit(alder) == 100_000


def test_saving_keeps_the_value_and_who_changed_it(as_admin: Client, alder: Account) -> None:
    page = as_admin.post(
        SAVE, {"daily_limit_calls": "250,000", "began_from_daily_limit_calls": "100000"}, follow=True
    ).content.decode()
    assert "The Daily CRM API Limit is 250,000 calls." in page
    assert ">alice@alderfinch.example</td>" in page
    assert daily_limit(alder) == 250_000


@pytest.mark.parametrize("typed", ["99999", "abc", "", "-1", "1e6", "100000.5", "<script>", "9" * 30])
def test_anything_else_is_refused_and_changes_nothing(as_admin: Client, alder: Account, typed: str) -> None:
    answer = as_admin.post(SAVE, {"daily_limit_calls": typed, "began_from_daily_limit_calls": "100000"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'role="alert"' in page
    assert "The limit was not changed." in page
    assert "<script>" not in page.partition("<main")[2]
    assert daily_limit(alder) == 100_000


def test_a_change_that_was_not_seen_is_not_overwritten(as_admin: Client, alder: Account) -> None:
    change_daily_limit(alder, "400000", "carol@alderfinch.example")
    answer = as_admin.post(SAVE, {"daily_limit_calls": "300000", "began_from_daily_limit_calls": "100000"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "changed to 400,000 while this form was open" in page
    assert 'name="began_from_daily_limit_calls" value="400000"' in page
    assert 'value="300000"' in page
    assert daily_limit(alder) == 400_000


def test_two_admins_who_want_the_same_do_not_quarrel(as_admin: Client, alder: Account) -> None:
    change_daily_limit(alder, "300000", "carol@alderfinch.example")
    assert (
        as_admin.post(SAVE, {"daily_limit_calls": "300000", "began_from_daily_limit_calls": "100000"}).status_code
        == 302
    )


def test_another_accounts_history_and_limit_stay_its_own(as_admin: Client, alder: Account) -> None:
    birch = create_account("Birch Telecom")
    change_daily_limit(birch, "777777", "carol@birch.example")
    assert "777,777" not in as_admin.get(PAGE).content.decode()
    as_admin.post(SAVE, {"daily_limit_calls": "250000"})
    assert daily_limit(birch) == 777_777


# The other settings of credits


def test_one_lock_opens_one_setting(as_admin: Client) -> None:
    page = as_admin.get(PAGE + "?edit=reset").content.decode()
    assert 'name="reset_time"' in page
    assert 'name="time_zone"' in page
    assert '<option value="Europe/Berlin">' in page
    assert 'name="floor_percent"' not in page
    assert 'name="daily_limit_calls"' not in page


@pytest.mark.parametrize(
    ("setting", "form", "said", "column", "value"),
    [
        ("reset", {"reset_time": "6:30", "time_zone": "Europe/Berlin"}, "06:30 Europe/Berlin", "reset_minute", 390),
        ("floor", {"floor_percent": "25"}, "25 % of the org", "floor_percent", 25),
        ("backfill", {"backfill_share_percent": "80 %"}, "may take 80 %", "backfill_share_percent", 80),
    ],
)
def test_each_setting_is_saved_by_itself_and_kept_with_its_author(
    as_admin: Client, alder: Account, setting: str, form: dict[str, str], said: str, column: str, value: int
) -> None:
    page = as_admin.post(f"{PAGE}{setting}/", form, follow=True).content.decode()
    assert said in page
    assert ">alice@alderfinch.example</td>" in page
    assert getattr(settings_of(alder), column) == value
    assert daily_limit(alder) == 100_000


@pytest.mark.parametrize(
    ("setting", "form", "field", "why"),
    [
        ("reset", {"reset_time": "25:00", "time_zone": "UTC"}, "reset_time", "is not a time of day"),
        ("reset", {"reset_time": "06:30", "time_zone": "Mars/Base"}, "time_zone", "is not a time zone"),
        ("floor", {"floor_percent": "91"}, "floor_percent", "from 0 to 90"),
        ("backfill", {"backfill_share_percent": "0"}, "backfill_share_percent", "from 1 to 100"),
    ],
)
def test_what_is_wrong_is_said_at_its_own_field_and_changes_nothing(
    as_admin: Client, alder: Account, setting: str, form: dict[str, str], field: str, why: str
) -> None:
    before = settings_of(alder)
    answer = as_admin.post(f"{PAGE}{setting}/", form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert why in page
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', page) == [field]
    assert settings_of(alder) == before


def test_a_time_zone_changed_meanwhile_is_not_overwritten_unseen(as_admin: Client, alder: Account) -> None:
    change_settings(alder, TypedSettings(time_zone="Asia/Tokyo"), actor="carol@alderfinch.example")
    form = {"reset_time": "06:30", "time_zone": "Europe/Berlin", "began_from_reset_minute": "0"}
    refused = as_admin.post(f"{PAGE}reset/", {**form, "began_from_time_zone": "UTC"})
    assert "changed to Asia/Tokyo while this form was open" in refused.content.decode()
    assert as_admin.post(f"{PAGE}reset/", {**form, "began_from_time_zone": "Asia/Tokyo"}).status_code == 302
    assert settings_of(alder).time_zone == "Europe/Berlin"


def test_the_meaning_is_told_in_the_accounts_own_numbers(as_standard: Client, alder: Account) -> None:
    assert "The org has not said yet" in as_standard.get(PAGE).content.decode()
    meter = meter_for(alder, job_kind="sync")
    meter.settle(meter.reserve(Call(CallKind.LIMITS)), Settlement(Outcome.ANSWERED, 200, OrgUsage(5_000, 120_000)))
    page = as_standard.get(PAGE).content.decode()
    assert "For this org that is 12,000 calls" in page
    assert "that is 50,000 calls a day" in page


def test_there_is_no_other_setting(as_admin: Client) -> None:
    assert as_admin.post(f"{PAGE}everything/", {"floor_percent": "1"}).status_code == 404
