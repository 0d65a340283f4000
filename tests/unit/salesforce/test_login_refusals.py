"""Each refusal of a log-in becomes the error that says what mends it (facts A.5)."""

import pytest

from headwater.common.errors import Fix, Wait
from headwater.salesforce.errors import Refusal
from headwater.salesforce.login_refusals import as_said, diagnose


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("invalid_client_id", "client identifier invalid", "app_unknown"),
        ("invalid_client", "invalid client credentials", "app_secret_refused"),
        ("invalid_client", "app must be installed into org", "app_not_installed"),
        ("app_not_found", "External client app is not installed in this org", "app_not_installed"),
        ("OAUTH_EC_APP_NOT_FOUND", "", "app_not_installed"),
        ("OAUTH_APP_BLOCKED", "this app is blocked by admin", "app_blocked"),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", "callback_mismatch"),
        ("invalid_grant", "user hasn't approved this consumer", "user_not_approved"),
        ("invalid_app_access", "user is not admin approved to access this app", "user_not_approved"),
        ("OAUTH_APP_ACCESS_DENIED", "user+is+not+admin+approved+to+access+this+app", "user_not_approved"),
        ("invalid_grant", "ip restricted", "ip_refused"),
        ("invalid_grant", "no client credentials user enabled", "no_run_as_user"),
        ("invalid_grant", "client credentials flow not enabled", "flow_not_enabled"),
        ("invalid_grant", "request not supported on this domain", "not_my_domain"),
        ("invalid_grant", "audience is invalid", "audience_refused"),
        ("invalid_grant", "Audience validation failed", "audience_refused"),
        ("invalid_grant", "invalid assertion", "certificate_refused"),
        ("inactive_user", "user is inactive", "user_inactive"),
        ("invalid_grant", "authentication failure", "user_refused"),
        ("unsupported_grant_type", "grant type not supported", "grant_not_supported"),
    ],
)
def test_every_known_refusal_has_its_diagnosis(code: str, words: str, expected: str) -> None:
    told = diagnose(Refusal(400, code, words))
    assert isinstance(told, Fix)
    assert told.code == f"salesforce.{expected}"
    assert as_said(Refusal(400, code, words)) in told.facts.why
    assert told.facts.you_can


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Refusal(400, "rate_limit_exceeded", "login rate exceeded"), "salesforce.login_rate"),
        (Refusal(503, "HTTP_503", "away"), "salesforce.unavailable"),
        (Refusal(400, "TXN_SECURITY_METERING_ERROR", "took too long"), "salesforce.unavailable"),
    ],
)
def test_what_time_mends_waits(refusal: Refusal, expected: str) -> None:
    told = diagnose(refusal)
    assert isinstance(told, Wait)
    assert told.code == expected


@pytest.mark.parametrize("words", ["expired access/refresh token", "invalid code verifier", "something new"])
def test_a_refusal_that_the_table_does_not_know_is_not_guessed(words: str) -> None:
    assert diagnose(Refusal(400, "invalid_grant", words)) is None
