"""An External Client App that is deployed as metadata is known to the org: people and servers log in by it."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from integration.certificates import certificate_of, new_key
from integration.orgsim.deploying import XMLNS, Finished, deploy, problems
from orgsim.cli import app as orgsim_cli
from orgsim.person import answer_login
from orgsim.testing import CLIENT_ID, PASSWORD, USERNAME, RunningOrgsim

CALLBACKS = "https://tool.example/callback\n      http://localhost:1717/OauthRedirect"
PARTS = {
    "externalClientApps/Tool.eca": "ExternalClientApplication",
    "extlClntAppGlobalOauthSets/Tool_glbloauth.ecaGlblOauth": "ExtlClntAppGlobalOauthSettings",
    "extlClntAppOauthSettings/Tool_oauth.ecaOauth": "ExtlClntAppOauthSettings",
    "extlClntAppOauthPolicies/Tool_oauthPlcy.ecaOauthPlcy": "ExtlClntAppOauthConfigurablePolicies",
    "extlClntAppPolicies/Tool_plcy.ecaPlcy": "ExtlClntAppConfigurablePolicies",
}
HEADER, GLOBAL, SETTINGS, POLICIES, SWITCHES = PARTS
VALUES: dict[str, dict[str, object]] = {
    HEADER: {"contactEmail": "ann@acme.example", "distributionState": "Local", "label": "Tool"},
    GLOBAL: {"callbackUrl": CALLBACKS, "externalClientApplication": "Tool", "label": "Tool"},
    SETTINGS: {"commaSeparatedOauthScopes": "Api, RefreshToken", "externalClientApplication": "Tool", "label": "Tool"},
    POLICIES: {"externalClientApplication": "Tool", "label": "Tool"},
    SWITCHES: {"externalClientApplication": "Tool", "isEnabled": "true", "label": "Tool"},
}


@pytest.fixture(autouse=True)
def forget(running: RunningOrgsim) -> Iterator[None]:
    yield
    with running.production.database.write() as connection:
        connection.execute("DELETE FROM _app WHERE client_id <> ?", (CLIENT_ID,))
    running.production.set("app_propagation_seconds", 0)


def files(*paths: str, **changed: Mapping[str, object]) -> dict[str, str]:
    """The files of the app; `changed` by the names above in lower case."""
    names = {"header": HEADER, "glbl": GLOBAL, "settings": SETTINGS, "policies": POLICIES, "switches": SWITCHES}
    more = {names[name]: values for name, values in changed.items()}
    made = {}
    for path in paths or tuple(PARTS):
        values = {**VALUES[path], **more.get(path, {})}
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value is not None)
        made[path] = f"<{PARTS[path]} {XMLNS}>{inner}</{PARTS[path]}>"
    return made


def shown(anyone: httpx2.Client, running: RunningOrgsim) -> dict[str, Any]:
    """What Setup shows of the deployed app."""
    apps = anyone.get(f"/orgsim/orgs/{running.production.org_id}/apps").json()
    return next(each for each in apps if each["options"]["developer_name"] == "Tool")


def authorize_address(running: RunningOrgsim, key: str, verifier: str, redirect_uri: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": key, "redirect_uri": redirect_uri, "scope": "api refresh_token",
        "state": "s", "code_challenge": challenge,
    }  # fmt: skip
    return f"{running.url}/services/oauth2/authorize?{urlencode(query)}"


def log_in(running: RunningOrgsim, anyone: httpx2.Client, app: dict[str, Any]) -> httpx2.Response:
    """The answer of the token endpoint after a person has pressed Allow."""
    [redirect_uri] = [address for address in app["callbacks"] if "localhost" in address]
    location = answer_login(authorize_address(running, app["client_id"], "v" * 50, redirect_uri), USERNAME, PASSWORD)
    body = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(location).query)["code"][0],
        "client_id": app["client_id"], "client_secret": app["client_secret"], "redirect_uri": redirect_uri,
        "code_verifier": "v" * 50,
    }  # fmt: skip
    return anyone.post("/services/oauth2/token", data=body)


def ask(anyone: httpx2.Client, app: dict[str, Any], **body: str) -> tuple[int, dict[str, Any]]:
    keys = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    answer = anyone.post("/services/oauth2/token", data={**keys, **body}, headers={"Host": "acme.localhost"})
    return answer.status_code, answer.json()


@pytest.mark.conformance(
    area="Metadata",
    feature="Deploy an External Client App: the org makes its consumer key and secret, and people log in by it",
    source="facts A.7",
    endpoint="POST /metadata/deployRequest",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Apps with key and secret, as Setup shows them",
    source="reference",
    endpoint="GET /orgsim/orgs/{org_id}/apps",
)
def test_a_deployed_app_lets_people_log_in(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    result = deploy(client, finished, files(glbl={"isRefreshTokenRotationEnabled": "true"}))
    assert result["success"], problems(result)
    assert {each["componentType"] for each in result["details"]["componentSuccesses"]} == set(PARTS.values())
    app = shown(anyone, running)
    assert app["client_secret"] not in orjson.dumps(result).decode()
    tokens = log_in(running, anyone, app).json()
    assert tokens["access_token"].startswith(running.production.org_id[:15])
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert ask(anyone, app, **refresh)[1]["refresh_token"] != tokens["refresh_token"]
    answer = anyone.get(authorize_address(running, app["client_id"], "v" * 50, "https://tool.example/other"))
    assert "redirect_uri_mismatch" in answer.text


@pytest.mark.conformance(area="Levers", feature="The command app show", source="reference")
def test_the_command_shows_key_and_secret(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    deploy(client, finished, files())
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    told = CliRunner().invoke(orgsim_cli, ["app", "show", "Tool", *where])
    assert orjson.loads(told.stdout) == shown(anyone, running)
    assert CliRunner().invoke(orgsim_cli, ["app", "show", "Unknown", *where]).exit_code != 0


@pytest.mark.conformance(
    area="Metadata", feature="An app that is deployed again keeps its consumer key", source="facts A.7"
)
def test_deploying_again_changes_the_app_and_keeps_its_key(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    deploy(client, finished, files())
    before = shown(anyone, running)
    again = deploy(client, finished, files(GLOBAL, glbl={"shouldRotateConsumerSecret": "true"}))
    assert not again["details"]["componentSuccesses"][0]["created"]
    after = shown(anyone, running)
    assert after["client_id"] == before["client_id"]
    assert after["client_secret"] != before["client_secret"]


@pytest.mark.conformance(
    area="Metadata", feature="An External Client App that is switched off lets nobody in", source="facts A.5"
)
def test_an_app_that_is_switched_off_lets_nobody_in(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    deploy(client, finished, files(switches={"isEnabled": "false"}))
    app = shown(anyone, running)
    with pytest.raises(Exception, match="not installed in this org"):
        log_in(running, anyone, app)


@pytest.mark.conformance(area="Metadata", feature="A new External Client App is not known at once", source="facts A.5")
def test_a_new_app_is_not_known_at_once(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    running.production.set("app_propagation_seconds", 600)
    deploy(client, finished, files())
    app = shown(anyone, running)
    body = {"grant_type": "refresh_token", "refresh_token": "none"}
    assert ask(anyone, app, **body)[1]["error"] == "invalid_client_id"
    anyone.post("/orgsim/clock", json={"jump_seconds": 601})
    assert ask(anyone, app, **body)[1]["error"] == "invalid_grant"


@pytest.mark.conformance(
    area="Metadata",
    feature="External Client App policies: client credentials run as a user, once the flow is enabled",
    source="facts A.4",
    endpoint="POST /services/oauth2/token",
)
def test_client_credentials_need_the_flow_and_a_user(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    deploy(client, finished, files())
    app = shown(anyone, running)
    grant = {"grant_type": "client_credentials"}
    assert ask(anyone, app, **grant)[1]["error_description"] == "client credentials flow not enabled"
    enabled = {"isClientCredentialsFlowEnabled": "true"}
    deploy(client, finished, files(GLOBAL, POLICIES, glbl=enabled, policies=enabled))
    assert ask(anyone, app, **grant)[1]["error_description"] == "no client credentials user enabled"
    run_as = {**enabled, "clientCredentialsFlowUser": USERNAME}
    deploy(client, finished, files(POLICIES, policies=run_as))
    status, tokens = ask(anyone, app, **grant)
    assert (status, tokens["id"].rpartition("/")[2]) == (200, running.production_user_id)


@pytest.mark.conformance(
    area="Metadata", feature="External Client App policies: approved profiles, refresh policy", source="facts A.7"
)
def test_policies_and_certificate_are_taken_over(
    running: RunningOrgsim, client: httpx2.Client, anyone: httpx2.Client, finished: Finished
) -> None:
    certificate = certificate_of(new_key())
    body = "".join(line for line in certificate.splitlines() if "-----" not in line)
    policies: dict[str, object] = {
        "permittedUsersPolicyType": "AdminApprovedPreAuthorized",
        "commaSeparatedProfile": "System Administrator",
        "refreshTokenPolicyType": "SpecificInactivity",
        "refreshTokenValidityPeriod": 7,
        "refreshTokenValidityUnit": "Days",
    }
    result = deploy(client, finished, files(glbl={"certificate": body}, policies=policies))
    assert result["success"], problems(result)
    options = shown(anyone, running)["options"]
    assert options["certificate"] == certificate
    assert (options["admin_approved"], options["approved"]) == (True, ["System Administrator"])
    assert (options["refresh_policy"], options["refresh_seconds"]) == ("inactivity", 7 * 86_400)
    assert options["pkce_required"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"header": {"contactEmail": None}}, "Required field is missing: contactEmail"),
        ({"header": {"distributionState": "Everywhere"}}, "not a valid value for distributionState"),
        ({"glbl": {"callbackUrl": None}}, "Required field is missing: callbackUrl"),
        ({"glbl": {"externalClientApplication": "Other"}}, "no ExternalClientApplication named Other"),
        ({"glbl": {"certificate": "bm90IG9uZQ=="}}, "certificate is not valid"),
        ({"settings": {"commaSeparatedOauthScopes": "Api, Everything"}}, "invalid scope Everything"),
        ({"policies": {"commaSeparatedPermissionSet": "Nobody"}}, "no PermissionSet named Nobody"),
        ({"policies": {"clientCredentialsFlowUser": "nobody@acme.example"}}, "no User named nobody@acme.example"),
        ({"policies": {"refreshTokenPolicyType": "Sometimes"}}, "not a valid value for refreshTokenPolicyType"),
        (
            {"policies": {"refreshTokenPolicyType": "SpecificLifetime", "refreshTokenValidityPeriod": "a week"}},
            "not a valid value for the type xsd:int",
        ),
    ],
)
@pytest.mark.conformance(
    area="Metadata", feature="A wrong External Client App is refused with its reason", source="facts A.7", refused=True
)
def test_what_is_wrong_is_refused_with_its_reason(
    running: RunningOrgsim,
    client: httpx2.Client,
    anyone: httpx2.Client,
    finished: Finished,
    changed: dict[str, dict[str, object]],
    words: str,
) -> None:
    result = deploy(client, finished, files(**changed), rollbackOnError=True)
    assert not result["success"]
    assert words in problems(result)[0][1]
    with pytest.raises(StopIteration):
        shown(anyone, running)
