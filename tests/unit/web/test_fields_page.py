"""Settings > CRM > Fields over HTTP: what is read and why, one field more, and what the sync goes on without."""

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.sync.models import DescribedObject, ExtraField

PAGE = "/settings/crm/fields/"
CONTACT = PAGE + "?object=Contact"
TITLE = {"sobject": "Contact", "field": "region__c"}


@pytest.fixture
def described(alder: Account) -> Account:
    """The org has a field that is not read, and no cases."""
    fields = {
        "Id": ["id", False, "Contact ID"],
        "Email": ["email", False, "Email"],
        "Region__c": ["string", True, "Region"],
        "MailingAddress": ["address", False, "Mailing Address"],
    }
    for sobject, told in (("Contact", fields), ("Case", {})):
        DescribedObject.of(alder).create(account=alder, sobject=sobject, fields=told, described_utc=now_utc())
    return alder


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_before_the_first_sync_it_shows_what_will_be_read(as_standard: Client) -> None:
    page = text(as_standard, PAGE)
    assert ">Contact</a>" in page
    assert "From the next sync on" in page
    assert "<code>Email</code>" in text(as_standard, CONTACT)


def test_an_admin_has_a_field_read_and_takes_it_back(as_admin: Client, described: Account) -> None:
    assert '<option value="Region__c">' in text(as_admin, CONTACT)
    page = as_admin.post(PAGE + "name/", TITLE, follow=True).content.decode()
    assert "Contact.Region__c is read from the next sync on." in page
    assert "string, formula" in page
    assert "by hand" in page
    assert "Had a field read" in page
    page = as_admin.post(PAGE + "take-back/", {**TITLE, "field": "Region__c"}, follow=True).content.decode()
    assert "Contact.Region__c is no longer read by hand." in page
    assert not ExtraField.of(described).exists()


def test_what_cannot_be_read_is_refused_beside_the_form(as_admin: Client, described: Account) -> None:
    answer = as_admin.post(PAGE + "name/", {"sobject": "Contact", "field": "MailingAddress"})
    assert answer.status_code == 409
    assert "is of the type address" in answer.content.decode()
    assert 'value="MailingAddress" autofocus' in answer.content.decode()
    assert as_admin.post(PAGE + "name/", {"sobject": "Quote", "field": "Name"}).status_code == 409
    assert as_admin.get(PAGE + "?object=Quote").status_code == 404


def test_a_standard_user_sees_it_and_changes_nothing(as_standard: Client, described: Account) -> None:
    page = text(as_standard, CONTACT)
    assert "<code>Email</code>" in page
    assert "Read one more field" not in page
    for deed in ("name/", "take-back/"):
        assert as_standard.post(PAGE + deed, TITLE).status_code == 403
    assert not ExtraField.of(described).exists()


def test_what_the_sync_goes_on_without_stands_above(as_admin: Client, described: Account) -> None:
    page = text(as_admin, PAGE)
    assert "The org shows no Case to the connected user; the sync goes on without." in page
    assert "Not shown by the org" in page
