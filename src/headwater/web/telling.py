"""Tells a person about an error on the next page they see, with all its facts.

For acts that end with a redirect, so that a reload repeats nothing. Errors that nobody catches are shown by the
middleware instead.
"""

from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string

from headwater.common.errors import Fix, Wait

Told = (Fix, Wait)  # what a person or time can mend


def tell(request: HttpRequest, error: Fix | Wait) -> None:
    messages.error(request, render_to_string("web/parts/error_body.html", {"error": error}))
