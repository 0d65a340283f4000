"""The three pages a person sees: log in, allow access, and what went wrong. Plain, labelled, without scripts."""

from starlette.responses import HTMLResponse

from orgsim.html import page

_HEADERS = {"Cache-Control": "no-store"}


def login_page(request: dict[str, str], *, username: str = "", message: str = "") -> HTMLResponse:
    return page("login/log_in.html", 200, _HEADERS, request=request, username=username, message=message)


def approve_page(approval: str, app_name: str, username: str, scopes: list[str]) -> HTMLResponse:
    shown = {"approval": approval, "app_name": app_name, "username": username, "scopes": scopes}
    return page("login/approve.html", 200, _HEADERS, **shown)


def error_page(error: str, description: str) -> HTMLResponse:
    """For errors that must not be sent to a callback nobody registered."""
    return page("login/error.html", 400, _HEADERS, error=error, description=description)
