"""Which objects and fields are read, and by which sign each kind of change is seen: stamps, ties, clocks, creation."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.connections.models import Connection
from headwater.connections.package import FIELDS
from headwater.sync.models import ReplicaTable
from headwater.sync.services import open_replica, replica_counts
from integration.conftest import have_package, result_of
from integration.test_sync import assert_replica_equals, rows_of, settle_history, sync
from orgsim.clock import ClockSetting
from orgsim.edits.archive import archive_old_activities
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.seed import load_history, load_rows
from orgsim.server.admin import move_clock
from orgsim.store.currencies import Currency, enable_currencies, keep_currency, keep_dated_rate
from orgsim.testing import RunningOrgsim

_TIMES = "CreatedDate LastModifiedDate SystemModstamp"
_HISTORY = "CreatedDate IsDeleted Field OldValue NewValue DataType"
NEEDED = {  # of each object what identity, stages, matching, revenue, costs and rules are computed from
    "Lead": f"{_TIMES} IsDeleted MasterRecordId Email Status LeadSource Website Company IsConverted ConvertedDate "
    "ConvertedContactId ConvertedAccountId ConvertedOpportunityId OwnerId",
    "Contact": f"{_TIMES} IsDeleted MasterRecordId Email AccountId LeadSource OwnerId",
    "Account": f"{_TIMES} IsDeleted MasterRecordId Name Website OwnerId",
    "Opportunity": f"{_TIMES} IsDeleted Name AccountId StageName IsWon IsClosed CloseDate Amount CurrencyIsoCode "
    "OwnerId",
    "OpportunityContactRole": f"{_TIMES} IsDeleted OpportunityId ContactId IsPrimary Role",
    "OpportunityHistory": "CreatedDate IsDeleted OpportunityId StageName Amount CloseDate",
    "LeadHistory": f"{_HISTORY} LeadId",
    "ContactHistory": f"{_HISTORY} ContactId",
    "OpportunityFieldHistory": f"{_HISTORY} OpportunityId",
    "Campaign": f"{_TIMES} IsDeleted Name Status Type StartDate EndDate ActualCost CurrencyIsoCode",
    "CampaignMember": f"{_TIMES} IsDeleted CampaignId LeadId ContactId FirstRespondedDate HasResponded Status",
    "Task": f"{_TIMES} IsDeleted Type Subject ActivityDate WhoId WhatId OwnerId RecurrenceEndDateOnly",
    "Event": f"{_TIMES} IsDeleted Type Subject StartDateTime EndDateTime WhoId OwnerId RecurrenceStartDateTime",
    "Case": f"{_TIMES} IsDeleted MasterRecordId SuppliedEmail ContactId AccountId",
    "User": f"{_TIMES} Name Email",
    "RecordType": f"{_TIMES} Name DeveloperName SobjectType IsActive",
    "CurrencyType": f"{_TIMES} IsoCode ConversionRate IsCorporate",
    "DatedConversionRate": f"{_TIMES} IsoCode StartDate NextStartDate ConversionRate",
    **{name: " ".join(field.name for field in fields) for name, fields in FIELDS.items()},
}


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=400, seed=3)
    return connected.account


def column(account: Account, sobject: str, name: str, where: str = "true") -> list[object]:
    with open_replica(account) as replica:
        return [row[0] for row in replica.execute(f'SELECT "{name}" FROM "{sobject}" WHERE {where}').fetchall()]


def live_ids(org: RunningOrgsim, sobject: str, where: str = "1") -> list[str]:
    sql = f'SELECT "Id" FROM "{sobject}" WHERE "IsDeleted" = 0 AND {where} ORDER BY "Id"'
    return [row["Id"] for row in rows_of(org, sql)]


def test_every_object_and_field_that_something_is_computed_from_is_in_the_replica(
    org: RunningOrgsim, seeded: Account
) -> None:
    have_package(seeded)
    enable_currencies(org.production, org.production_user_id, "USD")
    keep_currency(org.production, org.production_user_id, Currency("EUR", "0.92"))
    keep_dated_rate(org.production, org.production_user_id, "EUR", "2024-01-01", "0.9")
    record_type = {"Name": "New Business", "DeveloperName": "New_Business", "SobjectType": "Opportunity", "IsActive": 1}
    now = org.production.now_text()
    stamps = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    load_rows(org.production, [("RecordType", [{"Id": org.production.new_ids("012", 1)[0], **record_type, **stamps}])])
    for name, field in (("Buyer_Touchpoint__c", "TP2_Person_1_2"), ("Buyer_Attribution_Touchpoint__c", "BAT2_1_2_3")):
        org.writer().insert(name, {"UniqueId__c": field})
    org.writer().update("Contact", live_ids(org, "Contact")[0], {"Title": "Head of Everything"})
    org.writer().update("Lead", live_ids(org, "Lead", '"IsConverted" = 0')[0], {"Status": "Nurturing"})
    org.writer().update("Opportunity", live_ids(org, "Opportunity")[0], {"Amount": 4321})
    sync(seeded)
    columns = {table.sobject: set(dict(table.columns)) for table in ReplicaTable.of(seeded)}
    missing = {name: set(fields.split()) - columns[name] for name, fields in NEEDED.items()}
    assert {name: each for name, each in missing.items() if each} == {}
    assert columns.keys() == NEEDED.keys()
    counts = replica_counts(seeded)
    assert [name for name in NEEDED if not counts[name]] == []
    assert_replica_equals(seeded, org)


def test_deletes_merges_conversions_and_archived_activities_come_with_the_changes(
    org: RunningOrgsim, seeded: Account
) -> None:
    archive_old_activities(org.production)
    sync(seeded)
    archived = rows_of(org, 'SELECT "Id" FROM "Task" WHERE "IsDeleted" = 0 AND "IsArchived" = 1')
    assert {row["Id"] for row in archived} <= set(column(seeded, "Task", "Id"))
    assert archived
    winner, loser, gone, converted = live_ids(org, "Lead", '"IsConverted" = 0')[:4]
    merge(org.writer(), "Lead", winner, [loser])
    org.writer().delete("Lead", gone)
    made = convert_lead(org.writer(), converted, Conversion(opportunity_name="New business"))
    org.writer().update("Task", archived[0]["Id"], {"Subject": "Written long after"})
    sync(seeded)
    assert {loser, gone}.isdisjoint(column(seeded, "Lead", "Id"))
    assert column(seeded, "Lead__all", "MasterRecordId", f"\"Id\" = '{loser}'") == [winner]
    assert column(seeded, "Lead", "ConvertedContactId", f"\"Id\" = '{converted}'") == [made.contact_id]
    assert_replica_equals(seeded, org)


def test_history_is_read_by_when_it_was_made(org: RunningOrgsim, seeded: Account) -> None:
    """It has no other stamp: a new row comes with the next read, an old one does not come again."""
    lead = live_ids(org, "Lead", '"IsConverted" = 0')[0]
    settle_history(org)
    sync(seeded)
    before = replica_counts(seeded)["LeadHistory"]
    org.writer().update("Lead", lead, {"Status": "Nurturing"})
    org.writer().update("Lead", lead, {"Status": "Qualified"})
    job = sync(seeded)
    assert result_of(job)["rows"]["LeadHistory"] == 2 == replica_counts(seeded)["LeadHistory"] - before
    assert_replica_equals(seeded, org)


def test_a_row_that_is_seen_after_rows_with_a_later_stamp_is_not_lost(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    org.production.set("late_visible_seconds", 300)
    late = org.writer().insert("Lead", {"LastName": "Late", "Company": "Slow"})
    org.production.set("late_visible_seconds", 0)
    move_clock(org.state, {"offset_seconds": 120})
    early = org.writer().insert("Lead", {"LastName": "Early", "Company": "Quick"})
    sync(seeded)
    assert {late, early} & set(column(seeded, "Lead", "Id")) == {early}
    move_clock(org.state, {"offset_seconds": 400})
    sync(seeded)
    assert {late, early} <= set(column(seeded, "Lead", "Id"))
    assert_replica_equals(seeded, org)


def test_rows_of_one_second_all_come_though_they_fill_many_pages(
    org: RunningOrgsim, seeded: Account, settings: Settings
) -> None:
    sync(seeded)
    settings.QUERY_PAGE_ROWS = 200
    org.state.set_clock(ClockSetting(frozen_at=datetime.now(UTC)))
    with org.production.database.write() as connection:
        for sobject, name in (("CampaignMember", "Status"), ("Contact", "Title")):
            now = org.production.now_text()
            connection.execute(f'UPDATE "{sobject}" SET "{name}" = \'Seen\', "SystemModstamp" = ?', (now,))
    sync(seeded)
    assert set(column(seeded, "Contact", "Title")) == {"Seen"}
    assert_replica_equals(seeded, org)


@pytest.mark.parametrize("hours", [-7, 7])
def test_the_orgs_clock_counts_whatever_ours_says(org: RunningOrgsim, seeded: Account, hours: int) -> None:
    with clock_running_ahead(timedelta(hours=hours)):
        sync(seeded)
        table = ReplicaTable.of(seeded).get(sobject="Lead")
        assert table.read_from_utc is not None
        assert abs(table.read_from_utc - datetime.now(UTC)) < timedelta(minutes=10)
        org.writer().insert("Lead", {"LastName": "New", "Company": "Since"})
        job = sync(seeded)
        assert result_of(job)["rows"]["Lead"] == 1
        assert_replica_equals(seeded, org)
