"""The part of the side door that decides what the org refuses, and how long its answers take."""

from collections.abc import Callable
from typing import Any

from orgsim.exchange import Exchange
from orgsim.rest.latency import Latency, clear_latencies, list_latencies, set_latency
from orgsim.server.access import change_access, describe_access
from orgsim.server.clientapps import describe_apps
from orgsim.server.currencies import describe_currencies, set_currency
from orgsim.server.duplicaterules import describe_duplicate_rules, remove_duplicate_rule, set_duplicate_rule
from orgsim.server.flows import describe_flows, remove_flow, set_flow
from orgsim.server.locks import describe_locks, remove_locks, set_lock
from orgsim.server.recordtypes import describe_record_types, set_record_type
from orgsim.server.rules import describe_rules, remove_rule, set_rule
from orgsim.server.triggers import describe_triggers, remove_trigger, set_trigger
from orgsim.store.org import Org

Route = tuple[str, str, Callable[[Exchange], object]]


def org_of(exchange: Exchange) -> Org:
    """The org that the path names."""
    return exchange.state.org(exchange.path_params["org_id"])


def _rule_routes(
    name: str,
    describe: Callable[[Org], object],
    change: Callable[[Org, dict[str, Any]], object],
    remove: Callable[[Org, str, str], object],
) -> tuple[Route, ...]:
    """GET lists, POST adds or changes one, DELETE takes the one of an object and a name away."""
    path = f"/orgsim/orgs/{{org_id}}/{name}"
    return (
        ("GET", path, lambda exchange: describe(org_of(exchange))),
        ("POST", path, lambda exchange: change(org_of(exchange), exchange.json_object())),
        (
            "DELETE",
            path,
            lambda exchange: remove(org_of(exchange), exchange.query["sobject"], exchange.query["name"]),
        ),
    )


def _list_locks(exchange: Exchange) -> object:
    return describe_locks(org_of(exchange))


def _set_lock(exchange: Exchange) -> object:
    return set_lock(org_of(exchange), exchange.json_object())


def _remove_locks(exchange: Exchange) -> object:
    return remove_locks(org_of(exchange), exchange.query["id"])


def _list_record_types(exchange: Exchange) -> object:
    return describe_record_types(org_of(exchange))


def _set_record_type(exchange: Exchange) -> object:
    return set_record_type(org_of(exchange), exchange.json_object())


def _list_currencies(exchange: Exchange) -> object:
    return describe_currencies(org_of(exchange))


def _set_currency(exchange: Exchange) -> object:
    return set_currency(org_of(exchange), exchange.json_object())


_CURRENCIES = "/orgsim/orgs/{org_id}/currencies"


def _show_access(exchange: Exchange) -> object:
    return describe_access(org_of(exchange), exchange.query["user"])


def _change_access(exchange: Exchange) -> object:
    return change_access(org_of(exchange), exchange.json_object())


_ACCESS = "/orgsim/orgs/{org_id}/access"
_RECORD_TYPES = "/orgsim/orgs/{org_id}/record-types"


def _list_apps(exchange: Exchange) -> object:
    return describe_apps(org_of(exchange))


def _list_latencies(exchange: Exchange) -> object:
    return list_latencies(org_of(exchange).usage)


def _set_latency(exchange: Exchange) -> object:
    set_latency(org_of(exchange).usage, Latency(**exchange.json_object()))
    return _list_latencies(exchange)


def _clear_latencies(exchange: Exchange) -> object:
    clear_latencies(org_of(exchange).usage)
    return []


_LATENCY = "/orgsim/orgs/{org_id}/latency"
_LOCKS = "/orgsim/orgs/{org_id}/locks"
ROUTES: tuple[Route, ...] = (
    *_rule_routes("rules", describe_rules, set_rule, remove_rule),
    *_rule_routes("duplicate-rules", describe_duplicate_rules, set_duplicate_rule, remove_duplicate_rule),
    *_rule_routes("triggers", describe_triggers, set_trigger, remove_trigger),
    *_rule_routes("flows", describe_flows, set_flow, remove_flow),
    ("GET", _RECORD_TYPES, _list_record_types),
    ("POST", _RECORD_TYPES, _set_record_type),
    ("GET", _CURRENCIES, _list_currencies),
    ("POST", _CURRENCIES, _set_currency),
    ("GET", "/orgsim/orgs/{org_id}/apps", _list_apps),
    ("GET", _LATENCY, _list_latencies),
    ("POST", _LATENCY, _set_latency),
    ("DELETE", _LATENCY, _clear_latencies),
    ("GET", _ACCESS, _show_access),
    ("POST", _ACCESS, _change_access),
    ("GET", _LOCKS, _list_locks),
    ("POST", _LOCKS, _set_lock),
    ("DELETE", _LOCKS, _remove_locks),
)
