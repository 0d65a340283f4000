"""What the code knows, the reference pages name: error codes, checks, settings, commands, fields; and what it cites."""

import re
import runpy
from pathlib import Path

import pytest

from headwater.connections.package import BUYER_ATTRIBUTION_TOUCHPOINT, BUYER_TOUCHPOINT, FIELDS
from headwater.lake import Column, TableParts, TableSchema, canonical_type, checksum, open_snapshot, write_part_from_csv
from headwater.sync.objects import DAILY, OBJECTS, SMALL

ROOT = Path(__file__).parents[3]
SOURCES = {path: path.read_text() for path in (ROOT / "src" / "headwater").rglob("*.py")}
_ROOMS = (
    "accounts|api|api_keys|attribution|cli|connections|credits|demo|export|jobs|lake|results|salesforce|signin|sync|web"
)
_RAISED = re.compile(
    rf'(?:Wait|Fix|Skip|Bug|Exhaustion|Notice)\(\s*"([a-z_]+\.[a-z_0-9]+)"|Outcome\([^"]*"((?:{_ROOMS})\.[a-z_]+)"'
)


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / f"{name}.md").read_text()


def headings(name: str) -> set[str]:
    return {line[3:].strip() for line in page(name).splitlines() if line.startswith("## ")}


def test_every_error_code_has_its_section_and_every_section_its_code() -> None:
    raised = {first or second for text in SOURCES.values() for first, second in _RAISED.findall(text)}
    assert raised == headings("errors")


def test_every_check_has_its_section() -> None:
    found = set(re.findall(r'"([a-z]+\.[EW]\d{3})"', SOURCES[ROOT / "src/headwater/cli/check.py"]))
    assert found == headings("checks")


def test_every_setting_of_the_machine_is_listed() -> None:
    text = SOURCES[ROOT / "src/headwater/settings.py"]
    read = {f"HEADWATER_{name}" for name in re.findall(r'(?:env\.\w+|_secret)\("([A-Z_]+)"', text)}
    listed = set(re.findall(r"`(HEADWATER_[A-Z_]+)`", page("settings")))
    assert read <= listed
    assert listed - {"HEADWATER_"} <= read


def test_every_command_has_its_section() -> None:
    pattern = r'app\.(?:command\(|add_typer\(\w+\.app, name=)"([\w-]+)"\)'
    named = set(re.findall(pattern, SOURCES[ROOT / "src/headwater/cli/app.py"]))
    assert {f"headwater {name}" for name in named} == headings("commands")


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=str)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


# Citations: code and tests name facts and promises by number; the pages must know the numbers.

_THIS = Path(__file__)
CITING = [
    path
    for folder, pattern in (("src", "*.py"), ("src", "*.sql"), ("src", "*.lark"), ("tests", "*.py"), ("docs", "*.md"))
    for path in sorted((ROOT / folder).rglob(pattern))
    if path not in (_THIS, ROOT / "docs" / "reference" / "salesforce-facts.md")
]
_FACT = r"[0A-H](?:\.\d+)?"
_FACTS = re.compile(rf"\bfacts? ({_FACT}(?:(?:,| to| and)(?: costs)? {_FACT})*)(?![\w.]\w)")
_ROWS = re.compile(r"\brows? ([A-D]\d+(?:(?:,| to| and) [A-D]\d+)*)", re.IGNORECASE)


def cited(pattern: re.Pattern[str]) -> set[str]:
    """Each number that is cited; `A.2 to A.6` cites all between."""
    found = set()
    for path in CITING:
        for citation in pattern.findall(path.read_text()):
            numbers = re.findall(r"[0A-H]\.?\d*", citation)
            found |= set(numbers)
            if " to " in citation:
                first, last = (int(re.sub(r"\D", "", number[1:])) for number in (numbers[0], numbers[-1]))
                found |= {re.sub(r"\d+$", str(number), numbers[0]) for number in range(first, last)}
    return found


def test_every_cited_fact_has_its_section() -> None:
    sections = set(re.findall(rf"^##+ ({_FACT})\.? ", page("salesforce-facts"), re.MULTILINE))
    assert cited(_FACTS) >= {"0.5", "A", "A.4", "B.5", "C.6"}  # the pattern reads lists and ranges
    assert cited(_FACTS) - sections == set()


def table(name: str, *headings: str) -> list[list[str]]:
    """The cells of the rows of the tables that have these headings."""
    rows: list[list[str]] = []
    is_inside = False
    for line in page(name).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells == list(headings):
            is_inside = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside and not line.startswith("|---"):
            rows.append(cells)
    return rows


CONTRACT = {row[0]: row[1:] for row in table("contract", "row", "promise", "state", "shown by, or missing")}


def test_every_promise_has_its_row() -> None:
    promised = {
        f"{letter}{number}"
        for letter, last in (("A", 12), ("B", 8), ("D", 8), ("E", 5))
        for number in range(1, last + 1)
    }
    assert set(CONTRACT) == promised | {"C"}
    assert cited(_ROWS) >= {"A5", "A7", "B2", "B3", "D1"}
    assert cited(_ROWS) - set(CONTRACT) == set()


def test_what_is_called_done_names_a_test_that_exists() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for row, (_, state, shown) in CONTRACT.items():
        named = re.findall(r"`(test_\w+)`", shown)
        assert state in ("done", "partly", "planned"), row
        assert named or state != "done", row
        assert [name for name in named if f"def {name}(" not in tests] == [], row


def test_every_attack_on_the_list_is_tried_by_a_test_and_none_is_tried_unlisted() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    rows = table("security", "attack", "what stands against it", "tried by")
    assert all(names_in(row[2]) for row in rows)
    listed = {name for row in rows for name in names_in(row[2])}
    assert {name for name in listed if f"def {name}(" not in tests} == set()
    tried = set(re.findall(r"^def (test_\w+)", (ROOT / "tests/integration/test_attacks.py").read_text(), re.MULTILINE))
    assert tried - listed == set()


def names_in(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_replica_page_lists_what_is_read() -> None:
    listed = {names_in(row[0])[0]: tuple(names_in(row[1])) for row in table("replica", "object", "fields", "why")}
    assert {name: sorted(fields) for name, fields in listed.items()} == {
        name: sorted(fields) for name, fields in OBJECTS.items()
    }
    rows = table("replica", "once a day", "fields", "read")
    daily = {name: names_in(row[1]) for row in rows for name in names_in(row[0])}
    assert daily.keys() == DAILY
    assert {name: tuple(daily[name]) for name in SMALL} == SMALL


def test_the_replica_page_lists_what_is_written() -> None:
    short = {"BT": (BUYER_TOUCHPOINT,), "BAT": (BUYER_ATTRIBUTION_TOUCHPOINT,), "both": tuple(FIELDS)}
    rows = table("replica", "field", "on", "type", "content")
    listed = {(sobject, *names_in(field), kind) for field, on, kind, _ in rows for sobject in short[on]}
    assert listed == {(sobject, field.name, field.kind) for sobject, fields in FIELDS.items() for field in fields}


def test_the_program_on_the_replica_page_computes_the_checksum(tmp_path: Path) -> None:
    types = {
        "Id": "id", "Name": "string", "Amount": "currency", "Probability": "percent", "IsWon": "boolean",
        "CloseDate": "date", "SystemModstamp": "datetime",
    }  # fmt: skip
    result = tmp_path / "result.csv"
    result.write_text(
        ",".join(f'"{name}"' for name in types)
        + '\n"006001AAA","A ""big"" one, née","1200.50","10.0","true","2022-03-17","2022-03-17T16:21:26.000Z"'
        + '\n"006002AAA","NA","-0.005","","false","","2022-03-17T16:21:27.000Z"'
        + '\n"006003AAA","","10000000","0","false","","2022-03-17T16:21:28.000Z"\n'
    )
    schema = TableSchema("Opportunity", tuple(Column(name, canonical_type(kind)) for name, kind in types.items()))
    parts = [write_part_from_csv(result, schema, tmp_path, 1)]
    with open_snapshot({"Opportunity": TableParts(schema, parts)}, tmp_path) as connection:
        ours = checksum(connection, "Opportunity", schema.names)

    program = tmp_path / "program.py"
    program.write_text(page("replica").partition("```python\n")[2].partition("```")[0])
    with result.open(newline="") as file:
        theirs = runpy.run_path(str(program))["checksum"](file, types)
    assert theirs == ours
    assert ours[0] == 3
