"""Questions to the user in both protocol eras.

The handshake era sends `elicitation/create` while the call waits. In the modern era the server
cannot call the client: the call ends with a request for input, and the client repeats it with the
answers and the sealed state.

Some clients say that they can ask and answer by themselves: such an answer is nobody's
(`server.protocol.answers`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from server import wall_clock
from server.protocol.answers import read_malformed, settle
from server.shared_state.replies import Replies
from server.text import ELLIPSIS, clean_sentence
from server.tool.cursor import scope_of
from server.tool.elicitation import Asker, Question, Reply, Suspended
from server.tool.hosts import PERMISSION_DISPLAY

# How long a person may think about all questions of a call in the handshake era: hosts give up on
# the call at 60 s.
ANSWER_SECONDS = 40.0

log = logging.getLogger("archive_mcp")


class InputNeeded(Suspended):
    """A call needs an answer and ends with this request for input (modern era)."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("input needed")
        self.result = result


async def asker_for(
    ctx: ServerRequestContext[Any, Any],
    responses: Mapping[str, Any] | None,
    state: str | None,
    used: Replies,
) -> Asker:
    """Return the asker of one call.

    Args:
        responses: the answers that came with a repeated call, by question key.
        state: what this server sealed when it asked, opened and verified.
        used: the answers that counted already: each counts once.
    """
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return _CallingAsker(ctx)
    answers, asked = responses or {}, json.loads(state or "{}")
    # Sent again, by a client or by whoever saw it, the same answers are nobody's answers.
    if answers and not await used.redeem(asked.get("mark", "")):
        log.warning("an answer came a second time and does not count again")
        answers, asked = {}, {}
    return _ReturningAsker(ctx, answers, asked, used)


class _ProgressReporter:
    """Report to the client how far its call is; the SDK sends it only where the client asked."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self._ctx = ctx
        self.can_ask = _can_ask(ctx)

    async def report(self, done: float, total: float | None, message: str) -> None:
        await self._ctx.session.report_progress(done, total, clean_sentence(message))


class _CallingAsker(_ProgressReporter):
    """Asks while the call waits (handshake era)."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        super().__init__(ctx)
        # Of the call, not of a question: the host's patience is for all of them.
        self._until = anyio.current_time() + ANSWER_SECONDS

    async def ask(self, question: Question) -> Reply:
        if not self.can_ask:
            return Reply("unavailable")
        asked_at = anyio.current_time()
        with anyio.CancelScope(deadline=self._until):
            try:
                # Not by `elicit_form`, which takes no `_meta`.
                result = await self._ctx.session.send_request(
                    ElicitRequest(params=_render_with_title(question)),
                    ElicitResult,
                    metadata=ServerMessageMetadata(related_request_id=self._ctx.request_id),
                )
            except MCPError as error:
                log.warning("the client could not ask a question: %s", error)
                return Reply("cancel")
            except ValidationError as error:
                action = read_malformed(error)
                return settle(action, {}, anyio.current_time() - asked_at)
            return settle(result.action, result.content, anyio.current_time() - asked_at)
        # The time is over. Nobody agreed to anything.
        return Reply("cancel")


class _ReturningAsker(_ProgressReporter):
    """Returns the answer of an answered question, and ends the call at any other (modern era).

    The state holds the questions asked so far, each with a digest of what was shown, the answers
    already received and when it was sealed: a later round must not lose the earlier answers, and an
    answer to what has changed since does not count. Each state counts once: a confirmation is for
    one execution.
    """

    def __init__(
        self,
        ctx: ServerRequestContext[Any, Any],
        responses: Mapping[str, Any],
        state: Mapping[str, Any],
        used: Replies,
    ) -> None:
        super().__init__(ctx)
        self._used = used
        self._asked: dict[str, str] = dict(state.get("asked", {}))
        self._answers: dict[str, Any] = dict(state.get("answers", {}))
        seconds = wall_clock.utc_now().timestamp() - state.get("at", 0.0)
        for key, response in responses.items():
            # An answer to what was never asked is the client's invention.
            if key in self._asked and isinstance(response, ElicitResult):
                reply = settle(response.action, response.content, seconds)
                self._answers[key] = {"action": reply.action, "content": dict(reply.content)}

    async def ask(self, question: Question) -> Reply:
        if not self.can_ask:
            return Reply("unavailable")
        digest = scope_of(question.key, question.message, question.basis)
        answer = self._answers.get(question.key)
        if answer is not None and self._asked.get(question.key) == digest:
            return Reply(answer["action"], answer["content"])
        # What was shown has changed since: the old answer must not count for the new question.
        self._answers.pop(question.key, None)
        state = {
            "asked": {**self._asked, question.key: digest},
            "answers": self._answers,
            # The time of day, because the answer may come to another process or machine.
            "at": wall_clock.utc_now().timestamp(),
            "mark": self._used.issue(),
        }
        request = ElicitRequest(params=_render_question(question))
        raise InputNeeded(
            InputRequiredResult(
                input_requests={question.key: request}, request_state=json.dumps(state)
            )
        )


def _can_ask(ctx: ServerRequestContext[Any, Any]) -> bool:
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities is not None else None
    # A bare `elicitation: {}`, the only shape before modes existed, means forms.
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _render_question(question: Question) -> ElicitRequestFormParams:
    # Without `_meta`: the modern era defines none for a question inside a result, and the SDK takes
    # it out on both sides (`ElicitRequestFormParams` of protocol 2026-07-28).
    return ElicitRequestFormParams(
        message=question.message, requested_schema=_make_schema(question)
    )


def _render_with_title(question: Question) -> ElicitRequestFormParams:
    """Return the question with a title and a description for hosts that show these instead."""
    title, rest = question.split_message()
    # Such hosts leave the whole message out: nothing of it may be missing here.
    display = {"title": title, "description": rest}
    if title.endswith(ELLIPSIS):
        display["description"] = question.message
    return ElicitRequestFormParams.model_validate(
        {
            "message": question.message,
            "requestedSchema": _make_schema(question),
            "_meta": {PERMISSION_DISPLAY: display},
        }
    )


def _make_schema(question: Question) -> dict[str, Any]:
    properties = dict(question.properties)
    return {"type": "object", "properties": properties, "required": list(properties)}
