"""My profile: the person's own name. Address and password have django-allauth's pages, in the same frame."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from headwater.accounts.services import rename_user
from headwater.web.acting import PersonRequest, own_page


class NameForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=200,
        help_text="As the other people of your accounts see it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def profile(request: PersonRequest) -> HttpResponse:
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if form.is_valid():
        rename_user(request.user, form.cleaned_data["name"])
        messages.success(request, "Your name is saved.")
        return redirect("web:profile")
    return render(request, "web/profile_name.html", {"form": form})
