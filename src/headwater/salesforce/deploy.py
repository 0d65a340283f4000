"""Installs metadata by a Metadata API deploy over REST (facts C.8). Not here: which metadata (connections/package)."""

from dataclasses import dataclass
from typing import Any

import orjson

from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.multipart import Part, form
from headwater.salesforce.rest import DATA
from headwater.salesforce.transport import Request, Transport


@dataclass(frozen=True, slots=True)
class DeployStatus:
    """`created` and `changed` name components that came through, `problems` (component, the org's words) of the rest.

    They are told once it is done; how many components and tests are done, all the time.
    """

    id: str
    is_done: bool
    is_success: bool
    status: str  # Pending, InProgress, Succeeded, Failed, Canceling, Canceled …
    components_done: int = 0
    components_total: int = 0
    tests_done: int = 0
    tests_total: int = 0
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


def start_deploy(transport: Transport, zip_bytes: bytes) -> DeployStatus:
    """Send a zip of metadata; all of it or nothing of it is put in. One credit."""
    options = {"deployOptions": {"rollbackOnError": True, "singlePackage": True, "checkOnly": False}}
    content, headers = form(
        Part("json", "application/json", orjson.dumps(options)),
        Part("file", "application/zip", zip_bytes, file_name="deploy.zip"),
    )
    request = Request(
        "POST",
        f"{DATA}/metadata/deployRequest",
        "installing Headwater's objects",
        content=content,
        headers=headers,
        may_repeat=False,
    )
    return _read(transport.send(Call(CallKind.DEPLOY), request).json)


def deploy_status(transport: Transport, deploy_id: str) -> DeployStatus:
    """Ask how a deploy stands. One credit."""
    request = Request(
        "GET",
        f"{DATA}/metadata/deployRequest/{deploy_id}",
        "asking how the installation stands",
        params={"includeDetails": "true"},
    )
    return _read(transport.send(Call(CallKind.DEPLOY), request).json)


def cancel_deploy(transport: Transport, deploy_id: str) -> DeployStatus:
    """Ask the org to give a deploy up; it may be done before it hears of it. One credit."""
    request = Request(
        "PATCH",
        f"{DATA}/metadata/deployRequest/{deploy_id}",
        "cancelling the installation",
        json={"deployResult": {"status": "Canceling"}},
    )
    return _read(transport.send(Call(CallKind.DEPLOY), request).json)


def _read(answer: dict[str, Any]) -> DeployStatus:
    result = answer["deployResult"]
    details = result.get("details") or {}
    # The manifest is told as a component too, of no kind.
    through = [row for row in details.get("componentSuccesses") or () if row.get("componentType")]
    problems = [(row.get("fullName") or "", row.get("problem") or "") for row in details.get("componentFailures") or ()]
    if message := result.get("errorMessage"):
        problems.append(("", message))
    return DeployStatus(
        id=answer["id"],
        is_done=bool(result["done"]),
        is_success=result["status"] == "Succeeded",
        status=result["status"],
        components_done=result.get("numberComponentsDeployed", 0),
        components_total=result.get("numberComponentsTotal", 0),
        tests_done=result.get("numberTestsCompleted", 0),
        tests_total=result.get("numberTestsTotal", 0),
        created=tuple(row["fullName"] for row in through if row["created"]),
        changed=tuple(row["fullName"] for row in through if row["changed"] and not row["created"]),
        problems=tuple(problems),
    )
