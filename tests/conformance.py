"""Makes docs/orgsim/conformance.md from the `conformance` marks on tests: what orgsim does, and which test shows it.

`python tests/conformance.py` writes the page anew, `--print` only says it; a test compares the two. Nothing is run
here: that the tests pass is the suite's business.
"""

import contextlib
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orgsim.bulk1.resource import ENDPOINTS as BULK_1_ENDPOINTS
from orgsim.rest.endpoints import ENDPOINTS
from orgsim.server.admin import ROUTES as SIDE_DOOR
from orgsim.server.app import ROUTES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "orgsim" / "conformance.md"
SHOWN_IN = ("tests/integration/orgsim", "tests/integration/clients", "tests/unit/orgsim", "tests/e2e")
AREAS = (
    "OAuth and identity",
    "SOQL",
    "REST",
    "Bulk API 2.0",
    "Bulk API 1",
    "Metadata",
    "Truth about data",
    "Limits",
    "Levers",
    "Reaching it",
    "Real clients",
)
_LED_ON = ("/services/data",)  # only GET is answered there, by gate.answer
# What orgsim's own tables needed has been imported before pytest could prepare it, which matters to no assertion here.
_OPTIONS = ("--collect-only", "-qq", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_KEYWORDS = {"refused": False, "endpoint": ""}
_INTRODUCTION = """\
# What orgsim does, line by line

Made from the marks on the tests by `make conformance`; do not edit. Each line is shown by the tests named beside it,
nearly all over HTTP against a running org. **refused** means that orgsim says no, clearly and in Salesforce's form.
"facts C.4" is a section of [how Salesforce behaves](../reference/salesforce-facts.md), "reference" is
[orgsim's own page](reference.md); other names are pages of Salesforce's or the client's documentation.

"""
_ENDPOINTS_HEAD = """\
## Endpoints

Every address orgsim answers at. Those that begin with `/query`, `/sobjects` and so on stand behind
`/services/data/v60.0`; every other version from 31.0 to 67.0 has them too.

| endpoint | follows | shown by |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One mark on one test. `endpoint` names methods and paths of orgsim's own tables, separated by commas, or none."""

    area: str
    feature: str
    source: str
    refused: bool
    endpoint: str
    test: str

    @property
    def answer(self) -> str:
        return "**refused**" if self.refused else "supported"

    @property
    def endpoints(self) -> list[str]:
        return self.endpoint.split(", ") if self.endpoint else []


class Collector:
    """A pytest plugin that keeps the marks of what was collected."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()
        self.mistakes: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for mark in item.iter_markers("conformance"):
            self._keep(item, mark)

    def _keep(self, item: pytest.Item, mark: pytest.Mark) -> None:
        given = {**_KEYWORDS, **mark.kwargs}
        name = item.nodeid.partition("[")[0].rpartition("::")[2]
        is_whole = not mark.args and set(given) == {"area", "feature", "source", *_KEYWORDS}
        line = Line(**given, test=name) if is_whole and given["area"] in AREAS else None
        if line is None or not set(line.endpoints) <= set(endpoints()):
            self.mistakes.append(f"{item.nodeid}: {mark.args} {mark.kwargs}")
        else:
            self.lines.add(line)


def endpoints() -> Iterator[str]:
    """`GET /query` and so on, from the tables by which orgsim itself finds what to answer."""
    for endpoint in ENDPOINTS:
        yield f"{endpoint.method} {endpoint.path.replace(':path', '')}"
    for endpoint in BULK_1_ENDPOINTS:
        yield f"{endpoint.method} /services/async/{{version}}{endpoint.path}"
    for path, _, *methods in ROUTES:
        if path not in _LED_ON and "{rest" not in path:
            yield from (f"{method} {path}" for method in methods)
    yield "GET /services/data"
    for method, path, _ in SIDE_DOOR:
        yield f"{method} {path}"


def collect() -> list[Line]:
    """All marks of the suite. Raises ValueError for a mark that is not as pyproject.toml says."""
    collector, said = Collector(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main([*_OPTIONS, "--rootdir", str(ROOT), *(str(ROOT / each) for each in SHOWN_IN)], [collector])
    if code != pytest.ExitCode.OK:
        raise ValueError(f"The tests could not be collected: {code!r}\n{said.getvalue()}")
    if collector.mistakes:
        raise ValueError("Marks that pyproject.toml does not allow:\n" + "\n".join(collector.mistakes))
    return sorted(collector.lines, key=lambda line: (AREAS.index(line.area), line.feature.casefold(), line.test))


def page(lines: list[Line]) -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION, _contents(lines), _ENDPOINTS_HEAD, *_endpoint_rows(lines), "\n"]
    for area, of_area in itertools.groupby(lines, key=lambda line: line.area):
        rows = [
            _row(feature, list(same)) for feature, same in itertools.groupby(of_area, key=lambda line: line.feature)
        ]
        parts.append(f"## {area}\n\n| feature | | follows | shown by |\n|---|---|---|---|\n" + "".join(rows) + "\n")
    return "".join(parts).rstrip() + "\n"


def _contents(lines: list[Line]) -> str:
    rows = ["| area | supported | refused | tests |\n|---|---:|---:|---:|\n"]
    for area, of_area in itertools.groupby(lines, key=lambda line: line.area):
        kept = list(of_area)
        refused = {line.feature for line in kept if line.refused}
        supported = {line.feature for line in kept} - refused
        link = re.sub(r"[^\w-]", "", area.lower().replace(" ", "-"))
        tests = {line.test for line in kept}
        rows.append(f"| [{area}](#{link}) | {len(supported)} | {len(refused)} | {len(tests)} |\n")
    return "".join(rows) + "\n"


def _endpoint_rows(lines: list[Line]) -> Iterator[str]:
    for endpoint in dict.fromkeys(endpoints()):
        same = [line for line in lines if endpoint in line.endpoints]
        yield f"| `{endpoint}` | {_sources(same)} | {_tests(same)} |\n"


def _row(feature: str, same: list[Line]) -> str:
    return f"| {_cell(feature)} | {_joined(line.answer for line in same)} | {_sources(same)} | {_tests(same)} |\n"


def _sources(lines: list[Line]) -> str:
    return _cell(_joined(line.source for line in lines))


def _tests(lines: list[Line]) -> str:
    return _joined(f"`{line.test}`" for line in lines)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(set(texts)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    made = page(collect())
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(made)
    else:
        PAGE.write_text(made)
