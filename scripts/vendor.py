"""Fetches the browser libraries that the pages carry with them, as each vendor.json lists them, and verifies them.

`python scripts/vendor.py fetch` packs each package anew (needs npm) and stops where a file differs from its sha256;
`--accept` writes the new sums instead, after a version in vendor.json was raised on purpose.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated, TypedDict
from xml.etree import ElementTree as ET

import typer

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "src/headwater/web/static/vendor", ROOT / "tests/e2e/vendor")
SVG = "http://www.w3.org/2000/svg"
INVISIBLE_FRAME = "M0 0h24v24H0z"


class Vendored(TypedDict):
    """One file. `source` is its path in the package; for the icon sprite, the folder that `icons` are picked from."""

    package: str
    version: str
    licence: str
    source: str
    icons: list[str]
    file: str
    sha256: str


def read_list(folder: Path) -> list[Vendored]:
    listed: list[Vendored] = json.loads((folder / "vendor.json").read_text())
    return listed


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(package: str, version: str, into: Path) -> Path:
    """The package's tarball, fetched by npm, which checks it against the registry's own sum."""
    subprocess.run(  # noqa: S603  (arguments come from our own vendor.json)
        ["npm", "pack", f"{package}@{version}", "--silent", "--pack-destination", str(into)],  # noqa: S607  (npm of the PATH)
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return into / f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"


def content_of(entry: Vendored, tarball: Path) -> bytes:
    with tarfile.open(tarball) as archive:
        if entry["icons"]:
            return sprite({name: _member(archive, f"{entry['source']}/{name}.svg") for name in entry["icons"]})
        return _member(archive, entry["source"])


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(f"package/{path}")
    if file is None:
        raise FileNotFoundError(path)
    return file.read()


def sprite(icons: dict[str, bytes]) -> bytes:
    """One SVG with a <symbol> per icon, for `<use href="icons.svg#name">`."""
    ET.register_namespace("", SVG)
    root = ET.Element(f"{{{SVG}}}svg")
    for name in sorted(icons):
        symbol = ET.SubElement(root, f"{{{SVG}}}symbol", id=name, viewBox="0 0 24 24")
        drawing = ET.fromstring(icons[name])  # noqa: S314  (npm has verified the package it comes from)
        symbol.extend(part for part in drawing if part.get("d") != INVISIBLE_FRAME)
    ET.indent(root, space="")
    return ET.tostring(root) + b"\n"


app = typer.Typer(help=__doc__, add_completion=False)


@app.command()
def fetch(*, accept: Annotated[bool, typer.Option(help="Write the new sums into vendor.json.")] = False) -> None:
    changed: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder in FOLDERS:
            listed = read_list(folder)
            for entry in listed:
                content = content_of(entry, packed(entry["package"], entry["version"], Path(scratch)))
                if sha256_of(content) != entry["sha256"]:
                    changed.append(entry["file"])
                if accept or sha256_of(content) == entry["sha256"]:
                    (folder / entry["file"]).write_bytes(content)
                    entry["sha256"] = sha256_of(content)
            (folder / "vendor.json").write_text(json.dumps(listed, indent=2) + "\n")
    _report(changed, accepted=accept)


@app.command()
def verify() -> None:
    """Compare the files on disk with their sums; no network."""
    changed = [
        entry["file"]
        for folder in FOLDERS
        for entry in read_list(folder)
        if sha256_of((folder / entry["file"]).read_bytes()) != entry["sha256"]
    ]
    _report(changed, accepted=False)


def _report(changed: list[str], *, accepted: bool) -> None:
    for file in changed:
        typer.echo(f"{'changed' if accepted else 'DIFFERS'}  {file}")
    if changed and not accepted:
        sys.exit(1)


if __name__ == "__main__":
    app()
