"""Bulk API 2.0 uploads: in one request, compressed, in every dialect; columns and sizes that are refused as a whole."""

import csv
import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from orgsim.ids import to_18
from orgsim.testing import RunningOrgsim

Finished = Callable[[str], dict[str, Any]]
DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "CARET": "^", "SEMICOLON": ";", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


def open_job(client: httpx2.Client, **more: str) -> str:
    """The path of a new job that inserts leads unless it is told otherwise."""
    answer = client.post("/jobs/ingest", json={"object": "Lead", "operation": "insert", **more})
    assert answer.status_code == 200, answer.text
    return f"/jobs/ingest/{answer.json()['id']}"


def load(client: httpx2.Client, finished: Finished, content: str | bytes, **more: str) -> tuple[str, dict[str, Any]]:
    """(path, description) of a job that has ended."""
    path = open_job(client, **more)
    content = content.encode() if isinstance(content, str) else content
    assert client.put(f"{path}/batches", content=content, headers={"Content-Type": "text/csv"}).status_code == 201
    assert client.patch(path, json={"state": "UploadComplete"}).status_code == 200
    return path, finished(path)


def rows(client: httpx2.Client, path: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(path).text, newline=""), delimiter=delimiter))


def form(job: str, content: str) -> dict[str, Any]:
    return {"job": (None, job, "application/json"), "content": ("content", content, "text/csv")}


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Job and data in one multipart request", source="api-asynch/create-a-job"
)
def test_a_small_load_takes_one_request(client: httpx2.Client, finished: Finished) -> None:
    job = '{"object": "Lead", "contentType": "CSV", "operation": "insert", "lineEnding": "LF"}'
    answer = client.post("/jobs/ingest", files=form(job, "LastName,Company\nPart,Multi\n"))
    made = answer.json()
    assert (answer.status_code, made["state"]) == (200, "UploadComplete")
    assert "contentUrl" not in made
    assert finished(f"/jobs/ingest/{made['id']}")["numberRecordsProcessed"] == 1
    [row] = rows(client, f"/jobs/ingest/{made['id']}/successfulResults")
    assert (row["LastName"], row["Company"]) == ("Part", "Multi")


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="More than 100,000 characters in one request", source="facts C.5", refused=True
)
def test_a_multipart_request_has_its_form_and_its_size(client: httpx2.Client) -> None:
    job = '{"object": "Lead", "operation": "insert"}'
    for content in (form(job, "LastName\n" + "x" * 100_001), {"job": (None, job)}, form("{", "LastName\n")):
        answer = client.post("/jobs/ingest", files=content)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")


@pytest.mark.conformance(area="Bulk API 2.0", feature="Compressed uploads", source="facts C.5")
@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_an_upload_may_be_compressed(
    client: httpx2.Client, finished: Finished, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    path = open_job(client)
    content = compress(f"LastName,Company\nSmall,{encoding}\n".encode())
    assert client.put(f"{path}/batches", content=content, headers={"Content-Encoding": encoding}).status_code == 201
    client.patch(path, json={"state": "UploadComplete"})
    assert finished(path)["numberRecordsFailed"] == 0
    assert rows(client, f"{path}/successfulResults")[0]["Company"] == encoding


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="An encoding that is not known or not kept", source="facts C.5", refused=True
)
def test_what_is_not_what_it_says_is_refused(client: httpx2.Client) -> None:
    path = open_job(client)
    for encoding, content, status in (
        ("br", b"x", 415),
        ("gzip", b"LastName\n", 400),
        ("gzip", gzip.compress(b"x")[:-4], 400),
    ):
        answer = client.put(f"{path}/batches", content=content, headers={"Content-Encoding": encoding})
        assert answer.status_code == status


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="More than 150 MB, as base64 counts", source="api-asynch/upload-job-data", refused=True
)
def test_an_upload_has_its_size(client: httpx2.Client) -> None:
    path = open_job(client)
    most = 150 * 1024 * 1024 // 4 * 3
    for size, status in ((most + 1, 413), (most, 201)):
        content = gzip.compress(b"x" * size, compresslevel=1)
        answer = client.put(f"{path}/batches", content=content, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == status
    assert client.patch(path, json={"state": "Aborted"}).status_code == 200
    assert client.delete(path).status_code == 204


def pieces_of(content: bytes) -> Iterator[bytes]:
    yield from (content[at : at + 65_536] for at in range(0, len(content), 65_536))


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Large uploads go to a file, never into memory", source="reference"
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_large_upload_takes_no_memory(client: httpx2.Client, encoding: str) -> None:
    size_bytes = 48 * 1024 * 1024
    content = b"LastName\n" + b"x" * size_bytes
    sent = gzip.compress(content, compresslevel=1) if encoding == "gzip" else content
    path = open_job(client)
    tracemalloc.start()
    try:
        headers = {"Content-Encoding": encoding}
        assert client.put(f"{path}/batches", content=pieces_of(sent), headers=headers).status_code == 201
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < size_bytes // 4
    assert client.patch(path, json={"state": "Aborted"}).status_code == 200
    assert client.delete(path).status_code == 204


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="CSV dialects of uploads and their results", source="api-asynch/prepare-csv-files"
)
@pytest.mark.parametrize("line_ending", LINE_ENDINGS)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_it_reads_and_writes_every_dialect(
    client: httpx2.Client, finished: Finished, delimiter: str, line_ending: str
) -> None:
    mark, end = DELIMITERS[delimiter], LINE_ENDINGS[line_ending]
    odd = f'with {mark} and "" and\nmore'
    text = f'LastName{mark}Company{end}Odd{mark}"{odd}"{end}{mark}Nameless{end}'
    path, job = load(client, finished, text, columnDelimiter=delimiter, lineEnding=line_ending)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    good = client.get(f"{path}/successfulResults").text
    assert good.startswith(f'"sf__Id"{mark}"sf__Created"{mark}"LastName"{mark}"Company"{end}"00Q')
    assert good.endswith(f'"Odd"{mark}"{odd}"{end}')
    [failed] = rows(client, f"{path}/failedResults", mark)
    assert (failed["sf__Id"], failed["LastName"], failed["Company"]) == ("", "", "Nameless")


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="An upload that is wrong as a whole fails its job", source="facts C.5", refused=True
)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("LastName,Nope__c\nx,y\n", "InvalidBatch : Field name not found : Nope__c"),
        ("LastName,Nope.Email\nx,y\n", "InvalidBatch : Unable to find relationship: Nope"),
        (
            "LastName,User:CreatedBy.Email\nx,y\n",
            "InvalidBatch : type is not needed for non polymorphic foreign key references: CreatedBy",
        ),
        (
            "LastName\r\nx\r\n",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        ("LastName,Company\nx,y,z\n", "InvalidBatch : a row has more cells than the header"),
        ("LastName\n" + "x" * 131_073 + "\n", "InvalidBatch : "),
        (",".join(["LastName"] * 5_001) + "\n", "InvalidBatch : Maximum number of fields exceeded: 5000"),
    ],
)
def test_a_wrong_upload_fails_its_job(client: httpx2.Client, finished: Finished, text: str, told: str) -> None:
    path, job = load(client, finished, text)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 0)
    assert job["errorMessage"].startswith(told)
    assert rows(client, f"{path}/failedResults") == []
    assert client.get(f"{path}/unprocessedrecords").status_code == 200


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Another line ending than the job's", source="facts C.5", refused=True
)
def test_a_line_ending_must_be_the_one_that_was_told(client: httpx2.Client, finished: Finished) -> None:
    path, job = load(client, finished, "LastName,Company\nx,y\n", lineEnding="CRLF")
    assert job["errorMessage"].endswith("Current LineEnding setting is CRLF")
    assert [row["LastName"] for row in rows(client, f"{path}/unprocessedrecords")] == ["x"]


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Records of more than 400,000 characters", source="facts C.5", refused=True
)
def test_a_record_has_its_size(client: httpx2.Client, finished: Finished) -> None:
    names = ["LastName", "Company", "Description", "Title"]
    text = f"{','.join(names)}\n{','.join(['x' * 100_001] * 4)}\n"
    _, job = load(client, finished, text)
    assert job["errorMessage"] == "InvalidBatch : Maximum number of characters in a record exceeded: 400000"


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Columns of polymorphic parents",
    source="api-asynch/relationship-fields-in-a-header-row-20",
)
def test_a_column_may_name_the_object_of_its_parent(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim
) -> None:
    writer = running.writer()
    lead = writer.insert("Lead", {"LastName": "Who", "Company": "C", "Email": "same@example.com"})
    contact = writer.insert("Contact", {"LastName": "Who", "Email": "same@example.com"})
    for kind, whom in (("Lead", lead), ("Contact", contact)):
        path, job = load(client, finished, f"Subject,{kind}:Who.Email\nCall,same@example.com\n", object="Task")
        assert job["numberRecordsFailed"] == 0
        [row] = rows(client, f"{path}/successfulResults")
        assert client.get(f"/sobjects/Task/{row['sf__Id']}").json()["WhoId"] == whom
    _, job = load(client, finished, "Subject,Who.Email\nCall,same@example.com\n", object="Task")
    assert job["errorMessage"].startswith("InvalidBatch : type is needed for polymorphic foreign key references: Who")


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="#N/A in a relationship column empties the lookup", source="facts C.5"
)
def test_na_empties_a_parent(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    boss = running.writer().insert("Contact", {"LastName": "Boss", "Email": "boss2@example.com"})
    hand = running.writer().insert("Contact", {"LastName": "Hand", "ReportsToId": boss})
    load(client, finished, f"Id,ReportsTo.Email\n{hand},#N/A\n", object="Contact", operation="update")
    assert client.get(f"/sobjects/Contact/{hand}").json()["ReportsToId"] is None


@pytest.mark.conformance(area="Bulk API 2.0", feature="Each row fails by itself", source="facts C.5")
def test_each_row_fails_by_itself(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    lead = running.writer().insert("Lead", {"LastName": "E", "Company": "C"})
    path, job = load(client, finished, f"Id,LastName,Company\n{lead},A,B\n,Fine,B\n")
    assert job["numberRecordsFailed"] == 1
    [failed] = rows(client, f"{path}/failedResults")
    assert failed["sf__Error"] == "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"
    keys = "Email,LastName,Company\nk@example.com,A,B\nK@example.com,C,D\nl@example.com,E,F\n"
    path, job = load(client, finished, keys, operation="upsert", externalIdFieldName="Email")
    assert job["numberRecordsFailed"] == 2
    assert {row["sf__Error"] for row in rows(client, f"{path}/failedResults")} == {
        "DUPLICATE_VALUE:Duplicate external id specified: k@example.com:Email --"
    }
    path, job = load(client, finished, f"Id,Title\n,T\n{to_18('00Q000000000001')},T\n", operation="update")
    assert [row["sf__Error"].partition(":")[0] for row in rows(client, f"{path}/failedResults")] == [
        "MISSING_ARGUMENT",
        "NOT_FOUND",
    ]


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="assignmentRuleId is taken and shown", source="api-asynch/create-a-job"
)
def test_an_assignment_rule_is_kept(client: httpx2.Client) -> None:
    path = open_job(client, assignmentRuleId="01Q000000000001AAA")
    assert client.get(path).json()["assignmentRuleId"] == "01Q000000000001AAA"


@pytest.mark.conformance(area="Bulk API 2.0", feature="Ingest before version 41", source="facts C.5", refused=True)
@pytest.mark.conformance(area="Bulk API 2.0", feature="sf__Id in failed results since version 53", source="facts C.5")
def test_older_versions_have_their_own_forms(client: httpx2.Client, running: RunningOrgsim, finished: Finished) -> None:
    path, _ = load(client, finished, "LastName\nx\n")
    base = f"{running.url}/services/data/v52.0"
    assert client.get(f"{base}{path}/failedResults").text.startswith('"sf__Error","LastName"\n')
    assert client.get(f"{running.url}/services/data/v40.0{path}").status_code == 404
