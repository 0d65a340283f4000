"""One authenticated call of the data API, as its handler sees it."""

from dataclasses import dataclass, replace
from typing import Any

from orgsim.errors import ApiError, not_found
from orgsim.exchange import Exchange
from orgsim.oauth.grants import Session
from orgsim.schema.catalog import Catalog
from orgsim.schema.model import SObject
from orgsim.soql.plan import Asker
from orgsim.store.access import view_of
from orgsim.store.duplicates import read_header
from orgsim.store.org import Org
from orgsim.store.write import Writer


@dataclass(frozen=True, slots=True)
class Call:
    """`api_version` is e.g. "59.0"; `exchange.path_params` holds what the endpoint's path named."""

    exchange: Exchange
    session: Session
    api_version: str

    @property
    def org(self) -> Org:
        return self.session.org

    @property
    def asker(self) -> Asker:
        return Asker(self.org, self.session.user_id, self.api_version)

    @property
    def writer(self) -> Writer:
        header = self.exchange.headers.get("sforce-duplicate-rule-header", "")
        return Writer(self.org, self.session.user_id, read_header(header, self.api_version), enforced=True)

    @property
    def base_path(self) -> str:
        return f"/services/data/v{self.api_version}"

    def param(self, name: str) -> str:
        return str(self.exchange.path_params[name])

    @property
    def catalog(self) -> Catalog:
        """The schema as far as it exists for the user."""
        return view_of(self.org, self.session.user_id).catalog

    def sobject(self) -> SObject:
        """The object named in the path, as the user sees it."""
        sobject = self.catalog.find(self.param("sobject"))
        if sobject is None:
            raise not_found()
        return sobject

    def query(self, name: str) -> str:
        """A required query parameter."""
        value = self.exchange.query.get(name)
        if not value:
            raise ApiError("MISSING_ARGUMENT", f"A query parameter '{name}' is required")
        return value

    def with_exchange(self, exchange: Exchange, path_params: dict[str, Any]) -> "Call":
        return replace(self, exchange=exchange.with_params(path_params))
