"""What only the API can answer: reachability, token, workspaces, plan.

It is asked as every tool asks, through the limiter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.workspaces import Workspace
from server.doctor.probe import read_field
from server.doctor.report import Check
from server.errors import Code, Failure
from server.http.intermediary import Intercepted
from server.limiter import Pacer, Snapshot
from server.text import count_noun
from server.tool.elicitation import Nobody

# For all questions of a plain check together: people wait for it at a terminal.
SECONDS = 25.0

_WORKSPACE = "query Workspace { workspace { id name } }"
# An agency's token may see hundreds of workspaces; a line shows so many.
_MOST_NAMES = 10

_HOW_TO_REPLACE_IT = (
    "Get a new token in Archive under Settings > Integrations (or Settings > API), put it into "
    "ARCHIVE_APP_TOKEN and restart your client."
)
_UNREACHED = "Check the network, the proxy (HTTPS_PROXY) and ARCHIVE_API_URL."
_BUSY = "Wait that long and run this again; others may be using the same token."
_TOKEN_HINTS = {Code.UNAUTHENTICATED: _HOW_TO_REPLACE_IT}
# These say something about the way to the API, and nothing about the token.
_HINTS = {
    Code.UNAVAILABLE: _UNREACHED,
    Code.TIMEOUT: _UNREACHED,
    Code.BAD_RESPONSE: "Check ARCHIVE_API_URL: what answers there is not Archive.",
    Code.RATE_LIMITED: _BUSY,
    Code.BUDGET_EXHAUSTED: _BUSY,
}


@dataclass
class ApiChecks:
    """What the API answered; `target` is the workspace that further questions may go to."""

    checks: list[Check]
    workspaces: list[Workspace] = field(default_factory=list)
    target: Workspace | None = None


async def check_api(
    backend: ArchiveBackend, pacer: Pacer, configured: str | None, name: str
) -> ApiChecks:
    """Ask for the workspaces, and inside one of them for its name.

    Args:
        configured: the id or name of a workspace in the settings.
        name: what the report calls the API.
    """
    deadline = backend.archive.now() + SECONDS
    try:
        workspaces = await backend.workspaces.list_all(deadline)
    except Failure as failure:
        return ApiChecks(_explain_failure(failure, name))
    answers = Check("api", "ok", f"{name} answers")
    remote = ApiChecks([answers, _check_token(workspaces)], workspaces)
    if not workspaces:
        return remote
    check, target = await _check_workspace(backend, configured, workspaces, deadline)
    remote.target = target
    remote.checks.append(check)
    if target:
        remote.checks.append(await _check_access(backend, target, deadline))
        # After a question inside the workspace: its answer tells the limiter plan and credits.
        state = await pacer.snapshot(backend.archive.limiter_key(target.id))
        remote.checks += [_check_pace(state, target), _check_credits(state, target)]
    return remote


def _explain_failure(failure: Failure, name: str) -> list[Check]:
    """Return whose fault it is that no workspaces were listed: somebody's on the way, the API's, or
    the token's."""
    if isinstance(failure, Intercepted):
        return [
            Check("api", "fail", failure.message, failure.hint),
            Check("token", "skip", f"not checked: {failure.who} answered, and not Archive"),
        ]
    if failure.code in _HINTS:
        return [
            Check("api", "fail", failure.message, _HINTS[failure.code]),
            Check("token", "skip", "not checked, because Archive did not answer"),
        ]
    hint = _TOKEN_HINTS.get(failure.code, "Try another token.")
    return [Check("api", "ok", f"{name} answers"), Check("token", "fail", failure.message, hint)]


def _check_token(workspaces: list[Workspace]) -> Check:
    if not workspaces:
        return Check(
            "token",
            "fail",
            "The token is accepted but sees no workspace.",
            "Use a token of the workspace (or agency) that you mean.",
        )
    count = count_noun(len(workspaces), "workspace")
    return Check("token", "ok", f"accepted; it sees {count}: {_join_names(workspaces)}")


async def _check_workspace(
    backend: ArchiveBackend, configured: str | None, workspaces: list[Workspace], deadline: float
) -> tuple[Check, Workspace | None]:
    """Return whether the settings lead to one workspace, and the one for further questions."""
    try:
        id = await backend.workspaces.resolve(None, Nobody(), deadline)
    except Failure as failure:
        # Nothing is wrong where calls choose one; any will do to see how the API answers.
        if failure.code is Code.WORKSPACE_REQUIRED:
            return _warn_of_choice(workspaces), workspaces[0]
        return _reject_setting(failure.message, workspaces), None
    target = {workspace.id: workspace for workspace in workspaces}.get(id)
    # An id is not looked up before it is used, so it may be of a workspace that is not there.
    if target is None:
        problem = f"The token does not see the workspace {configured}."
        return _reject_setting(problem, workspaces), None
    reason = "from ARCHIVE_WORKSPACE_ID" if configured else "the only one"
    return Check("workspace", "ok", f"{target.name} ({target.id}), {reason}"), target


def _warn_of_choice(workspaces: list[Workspace]) -> Check:
    return Check(
        "workspace",
        "warn",
        f"None is configured and the token sees {len(workspaces)}: each call has to name one "
        "(`workspace`), or the assistant asks for it.",
        "Set ARCHIVE_WORKSPACE_ID to the id or name of the one that you use most.",
    )


def _reject_setting(message: str, workspaces: list[Workspace]) -> Check:
    hint = (
        f"Set ARCHIVE_WORKSPACE_ID to one of these names or ids: {_join_names(workspaces)}. "
        "(The short number in Archive's menu is not the id.)"
    )
    return Check("workspace", "fail", message, hint)


async def _check_access(backend: ArchiveBackend, target: Workspace, deadline: float) -> Check:
    call = Call("workspace", _WORKSPACE, {}, target.id, 5, deadline)
    try:
        answer = await backend.archive.execute(call)
    except Failure as failure:
        hint = _hint_of(failure)
        return Check("access", "fail", f"{target.name}: {failure.message}", hint)
    # A server that ignored the header would answer every call for the wrong workspace.
    if str(read_field(answer.data, "id")).lower() != target.id:
        problem = f"{target.name}: Archive answered for another workspace."
        return Check("access", "fail", problem, "Try again later.")
    return Check("access", "ok", f"{target.name} answers")


def _hint_of(failure: Failure) -> str:
    if isinstance(failure, Intercepted):
        return failure.hint
    return _HINTS.get(failure.code, "Use a token that may use this workspace.")


def _check_pace(state: Snapshot, target: Workspace) -> Check:
    if state.penalty <= 0:
        return Check("pace", "ok", f"{target.name}: one request every {state.gap:.2f} s")
    return Check(
        "pace",
        "warn",
        f"{target.name}: after a 429 from Archive all requests wait {state.penalty:.1f} s more.",
        "Something else uses this workspace's 5 requests per second; there is nothing to do here.",
    )


def _check_credits(state: Snapshot, target: Workspace) -> Check:
    # Older deployments of Archive send no such headers.
    if state.burst is None or state.refill is None or state.credits is None:
        return Check("credits", "note", "Archive reports neither a plan nor credits")
    return Check(
        "credits",
        "ok",
        f"{target.name}: plan {state.plan}, {state.credits:.0f} of {state.burst:.0f} rate credits "
        f"left, {state.refill:.0f} come back each second",
    )


def _join_names(workspaces: list[Workspace]) -> str:
    names = [f"{workspace.name} ({workspace.id})" for workspace in workspaces[:_MOST_NAMES]]
    rest = len(workspaces) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")
