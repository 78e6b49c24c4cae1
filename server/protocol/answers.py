"""What a client sends in a shape of its own: its answers to questions, and parameters that the
protocol does not have.

Some hosts declare that they can ask, and answer by themselves when nobody watches: with a decline
at once, or with an `accept` without content. Neither is a person's word.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import ValidationError

from server.text import truncate_line
from server.tool.elicitation import Reply

log = logging.getLogger("archive_mcp")

Action = Literal["accept", "decline", "cancel"]

# Nobody reads a question and refuses it within this time.
UNATTENDED_SECONDS = 1.0

_WRONG = "Invalid request parameters"
_NOT_OPEN = "The connection is not open yet: send `initialize` first."

# Names of types in pydantic's places.
_TYPES = ("str", "int", "float", "bool")

# Characters of what is said about parameters.
_LONGEST_REASON = 300

# Words of clients for the three actions of the protocol; any other counts as no answer.
_ACTIONS: dict[str, Action] = {
    "accept": "accept",
    "decline": "decline",
    "reject": "decline",
    "cancel": "cancel",
}


def settle(action: Action, content: Mapping[str, Any] | None, seconds: float) -> Reply:
    """Return what an answer means that came after so many seconds."""
    # A host that accepts everything sends no content: there is nothing that anybody chose.
    by_nobody = {"decline": seconds < UNATTENDED_SECONDS, "accept": not content}
    if by_nobody.get(action):
        return Reply("unavailable")
    return Reply(action, content or {})


def read_malformed(error: ValidationError) -> Action:
    """Return what an answer means that the protocol does not allow."""
    inputs = [entry["input"] for entry in error.errors(include_url=False)]
    return "decline" if "reject" in inputs else "cancel"


async def explain_parameters(
    ctx: ServerRequestContext[Any, Any],
    call_next: Callable[[ServerRequestContext[Any, Any]], Awaitable[Any]],
) -> Any:
    """Say which parameter a request has wrong, as middleware: the SDK says only that one is.

    Raises:
        MCPError: with the parameter and what is wrong with it.
    """
    try:
        return await call_next(ctx)
    except ValidationError as error:
        reason = _explain(error)
        log.warning("%s of the client was refused: %s", ctx.method, reason)
        raise MCPError(code=INVALID_PARAMS, message=reason) from None
    except MCPError as error:
        # The SDK's word for a request before the connection is open.
        if error.error.message != _WRONG:
            raise
        raise MCPError(code=INVALID_PARAMS, message=_NOT_OPEN) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    # The last steps of a union are names of types, which the caller never wrote.
    steps = [str(step) for step in first["loc"] if step not in _TYPES]
    text = f"`{'.'.join(steps)}`: {first['msg']}" if steps else first["msg"]
    return truncate_line(f"{_WRONG}: {text}", _LONGEST_REASON)


async def mend_answers(
    ctx: ServerRequestContext[Any, Any],
    call_next: Callable[[ServerRequestContext[Any, Any]], Awaitable[Any]],
) -> Any:
    """Bring the answers that come with a repeated call into the protocol's shape, as middleware:
    the SDK refuses the whole call otherwise."""
    params = ctx.params or {}
    responses = params.get("inputResponses")
    if not isinstance(responses, Mapping):
        return await call_next(ctx)
    mended = {key: _mend(response) for key, response in responses.items()}
    return await call_next(replace(ctx, params={**params, "inputResponses": mended}))


def _mend(response: Any) -> Any:
    # Answers to other requests than questions have other fields: none of them is asked for here.
    if not isinstance(response, Mapping):
        return {"action": "cancel"}
    action = _ACTIONS.get(str(response.get("action")), "cancel")
    content = response.get("content")
    # Of anything but a form nothing is left, which makes an `accept` nobody's.
    if not isinstance(content, Mapping):
        return {"action": action}
    return {"action": action, "content": _keep_plain(content)}


def _keep_plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a form that are plain values: forms are flat."""
    return {
        name: value
        for name, value in content.items()
        if isinstance(value, str | int | float | None)
    }
