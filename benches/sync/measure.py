"""What is measured at each size of the org, and the numbers that come of it. Whatever was measured is kept at once.

Not here: the programmes (ours.py, floor.py, peers.py) and the org (records.py).
"""

import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import orjson

from benches.credits.records import touch_contacts
from benches.credits.stage import Stage, serving
from benches.orgsim.measure import DATA, log_in
from benches.orgsim.processes import free_port
from benches.report import tell
from benches.running import Ran, run
from benches.sync.ours import Installation
from benches.sync.peers import DLT, FAST, JSFORCE, SIMPLE_SALESFORCE, SLOW, SOQL, TAP
from benches.sync.records import grow

MILLION = 1_000_000
PROMISED = (
    "floor_time_over_ours_ratio", "ours_over_dlt_rows_per_second_ratio",
    "ours_over_simple_salesforce_rows_per_second_ratio",
    "peak_memory_mb_1m", "peak_memory_mb_5m", "growth_exponent", "cycle_10k_into_5m_seconds",
)  # fmt: skip
_POLL_SECONDS = 0.1
# The floor's ways; what the ratio is taken with is the fastest of those into a table.
FLOORS = (("table", "identity"), ("table", "gzip"), ("parquet", "identity"))
_MOST_ROWS = 10_000_000

Numbers = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Contacts of the three orgs, and how many change in the largest. runs: how often each of the smaller is read."""

    records: int
    runs: int

    @property
    def small(self) -> int:
        return max(1, self.records // 10)

    @property
    def large(self) -> int:
        return self.records * 5

    @property
    def changed(self) -> int:
        return max(1, self.records // 100)


class Kept:
    """Measurements in a file, so that a bench that was stopped goes on behind the last of them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "measured.json"
        self._all: dict[str, Any] = orjson.loads(self._file.read_bytes()) if self._file.exists() else {}

    def has(self, *names: str) -> bool:
        return all(name in self._all for name in names)

    def once(self, name: str, measure: Callable[[], Any]) -> Any:
        if name not in self._all:
            tell(name)
            began = time.perf_counter()
            self._all[name] = measure()
            self._file.write_bytes(orjson.dumps(self._all, option=orjson.OPT_INDENT_2))
            tell(f"{name}: {time.perf_counter() - began:,.0f} s")
        return self._all[name]


def measure(folder: Path, sizes: Sizes, *, with_peers: bool) -> Numbers:
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder)
    if kept.once("records", lambda: sizes.records) != sizes.records:
        raise SystemExit(f"{folder} belongs to a run with another number of records.")
    return Numbers(kept.once("numbers", partial(_measure, folder, kept, sizes, with_peers=with_peers)))


def _measure(folder: Path, kept: Kept, sizes: Sizes, *, with_peers: bool) -> Numbers:
    callback_port = kept.once("callback port", free_port)
    peers = (SLOW, FAST) if with_peers else ({}, {})
    with _org(folder, sizes.small, callback_port) as stage:
        for name, reading in peers[0].items():
            kept.once(f"{name} {sizes.small}", partial(_peer, stage, reading))
        small = [kept.once(f"ours {sizes.small} {run}", partial(_import, stage)) for run in range(sizes.runs)]
    with _org(folder, sizes.records, callback_port) as stage:
        middle, floors = _side_by_side(stage, kept, sizes)
        for name, reading in peers[1].items():
            kept.once(f"{name} {sizes.records}", partial(_peer, stage, reading))
    with _org(folder, sizes.large, callback_port) as stage:
        large, cycle = kept.once(f"ours {sizes.large}", partial(_import_and_cycle, stage, sizes.changed))
    measured_peers = {
        name: kept.once(f"{name} {size}", dict)
        for of_size, size in zip(peers, (sizes.small, sizes.records), strict=True)
        for name in of_size
    }
    return numbers_of(
        sizes, {sizes.small: small, sizes.records: middle, sizes.large: [large]}, floors, cycle, measured_peers
    )


@contextmanager
def _org(folder: Path, contacts: int, callback_port: int) -> Iterator[Stage]:
    """Grown from the one before, where it is not as large yet."""
    tell(f"an org of {contacts:,} contacts")
    grow(folder / "org", contacts, f"http://localhost:{callback_port}/OauthRedirect")
    with serving(folder, folder / "org", callback_port) as stage:
        yield stage


def _import(stage: Stage) -> dict[str, Any]:
    installation = Installation(stage, "ours")
    try:
        return asdict(installation.sync())
    finally:
        installation.remove()


def _import_and_cycle(stage: Stage, changed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    installation = Installation(stage, "ours")
    try:
        imported = installation.sync()
        touch_contacts(stage.state, changed)
        return asdict(imported), asdict(installation.sync())
    finally:
        installation.remove()


def _side_by_side(
    stage: Stage, kept: Kept, sizes: Sizes
) -> tuple[list[dict[str, Any]], dict[tuple[str, str], list[float]]]:
    """In turn, so that what else the machine does meets both."""
    ours: list[dict[str, Any]] = []
    floors: dict[tuple[str, str], list[float]] = {way: [] for way in FLOORS}
    url = ""
    for number in range(sizes.runs):
        ours.append(kept.once(f"ours {sizes.records} {number}", partial(_import, stage)))
        for kind, encoding in FLOORS:
            name = f"floor {kind} {encoding} {sizes.records} {number}"
            if not kept.has(name):
                url = url or _ready_result(stage, ours[0]["page_rows"])[0]
            read = kept.once(name, partial(_floor, stage, url, kind, encoding))
            floors[kind, encoding].append(read["seconds"])
    return ours, floors


def _floor(stage: Stage, url: str, kind: str, encoding: str) -> dict[str, Any]:
    store = stage.folder / "floor.duckdb"
    command = (sys.executable, "-m", "benches.sync.floor", url, str(store), kind, encoding)
    try:
        ran = run(command, os.environ, given=log_in(stage.url).encode())
    finally:
        for left in stage.folder.glob("floor.*"):
            left.unlink()
    return {**_told(ran), "rows": int(ran.told)}


def _ready_result(stage: Stage, page_rows: int) -> tuple[str, float]:
    """The address of a finished job's result, and how long the org took for it."""
    token, began = log_in(stage.url), time.perf_counter()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=stage.url + DATA, headers=headers, timeout=None) as client:
        wish = {"operation": "queryAll", "query": f"{SOQL} WHERE IsDeleted = false"}
        job = client.post("/jobs/query", json=wish).raise_for_status().json()["id"]
        while (state := client.get(f"/jobs/query/{job}").raise_for_status().json()["state"]) != "JobComplete":
            if state in ("Failed", "Aborted"):
                raise RuntimeError(f"The job ended as {state}.")
            time.sleep(_POLL_SECONDS)
    most = page_rows or _MOST_ROWS
    return f"{stage.url}{DATA}/jobs/query/{job}/results?maxRecords={most}", time.perf_counter() - began


def _peer(stage: Stage, reading: Callable[[Stage], Any]) -> dict[str, Any]:
    """What the org's own job takes is taken off, as it is not the peer's doing."""
    _, job_seconds = _ready_result(stage, 0)
    ran = reading(stage)
    return {**_told(ran), "seconds": ran.seconds - job_seconds, "rows": int(ran.told)}


def _told(ran: Ran) -> dict[str, float]:
    return {"seconds": ran.seconds, "cpu_seconds": ran.cpu_seconds, "peak_memory_mb": ran.peak_memory_mb}


def numbers_of(
    sizes: Sizes,
    ours: Mapping[int, Sequence[Mapping[str, Any]]],
    floors: Mapping[tuple[str, str], Sequence[float]],
    cycle: Mapping[str, Any],
    peers: Mapping[str, Mapping[str, float]],
) -> Numbers:
    seconds = {size: statistics.median(each["seconds"] for each in runs) for size, runs in ours.items()}
    floor = {way: statistics.median(each) for way, each in floors.items()}
    rows_per_second = sizes.records / seconds[sizes.records]
    best_floor = min(taken for (kind, _), taken in floor.items() if kind == "table")
    numbers: Numbers = {
        **dict.fromkeys(PROMISED),
        "floor_time_over_ours_ratio": best_floor / seconds[sizes.records],
        "growth_exponent": _growth_exponent(seconds),
        f"cycle_{label(sizes.changed)}_into_{label(sizes.large)}_seconds": cycle["seconds"],
        f"cycle_{label(sizes.changed)}_into_{label(sizes.large)}_peak_memory_mb": cycle["peak_memory_mb"],
        "contacts_records": sizes.records,
        "import_rows_per_second": rows_per_second,
        "import_fetches": ours[sizes.records][0]["pages"],
        "parquet_floor_time_over_ours_ratio": floor["parquet", "identity"] / seconds[sizes.records],
    }
    for size, runs in ours.items():
        numbers[f"import_{label(size)}_seconds"] = seconds[size]
        numbers[f"peak_memory_mb_{label(size)}"] = max(each["peak_memory_mb"] for each in runs)
    for (kind, encoding), taken in floor.items():
        numbers[f"floor_{kind}_{encoding}_seconds"] = taken
    return numbers | _beside_peers(peers, rows_per_second)


def _beside_peers(peers: Mapping[str, Mapping[str, float]], rows_per_second: float) -> Numbers:
    found: Numbers = {}
    for name, read in peers.items():
        found[f"{name}_rows"] = read["rows"]
        found[f"{name}_rows_per_second"] = read["rows"] / read["seconds"]
    for name in (DLT, TAP, JSFORCE, SIMPLE_SALESFORCE):
        ways = [
            rate for key, rate in found.items() if rate and key.startswith(name) and key.endswith("_rows_per_second")
        ]
        if ways:
            found[f"ours_over_{name}_rows_per_second_ratio"] = rows_per_second / max(ways)
    return found


def _growth_exponent(seconds: Mapping[int, float]) -> float:
    """The slope of a line through the logarithms of rows and seconds: 1 is linear, 2 is quadratic."""
    return statistics.linear_regression(
        [math.log(size) for size in seconds], [math.log(each) for each in seconds.values()]
    ).slope


def label(count: int) -> str:
    """`100k`, `5m`: how a number of records stands in a key."""
    if count >= MILLION and count % MILLION == 0:
        return f"{count // MILLION}m"
    return f"{count // 1000}k" if count >= 1000 and count % 1000 == 0 else str(count)
