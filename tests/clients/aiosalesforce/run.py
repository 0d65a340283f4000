"""What aiosalesforce does against the org whose address and secrets the environment tells: prints it as JSON.

Runs in the client's own environment, never in the project's.
"""

import asyncio
import json
import os
import sys
from typing import Any

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import Auth, ClientCredentialsFlow, JwtBearerFlow, SoapLogin
from aiosalesforce.exceptions import SalesforceError

ADDRESS = "https://acme.my.salesforce.com"


def flows() -> dict[str, Auth]:
    told = os.environ
    return {
        "client credentials": ClientCredentialsFlow(told["CLIENT_ID"], told["CLIENT_SECRET"]),
        "jwt": JwtBearerFlow(told["CLIENT_ID"], told["LOGIN"], told["PRIVATE_KEY"]),
        "soap": SoapLogin(told["LOGIN"], told["PASSWORD"], ""),
    }


async def log_in() -> dict[str, Any]:
    """The user that each flow leads to."""
    seen = {}
    async with httpx.AsyncClient() as http:
        for name, flow in flows().items():
            client = Salesforce(http, ADDRESS, flow)
            answer = await client.request("GET", f"{ADDRESS}/services/oauth2/userinfo")
            seen[name] = answer.json()["preferred_username"]
    return seen


async def records() -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        client = Salesforce(http, ADDRESS, flows()["client credentials"])
        made = await client.sobject.create("Lead", {"LastName": "Ek", "Company": "Ask", "Email": "ek@example.com"})
        await client.sobject.update("Lead", made, {"Title": "CTO"})
        upserted = await client.sobject.upsert("Lead", "ek@example.com", "Email", {"LastName": "Alm"})
        read = await client.sobject.get("Lead", made, fields=["LastName", "Title"])
        found = [each["Id"] async for each in client.query("SELECT Id FROM Lead WHERE LastName = 'Alm'")]
        await client.sobject.delete("Lead", made)
        kept = [each async for each in client.query("SELECT Id FROM Lead", include_all_records=True)]
        try:
            await client.sobject.get("Lead", made)
        except SalesforceError as error:
            gone = error.error_code
        return {
            "upserted": [upserted.id == made, upserted.created],
            "read": [read["LastName"], read["Title"]],
            "found": found == [made],
            "kept": len(kept),
            "gone": gone,
            "limit": (await client.get_limits())["DailyApiRequests"]["Max"],
        }


async def composite() -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        client = Salesforce(http, ADDRESS, flows()["client credentials"])
        async with client.composite(all_or_none=True) as request:
            parent = request.sobject.create("Account", {"Name": "Parent"})
            child = request.sobject.create("Contact", {"LastName": "Child", "AccountId": str(parent.reference.id)})
            asked = request.query("SELECT Account.Name FROM Contact WHERE LastName = 'Child'")
        async with client.composite.batch() as batch:
            counted = batch.query("SELECT Id FROM Account")
            read = batch.sobject.get("Contact", child.id)
        return {
            "parent": asked.records[0]["Account"]["Name"],
            "counted": len(counted.records),
            "child": read.record["LastName"],
        }


async def bulk() -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        client = Salesforce(http, ADDRESS, flows()["client credentials"])
        rows = [{"LastName": f"Bulk {n}", "Company": "B" if n else ""} for n in range(30)]
        [result] = [
            each
            async for each in client.bulk_v2.ingest.perform_operation("insert", "Lead", rows, polling_interval=0.05)
        ]
        listed = [each.id async for each in client.bulk_v2.ingest.list_jobs()]
        await client.bulk_v2.ingest.delete_job(result.job_info.id)
        return {
            "state": result.job_info.state,
            "good": len(result.successful_results),
            "bad": [each["sf__Error"] for each in result.failed_results],
            "listed": result.job_info.id in listed,
        }


if __name__ == "__main__":
    topics = {"log_in": log_in, "records": records, "composite": composite, "bulk": bulk}
    print(json.dumps(asyncio.run(topics[sys.argv[1]]())))  # noqa: T201  this is what it is for
