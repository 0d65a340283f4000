"""Who asks in a request of the REST API: the key, its account, and how the key is named in records."""

from typing import cast

from django.http import HttpRequest

from headwater.accounts.models import Account, ApiKey, Role
from headwater.common.errors import Facts, Fix


class KeyRequest(HttpRequest):
    """A request that came with a key that works."""

    auth: ApiKey


def key_of(request: HttpRequest) -> ApiKey:
    return cast("KeyRequest", request).auth


def account_of(request: HttpRequest, role: Role = Role.STANDARD) -> Account:
    """The key's account; raises Fix where the key may not do what `role` may."""
    key = key_of(request)
    if role is Role.ADMIN and key.role != Role.ADMIN:
        raise Fix(
            "api.admin_key_needed",
            "This key may read and change nothing.",
            Facts(left="Nothing was changed.", you_can="use a key with the role Account Admin"),
        )
    return key.account


def actor_of(request: HttpRequest) -> str:
    key = key_of(request)
    return f"API key {key.name} ({key.prefix}…)"
