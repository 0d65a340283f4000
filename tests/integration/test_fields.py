"""Which objects and fields are read, and what becomes of it when an administrator changes them."""

from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import Fix
from headwater.connections.models import Connection
from headwater.connections.package import FIELDS
from headwater.connections.preflight_rules import TO_READ
from headwater.credits.services import calls_of_job
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, jobs_of, retry, run_here
from headwater.jobs.worker import Worker
from headwater.notify.services import open_of
from headwater.sync.describe import describe_again
from headwater.sync.extras import name_field, objects_read, take_back
from headwater.sync.models import ReplicaTable
from headwater.sync.objects import DAILY, OBJECTS
from headwater.sync.services import backfill, open_replica, replica_counts, sync_cycle
from headwater.watch import look
from headwater.wiring import preflight
from integration.conftest import ACTOR, connect, have_package, result_of
from integration.org_fields import add_field, remove_field, retype_field
from integration.test_backfill import use_up_share
from integration.test_sync import assert_replica_equals, sync
from orgsim.schema.declare import number, text
from orgsim.seed import load_history
from orgsim.store.currencies import Currency, enable_currencies, keep_currency
from orgsim.testing import RunningOrgsim

SCORE = text("Score__c", 40)
A_DAY = timedelta(hours=25)
LIMITED, PROFILE = "integration@acme.example", "Read Only"


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=400, seed=3)
    return connected.account


@pytest.fixture
def scored(org: RunningOrgsim, seeded: Account) -> Account:
    """A field of the contacts is read because somebody named it; it says 42 of everybody."""
    add_field(org, "Contact", SCORE, "42")
    sync(seeded)
    name_field(seeded, "contact", "score__C", actor=ACTOR)
    sync(seeded)
    return seeded


@pytest.fixture
def limited(org: RunningOrgsim, account: Account) -> Account:
    """Connected as a user who sees the standard objects and no more than they have to."""
    load_history(org.production, records=400, seed=3)
    org.add_user(LIMITED, profile=PROFILE)
    for name in TO_READ:
        org.grant(name, profile=PROFILE)
    org.revoke("ViewAllData", profile=PROFILE)  # with it nothing could be hidden
    connect(account, username=LIMITED)
    return account


def scores(account: Account) -> set[object]:
    with open_replica(account) as replica:
        return {row[0] for row in replica.execute('SELECT "Score__c" FROM "Contact"').fetchall()}


def try_sync(account: Account) -> Job:
    return run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)


def told(account: Account) -> list[tuple[str, str]]:
    look(account)
    return sorted(open_of(account).values_list("code", "subject"))


def state_of(account: Account, sobject: str, field: str) -> str:
    found = next(each for each in objects_read(account) if each.sobject == sobject)
    return next(each.state for each in found.fields if each.name == field)


def test_a_named_field_is_read_for_every_record_from_the_next_sync_on(org: RunningOrgsim, scored: Account) -> None:
    assert scores(scored) == {"42"}
    assert state_of(scored, "Contact", "Score__c") == "read"
    assert_replica_equals(scored, org)
    name_field(scored, "Contact", "Score__c", named_by="stage rule 3", actor=ACTOR)
    take_back(scored, "Contact", "Score__c", actor=ACTOR)
    sync(scored)
    assert scores(scored) == {"42"}  # the rule still names it
    take_back(scored, "Contact", "Score__c", named_by="stage rule 3", actor=ACTOR)
    sync(scored)
    assert_replica_equals(scored, org)
    assert "Score__c" not in dict(ReplicaTable.of(scored).get(sobject="Contact").columns)


def test_naming_asks_the_org_only_where_the_field_was_not_there_before(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    used = org.production.usage.used_calls()
    name_field(seeded, "Account", "Phone", actor=ACTOR)
    assert org.production.usage.used_calls() == used
    add_field(org, "Contact", SCORE)
    name_field(seeded, "Contact", "Score__c", actor=ACTOR)
    assert org.production.usage.used_calls() == used + 1


def test_what_cannot_be_read_is_refused_when_it_is_named(seeded: Account) -> None:
    wrong = {
        ("Quote", "Name"): "sync.object_not_read",
        ("Contact", "Emial"): "sync.field_unknown",
        ("Contact", "MailingAddress"): "sync.field_not_held",
    }
    for (sobject, field), code in wrong.items():
        with pytest.raises(Fix) as refused:
            name_field(seeded, sobject, field, actor=ACTOR)
        assert refused.value.code == code
        assert "Email" in refused.value.facts.you_can or field != "Emial"
    with pytest.raises(Fix) as refused:
        take_back(seeded, "Contact", "Phone", actor=ACTOR)
    assert refused.value.code == "sync.field_not_named"


def test_a_field_of_another_type_is_shown_as_it_was_until_all_of_it_is_read_anew(
    org: RunningOrgsim, scored: Account
) -> None:
    retype_field(org, "Contact", number("Score__c"), 43)
    use_up_share(scored)
    describe_again(scored)
    assert set(result_of(sync(scored))["waiting"]) == {"Contact"}
    contact = org.production.database.connect().execute('SELECT "Id" FROM "Contact" LIMIT 1').fetchone()[0]
    org.writer().update("Contact", contact, {"Score__c": 44})
    sync(scored)
    assert scores(scored) == {"42", "44.0"}  # text still, and the change is there
    with clock_running_ahead(A_DAY):
        Worker("in the next window").run_until_idle()
        sync(scored)
        assert scores(scored) == {43.0, 44.0}
        assert_replica_equals(scored, org)


def test_a_value_of_another_type_has_the_org_described_at_once(org: RunningOrgsim, scored: Account) -> None:
    """Noticed by the value itself, and with room for it all is read anew in the same sync."""
    retype_field(org, "Contact", number("Score__c"), 43)
    describe_again(scored)
    sync(scored)
    assert scores(scored) == {43.0}
    retype_field(org, "Contact", SCORE, "high")
    contact = org.production.database.connect().execute('SELECT "Id" FROM "Contact" LIMIT 1').fetchone()[0]
    org.writer().update("Contact", contact, {"Title": "Head"})
    sync(scored)
    assert scores(scored) == {"high"}
    assert_replica_equals(scored, org)


def test_history_under_way_gives_up_a_field_that_is_gone_and_the_next_sync_plans_it_anew(
    org: RunningOrgsim, scored: Account
) -> None:
    retype_field(org, "Contact", number("Score__c"), 43)
    use_up_share(scored)
    describe_again(scored)
    sync(scored)
    remove_field(org, "Contact", "Score__c")
    with clock_running_ahead(A_DAY):
        Worker("in the next window").run_until_idle()
        history = jobs_of(str(scored.pk)).get(task=backfill.name)
        assert "No such column" in result_of(history)["left_to_next_sync"]
        assert "Contact" in result_of(sync(scored))["rows"]
        assert_replica_equals(scored, org)


def test_a_field_that_goes_is_told_and_left_out_and_read_in_full_when_it_comes_back(
    org: RunningOrgsim, scored: Account
) -> None:
    remove_field(org, "Contact", "Score__c")
    done = result_of(sync(scored))  # the org refuses the query, and is described again at once
    assert done["notices"] == ["The org no longer shows Contact.Score__c, which is read because it is named by hand."]
    assert told(scored) == [("sync.field_lost", "Contact.Score__c")]
    assert state_of(scored, "Contact", "Score__c") == "lost"
    assert_replica_equals(scored, org)
    known = org.production.catalog().get("Contact")
    org.production.change_sobject(known.with_field(SCORE))
    with clock_running_ahead(A_DAY):
        assert "notices" not in result_of(sync(scored))
        assert scores(scored) == {"42"}
    assert told(scored) == []


def test_a_renamed_field_is_one_that_went_and_another_that_may_be_named(org: RunningOrgsim, scored: Account) -> None:
    remove_field(org, "Contact", "Score__c")
    add_field(org, "Contact", text("Rating__c", 40), "42")
    sync(scored)
    assert told(scored) == [("sync.field_lost", "Contact.Score__c")]
    take_back(scored, "Contact", "Score__c", actor=ACTOR)
    name_field(scored, "Contact", "Rating__c", actor=ACTOR)
    sync(scored)
    assert told(scored) == []
    assert state_of(scored, "Contact", "Rating__c") == "read"
    assert_replica_equals(scored, org)


def test_everything_needed_that_is_hidden_stops_the_sync_and_is_named_at_once(
    org: RunningOrgsim, limited: Account
) -> None:
    sync(limited)
    counts = replica_counts(limited)
    for name in ("Lead.Email", "Contact.Title"):
        org.revoke(name, profile=PROFILE)
    job = try_sync(limited)
    stopped = job_view(job)
    assert (stopped.state, stopped.code) == (State.BLOCKED, "sync.fields_not_readable")
    assert "Contact.Title, Lead.Email" in stopped.reason
    assert replica_counts(limited) == counts
    org.revoke("Campaign", profile=PROFILE)
    stopped = job_view(run_here(retry(job)))
    assert stopped.code == "sync.objects_not_readable"
    assert all(name in stopped.reason for name in ("Campaign, CampaignMember", "Contact.Title", "Lead.Email"))
    org.grant("Campaign", "read", profile=PROFILE)
    for name in ("Lead.Email", "Contact.Title"):
        org.grant(name, "read", profile=PROFILE)
    result_of(run_here(retry(job)))
    assert_replica_equals(limited, org)


def test_an_object_that_the_sync_can_do_without_goes_and_comes_back(org: RunningOrgsim, limited: Account) -> None:
    org.revoke("Case", profile=PROFILE)
    assert result_of(sync(limited))["notices"] == [
        "The org shows no Case to the connected user; the sync goes on without."
    ]
    assert told(limited) == []
    org.grant("Case", "read", profile=PROFILE)
    with clock_running_ahead(A_DAY):
        sync(limited)
        cases = replica_counts(limited)["Case"]
        assert cases > 0
        org.revoke("Case", profile=PROFILE)
        sync(limited)
        assert told(limited) == [("sync.object_lost", "Case")]
        assert replica_counts(limited)["Case"] == cases
    org.grant("Case", "read", profile=PROFILE)
    with clock_running_ahead(A_DAY * 2):
        sync(limited)
        assert told(limited) == []
        assert_replica_equals(limited, org)


def test_small_tables_and_our_own_objects_are_read_once_a_day(org: RunningOrgsim, seeded: Account) -> None:
    have_package(seeded)
    first, idle = sync(seeded), sync(seeded)
    assert DAILY & result_of(first)["rows"].keys() == {"RecordType", *FIELDS}
    assert result_of(idle)["rows"].keys() == OBJECTS.keys()
    assert calls_of_job(seeded, str(idle.pk)) == 3
    enable_currencies(org.production, org.production_user_id, "USD")
    keep_currency(org.production, org.production_user_id, Currency("EUR", "0.92"))
    touchpoint = org.writer().insert("Buyer_Touchpoint__c", {"UniqueId__c": "TP2_Person_1_2"})
    assert touchpoint
    with clock_running_ahead(A_DAY):
        sync(seeded)
        counts = replica_counts(seeded)
        assert (counts["CurrencyType"], counts["Buyer_Touchpoint__c"]) == (2, 1)
        assert_replica_equals(seeded, org)
        for each in ReplicaTable.of(seeded).filter(sobject__in=OBJECTS).exclude(sobject__endswith="History"):
            assert "CurrencyIsoCode" in dict(each.columns), each.sobject


def test_amounts_without_a_currency_are_told(org: RunningOrgsim, seeded: Account) -> None:
    enable_currencies(org.production, org.production_user_id, "USD")
    with org.production.database.write() as connection:
        changed = connection.execute(
            'UPDATE "Opportunity" SET "CurrencyIsoCode" = NULL WHERE "IsDeleted" = 0 AND "Amount" IS NOT NULL'
        ).rowcount
    sync(seeded)
    assert told(seeded) == [("sync.currency_missing", "Opportunity")]
    assert open_of(seeded).get().sentence.startswith(f"{changed} of the Opportunity records")


def test_the_preflight_measures_named_fields_too(org: RunningOrgsim, limited: Account) -> None:
    add_field(org, "Contact", SCORE)
    org.grant("Contact.Score__c", "read", profile=PROFILE)
    name_field(limited, "Contact", "Score__c", actor=ACTOR)
    org.revoke("Contact.Score__c", profile=PROFILE)
    found = [finding for finding in preflight(limited, actor=ACTOR).findings if finding["code"] == "field_readable"]
    assert [grant["name"] for finding in found for grant in finding["grants"]] == ["Contact.Score__c"]
