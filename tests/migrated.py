"""Databases that are migrated already: made once a test run, by the product's own migrations, and copied for each use.

Migrating takes seconds, nearly all of which Django spends on its picture of the past; a copy takes none.
Not here: that a new installation migrates by itself (integration/test_commands.py).
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

FILE_NAME = "headwater.sqlite3"  # as an installation calls it in its data directory


def migrated_file(shared: Path) -> Path:
    """The database to copy, in a folder that the workers of a run share; whoever needs it first makes it."""
    made = shared / "migrated"
    with (shared / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            unfinished = shared / "migrating"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            migrate({"HEADWATER_DATA_DIR": str(unfinished)})
            unfinished.rename(made)
    return made / FILE_NAME


def migrate(environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "headwater.settings", **environment},
        check=True,
    )


def have_migrated(migrated: Path, data_directory: Path) -> None:
    """An installation with this data directory finds its database there, without an account."""
    data_directory.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(migrated, data_directory / FILE_NAME)
