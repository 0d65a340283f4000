"""Settings > CRM > General over HTTP: the lock, the refusals, two admins at once, the history."""

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.credits.services import change_daily_limit, daily_limit

PAGE = "/settings/crm/general/"
SAVE = PAGE + "daily-limit/"


def test_the_limit_is_locked_until_the_lock_is_clicked(as_admin: Client) -> None:
    assert 'name="daily_limit"' not in as_admin.get(PAGE).content.decode()
    opened = as_admin.get(PAGE + "?edit=limit").content.decode()
    assert 'name="daily_limit"' in opened
    assert 'name="began_from" value="100000"' in opened


def test_the_lock_does_not_open_for_a_standard_user(as_standard: Client) -> None:
    page = as_standard.get(PAGE + "?edit=limit").content.decode()
    assert "100,000" in page
    assert 'name="daily_limit"' not in page


def test_a_standard_user_cannot_save(as_standard: Client, alder: Account) -> None:
    assert as_standard.post(SAVE, {"daily_limit": "200000"}).status_code == 403
    assert daily_limit(alder) == 100_000


def test_saving_keeps_the_value_and_who_changed_it(as_admin: Client, alder: Account) -> None:
    page = as_admin.post(SAVE, {"daily_limit": "250,000", "began_from": "100000"}, follow=True).content.decode()
    assert "The Daily CRM API Limit is 250,000 calls." in page
    assert "<td>alice@alderfinch.example</td>" in page
    assert daily_limit(alder) == 250_000


@pytest.mark.parametrize("typed", ["99999", "abc", "", "-1", "1e6", "100000.5", "<script>", "9" * 30])
def test_anything_else_is_refused_and_changes_nothing(as_admin: Client, alder: Account, typed: str) -> None:
    answer = as_admin.post(SAVE, {"daily_limit": typed, "began_from": "100000"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'role="alert"' in page
    assert "The limit was not changed." in page
    assert "<script>" not in page.partition("<main")[2]
    assert daily_limit(alder) == 100_000


def test_a_change_that_was_not_seen_is_not_overwritten(as_admin: Client, alder: Account) -> None:
    change_daily_limit(alder, "400000", "carol@alderfinch.example")
    answer = as_admin.post(SAVE, {"daily_limit": "300000", "began_from": "100000"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "changed to 400,000 while this form was open" in page
    assert 'name="began_from" value="400000"' in page
    assert 'value="300000"' in page
    assert daily_limit(alder) == 400_000


def test_two_admins_who_want_the_same_do_not_quarrel(as_admin: Client, alder: Account) -> None:
    change_daily_limit(alder, "300000", "carol@alderfinch.example")
    assert as_admin.post(SAVE, {"daily_limit": "300000", "began_from": "100000"}).status_code == 302


def test_another_accounts_history_and_limit_stay_its_own(as_admin: Client, alder: Account) -> None:
    birch = create_account("Birch Telecom")
    change_daily_limit(birch, "777777", "carol@birch.example")
    assert "777,777" not in as_admin.get(PAGE).content.decode()
    as_admin.post(SAVE, {"daily_limit": "250000"})
    assert daily_limit(birch) == 777_777
