"""Salesforce's refusals become the kind of error that says what to do next."""

import orjson
import pytest

from headwater.common.errors import Fix, Wait
from headwater.salesforce.errors import Transient, is_transient, read_refusal, to_error


def test_it_reads_the_rest_list() -> None:
    refusal = read_refusal(400, b'[{"message":"No such column","errorCode":"INVALID_FIELD"}]', "req-1")
    assert (refusal.error_code, refusal.message, refusal.request_id) == ("INVALID_FIELD", "No such column", "req-1")


def test_it_reads_the_oauth_object() -> None:
    refusal = read_refusal(400, b'{"error":"invalid_grant","error_description":"expired access/refresh token"}')
    assert (refusal.error_code, refusal.message) == ("invalid_grant", "expired access/refresh token")


def test_a_page_of_html_keeps_its_status() -> None:
    refusal = read_refusal(502, b"<html>Bad gateway</html>")
    assert refusal.error_code == "HTTP_502"
    assert is_transient(refusal)


def test_a_used_up_allowance_waits_and_is_never_taken_for_a_bad_login() -> None:
    body = b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
    refusal = read_refusal(403, body)
    error = to_error(refusal, "reading Lead")
    assert not is_transient(refusal)
    assert isinstance(error, Wait)
    assert error.code == "salesforce.request_limit"


def test_too_many_long_requests_at_once_is_only_a_moment() -> None:
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    body = f'[{{"message":"{message}","errorCode":"REQUEST_LIMIT_EXCEEDED"}}]'
    assert is_transient(read_refusal(403, body.encode()))


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE"])
def test_what_time_mends_is_tried_again(code: str) -> None:
    assert is_transient(read_refusal(400, f'[{{"message":"x","errorCode":"{code}"}}]'.encode()))


def test_an_unknown_code_asks_a_person_and_keeps_salesforces_words() -> None:
    error = to_error(read_refusal(400, b'[{"message":"Never seen","errorCode":"BRAND_NEW"}]'), "reading Lead")
    assert isinstance(error, Fix)
    assert "BRAND_NEW" in error.facts.why
    assert "Never seen" in error.facts.why


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Max bulk v2 query jobs (10000) per 24 hrs has been reached (10000)", "10,000 Bulk queries"),
        ("Max bulk v2 query result size stored (1000000000) kb per 24 hrs has been exceeded", "1 TB of results"),
        ("ApiBatchItems Limit exceeded.", "15,000 Bulk batches"),
        ("Daily Bulk API records Limit exceeded.", "150,000,000 records"),
    ],
)
def test_a_bulk_allowance_that_is_used_up_is_named_and_waited_for(message: str, words: str) -> None:
    error = to_error(read_refusal(400, orjson.dumps([{"message": message, "errorCode": "LIMIT_EXCEEDED"}])), "reading")
    assert isinstance(error, Wait)
    assert error.code == "salesforce.bulk_limit"
    assert words in error.sentence


def test_a_request_that_is_too_large_is_not_taken_for_a_used_up_allowance() -> None:
    body = b'[{"message":"Limit of 25 subrequests exceeded","errorCode":"LIMIT_EXCEEDED"}]'
    assert isinstance(to_error(read_refusal(400, body), "reading"), Fix)


def test_long_requests_that_do_not_end_are_not_taken_for_an_org_that_is_away() -> None:
    for message in (
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "ConcurrentPerOrgLongTxn Limit exceeded.",
    ):
        refusal = read_refusal(403, orjson.dumps([{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}]))
        assert (
            Transient(message, refusal).as_wait("acme.my.salesforce.com", "reading").code
            == "salesforce.concurrent_limit"
        )
    assert Transient("no connection").as_wait("acme.my.salesforce.com", "reading").code == "salesforce.unavailable"


def test_a_query_too_large_asks_for_view_all_data() -> None:
    body = b'[{"message":"exceeded 100000 distinct whos","errorCode":"OPERATION_TOO_LARGE"}]'
    error = to_error(read_refusal(400, body), "reading Task")
    assert isinstance(error, Fix)
    assert error.code == "salesforce.operation_too_large"
    assert "View All Data" in error.facts.you_can
