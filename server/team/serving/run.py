"""Starts the server: uvicorn over the app, until a signal ends it."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from sse_starlette.sse import AppStatus

from server.http.connection import share_certificates
from server.settings import Settings, SettingsError
from server.team.serving.addresses import check_start
from server.team.serving.connections import TimedProtocol
from server.team.serving.front import Front
from server.team.serving.workers import Workers, inherit_listener, make_command
from server.team.settings import TeamSettings, is_open
from server.team.store.opening import check_store
from server.team.tenant import Shared, Texts
from server.tool.catalog import Catalog

log = logging.getLogger("archive_mcp.team")

_KEEP_ALIVE_SECONDS = 65
_HEADER_BYTES = 64 * 1024
_BACKLOG = 512


def serve_http(
    base: Settings, team: TeamSettings, catalog: Catalog, prompts: Any, launcher: Path
) -> int:
    """Serve people over HTTP until a signal ends it, and return the exit status.

    Args:
        prompts: the package with the texts.
        launcher: the program that further workers are started with.

    Raises:
        SettingsError: it must not or cannot start so.
    """
    check_start(team, sandbox=base.sandbox)
    if team.database_url is not None:
        check_store(team)
    listener = inherit_listener()
    if listener is None and team.workers > 1:
        workers = Workers(
            make_command(launcher), open_listener(team), team.workers, team.limits.stop_seconds + 10
        )
        _greet(base, team)
        return workers.run()
    share_certificates()
    texts = Texts(prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
    front = Front(base, team, Shared(catalog, texts, team.limits.body))
    config = make_config(front, team)
    if listener is None:
        listener = open_listener(team)
        _greet(base, team)
    gc.collect()
    gc.freeze()
    gc.enable()
    # Else the streams of calls under way end at once; uvicorn waits for them, for `stop_seconds`.
    AppStatus.enable_automatic_graceful_drain = False
    server = uvicorn.Server(config)
    # uvicorn ends in order and then sends itself the signal once more: that would be no status 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def make_config(front: Front, team: TeamSettings) -> uvicorn.Config:
    """Return what uvicorn runs with."""
    proxies = [str(network) for network in team.trusted_proxies]
    return uvicorn.Config(
        front.app,
        # The listener is opened here, so that a taken port is reported before anything starts.
        host=team.host,
        port=team.port,
        http=TimedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or [],
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=team.limits.stop_seconds,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ssl_certfile=team.certificate,
        ssl_keyfile=team.certificate_key,
    )


def open_listener(team: TeamSettings) -> socket.socket:
    """Return the socket that is listened on.

    Raises:
        SettingsError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in team.host else socket.AF_INET
    # asyncio switches off the wait for more bytes only where the protocol is named: 40 ms a call.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((team.host, team.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise SettingsError(f"{team.host}:{team.port} cannot be listened on: {reason}.") from None
    return listener


def _greet(base: Settings, team: TeamSettings) -> None:
    """Say where clients connect to, and what holds for this start."""
    lines = [f"archive-mcp serves {team.resource}"]
    if team.database_url is None:
        lines.append(
            "No database: what people chose and confirmed is in the memory of this one process, "
            "and gone when it stops. ARCHIVE_MCP_DATABASE_URL changes that."
        )
    if team.policy is None:
        lines.append("Sandbox: made-up data, and anybody on this computer may do everything.")
    if is_open(team) and team.certificate is None:
        lines.append("TLS ends at the proxy: keep this address closed to everybody else.")
    for line in lines:
        print(line, file=sys.stderr)
