"""The same first import by other programmes, unmodified and pinned: those of the credits bench, and jsforce.

What they are told to do stands in benches/clients/. Not here: how Headwater is measured (ours.py).
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from benches.credits.objects import CONTACT, FIELDS, stamp_field
from benches.credits.peers import ROOT, Tap, programme
from benches.credits.records import PASSWORD, USERNAME
from benches.credits.stage import Stage
from benches.orgsim.measure import log_in
from benches.running import Ran, run

DLT, TAP, JSFORCE, SIMPLE_SALESFORCE = "dlt", "tap_salesforce", "jsforce", "simple_salesforce"
SOQL = f"SELECT {', '.join(FIELDS[CONTACT])} FROM {CONTACT}"  # noqa: S608  SOQL of the bench's own

Reading = Callable[[Stage], Ran]


def _dlt(stage: Stage) -> Ran:
    """Into a table of a DuckDB file, with types."""
    asked = {CONTACT: {"fields": FIELDS[CONTACT], "stamp": stamp_field(CONTACT)}}
    return _script(stage, "dlt", "load", "bulk1", {"objects": asked})


def _simple_salesforce(mode: str) -> Reading:
    """Into files of CSV, without types."""
    return lambda stage: _script(stage, "simple-salesforce", "download", mode, {"sobject": CONTACT, "soql": SOQL})


def _tap(stage: Stage) -> Ran:
    """Into a file of JSON lines. Its discovery was before, its memory and its work are not measured."""
    tap = Tap(stage, "BULK")
    tap.prepare()
    began = time.perf_counter()
    tap.read([CONTACT])
    seconds = time.perf_counter() - began
    with (stage.folder / "tap-salesforce-BULK" / "read.ndjson").open("rb") as lines:
        rows = sum(line.startswith(b'{"type": "RECORD"') for line in lines)
    return Ran(seconds, 0.0, 0.0, str(rows).encode())


def _jsforce(stage: Stage) -> Ran:
    """Into memory, without types. By plain HTTP, as it takes any address."""
    script = ROOT / "benches" / "clients" / "jsforce" / "run.mjs"
    environment = {**os.environ, "ORGSIM_URL": stage.url, "ORGSIM_TOKEN": log_in(stage.url)}
    return run(("node", "--max-old-space-size=8192", str(script), SOQL), environment)


# Those that take minutes for a million rows read a smaller org, and rows a second are compared.
SLOW: Mapping[str, Reading] = {DLT: _dlt, TAP: _tap, JSFORCE: _jsforce}
FAST: Mapping[str, Reading] = {
    SIMPLE_SALESFORCE: _simple_salesforce("bulk2"),
    f"{SIMPLE_SALESFORCE}_one_page": _simple_salesforce("bulk2-one-page"),
}


def _script(stage: Stage, name: str, job: str, mode: str, wish: Mapping[str, object]) -> Ran:
    folder = stage.folder / f"{name}-{mode}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    script: Path = ROOT / "benches" / "clients" / name / "run.py"
    environment = {**stage.environment_of_peers(), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = (programme(name, "python"), str(script), job, mode, str(folder))
    given = orjson.dumps({"username": USERNAME, "password": PASSWORD, **wish})
    try:
        return run(command, environment, given=given)
    finally:
        shutil.rmtree(folder)
