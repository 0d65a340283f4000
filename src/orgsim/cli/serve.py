"""`orgsim serve`: answer on the production door and the sandbox door until stopped."""

from pathlib import Path
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, StateFolder, open_state, show
from orgsim.clock import ClockSetting
from orgsim.server.run import Listening, OrgServer, ProxyListening
from orgsim.tls import ensure_proxy_tls_files, ensure_tls_files


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    *,
    state: StateFolder = DEFAULT_FOLDER,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The production door: login.salesforce.com. 0 takes a free port.")] = 8700,
    sandbox_port: Annotated[int, typer.Option(help="The sandbox door: test.salesforce.com.")] = 8701,
    tls: Annotated[bool, typer.Option(help="Serve HTTPS with a certificate of the state folder's own CA.")] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="Serve HTTPS with this certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Key of --tls-cert (PEM).")] = None,
    proxy_port: Annotated[
        int | None, typer.Option(help="Also run a CONNECT proxy for Salesforce's host names here. 0 takes a free port.")
    ] = None,
    clock_offset: Annotated[float | None, typer.Option(help="Set the orgs' clock this many seconds ahead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve every org of the state folder."""
    with open_state(state) as opened:
        if clock_offset is not None:
            opened.set_clock(ClockSetting(offset_seconds=clock_offset))
        # First, because it may make a new authority.
        proxy = ProxyListening(proxy_port, ensure_proxy_tls_files(state / "tls")) if proxy_port is not None else None
        certificate, key = tls_cert, tls_key
        if tls:
            files = ensure_tls_files(state / "tls")
            certificate, key = files.certificate, files.key
        server = OrgServer(opened, Listening(host, port, sandbox_port, certificate, key, proxy))
        answer: dict[str, object] = {
            "production": server.addresses.url,
            "sandbox": server.addresses.sandbox_url,
            "orgs": [org.org_id for org in opened.orgs()],
        }
        if proxy:
            answer["proxy"] = server.addresses.proxy_url
        if tls or proxy:
            answer["trust"] = str(state / "tls" / "ca.pem")
        show(answer, as_json=as_json)
        server.run()
