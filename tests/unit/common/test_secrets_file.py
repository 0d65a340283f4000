import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from headwater.common.secrets_file import read_or_create_secrets


def test_the_keys_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = read_or_create_secrets(path)
    assert read_or_create_secrets(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: read_or_create_secrets(tmp_path / "secrets.json"), range(16)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
