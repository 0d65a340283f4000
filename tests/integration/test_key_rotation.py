"""Keys are rotated while processes renew a log-in, and through kills: every secret always opens, none is lost."""

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.stage import Stage, staged
from orgsim.testing import PASSWORD, USERNAME

HEADWATER = Path(sys.executable).with_name("headwater")
PLANTED = 400


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("rotation"), migrated) as stage:
        stage.first.do("connect", USERNAME, PASSWORD)
        yield stage


def keys(stage: Stage, *options: str) -> Any:
    done = subprocess.run(
        [HEADWATER, "keys", "--json", *options], env=stage.environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout)


def test_keys_are_rotated_while_two_processes_renew(stage: Stage, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    for process in (stage.first, stage.second):
        process.do("remember")
        process.send("renew_until", str(stop))
    rotations = [keys(stage, "--rotate") for _ in range(2)]
    stop.touch()
    assert all(process.answer()["times"] > 0 for process in (stage.first, stage.second))
    assert len({rotation["made"] for rotation in rotations}) == 2
    assert keys(stage)["unopenable"] == []
    last = keys(stage, "--rotate")  # in case somebody sealed with the old key at the last moment
    assert (last["behind"], last["keys"][0]["values"] > 0) == (0, True)
    assert "token" in stage.first.do("renew")
    file = Path(stage.environment["HEADWATER_DATA_DIR"]) / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_rotation_that_is_killed_is_finished_by_the_next_one(stage: Stage) -> None:
    stage.first.do("plant", str(PLANTED))
    rotating = subprocess.Popen([HEADWATER, "keys", "--rotate", "--json"], env=stage.environment, stdout=-1)
    _wait_until_resealing(stage, len(_file_keys(stage)))
    rotating.send_signal(signal.SIGKILL)
    rotating.communicate()
    found = keys(stage)
    assert found["unopenable"] == []
    assert found["behind"] > 0
    finished = keys(stage, "--rotate")
    assert (finished["made"], finished["behind"]) == ("", 0)  # it makes no key of its own
    assert stage.first.do("unplant")["opened"] == [str(number) for number in range(PLANTED)]


def _wait_until_resealing(stage: Stage, keys_before: int) -> None:
    """Until the new key stands in the file: from then on values are sealed anew, one by one."""
    while len(_file_keys(stage)) == keys_before:
        time.sleep(0.001)


def _file_keys(stage: Stage) -> list[str]:
    file = Path(stage.environment["HEADWATER_DATA_DIR"]) / "secrets.json"
    return str(json.loads(file.read_text())["encryption_key"]).split(",")
