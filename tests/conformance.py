"""Makes docs/orgsim/conformance.md from the `conformance` marks on tests: what orgsim does, and which test shows it.

`python tests/conformance.py` writes the page anew; a test compares it with what is collected. Nothing is run here:
that the tests pass is the suite's business.
"""

import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

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
_INTRODUCTION = """\
# What orgsim does, line by line

Made from the marks on the tests by `make conformance`; do not edit. Each line is shown by the tests named beside it, over
HTTP, against a running org. **refused** means that orgsim says no, clearly and in Salesforce's form, and that a test shows it.
"facts C.4" is a section of [how Salesforce behaves](../reference/salesforce-facts.md); other names are pages of
Salesforce's own documentation.

"""


@dataclass(frozen=True, slots=True)
class Line:
    """One mark on one test. `endpoint` is a method and a path of orgsim's own table, where the mark names one."""

    area: str
    feature: str
    source: str
    refused: bool
    endpoint: str
    test: str

    @property
    def answer(self) -> str:
        return "refused" if self.refused else "supported"


class Collector:
    """A pytest plugin that keeps the marks of what was collected."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()
        self.mistakes: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for mark in item.iter_markers("conformance"):
            self._keep(item, mark)

    def _keep(self, item: pytest.Item, mark: pytest.Mark) -> None:
        given = {"refused": False, "endpoint": "", **mark.kwargs}
        name = item.nodeid.partition("[")[0].rpartition("::")[2]
        wrong = mark.args or set(given) != {"area", "feature", "source", "refused", "endpoint"}
        if wrong or given["area"] not in AREAS:
            self.mistakes.append(f"{item.nodeid}: {mark.args} {mark.kwargs}")
        else:
            self.lines.add(Line(**given, test=name))


def collect() -> list[Line]:
    """All marks of the suite. Raises ValueError for a mark that is not as pyproject.toml says."""
    collector = Collector()
    folders = [folder for folder in SHOWN_IN if (ROOT / folder).is_dir()]
    code = pytest.main(["--collect-only", "-qq", "--rootdir", str(ROOT), *folders], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise ValueError(f"The tests could not be collected: {code!r}")
    if collector.mistakes:
        raise ValueError("Marks with other words than area, feature, source: " + "; ".join(collector.mistakes))
    return sorted(collector.lines, key=lambda line: (AREAS.index(line.area), line.feature.casefold(), line.test))


def page(lines: list[Line]) -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION, _contents(lines)]
    for area, of_area in itertools.groupby(lines, key=lambda line: line.area):
        rows = [_row(feature, list(same)) for feature, same in itertools.groupby(of_area, key=lambda line: line.feature)]
        parts.append(f"## {area}\n\n| feature | | follows | shown by |\n|---|---|---|---|\n" + "".join(rows) + "\n")
    return "".join(parts).rstrip() + "\n"


def _contents(lines: list[Line]) -> str:
    rows = ["| area | supported | refused | tests |\n|---|---:|---:|---:|\n"]
    for area, of_area in itertools.groupby(lines, key=lambda line: line.area):
        kept = list(of_area)
        refused = {line.feature for line in kept if line.refused}
        supported = {line.feature for line in kept} - refused
        link = area.lower().replace(" ", "-").replace(".", "")
        tests = {line.test for line in kept}
        rows.append(f"| [{area}](#{link}) | {len(supported)} | {len(refused)} | {len(tests)} |\n")
    return "".join(rows) + "\n"


def _row(feature: str, same: list[Line]) -> str:
    answers, sources = _joined(line.answer for line in same), _joined(line.source for line in same)
    tests = _joined(f"`{line.test}`" for line in same)
    return f"| {_cell(feature)} | {answers} | {_cell(sources)} | {tests} |\n"


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(set(texts)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(page(collect()))
    else:
        PAGE.write_text(page(collect()))
