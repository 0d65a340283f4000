"""What `headwater keys` does with keys that the environment names, with old keys, and with secrets nobody can open."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings
from typer.testing import CliRunner

from headwater.accounts import keys as keys_module
from headwater.accounts.crypt import SealedColumn, encryption_keys, seal, unseal
from headwater.accounts.keys import fingerprint, forget_unused, rotate, survey
from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.cli.app import app
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.common.errors import Fix, Wait
from headwater.common.secrets_file import read_or_create_secrets
from headwater.connections.models import Authorization

SECRET = {"verifier": "told to nobody"}


@pytest.fixture
def account(db: None) -> Account:
    return create_account("Acme")


@pytest.fixture
def embedded(settings: Settings, tmp_path: Path) -> Path:
    settings.SECRETS_FILE = tmp_path / "secrets.json"
    read_or_create_secrets(settings.SECRETS_FILE)
    return tmp_path / "secrets.json"


def store(account: Account, name: str = "one") -> Authorization:
    sealed = seal(account.pk, SECRET)
    return Authorization.of(account).create(
        account=account, state_digest=name, sealed_verifier=sealed, started_utc=now_utc()
    )


def test_the_given_keys_are_kept_and_everything_is_sealed_with_the_first(account: Account, settings: Settings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.ENCRYPTION_KEYS = [old]
    row = store(account)
    settings.ENCRYPTION_KEYS = [new, old]
    assert [key.values for key in survey().keys] == [0, 1]
    assert (rotate().made, survey().unused) == ("", (fingerprint(old),))
    settings.ENCRYPTION_KEYS = [new]
    row.refresh_from_db()
    assert unseal(account.pk, row.sealed_verifier) == SECRET
    with pytest.raises(Fix, match="HEADWATER_ENCRYPTION_KEYS names the keys"):
        forget_unused()


def test_an_unused_key_is_forgotten_once_nobody_can_still_need_it(account: Account, embedded: Path) -> None:
    row = store(account)
    rotate()
    with pytest.raises(Wait, match="changed a moment ago"):
        forget_unused()
    assert len(encryption_keys()) == 2
    with clock_running_ahead(timedelta(minutes=11)):
        assert len(forget_unused()) == 1
    assert len(encryption_keys()) == 1
    row.refresh_from_db()
    assert unseal(account.pk, row.sealed_verifier) == SECRET
    assert sorted(path.name for path in embedded.parent.iterdir()) == ["secrets.json", "secrets.lock"]


def test_a_key_that_still_opens_something_stays(account: Account, embedded: Path) -> None:
    store(account)
    kept = json.loads(embedded.read_text())
    new = Fernet.generate_key().decode()
    embedded.write_text(json.dumps({**kept, "encryption_key": f"{new},{kept['encryption_key']}"}))
    os.utime(embedded, (0, 0))
    assert forget_unused() == ()
    assert len(encryption_keys()) == 2


def test_a_secret_that_no_key_opens_is_told_and_stays(account: Account, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    lost = store(account, "lost")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    store(account, "kept")
    assert rotate().resealed == 0
    [place] = survey().unopenable
    assert str(place) == f"connections.Authorization {lost.pk}, sealed_verifier"
    told = CliRunner().invoke(app, ["keys"])
    assert (told.exit_code, f"No key opens {place}" in " ".join(told.output.split())) == (4, True)
    checked = CliRunner().invoke(app, ["check", "--json"])
    assert "keys.E001" in {finding["code"] for finding in json.loads(checked.output)["findings"]}
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    checked = CliRunner().invoke(app, ["check", "--json"])
    assert "keys.W001" in {finding["code"] for finding in json.loads(checked.output)["findings"]}


def test_no_key_is_ever_printed(account: Account, embedded: Path) -> None:
    store(account)
    for options in (["--rotate"], ["--json"], []):
        told = CliRunner().invoke(app, ["keys", *options]).output
        assert fingerprint(encryption_keys()[0]) in told
        assert not [key for key in encryption_keys() if key in told]


def test_secrets_inside_a_json_column_are_reached(
    account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of second factors: one value of the column is sealed, the others are not."""
    from headwater.jobs.models import Job

    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.ENCRYPTION_KEYS = [old]
    job = Job.objects.create(
        tenant="1", task="any", created_utc=now_utc(), arguments={"secret": seal(1, SECRET), "open": "to all"}
    )
    monkeypatch.setattr(keys_module, "SEALED_COLUMNS", (SealedColumn("jobs.Job", "arguments", ("secret", "absent")),))
    settings.ENCRYPTION_KEYS = [new, old]
    assert rotate().resealed == 1
    settings.ENCRYPTION_KEYS = [new]
    job.refresh_from_db()
    assert (unseal(1, job.arguments["secret"]), job.arguments["open"]) == (SECRET, "to all")
