"""How results of Bulk queries reach the client: the same bytes plain, compressed, over TLS and in pages."""

import csv
import gzip
import io
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from orgsim.server.run import Listening
from orgsim.testing import RunningOrgsim, running_orgsim
from orgsim.tls import ensure_tls_files

Finished = Callable[[str], dict[str, Any]]
VERSION = "/services/data/v60.0"
ROWS = 3000
# Longer in bytes than in letters, with everything that CSV must quote.
DESCRIPTION = 'Größe "ü", 日本\n%s | 😀' * 60
FIELDS = ("Id", "LastName", "Description", "NumberOfEmployees", "AnnualRevenue", "IsConverted", "CreatedDate")
QUERY = f"SELECT {', '.join(FIELDS)} FROM Lead ORDER BY Id"


@pytest.fixture(scope="module", autouse=True)
def leads(running: RunningOrgsim) -> None:
    writer = running.writer()
    with running.production.database.write():
        for number in range(ROWS):
            writer.insert("Lead", {"LastName": f"L{number:04d}", "Company": "C", "Description": DESCRIPTION})


@pytest.fixture
def results(client: httpx2.Client, finished: Finished) -> str:
    job = client.post("/jobs/query", json={"operation": "query", "query": QUERY}).json()
    path = f"/jobs/query/{job['id']}"
    assert finished(path)["state"] == "JobComplete"
    return f"{path}/results"


def raw(client: httpx2.Client, path: str, encoding: str, **params: str) -> tuple[httpx2.Headers, bytes]:
    with client.stream("GET", path, params=params, headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.conformance(area="Bulk API 2.0", feature="Results are compressed when the client asks", source="facts C.4")
def test_plain_and_compressed_results_are_the_same(client: httpx2.Client, results: str) -> None:
    plain_headers, plain = raw(client, results, "identity")
    headers, compressed = raw(client, results, "gzip")
    assert (headers["content-encoding"], plain_headers.get("content-encoding")) == ("gzip", None)
    assert len(compressed) < len(plain) == int(plain_headers["content-length"])
    assert gzip.decompress(compressed) == plain
    rows = list(csv.DictReader(io.StringIO(plain.decode(), newline="")))
    assert [row["LastName"] for row in rows] == [f"L{number:04d}" for number in range(ROWS)]
    assert {row["Description"] for row in rows} == {DESCRIPTION}
    assert {row["NumberOfEmployees"] + row["AnnualRevenue"] for row in rows} == {""}
    assert {row["IsConverted"] for row in rows} == {"false"}
    assert all(row["CreatedDate"].endswith(".000Z") for row in rows)


def test_pages_put_together_are_the_whole_result(client: httpx2.Client, results: str) -> None:
    _, whole = raw(client, results, "identity")
    pages, locator = [], ""
    while locator != "null":
        headers, page = raw(client, results, "identity", maxRecords="777", **({"locator": locator} if locator else {}))
        locator = headers["sforce-locator"]
        pages.append(page)
    header = whole[: whole.index(b"\n") + 1]
    assert all(page.startswith(header) for page in pages)
    assert header + b"".join(page.removeprefix(header) for page in pages) == whole


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(
    running: RunningOrgsim, client: httpx2.Client, results: str
) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    request = (
        f"GET {VERSION}{results} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {running.access_token()}\r\n\r\n"
    )
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert len(raw(client, results, "identity")[1]) > ROWS * len(DESCRIPTION)


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[tuple[RunningOrgsim, httpx2.Client]]:
    files = ensure_tls_files(tmp_path / "tls")
    listening = Listening(port=0, sandbox_port=0, certificate=files.certificate, key=files.key)
    with running_orgsim(tmp_path / "state", listening=listening) as running:
        headers = {"Authorization": f"Bearer {running.access_token()}"}
        trust = ssl.create_default_context(cafile=files.authority)
        with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers, verify=trust) as client:
            yield running, client


def test_results_come_over_tls_too(over_tls: tuple[RunningOrgsim, httpx2.Client]) -> None:
    running, client = over_tls
    writer = running.writer()
    with running.production.database.write():
        for number in range(600):
            writer.insert("Lead", {"LastName": f"L{number}", "Company": "C", "Description": DESCRIPTION * 2})
    job = client.post("/jobs/query", json={"operation": "query", "query": "SELECT Description FROM Lead"}).json()
    while client.get(f"/jobs/query/{job['id']}").json()["state"] != "JobComplete":
        continue
    _, plain = raw(client, f"/jobs/query/{job['id']}/results", "identity")
    rows = list(csv.DictReader(io.StringIO(plain.decode(), newline="")))
    assert [row["Description"] for row in rows] == [DESCRIPTION * 2] * 600


def test_a_query_of_every_field_is_answered(running: RunningOrgsim, client: httpx2.Client, finished: Finished) -> None:
    record_id = running.writer().insert("Contact", {"LastName": 'The "last"', "HasOptedOutOfEmail": True})
    names = [field.name for field in running.production.catalog().get("Contact").stored_fields]
    query = f"SELECT {', '.join(names)} FROM Contact"
    job = client.post("/jobs/query", json={"operation": "query", "query": query}).json()
    finished(f"/jobs/query/{job['id']}")
    [row] = csv.DictReader(io.StringIO(client.get(f"/jobs/query/{job['id']}/results").text))
    assert list(row) == names
    assert (row["Id"], row["LastName"], row["HasOptedOutOfEmail"]) == (record_id, 'The "last"', "true")
    assert (row["Email"], row["Birthdate"], row["LastViewedDate"]) == ("", "", "")
    assert len(names) > 40


def test_a_text_holds_no_nul(client: httpx2.Client, soql: Callable[[str], list[dict[str, Any]]]) -> None:
    made = client.post("/sobjects/Account", json={"Name": "Before\0after"}).json()
    assert soql(f"SELECT Name FROM Account WHERE Id = '{made['id']}'") == [{"Name": "Beforeafter"}]
