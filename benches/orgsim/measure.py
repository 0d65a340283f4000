"""What is measured of a serving orgsim. Rivals are measured in turn, so that what else the machine does meets both."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx2

from benches.orgsim.processes import static_serving
from benches.orgsim.reading import read_pages, seconds_by_curl, seconds_by_reader
from benches.orgsim.records import APP_KEY, APP_SECRET, PASSWORD, USERNAME
from benches.report import tell

DATA = "/services/data/v64.0"
FIELDS = (
    "Id", "AccountId", "LastName", "FirstName", "Name", "Email", "Title", "Phone", "Department", "LeadSource",
    "MailingCity", "MailingState", "MailingCountry", "HasOptedOutOfEmail", "OwnerId", "IsDeleted", "CreatedDate",
    "LastModifiedDate", "SystemModstamp", "CreatedById",
)  # fmt: skip
QUERY = f"SELECT {', '.join(FIELDS)} FROM Contact"  # noqa: S608  SOQL of names written above
SCAN = "SELECT COUNT() FROM Contact WHERE Title LIKE '%nobody%'"
SOQL_PAGES = 20
PARALLEL_CLIENTS = 20
_MIB = 1024 * 1024
_POLL_SECONDS = 0.05
_FILE = "results.csv"

Numbers = dict[str, float | str]


def log_in(url: str) -> str:
    form = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
    app = {"client_id": APP_KEY, "client_secret": APP_SECRET}
    answer = httpx2.post(f"{url}/services/oauth2/token", data={**form, **app}).raise_for_status()
    return str(answer.json()["access_token"])


def bulk_query(url: str, token: str, folder: Path, runs: int) -> Numbers:
    """The job's own time, then its finished results beside the same bytes as a static file."""
    with httpx2.Client(base_url=url + DATA, headers={"Authorization": f"Bearer {token}"}, timeout=None) as client:
        job, job_seconds = _finished_job(client)
    results = f"{DATA}/jobs/query/{job}/results"
    with (folder / _FILE).open("wb") as file:
        rows, size_bytes = read_pages(url, token, results, file)
    tell(f"reading {rows:,} rows {runs} times, beside a static file")
    with static_serving(folder) as (server, static_url):
        medians = _medians(
            {
                "bulk": lambda: _timed(lambda: read_pages(url, token, results)),
                "reader": lambda: seconds_by_reader(static_url, f"/{_FILE}"),
                "curl": lambda: seconds_by_curl(f"{static_url}/{_FILE}"),
            },
            runs,
        )
    return {
        "bulk_query_over_static_file_speed_ratio": min(medians["reader"], medians["curl"]) / medians["bulk"],
        "bulk_query_read_seconds": medians["bulk"],
        "static_file_read_seconds": medians["reader"],
        "static_file_curl_seconds": medians["curl"],
        "static_server": server,
        "bulk_query_rows": rows,
        "bulk_query_mb": size_bytes / _MIB,
        "bulk_query_rows_per_second": rows / medians["bulk"],
        "bulk_job_seconds": job_seconds,
        "bulk_job_rows_per_second": rows / job_seconds,
    }


def soql_pages(url: str, token: str) -> Numbers:
    """A query of all contacts, in pages of 2,000 records."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=None) as client:
        began = time.perf_counter()
        page = client.get(f"{DATA}/query?q={quote(QUERY)}").raise_for_status().json()
        first_seconds = time.perf_counter() - began
        seconds: list[float] = []
        while not page["done"] and len(seconds) < SOQL_PAGES:
            began = time.perf_counter()
            answer = client.get(page["nextRecordsUrl"]).raise_for_status()
            seconds.append(time.perf_counter() - began)
            page = answer.json()
    return {
        "soql_first_page_ms": first_seconds * 1000,
        "soql_page_ms": statistics.median(seconds or [first_seconds]) * 1000,
    }


def parallel_scans(url: str, token: str) -> Numbers:
    """Many clients at once, each reading through all contacts: what each connection keeps in memory adds up."""
    query = f"{url}{DATA}/query?q={quote(SCAN)}"
    headers = {"Authorization": f"Bearer {token}"}

    def scan() -> None:
        httpx2.get(query, headers=headers, timeout=None).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(PARALLEL_CLIENTS) as pool:
        for scanned in [pool.submit(scan) for _ in range(PARALLEL_CLIENTS)]:
            scanned.result()
    return {f"soql_{PARALLEL_CLIENTS}_parallel_scans_seconds": time.perf_counter() - began}


def _finished_job(client: httpx2.Client) -> tuple[str, float]:
    began = time.perf_counter()
    job = client.post("/jobs/query", json={"operation": "query", "query": QUERY}).raise_for_status().json()["id"]
    while (state := client.get(f"/jobs/query/{job}").raise_for_status().json()["state"]) != "JobComplete":
        if state in ("Failed", "Aborted"):
            raise RuntimeError(f"The job ended as {state}.")
        time.sleep(_POLL_SECONDS)
    return job, time.perf_counter() - began


def _medians(rivals: dict[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """One run of each is thrown away: it warms the caches."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for run in range(runs + 1):
        for name, measure in rivals.items():
            taken = measure()
            if run:
                seconds[name].append(taken)
    return {name: statistics.median(each) for name, each in seconds.items()}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
