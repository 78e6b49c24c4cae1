from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, ElicitResult

from server.protocol import answers
from server.protocol.elicitation import asker_for
from server.shared_state.replies import MemoryReplies
from server.tool.elicitation import Question, Reply

QUESTION = Question("confirm", "Go?", {"confirm": {"type": "boolean"}})


@dataclass(frozen=True)
class Call:
    """What the middleware sees of a call."""

    params: dict[str, Any] | None


@pytest.mark.parametrize(
    ("action", "content", "seconds", "reply"),
    [
        ("decline", None, 0.01, Reply("unavailable")),
        ("decline", None, 0.99, Reply("unavailable")),
        ("decline", None, 1.0, Reply("decline")),
        ("accept", None, 5.0, Reply("unavailable")),
        ("accept", {}, 5.0, Reply("unavailable")),
        ("accept", {"confirm": True}, 0.01, Reply("accept", {"confirm": True})),
        ("cancel", None, 0.01, Reply("cancel")),
    ],
)
def test_an_answer_that_nobody_can_have_given_is_nobodys(
    action: Any, content: Any, seconds: float, reply: Reply
) -> None:
    assert answers.settle(action, content, seconds) == reply


@pytest.mark.parametrize(
    ("response", "mended"),
    [
        ({"action": "reject"}, {"action": "decline"}),
        ({}, {"action": "cancel"}),
        ({"action": 5}, {"action": "cancel"}),
        ({"action": []}, {"action": "cancel"}),
        ([], {"action": "cancel"}),
        (None, {"action": "cancel"}),
        ({"action": "accept", "content": "yes"}, {"action": "accept"}),
        (
            {"action": "accept", "content": {"confirm": True, "more": {}}},
            {"action": "accept", "content": {"confirm": True}},
        ),
    ],
)
async def test_an_answer_of_another_shape_is_brought_into_the_protocols(
    response: Any, mended: Any
) -> None:
    async def take(ctx: Any) -> Any:
        return ctx.params

    call: Any = Call({"name": "tool", "inputResponses": {"confirm": response}})
    params = await answers.mend_answers(call, take)

    assert params["inputResponses"] == {"confirm": mended}
    assert CallToolRequestParams.model_validate(params, by_name=False).input_responses


@pytest.mark.parametrize("params", [None, {}, {"name": "tool"}, {"inputResponses": []}])
async def test_a_call_without_answers_passes_as_it_is(params: Any) -> None:
    async def take(ctx: Any) -> Any:
        return ctx.params

    call: Any = Call(params)

    assert await answers.mend_answers(call, take) is params


async def refuse(call_next: Any) -> str:
    call: Any = SimpleNamespace(method="tools/call")
    with pytest.raises(MCPError) as refusal:
        await answers.explain_parameters(call, call_next)
    return str(refusal.value.error.message)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"name": None}, "`name`: Input should be a valid string"),
        ({}, "`name`: Field required"),
        ({"name": "a", "_meta": {"progressToken": [1]}}, "`_meta.progressToken`: "),
    ],
)
async def test_a_wrong_parameter_is_named(params: dict[str, Any], words: str) -> None:
    async def validate(ctx: Any) -> Any:
        return CallToolRequestParams.model_validate(params, by_name=False)

    assert f"Invalid request parameters: {words}" in await refuse(validate)


async def test_a_request_before_the_opening_is_told_what_comes_first() -> None:
    async def fail(ctx: Any) -> Any:
        raise MCPError(code=INVALID_PARAMS, message="Invalid request parameters", data="")

    assert "send `initialize` first" in await refuse(fail)


async def test_other_refusals_stay_as_they_are() -> None:
    async def fail(ctx: Any) -> Any:
        raise MCPError(code=INVALID_PARAMS, message="no such prompt")

    assert await refuse(fail) == "no such prompt"


@pytest.mark.parametrize(
    ("raw", "action"),
    [
        ({"action": "reject"}, "decline"),
        ({}, "cancel"),
        ({"action": None}, "cancel"),
        ({"action": "accept", "content": "yes"}, "cancel"),
    ],
)
async def test_a_client_that_is_called_may_answer_in_another_shape(
    raw: Any, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send_request(*_: Any, **__: Any) -> ElicitResult:
        return ElicitResult.model_validate(raw)

    monkeypatch.setattr(answers, "UNATTENDED_SECONDS", 0.0)
    able = SimpleNamespace(elicitation=SimpleNamespace(form=object(), url=None))
    session = SimpleNamespace(client_capabilities=able, send_request=send_request)
    context: Any = SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1)

    asker = await asker_for(context, None, None, MemoryReplies())
    assert (await asker.ask(QUESTION)).action == action
