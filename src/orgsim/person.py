"""A person in a box: opens an authorize address as a browser would, logs in, and allows or denies.

For demos and test suites without a browser. It fills in whatever forms the pages hold, so it knows no more of the
login pages than a person does. Not here: the pages (oauth/pages.py).
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


class LoginRefusedError(Exception):
    """The org showed a page that a person could not get past; the text is what the page said."""


@dataclass(slots=True)
class _Form:
    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)  # caption -> (name, value)


class _Page(HTMLParser):
    """The first form of a page and the text of its alert. The standard library's parser: no form library is needed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.form: _Form | None = None
        self.alert = ""
        self._button: dict[str, str] | None = None
        self._in_alert = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_alert = given.get("role") == "alert"
        if tag == "form":
            self.form = _Form(given.get("action", ""))
        elif tag == "input" and self.form is not None:
            self.form.values[given.get("name", "")] = given.get("value", "")
        elif tag == "button":
            self._button = given

    def handle_data(self, data: str) -> None:
        if self._in_alert:
            self.alert += data.strip()
        if self._button is not None and self.form is not None:
            self.form.buttons[data.strip()] = (self._button.get("name", ""), self._button.get("value", ""))
            self._button = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._in_alert = False


def answer_login(address: str, username: str, password: str, *, allow: bool = True) -> str:
    """Log in at `address` and answer the question; returns the callback address that the org sends the browser to.

    Raises LoginRefusedError with the page's own words when the org does not let the person through.
    """
    with httpx2.Client(follow_redirects=False, timeout=30) as browser:
        answer = browser.get(address)
        answer = _submit(browser, answer, "Log In", {"un": username, "pw": password})
        answer = _submit(browser, answer, "Allow" if allow else "Deny", {})
    if not answer.is_redirect:
        raise LoginRefusedError(_Page(answer.text).alert)
    return answer.headers["Location"]


def _submit(browser: httpx2.Client, answer: httpx2.Response, caption: str, typed: dict[str, str]) -> httpx2.Response:
    if answer.is_redirect:  # the org answered without showing a page
        return answer
    page = _Page(answer.text)
    if page.form is None or caption not in page.form.buttons:
        raise LoginRefusedError(page.alert or f"The page has no button {caption!r}.")
    name, value = page.form.buttons[caption]
    pressed = {name: value} if name else {}
    return browser.post(urljoin(str(answer.url), page.form.action), data={**page.form.values, **typed, **pressed})
