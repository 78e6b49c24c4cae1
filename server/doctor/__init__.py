"""`archive-mcp doctor`: what is set, what works, and with `--live` whether the real API behaves as
assumed.

Nothing here talks to the network by itself: every question takes the way of the tools, limiter
included.
"""

from __future__ import annotations

import sys

import anyio

from server.doctor.archivebox import archivebox_checks
from server.doctor.assumptions import ASSUMPTIONS, Assumption, assumptions_markdown
from server.doctor.live import live_findings
from server.doctor.local import WHAT_TO_SET, local_checks, shown_url
from server.doctor.look import Look
from server.doctor.remote import remote_checks
from server.doctor.report import Check, Report, advised
from server.limiter import Pacer
from server.services import Services
from server.settings import Settings
from server.tool.catalog import Surface

__all__ = ["ASSUMPTIONS", "Assumption", "assumptions_markdown", "examine", "investigate"]


def examine(settings: Settings, surface: Surface, *, as_json: bool, live: bool) -> int:
    """Check everything and print it on stdout; 0 only if nothing failed.

    Args:
        live: also check, by reading only, what is assumed of the API.
    """

    async def check() -> Report:
        pacer = Pacer(None if settings.sandbox else settings.state_dir)
        try:
            return await investigate(settings, surface, pacer, live=live)
        finally:
            pacer.close()

    report = anyio.run(check)
    text = report.as_json() if as_json else report.as_text()
    # A terminal that lacks a letter of a workspace's name still gets the rest.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    return 0 if report.ok else 1


async def investigate(settings: Settings, surface: Surface, pacer: Pacer, *, live: bool) -> Report:
    """All checks; `pacer` paces every request."""
    keys = tuple(each.reveal() for each in (settings.token, settings.archivebox_key) if each)
    password = settings.archivebox_password.reveal() if settings.archivebox_password else ""
    report = Report(keys, password, settings.sandbox)
    report.checks += local_checks(settings, surface)
    async with Services(settings, limiter=pacer) as services:
        if settings.archivebox_configured:
            report.checks += await archivebox_checks(
                await services.archivebox(), _archivebox_at(settings)
            )
        if not settings.archive_configured:
            report.checks.append(_no_token(settings))
            report.findings = await live_findings(None) if live else None
            return report
        where = (
            "The sandbox in this process"
            if settings.sandbox
            else f"Archive at {shown_url(settings.api_url)}"
        )
        backend = await services.archive()
        found = await remote_checks(backend, pacer, settings.workspace, where)
        report.checks += found.checks
        report.workspaces = [{"id": each.id, "name": each.name} for each in found.workspaces]
        if live:
            target = found.target.id if found.target else None
            look = Look(backend.archive, pacer, target) if found.workspaces else None
            report.findings = await live_findings(look)
            report.checks += advised(report.findings)
    return report


def _no_token(settings: Settings) -> Check:
    if settings.archivebox_configured:
        return Check(
            "token", "note", "No Archive token is configured: the tools of Archive are not offered."
        )
    return Check("token", "fail", "No Archive token and no ArchiveBox is configured.", WHAT_TO_SET)


def _archivebox_at(settings: Settings) -> str:
    if settings.sandbox:
        return "The ArchiveBox sandbox in this process"
    return f"ArchiveBox at {shown_url(settings.archivebox_url or '')}"
