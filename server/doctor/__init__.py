"""`archive-mcp doctor`: what is set, what works, and with `--live` whether the real API behaves as
assumed.

Nothing here talks to the network by itself: every question goes the way of the tools, limiter
included.
"""

from __future__ import annotations

import logging

import anyio

from server.doctor.archivebox import check_archivebox
from server.doctor.assumptions import ASSUMPTIONS, Assumption, render_markdown
from server.doctor.clients import Start, check_clients, load_as_client
from server.doctor.live import check_assumptions
from server.doctor.local import WHAT_TO_SET, check_locally, render_url
from server.doctor.probe import Probe
from server.doctor.remote import check_api
from server.doctor.report import Check, Report, list_advice
from server.errors import Failure
from server.limiter import Pacer
from server.services import Services
from server.settings import Settings, SettingsError
from server.setup.machine import Machine
from server.text import write_out
from server.tool.catalog import Catalog

__all__ = [
    "ASSUMPTIONS",
    "Assumption",
    "examine",
    "investigate",
    "load_as_client",
    "render_markdown",
]


log = logging.getLogger("archive_mcp.doctor")


def examine(settings: Settings, surface: Catalog, *, as_json: bool, live: bool) -> int:
    """Check everything, print the report on stdout and return 0 only if nothing failed.

    Args:
        live: also check, by reading only, what is assumed of the API.
    """

    async def check() -> Report:
        # A pacer of its own, to see what it knows; its state is the one that all processes share.
        pacer = Pacer(None if settings.sandbox else settings.state_dir)
        try:
            return await investigate(settings, surface, pacer, live=live, machine=Machine.here())
        finally:
            pacer.close()

    try:
        report = anyio.run(check)
    except Exception as error:  # the outermost handler: a line helps more than a trace
        log.debug("doctor failed", exc_info=error)
        problem = f"This check itself failed ({type(error).__name__})."
        hint = "Run it again with --log-level DEBUG and report what it shows."
        report = Report((), "", settings.sandbox, [Check("doctor", "fail", problem, hint)])
    write_out(report.to_json() if as_json else report.render())
    return 0 if report.ok else 1


async def investigate(
    settings: Settings,
    surface: Catalog,
    pacer: Pacer,
    *,
    live: bool,
    machine: Machine | None = None,
) -> Report:
    """Make all checks and return their report.

    Args:
        pacer: paces every request.
        machine: the computer whose clients are looked at; None looks at none.
    """
    keychain = [] if settings.sandbox else await _read_keychain(settings)
    secrets = filter(None, (settings.token, settings.archivebox_key))
    password = settings.archivebox_password.peek() if settings.archivebox_password else ""
    report = Report(tuple(secret.peek() for secret in secrets), password, settings.sandbox)
    report.checks += check_locally(settings, surface)
    clients = check_clients(machine)
    report.checks += clients.checks
    report.checks += keychain
    # Nothing can be asked with secrets that are not there.
    if keychain:
        return report
    async with Services(settings, limiter=pacer) as services:
        if settings.archivebox_configured:
            report.checks += await _check_archivebox(settings, services)
        if settings.archive_configured:
            await _check_archive(report, settings, services, pacer, live=live)
            return report
    report.checks.append(_explain_no_token(settings, clients.starts))
    if live:
        report.findings = await check_assumptions(None)
    return report


async def _read_keychain(settings: Settings) -> list[Check]:
    """Read the secrets that the keychain has, and return a check for each that is not there."""
    checks: list[Check] = []
    secrets = (settings.token, settings.archivebox_key, settings.archivebox_password)
    for secret in filter(None, secrets):
        try:
            await anyio.to_thread.run_sync(secret.reveal)
        except SettingsError as error:
            checks.append(Check("keychain", "fail", str(error)))
    return checks


async def _check_archivebox(settings: Settings, services: Services) -> list[Check]:
    name = _name_server(settings, "ArchiveBox", settings.archivebox_url or "")
    try:
        backend = await services.archivebox()
    # Proxy or certificates of this machine cannot be used.
    except Failure as failure:
        return [Check("archivebox", "fail", failure.message, failure.hint)]
    return await check_archivebox(backend, name)


async def _check_archive(
    report: Report, settings: Settings, services: Services, pacer: Pacer, *, live: bool
) -> None:
    name = _name_server(settings, "Archive", settings.api_url)
    try:
        backend = await services.archive()
    except Failure as failure:
        report.checks.append(Check("api", "fail", failure.message, failure.hint))
        return
    remote = await check_api(backend, pacer, settings.workspace, name)
    report.checks += remote.checks
    report.workspaces = [{"id": space.id, "name": space.name} for space in remote.workspaces]
    if not live:
        return
    # Where nothing was listed, more questions would meet the same trouble.
    target = remote.target.id if remote.target else None
    probe = Probe(backend.archive, pacer, target) if remote.workspaces else None
    report.findings = await check_assumptions(probe)
    report.checks += list_advice(report.findings)


def _explain_no_token(settings: Settings, starts: list[Start]) -> Check:
    if settings.archivebox_configured:
        detail = "No Archive token is configured: the tools of Archive are not offered."
        return Check("token", "note", detail)
    ready = [start for start in starts if start.is_configured]
    if not ready:
        problem = "No Archive token and no ArchiveBox is configured."
        return Check("token", "fail", problem, WHAT_TO_SET)
    # A client's own variables are not those of a terminal: nothing is wrong.
    names = ", ".join(sorted({start.client for start in ready}))
    detail = f"None is configured in this terminal; clients have their own: {names}."
    hint = f"`archive-mcp doctor --client {ready[0].client}` checks with what that one has."
    return Check("token", "note", detail, hint)


def _name_server(settings: Settings, name: str, url: str) -> str:
    # The configured address is not asked in the sandbox, so the report must not show it.
    if settings.sandbox:
        return f"The {name} sandbox in this process"
    return f"{name} at {render_url(url)}"
