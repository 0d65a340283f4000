"""The product's own settings, with a data directory of this test run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_directory = Path(tempfile.mkdtemp(prefix="headwater-tests-"))
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
os.environ["HEADWATER_DATA_DIR"] = str(_directory)

from headwater.settings import *  # noqa: E402, F403 - the environment must be set first
from headwater.settings import DATABASES  # noqa: E402 - as above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; tests keep no real password
# A test run need not outlive a power failure: nothing waits for the disk.
DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
