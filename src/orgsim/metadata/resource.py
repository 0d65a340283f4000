"""POST /metadata/deployRequest and its status. The zip waits in the job folder until it was carried out."""

from typing import Any

import orjson
from starlette.responses import Response

from orgsim.background import Background
from orgsim.errors import ApiError, not_found
from orgsim.exchange import Exchange, json_response
from orgsim.metadata.apply import Report, apply_package
from orgsim.metadata.package import read_package
from orgsim.multipart import read_parts
from orgsim.rest.call import Call
from orgsim.store.access import may
from orgsim.store.org import Org

_PENDING = ("Pending", "InProgress", "Canceling")
_COUNTS = (
    "numberComponentErrors",
    "numberComponentsDeployed",
    "numberComponentsTotal",
    "numberTestErrors",
    "numberTestsCompleted",
    "numberTestsTotal",
)


def deploy(call: Call) -> Response:
    _refuse_without_right(call.org, call.session.user_id)
    options, content = _read_form(call.exchange)
    org = call.org
    result = _new_result(org, call.session.user_id, options)
    zip_file = org.job_folder / f"{result['id']}.zip"
    zip_file.parent.mkdir(parents=True, exist_ok=True)
    zip_file.write_bytes(content)
    _save(org, result)
    start(org, result["id"], call.exchange.background)
    return json_response(_shown(result, include_details=False), 201)


def _refuse_without_right(org: Org, user_id: str) -> None:
    if not (may(org, user_id, "ModifyMetadata") or may(org, user_id, "ModifyAllData")):
        message = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
        raise ApiError("INSUFFICIENT_ACCESS", message, status=403)
    if not may(org, user_id, "CustomizeApplication"):
        message = "a deployment requires a user with the CustomizeApplication permission"
        raise ApiError("INSUFFICIENT_ACCESS", message, status=403)


def _new_result(org: Org, user_id: str, options: dict[str, Any]) -> dict[str, Any]:
    now = org.now_text()
    return {
        "id": org.new_id("0Af"),
        "done": False,
        "status": "Pending",
        "success": False,
        "checkOnly": bool(options.get("checkOnly", False)),
        "rollbackOnError": bool(options.get("rollbackOnError", True)),
        "ignoreWarnings": bool(options.get("ignoreWarnings", False)),
        "runTestsEnabled": False,
        "createdBy": user_id,
        "createdDate": now,
        "lastModifiedDate": now,
        "startDate": None,
        "completedDate": None,
        **dict.fromkeys(_COUNTS, 0),
    }


def status(call: Call) -> Response:
    result = _find(call.org, call.param("deploy_id"))
    include = call.exchange.query.get("includeDetails", "false").lower() == "true"
    return json_response(_shown(result, include_details=include))


def cancel(call: Call) -> Response:
    """Gives a deployment up that has not ended. One that has is shown as it stands: no source tells."""
    body = call.exchange.json()
    wish = body.get("deployResult") if isinstance(body, dict) else None
    if not isinstance(wish, dict) or wish.get("status") != "Canceling":
        raise ApiError("INVALID_INPUT", "deployResult.status must be Canceling")
    with call.org.database.write():
        result = _find(call.org, call.param("deploy_id"))
        if not result["done"]:
            result |= {"status": "Canceling", "canceledBy": call.session.user_id}
            _save(call.org, result)
    return json_response(_shown(result, include_details=False), 202)


def start(org: Org, deploy_id: str, background: Background) -> None:
    half = float(org.setting("deploy_delay_seconds")) / 2

    def work() -> None:
        if not _move(org, deploy_id, {"status": "InProgress", "startDate": org.now_text()}):
            return
        background.sleep(half)
        if (result := _move(org, deploy_id, {})) is not None:
            _run(org, result)

    background.run_later(half, work)


def _move(org: Org, deploy_id: str, values: dict[str, Any]) -> dict[str, Any] | None:
    """The result with new values, or None where it has ended; a deployment that somebody cancels ends here."""
    with org.database.write():
        result = _find(org, deploy_id)
        if result["done"]:
            return None
        if result["status"] == "Canceling":
            now = org.now_text()
            result |= {"status": "Canceled", "done": True, "completedDate": now, "lastModifiedDate": now}
            _save(org, result)
            (org.job_folder / f"{deploy_id}.zip").unlink(missing_ok=True)
            return None
        result |= values
        _save(org, result)
        return result


def unfinished(org: Org) -> list[str]:
    rows = org.database.connect().execute("SELECT plain FROM _deploy").fetchall()
    return [result["id"] for row in rows if (result := orjson.loads(row[0]))["status"] in _PENDING]


def _run(org: Org, result: dict[str, Any]) -> None:
    zip_file = org.job_folder / f"{result['id']}.zip"
    try:
        report = apply_package(
            org,
            result["createdBy"],
            read_package(zip_file.read_bytes()),
            keep=not result["checkOnly"],
            all_or_none=result["rollbackOnError"],
        )
    except ApiError as error:
        report = Report()
        result |= {"errorMessage": error.message, "errorStatusCode": error.code}
    failed = bool(report.failures) or "errorMessage" in result
    partly = failed and report.successes and not result["rollbackOnError"]
    now = org.now_text()
    result |= {
        "done": True,
        "success": not failed,
        "status": "SucceededPartial" if partly else "Failed" if failed else "Succeeded",
        "completedDate": now,
        "lastModifiedDate": now,
        "numberComponentErrors": len(report.failures),
        "numberComponentsDeployed": len(report.successes),
        "numberComponentsTotal": report.total,
        "details": {
            "componentSuccesses": report.successes,
            "componentFailures": report.failures,
            "runTestResult": {"numTestsRun": 0, "numFailures": 0},
        },
    }
    _save(org, result)
    zip_file.unlink(missing_ok=True)


def _shown(result: dict[str, Any], *, include_details: bool) -> dict[str, Any]:
    visible = {name: value for name, value in result.items() if include_details or name != "details"}
    options = {name: result[name] for name in ("checkOnly", "rollbackOnError", "ignoreWarnings")}
    return {
        "id": result["id"],
        "validatedDeployRequestId": None,
        "deployOptions": {**options, "testLevel": "NoTestRun"},
        "deployResult": visible,
    }


def _save(org: Org, result: dict[str, Any]) -> None:
    with org.database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO _deploy VALUES (?, ?, ?)",
            (result["id"], result["createdDate"], orjson.dumps(result).decode()),
        )


def _find(org: Org, deploy_id: str) -> dict[str, Any]:
    row = org.database.connect().execute("SELECT plain FROM _deploy WHERE id = ?", (deploy_id,)).fetchone()
    if row is None:
        raise not_found()
    result: dict[str, Any] = orjson.loads(row[0])
    return result


def _read_form(exchange: Exchange) -> tuple[dict[str, Any], bytes]:
    """(deployOptions, the zip) of the multipart body."""
    try:
        parts = read_parts(exchange)
        options = orjson.loads(parts["json"])["deployOptions"]
        return options, parts["file"]
    except (KeyError, ValueError) as error:
        message = "The request must be multipart/form-data with a json part (deployOptions) and a file part (zip)"
        raise ApiError("INVALID_MULTIPART_REQUEST", message) from error
