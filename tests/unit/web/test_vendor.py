"""The libraries that pages carry with them are the ones that were vetted."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VENDORED = ROOT / "src/headwater/web/static/vendor"
FOLDERS = (VENDORED, ROOT / "tests/e2e/vendor")
FILES = [
    (folder / entry["file"], entry["sha256"])
    for folder in FOLDERS
    for entry in json.loads((folder / "vendor.json").read_text())
]
TEMPLATES = sorted((ROOT / "src/headwater/web/templates").rglob("*.html"))


@pytest.mark.parametrize(("file", "sha256"), FILES, ids=lambda value: getattr(value, "name", ""))
def test_each_file_has_the_sum_that_was_written_down(file: Path, sha256: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def test_no_file_stands_there_unlisted() -> None:
    listed = {entry["file"] for entry in json.loads((VENDORED / "vendor.json").read_text())}
    assert {file.name for file in VENDORED.iterdir()} == listed | {"vendor.json", "THIRD_PARTY.md"}


def test_the_third_party_page_names_each_package_with_version_and_licence() -> None:
    page = (VENDORED / "THIRD_PARTY.md").read_text()
    for entry in json.loads((VENDORED / "vendor.json").read_text()):
        assert f"| {entry['package']} | {entry['version']} | {entry['licence']} |" in page


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_that_a_template_asks_for_is_in_the_sprite(template: Path) -> None:
    sprite = (VENDORED / "icons.svg").read_text()
    asked = re.findall(r"""\{% icon "([\w-]+)"|\bicon="([\w-]+)\"""", template.read_text())
    for name in (first or second for first, second in asked):
        assert f'id="{name}"' in sprite


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_page_runs_an_inline_script_or_loads_from_elsewhere(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|<style|(src|href)=\"https?:", text)
