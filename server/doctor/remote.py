"""What only the API can tell: reachability, token, workspaces, plan. Asked as every tool asks,
through the limiter."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.failures import HOW_TO_GET_A_KEY
from server.archive.workspaces import Workspace
from server.doctor.report import Check
from server.errors import Code, Failure
from server.limiter import Pacer, Snapshot
from server.tool.elicitation import Nobody

SECONDS = 25.0
"""How long the questions of a plain check may take together."""

_WORKSPACE = "query Workspace { workspace { id name } }"
_LISTED = 10

_UNREACHED = "Look at the network, the proxy (HTTPS_PROXY) and ARCHIVE_API_URL."
_HINTS = {
    Code.UNAVAILABLE: _UNREACHED,
    Code.TIMEOUT: _UNREACHED,
    Code.BAD_RESPONSE: "Look at ARCHIVE_API_URL: something answers there, but not as Archive does.",
    Code.RATE_LIMITED: "Wait as long as it says and run this again; others may be using the same token.",
    Code.BUDGET_EXHAUSTED: "Wait as long as it says and run this again; others may be using the same token.",
}


@dataclass
class Remote:
    """What was asked and answered; `target` is the workspace that further questions may go to."""

    checks: list[Check]
    workspaces: list[Workspace] = field(default_factory=list)
    target: Workspace | None = None


async def remote_checks(
    backend: ArchiveBackend, pacer: Pacer, configured: str | None, where: str
) -> Remote:
    """Ask for the workspaces, and inside one of them for its name.

    `configured` is the id or name in the settings, `where` how the API is called in the report.
    """
    deadline = backend.archive.now() + SECONDS
    try:
        known = await backend.workspaces.all(deadline)
    except Failure as failure:
        return Remote(_unlisted(failure, where))
    found = Remote([Check("api", "ok", f"{where} answers"), _token(known)], known)
    if not known:
        return found
    check, found.target = await _workspace(backend, configured, known, deadline)
    found.checks.append(check)
    if found.target:
        found.checks.append(await _inside(backend, found.target, deadline))
        found.checks += _pace(
            await pacer.snapshot(backend.archive.limiter_key(found.target.id)), found.target
        )
    return found


def _unlisted(failure: Failure, where: str) -> list[Check]:
    unasked = Check("token", "skip", "not checked: Archive could not be asked")
    if failure.code in _HINTS:
        return [Check("api", "fail", failure.message, _HINTS[failure.code]), unasked]
    hint = HOW_TO_GET_A_KEY if failure.code is Code.UNAUTHENTICATED else "Try another token."
    return [Check("api", "ok", f"{where} answers"), Check("token", "fail", failure.message, hint)]


def _token(known: list[Workspace]) -> Check:
    if not known:
        return Check(
            "token",
            "fail",
            "The token is accepted but sees no workspace.",
            "Use a token of the workspace (or agency) that you mean.",
        )
    return Check("token", "ok", f"accepted; it sees {_count(known)}: {_names(known)}")


async def _workspace(
    backend: ArchiveBackend, configured: str | None, known: list[Workspace], deadline: float
) -> tuple[Check, Workspace | None]:
    """Whether the settings lead to one workspace, and the one to ask further questions in."""
    try:
        chosen = await backend.workspaces.resolve(None, Nobody(), deadline)
    except Failure as failure:
        if failure.code is Code.WORKSPACE_REQUIRED:
            return _undecided(known), known[0]
        return _unresolved(failure.message, known), None
    target = next((each for each in known if each.id == chosen), None)
    if target is None:
        return _unresolved(f"The token does not see the workspace {configured}.", known), None
    why = "ARCHIVE_WORKSPACE_ID" if configured else "the only one"
    return Check("workspace", "ok", f"{target.name} ({target.id}), {why}"), target


def _undecided(known: list[Workspace]) -> Check:
    return Check(
        "workspace",
        "warn",
        f"None is configured and the token sees {len(known)}: calls must name theirs (`workspace`), and those that do "
        "not make the assistant ask.",
        "Set ARCHIVE_WORKSPACE_ID to the id or name of the one you use most.",
    )


def _unresolved(message: str, known: list[Workspace]) -> Check:
    return Check(
        "workspace",
        "fail",
        message,
        f"Set ARCHIVE_WORKSPACE_ID to a name or id out of: {_names(known)}. (The short number in Archive's menu is "
        "not the id.)",
    )


async def _inside(backend: ArchiveBackend, target: Workspace, deadline: float) -> Check:
    try:
        answer = await backend.archive.execute(
            Call("workspace", _WORKSPACE, {}, target.id, 5, deadline)
        )
    except Failure as failure:
        hint = _HINTS.get(failure.code, "Use a token that may use this workspace.")
        return Check("access", "fail", f"{target.name}: {failure.message}", hint)
    there = str(answer.data.get("id", "")).lower() if isinstance(answer.data, dict) else ""
    if there != target.id:
        return Check(
            "access",
            "fail",
            f"{target.name}: Archive answered for another workspace.",
            "Try again later.",
        )
    return Check("access", "ok", f"{target.name} answers")


def _pace(state: Snapshot, target: Workspace) -> list[Check]:
    """What the limiter knows of the workspace."""
    checks = [Check("pace", "ok", f"{target.name}: one request every {state.gap:.2f} s")]
    if state.penalty > 0:
        checks = [
            Check(
                "pace",
                "warn",
                f"{target.name}: Archive's 429 keeps everybody waiting for {state.penalty:.1f} s more.",
                "Something else uses this workspace's 5 requests per second; nothing to do here.",
            )
        ]
    if state.burst is None or state.refill is None or state.credits is None:
        return [*checks, Check("credits", "note", "Archive's answers name no plan and no credits")]
    detail = (
        f"{target.name}: plan {state.plan}, {state.credits:.0f} of {state.burst:.0f} rate credits left, "
        f"{state.refill:.0f} come back each second"
    )
    return [*checks, Check("credits", "ok", detail)]


def _names(known: list[Workspace]) -> str:
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return ", ".join(f"{each.name} ({each.id})" for each in known[:_LISTED]) + more


def _count(known: list[Workspace]) -> str:
    return "1 workspace" if len(known) == 1 else f"{len(known)} workspaces"
