"""Pages in HTML from the templates of this package, everything shown in them escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int, headers: dict[str, str], **shown: object) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(shown), status, headers)
