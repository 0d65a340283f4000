"""How people get in: with an e-mail address an operator has registered. There is no open sign-up.

Not here: the forms and their checks, which are django-allauth's.
"""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignupAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  (allauth gives it to every adapter)
        return False
