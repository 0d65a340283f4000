"""What the code knows, the reference pages name: error codes, checks, settings, commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = {path: path.read_text() for path in (ROOT / "src" / "headwater").rglob("*.py")}
_ROOMS = "accounts|attribution|cli|connections|credits|demo|export|jobs|lake|results|salesforce|sync|web"
_RAISED = re.compile(rf'(?:Wait|Fix|Skip|Bug)\(\s*"([a-z_]+\.[a-z_0-9]+)"|Outcome\([^"]*"((?:{_ROOMS})\.[a-z_]+)"')


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
    named = set(re.findall(r'app\.command\("(\w+)"\)', SOURCES[ROOT / "src/headwater/cli/app.py"]))
    assert {f"headwater {name}" for name in named} == headings("commands")


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=str)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []
