"""Every command explains itself. As processes of their own: integration/test_commands.py."""

import pytest
from typer.testing import CliRunner

from headwater.cli.app import app

COMMANDS = ("connect", "plan", "sync", "audit", "rebuild", "attribute", "export", "credits", "serve", "worker", "check")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert "--help" in told.stdout
