"""If-Modified-Since and its kin, on describes and on rows: 304 and 412, each for its credit."""

from collections.abc import Iterator

import httpx2
import pytest

from orgsim.clock import ClockSetting
from orgsim.testing import RunningOrgsim

DESCRIBES = ["/sobjects", "/sobjects/Lead", "/sobjects/Lead/describe"]


@pytest.fixture
def later(running: RunningOrgsim) -> Iterator[None]:
    """Puts the clock back after a test that moved it."""
    yield
    running.state.set_clock(ClockSetting())


@pytest.mark.parametrize("path", DESCRIBES)
@pytest.mark.conformance(
    area="REST", feature="304 and 412 on describes, by date and by tag", source="rest-api/conditional-requests"
)
@pytest.mark.conformance(
    area="REST",
    feature="Basic information of an object",
    source="rest-api/sobject-basic-info",
    endpoint="GET /sobjects/{sobject}",
)
def test_a_describe_is_sent_again_only_when_it_has_changed(
    client: httpx2.Client, running: RunningOrgsim, path: str
) -> None:
    first = client.get(path)
    before = running.production.usage.total_credits()
    again = client.get(path, headers={"If-Modified-Since": first.headers["last-modified"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert running.production.usage.total_credits() - before == 1
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(path, headers={"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}).status_code == 200
    assert client.get(path, headers={"If-Modified-Since": "yesterday"}).status_code == 200
    old = client.get(path, headers={"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"})
    assert (old.status_code, old.json()[0]["errorCode"]) == (412, "PRECONDITION_FAILED")


@pytest.mark.usefixtures("later")
@pytest.mark.conformance(
    area="REST", feature="A changed schema makes describes new", source="rest-api/conditional-requests"
)
def test_a_schema_change_makes_a_describe_new(client: httpx2.Client, running: RunningOrgsim) -> None:
    known = {"If-Modified-Since": client.get("/sobjects").headers["last-modified"]}
    running.state.set_clock(ClockSetting(offset_seconds=3600))
    running.production.change_sobject(running.production.catalog().get("Lead"))
    assert client.get("/sobjects/Lead/describe", headers=known).status_code == 200


@pytest.mark.usefixtures("later")
@pytest.mark.conformance(area="REST", feature="304 and 412 on records, by date", source="rest-api/conditional-requests")
def test_a_row_is_sent_again_only_when_it_has_changed(client: httpx2.Client, running: RunningOrgsim) -> None:
    path = f"/sobjects/Lead/{running.writer().insert('Lead', {'LastName': 'Ek', 'Company': 'Ask'})}"
    first = client.get(path)
    assert "etag" not in first.headers
    known = {"If-Modified-Since": first.headers["last-modified"]}
    assert client.get(path, headers=known).status_code == 304
    running.state.set_clock(ClockSetting(offset_seconds=3600))
    assert client.patch(path, json={"Company": "Alm"}).status_code == 204
    assert client.get(path, headers=known).json()["Company"] == "Alm"
    since = {"If-Unmodified-Since": first.headers["last-modified"]}
    assert client.patch(path, json={"Company": "Asp"}, headers=since).status_code == 412
    assert client.delete(path, headers=since).status_code == 412
    assert client.get(path).json()["Company"] == "Alm"


@pytest.mark.conformance(area="REST", feature="ETag on accounts", source="rest-api/conditional-requests")
def test_an_account_has_a_tag_that_follows_its_values(client: httpx2.Client, running: RunningOrgsim) -> None:
    path = f"/sobjects/Account/{running.writer().insert('Account', {'Name': 'Tagged'})}"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(path, json={"Name": "Retagged"}, headers={"If-Match": tag}).status_code == 204
    assert client.patch(path, json={"Name": "Lost"}, headers={"If-Match": tag}).status_code == 412
    assert client.get(path, headers={"If-None-Match": tag}).json()["Name"] == "Retagged"
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 204


@pytest.mark.conformance(
    area="REST",
    feature="Conditions of a composite's parts",
    source="rest-api/conditional-requests",
    endpoint="POST /composite",
)
def test_a_composite_passes_the_condition_on(client: httpx2.Client) -> None:
    known = client.get("/sobjects/Lead/describe").headers["last-modified"]
    request = {
        "method": "GET",
        "url": "/services/data/v60.0/sobjects/Lead/describe",
        "referenceId": "d",
        "httpHeaders": {"If-Modified-Since": known},
    }
    [answer] = client.post("/composite", json={"compositeRequest": [request]}).json()["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"]) == (304, None)
    assert answer["httpHeaders"]["Last-Modified"] == known
    assert set(answer["httpHeaders"]) == {"ETag", "Last-Modified"}
