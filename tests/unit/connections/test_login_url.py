import pytest
from pytest_django import Settings

from headwater.common.errors import Fix
from headwater.connections.services import login_url_for


def test_production_and_sandbox_have_their_own_doors(settings: Settings) -> None:
    settings.SALESFORCE_LOGIN_URL = "https://login.salesforce.com"
    settings.SALESFORCE_SANDBOX_LOGIN_URL = "https://test.salesforce.com"
    assert login_url_for("production") == "https://login.salesforce.com"
    assert login_url_for("sandbox") == "https://test.salesforce.com"


@pytest.mark.parametrize("typed", ["acme.my.salesforce.com", "https://ACME.my.salesforce.com/lightning/page"])
def test_a_my_domain_may_be_typed_or_pasted(typed: str) -> None:
    assert login_url_for("my_domain", typed) == "https://acme.my.salesforce.com"


@pytest.mark.parametrize("typed", ["", "acme", "evil.example", "acme.my.salesforce.com.evil.example", "http://"])
def test_any_other_host_is_refused(typed: str) -> None:
    with pytest.raises(Fix) as refused:
        login_url_for("my_domain", typed)
    assert refused.value.code == "connections.bad_my_domain"


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(Fix):
        login_url_for("staging")
