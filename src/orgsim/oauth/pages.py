"""The three pages a person sees: log in, allow access, and what went wrong. Plain, labelled, without scripts."""

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem; color: #16325c; }}
label {{ display: block; margin-top: 1rem; }}
input {{ width: 100%; padding: .5rem; font: inherit; box-sizing: border-box; }}
button {{ margin: 1.5rem .5rem 0 0; padding: .5rem 1.5rem; font: inherit; }}
[role=alert] {{ color: #a61a14; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def login_page(request: dict[str, str], *, username: str = "", message: str = "") -> HTMLResponse:
    alert = f'<p role="alert">{escape(message)}</p>' if message else ""
    body = f"""{alert}
<form method="post" action="/services/oauth2/authorize/login">
{_hidden(request)}
<label for="username">Username</label>
<input id="username" name="un" type="email" autocomplete="username" value="{escape(username)}" required>
<label for="password">Password</label>
<input id="password" name="pw" type="password" autocomplete="current-password" required>
<button type="submit">Log In</button>
</form>"""
    return _page("Login | Salesforce", body, 200)


def approve_page(approval: str, app_name: str, username: str, scopes: list[str]) -> HTMLResponse:
    listed = "\n".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    body = f"""<p><strong>{escape(app_name)}</strong> is asking to:</p>
<ul>
{listed}
</ul>
<p>Do you want to allow access for {escape(username)}?</p>
<form method="post" action="/services/oauth2/authorize/approve">
<input type="hidden" name="approval" value="{escape(approval)}">
<button type="submit" name="answer" value="allow">Allow</button>
<button type="submit" name="answer" value="deny">Deny</button>
</form>"""
    return _page("Allow Access?", body, 200)


def error_page(error: str, description: str) -> HTMLResponse:
    """For errors that must not be sent to a callback nobody registered."""
    body = f'<p role="alert">{escape(description)}</p>\n<p><code>{escape(error)}</code></p>'
    return _page("Authorization failed", body, 400)


def _hidden(request: dict[str, str]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in request.items()
    )


def _page(title: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        _PAGE.format(title=escape(title), body=body), status_code=status, headers={"Cache-Control": "no-store"}
    )
