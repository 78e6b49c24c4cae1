"""Hosts of both protocol eras are asked before a deletion and a doubtful new collection, or confirm
with a token."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from server.protocol import answers
from tests.support.tools.fronts import WORKSPACE, front
from tests.support.tools.watched import differences, resolved
from tests.support.tools.write_questions import ADD, CALLS


class Host:
    """A client's user interface: answers as told, and remembers what it showed."""

    def __init__(self, action: Literal["accept", "decline", "cancel"]) -> None:
        self.action = action
        self.shown: list[str] = []

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        self.shown.append(params.message)
        return ElicitResult(
            action=self.action, content={"confirm": True} if self.action == "accept" else None
        )


@pytest.fixture(params=["legacy", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras, as the SDK's client names them."""
    return str(request.param)


@pytest.mark.parametrize("toolsets", ["all", "discover"])
@pytest.mark.parametrize("tool", ["archive_delete_collection", "archive_delete_view_group", ADD])
async def test_hosts_of_both_eras_are_asked_and_heard(
    tool: str, era: str, toolsets: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if a person had thought about it.
    monkeypatch.setattr(answers, "UNATTENDED_SECONDS", 0.0)
    asked, codes = CALLS[tool], {}
    async with front(ARCHIVE_MCP_TOOLSETS=toolsets) as desk:
        before = await desk.sandbox.saved()
        arguments = {"workspace": WORKSPACE, **resolved(asked.given, before)}
        called = (tool, arguments)
        if toolsets == "discover":
            called = ("archive_mcp_call_write_tool", {"name": tool, "arguments": arguments})
        for action in ("decline", "cancel"):
            host = Host(action)
            async with Client(desk.server, mode=era, elicitation_callback=host) as client:
                result: Any = await client.call_tool(*called)
            codes[action] = json.loads(result.content[0].text)["code"]
        assert differences(before, await desk.sandbox.saved()) == {}
        host = Host("accept")
        async with Client(desk.server, mode=era, elicitation_callback=host) as client:
            done = await client.call_tool(*called)
        after = await desk.sandbox.saved()

    assert codes == {"decline": "DECLINED", "cancel": "CONFIRMATION_REQUIRED"}
    assert not done.is_error, done
    assert host.shown == [asked.asks.format(**before.words)]
    assert differences(before, after) == asked.changes
    assert len(desk.sandbox.arrived) == 1


@pytest.mark.parametrize("tool", ["archive_delete_collection", ADD])
async def test_hosts_of_both_eras_that_cannot_ask_confirm_with_the_token(
    tool: str, era: str
) -> None:
    asked = CALLS[tool]
    async with front() as desk, Client(desk.server, mode=era) as client:
        before = await desk.sandbox.saved()
        arguments = {"workspace": WORKSPACE, **resolved(asked.given, before)}
        preview: Any = await client.call_tool(tool, arguments)
        assert differences(before, await desk.sandbox.saved()) == {}
        error = json.loads(preview.content[0].text)
        done = await client.call_tool(tool, {**arguments, "confirm": error["confirm"]})
        after = await desk.sandbox.saved()

    assert preview.is_error
    assert error["code"] == "CONFIRMATION_REQUIRED"
    assert not done.is_error, done
    assert differences(before, after) == asked.changes
