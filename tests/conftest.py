"""The database of a test run: a copy of one that is migrated once, emptied after each test that commits."""

import os
import shutil
from pathlib import Path

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connections
from django.db.models.signals import post_migrate

from migrated import migrated_file


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without an account, to be copied."""
    folder = tmp_path_factory.getbasetemp()
    return migrated_file(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The file is there before Django asks for it; it goes with the folders of the run."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> None:
    """A file, as the threads of a served page and the test each open the database by themselves."""
    path = tmp_path_factory.mktemp("database") / "test.sqlite3"
    shutil.copyfile(migrated, path)
    settings = connections["default"].settings_dict["TEST"]
    settings["NAME"], settings["MIGRATE"] = str(path), False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Emptying the database would make Django fill in permissions and content types, which nothing here asks for."""
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
