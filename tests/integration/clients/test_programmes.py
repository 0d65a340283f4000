"""What a test says when a client is not there."""

import sys

import pytest

from integration.clients.programmes import ROOT, installed, run_client


def test_a_missing_client_fails_with_what_to_do() -> None:
    with pytest.raises(
        pytest.fail.Exception, match=r"\.venv-clients/none/bin/none is not installed: run `make setup`\."
    ):
        installed(ROOT / ".venv-clients" / "none" / "bin" / "none")


def test_a_client_that_fails_shows_its_complaint() -> None:
    with pytest.raises(AssertionError, match="no such thing"):
        run_client([sys.executable, "-c", "raise SystemExit('no such thing')"], {})
