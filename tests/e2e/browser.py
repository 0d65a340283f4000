"""Debian's Chromium, driven by Playwright: how it is started, what is kept of a page, what counts as a finding.

Not here: the server it visits (pytest-django's live_server) and the people who log in (conftest.py).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-results/screenshots"
AXE = Path(__file__).parent / "vendor/axe.min.js"
DESKTOP = (1280, 900)
PHONE = (390, 844)
_PATIENCE_MILLISECONDS = 30_000  # of a click and of what is expected: a busy machine takes its time
MADE_HERE = {"x-made-by-test": "yes"}  # marks an answer that a test puts in the server's mouth
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("There is no chromium on the PATH; Debian's package has this name.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_SWITCHES, headless=True)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One browser window. Complaints: script errors, breaches of the content security policy, errors of the server."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)
        self.page.on("response", self._look)

    def _listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _look(self, response: Response) -> None:
        if response.status >= 500 and MADE_HERE.keys().isdisjoint(response.headers):
            self.complaints.append(f"{response.status} {response.url}")


def open_window(browser: Browser, base_url: str, *, dark: bool = False, scripts: bool = True) -> BrowserContext:
    width, height = DESKTOP
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    return context


def take(page: Page, name: str) -> Path:
    """Keep the whole page as test-results/screenshots/<name>.png."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def barriers(page: Page) -> list[str]:
    """What axe-core calls serious or critical on this page, one line each."""
    page.evaluate(AXE.read_text())
    report: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{finding['impact']}: {finding['id']}: {node['html']} {node['failureSummary']}"
        for finding in report["violations"]
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]
