"""The bell and its pages: each person's own reading, each account's own troubles."""

import pytest
from django.test import Client

from headwater.accounts.models import Account, User
from headwater.accounts.services import create_account
from headwater.common.errors import Facts
from headwater.notify.models import Mail, Notification
from headwater.notify.services import resolve, tell, unread_count


def tell_lost(account: Account) -> Notification:
    facts = Facts(why="The grant ended <here>.", you_can="click the key")
    return tell(account, "connections.authorization_required", "00D1", "Acme wants a new authorisation.", facts)


def text_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


def test_the_bell_counts_what_this_person_has_not_read(as_standard: Client, alder: Account, alice: User) -> None:
    assert "bell-number" not in text_of(as_standard, "/")
    told = tell_lost(alder)
    assert "Notifications, 1 unread" in text_of(as_standard, "/")
    page = text_of(as_standard, f"/notifications/{told.pk}/")
    assert "The grant ended &lt;here&gt;." in page
    assert "Go to Connections" in page
    assert unread_count(alder, alice) == 0
    assert "bell-number" not in text_of(as_standard, "/notifications/bell/")


def test_mark_all_as_read_answers_with_the_panel(as_standard: Client, alder: Account, alice: User) -> None:
    tell_lost(alder)
    assert "is-unread" in text_of(as_standard, "/notifications/panel/")
    answer = as_standard.post("/notifications/read/", headers={"HX-Request": "true"})
    assert "is-unread" not in answer.content.decode()
    assert answer.headers["HX-Trigger"] == "notifications-read"
    assert as_standard.post("/notifications/read/").headers["Location"] == "/notifications/"
    assert unread_count(alder, alice) == 0


def test_another_accounts_troubles_are_not_found(as_admin: Client, alder: Account) -> None:
    theirs = tell_lost(create_account("Birch Telecom"))
    assert as_admin.get(f"/notifications/{theirs.pk}/").status_code == 404
    assert as_admin.post(f"/notifications/{theirs.pk}/close/").status_code == 404
    for path in ("/notifications/", "/notifications/panel/"):
        assert "Nothing to tell" in text_of(as_admin, path)


def test_only_what_nothing_here_can_see_is_closed_by_hand(as_admin: Client, alder: Account) -> None:
    seen, unseen = tell_lost(alder), tell(alder, "connections.grant_left", "event 1", "A log-in may still stand.")
    assert as_admin.post(f"/notifications/{seen.pk}/close/").status_code == 409
    assert as_admin.post(f"/notifications/{unseen.pk}/close/").status_code == 302
    assert list(Notification.of(alder).filter(resolved_utc=None)) == [seen]


def test_a_standard_user_closes_nothing(as_standard: Client, alder: Account) -> None:
    unseen = tell(alder, "connections.grant_left", "event 1", "A log-in may still stand.")
    assert as_standard.post(f"/notifications/{unseen.pk}/close/").status_code == 403
    assert "Done, close it" not in text_of(as_standard, f"/notifications/{unseen.pk}/")


def test_a_mail_that_was_refused_is_told(as_admin: Client, alder: Account) -> None:
    tell_lost(alder)
    Mail.of(alder).update(tries=3, trouble="550 no such box", next_utc=None)
    page = text_of(as_admin, "/notifications/")
    assert "could not be sent" in page
    assert "550 no such box" in page


def test_what_is_over_says_so(as_admin: Client, alder: Account) -> None:
    told = tell_lost(alder)
    resolve(Notification.of(alder))
    page = text_of(as_admin, f"/notifications/{told.pk}/")
    assert "Resolved" in page
    assert "Go to Connections</a>" not in page


@pytest.mark.parametrize("path", ["/notifications/", "/notifications/panel/", "/notifications/bell/"])
def test_nobody_reads_without_a_log_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")
