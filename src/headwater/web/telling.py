"""Tells a person about an error on the next page they see, with all its facts.

For acts that end with a redirect, so that a reload repeats nothing. Errors that nobody catches are shown by the
middleware instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string

from headwater.common.errors import Fix, Wait

Told = (Fix, Wait)  # what a person or time can mend


def tell(request: HttpRequest, error: Fix | Wait) -> None:
    messages.error(request, render_to_string("web/parts/error_body.html", {"error": error}))


@contextmanager
def telling(request: HttpRequest, kinds: type[Fix] | tuple[type[Fix], type[Wait]] = Told) -> Iterator[None]:
    """Around a deed after which the page leads on the same way: what a person or time can mend is told, and no more."""
    try:
        yield
    except kinds as error:
        tell(request, error)
