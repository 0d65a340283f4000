"""Files appear whole, and leave when nobody lists them any more."""

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.common.clock import now_utc
from headwater.lake import sweep
from unit.lake.conftest import WritePart, opportunity


def age(path: Path, by: timedelta) -> None:
    moment = (now_utc() - by).timestamp()
    os.utime(path, (moment, moment))


def test_a_written_part_leaves_no_draft_behind(tmp_path: Path, write_part: WritePart) -> None:
    part = write_part([opportunity("006A")], 7)
    assert [path.name for path in (tmp_path / "lake").iterdir()] == [part.path]
    assert part.path.startswith("Opportunity-00000007-")


def test_parts_of_one_cycle_never_share_a_name(write_part: WritePart) -> None:
    records = [opportunity("006A")]
    assert write_part(records, 1).path != write_part(records, 1).path


def test_a_full_disk_leaves_no_half_a_part_and_is_called_by_its_name(
    tmp_path: Path, write_part: WritePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.lake.parts.secrets.token_hex", lambda _: "full")
    lake = tmp_path / "lake"
    lake.mkdir()
    draft = lake / "Opportunity-00000007-full.parquet.draft"
    draft.symlink_to("/dev/full")  # the system's own device that never has room
    with pytest.raises(OSError, match="No space left") as refused:
        write_part([opportunity("006A")], 7)
    assert refused.value.errno == errno.ENOSPC
    assert list(lake.iterdir()) == []


def test_the_sweep_takes_what_is_unlisted_and_old_enough(tmp_path: Path) -> None:
    for name in ("listed.parquet", "orphan.parquet", "crashed.parquet.draft", "young.parquet", "notes.txt"):
        (tmp_path / name).touch()
        age(tmp_path / name, timedelta(minutes=1 if name.startswith("young") else 90))
    swept = sweep(tmp_path, {"listed.parquet"}, timedelta(hours=1))
    assert swept == ["crashed.parquet.draft", "orphan.parquet"]
    assert {path.name for path in tmp_path.iterdir()} == {"listed.parquet", "young.parquet", "notes.txt"}
