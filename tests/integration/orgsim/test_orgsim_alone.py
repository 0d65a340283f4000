"""orgsim stands alone: installed from the wheel into a fresh environment it runs without Django and Headwater."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import orjson
import pytest

ROOT = Path(__file__).resolve().parents[3]
UV = Path(sys.executable).with_name("uv")
# What pyproject.toml lists for Headwater alone.
FOREIGN = {"headwater", "django", "allauth", "duckdb", "environs", "gunicorn", "sqlglot", "tenacity", "whitenoise"}
HELP_CPU_SECONDS = 10  # several times what it takes, as the machine may be busy


@pytest.fixture(scope="module")
def orgsim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a fresh environment, into which the wheel and the pinned dependencies were installed."""
    folder = tmp_path_factory.mktemp("alone")
    wheels, environment = folder / "wheels", folder / "environment"
    run(UV, "build", "--quiet", "--wheel", "--out-dir", wheels, ROOT)
    run(UV, "venv", "--quiet", "--python", sys.executable, environment)
    install = (UV, "pip", "install", "--quiet", "--python", environment / "bin" / "python")
    run(*install, "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
    run(*install, "--no-deps", *wheels.glob("*.whl"))
    return environment / "bin" / "orgsim"


def run(
    *command: str | Path, cwd: Path | None = None, report_imports: bool = False
) -> "subprocess.CompletedProcess[str]":
    environment = environ(report_imports=report_imports)
    done = subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def environ(*, report_imports: bool) -> dict[str, str]:
    ours = ("PYTHONPATH", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PYTHONPROFILEIMPORTTIME": "1"} if report_imports else kept


def imported(report: str) -> set[str]:
    """The packages of `import time: self | cumulative | package.module`."""
    lines = (line for line in report.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@contextmanager
def serving(orgsim: Path, folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """(addresses, report of imports) of the command while it serves."""
    report = folder / "report"
    command = (orgsim, "serve", "--state", "state", "--port", "0", "--sandbox-port", "0", "--json")
    with report.open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environ(report_imports=True)
        )
    assert process.stdout
    try:
        lines = iter(process.stdout.readline, "}\n")
        yield orjson.loads("".join([*lines, "}"])), report
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_a_fresh_environment_seeds_and_serves_without_headwater(orgsim: Path, tmp_path: Path) -> None:
    user = (
        "--user",
        "ada@alone.example",
        "--password",
        "alone-password-1",
        "--app-key",
        "key",
        "--app-secret",
        "secret",
    )
    seeded = run(orgsim, "seed", "--state", "state", "--records", "200", *user, cwd=tmp_path, report_imports=True)
    with serving(orgsim, tmp_path) as (addresses, report):
        form = {"grant_type": "password", "username": "ada@alone.example", "password": "alone-password-1"}
        app = {"client_id": "key", "client_secret": "secret"}
        token = httpx2.post(f"{addresses['production']}/services/oauth2/token", data={**form, **app}).json()
        answer = httpx2.get(
            f"{addresses['production']}/services/data/v64.0/query?q=SELECT+COUNT()+FROM+Account",
            headers={"Authorization": f"Bearer {token['access_token']}"},
        ).json()
    assert answer["totalSize"] > 0
    for told in (seeded.stderr, report.read_text()):
        assert {"orgsim", "sqlite3"} <= imported(told)
        assert not imported(told) & FOREIGN


def test_help_needs_little_and_comes_soon(orgsim: Path, tmp_path: Path) -> None:
    run(orgsim, "--help")  # compiles
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(orgsim, "--help", cwd=tmp_path, report_imports=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "serve" in done.stdout
    assert not imported(done.stderr) & FOREIGN
    assert after.ru_utime - before.ru_utime < HELP_CPU_SECONDS
