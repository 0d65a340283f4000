"""Settings > Security > API keys: make one, see it once, revoke it.

Not here: what a key may do (api/endpoints.py) and how it is kept (accounts/api_keys.py).
"""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.api_keys import keys_of, make_key, revoke_key
from headwater.accounts.models import ApiKey, Role
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling

PAGE = "web:api_keys"
LIFETIMES = [("90", "90 days"), ("365", "A year"), ("", "Until it is revoked")]


class NewKeyForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What will use it: “Looker”, “nightly script”.")
    role = forms.ChoiceField(
        label="Rights",
        choices=[(Role.STANDARD, "Standard: reads"), (Role.ADMIN, "Account Admin: reads, starts and changes")],
    )
    days = forms.TypedChoiceField(
        label="Works for", choices=LIFETIMES, coerce=int, empty_value=None, required=False, initial="90"
    )


@require_GET
@member_page
def api_keys(request: MemberRequest) -> HttpResponse:
    return _page(request, NewKeyForm())


@require_POST
@admin_action
def make(request: MemberRequest) -> HttpResponse:
    """The answer to this request is the only page that ever holds the key."""
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=409)
    wished = form.cleaned_data
    key, text = make_key(
        request.account, name=wished["name"], role=Role(wished["role"]), actor=request.user.email, days=wished["days"]
    )
    return _page(request, NewKeyForm(), made=key, text=text)


@require_POST
@admin_action
def revoke(request: MemberRequest, key_id: int) -> HttpResponse:
    with telling(request):
        key = revoke_key(request.account, key_id, actor=request.user.email)
        messages.success(request, f"The key {key.name} is revoked: whatever used it is refused from now on.")
    return redirect(PAGE)


def _page(
    request: MemberRequest, form: NewKeyForm, *, made: ApiKey | None = None, text: str = "", status: int = 200
) -> HttpResponse:
    facts = {"keys": keys_of(request.account), "form": form, "made": made, "text": text}
    response = render(request, "web/settings/api_keys.html", facts, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
