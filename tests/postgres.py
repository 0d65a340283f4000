"""A throw-away PostgreSQL cluster from the server programme on this machine, for tests that need the real thing.

`with throwaway_postgres() as cluster:` or the session fixture `postgres_cluster` (import it into a conftest).
A missing programme is a failure, not a skip: `make setup` installs it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrated import migrate

DEBIAN_HOME = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"  # the server refuses to run as root
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; each `new_database` makes an empty one and returns its URL."""

    port: int
    socket_dir: Path
    settings: str = FAST

    @property
    def data(self) -> Path:
        return self.socket_dir / "data"

    def start(self) -> None:
        listen = f"-p {self.port} -k {self.socket_dir} -c listen_addresses=127.0.0.1 {self.settings}"
        _run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.socket_dir / "log", "-o", listen)

    def stop(self) -> None:
        """As a power cut does, for everybody who is connected."""
        _run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data)

    def new_database(self, purpose: str) -> str:
        name = f"{purpose}_{secrets.token_hex(4)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def migrated_database(self, purpose: str) -> str:
        """One with all tables of the product and no account; the first is migrated, the others are copies of it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'migrated'").fetchone():
                connection.execute("CREATE DATABASE migrated")
                with tempfile.TemporaryDirectory() as folder:
                    migrate({"HEADWATER_DATA_DIR": folder, "HEADWATER_DATABASE_URL": self.url("migrated")})
            name = f"{purpose}_{secrets.token_hex(4)}"
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgres://{SERVER_USER}@127.0.0.1:{self.port}/{name}"


def find_programme(name: str) -> Path:
    """The server's `name`, from PATH or the newest version under Debian's home of it."""
    newest_first = sorted(DEBIAN_HOME.glob(f"*/bin/{name}"), key=lambda path: -float(path.parts[-3]))
    found = shutil.which(name) or next(iter(newest_first), None)
    if found is None:
        pytest.fail(f"PostgreSQL's `{name}` is not on this machine; run `make setup`.", pytrace=False)
    return Path(found)


@contextmanager
def throwaway_postgres(settings: str = FAST) -> Iterator[Cluster]:
    """`settings` are options of the server; without any it keeps its promises, and is slower."""
    home = Path(tempfile.mkdtemp(prefix="headwater-pg-"))  # short, because a socket's path may not be long
    try:
        if os.geteuid() == 0:
            shutil.chown(home, SERVER_USER)
        cluster = Cluster(_free_port(), home, settings)
        _run(
            "initdb",
            "-D",
            cluster.data,
            "-U",
            SERVER_USER,
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(home)


def _run(programme: str, *arguments: str | Path) -> None:
    as_server = ["runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
    command = [*as_server, str(find_programme(programme)), *map(str, arguments)]
    # Output goes to a file and not a pipe: the server inherits it, and a pipe would never come to its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, cwd="/", stdout=output, stderr=output, check=False)
        output.seek(0)
        assert done.returncode == 0, f"{' '.join(command)}\n{output.read().decode()}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    with throwaway_postgres() as cluster:
        yield cluster
