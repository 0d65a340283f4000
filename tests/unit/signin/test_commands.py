"""The operator's two commands about signing in."""

import orjson
import pytest
from typer.testing import CliRunner

from headwater.accounts.models import Account, User
from headwater.cli.app import app
from headwater.common.errors import Fix
from headwater.signin.factors import has_second_factor
from headwater.signin.sso import claim_domain, domains_of
from unit.signin.conftest import give_factor


def run(*arguments: str) -> str:
    return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout


def test_a_lost_factor_is_reset(alice: User) -> None:
    give_factor(alice)
    assert "Removed for alice@alderfinch.example" in run("factor-reset", "--email", alice.email)
    assert not has_second_factor(alice)
    with pytest.raises(Fix, match="has no second factor"):
        run("factor-reset", "--email", alice.email)


def test_a_claimed_domain_is_confirmed(alder: Account, alice: User, capfd: pytest.CaptureFixture[str]) -> None:
    claim_domain(alder, "alderfinch.example", actor=alice)
    printed = run("domain-confirm", "AlderFinch.example", "--account", alder.slug, "--json")
    assert orjson.loads(printed or capfd.readouterr().out)["account"] == alder.slug
    assert domains_of(alder).get().confirmed_utc is not None
