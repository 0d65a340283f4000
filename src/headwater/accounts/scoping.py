"""The base of every model that belongs to a tenant: a query must say whose rows it means.

`Thing.of(account)` is the one door. `Thing.objects` refuses to read or write rows, so that forgetting the tenant
is an error in a test and never a leak on a page. Work that spans all tenants says so: `Thing.of_all()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.db import models

from headwater.common.errors import Bug

if TYPE_CHECKING:
    from headwater.accounts.models import Account


class RefusingManager(models.Manager[Any]):
    """Stands at `objects` and hands out no rows."""

    def get_queryset(self) -> NoReturn:
        name = self.model.__name__
        raise Bug("accounts.unscoped_query", f"A query on {name} must name its account: {name}.of(account).")


class AccountScoped(models.Model):
    """Gives a model its account and shuts the unscoped door."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")

    objects = RefusingManager()
    rows = models.Manager()  # noqa: DJ012  (a manager too) for Django's own machinery; our code asks `of`

    class Meta:
        abstract = True
        default_manager_name = "rows"
        base_manager_name = "rows"

    @classmethod
    def of(cls, account: Account | int) -> models.QuerySet[Self]:
        """This account's rows (an Account or its primary key)."""
        key = account if isinstance(account, int) else account.pk
        return cls._base_manager.filter(account_id=key)

    @classmethod
    def of_all(cls) -> models.QuerySet[Self]:
        """Every account's rows: for the operator's pages and for workers, never for a member's page."""
        return cls._base_manager.all()
