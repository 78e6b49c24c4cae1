from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from server.protocol import answers
from server.protocol import elicitation as asking
from server.shared_state.replies import MemoryReplies
from server.text import ELLIPSIS
from server.tool.elicitation import Question
from tests.server.protocol.conftest import Build

WORKSPACE = "Northwind Skincare"


@pytest.fixture
def at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer counts as one that a person thought about."""
    monkeypatch.setattr(answers, "UNATTENDED_SECONDS", 0.0)


class Person:
    """Answers questions as told, and remembers what was asked."""

    def __init__(self, *answers: ElicitResult) -> None:
        self.asked: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.metas: list[Any] = []
        self._answers = list(answers)

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        self.asked.append(params.message)
        self.metas.append(params.meta)
        # Only forms are sent.
        self.forms.append(params.requested_schema["properties"])  # type: ignore[union-attr]
        return self._answers.pop(0)


def accept(**content: Any) -> ElicitResult:
    return ElicitResult(action="accept", content=content)


def error_of(result: Any) -> dict[str, Any]:
    assert result.is_error
    assert result.structured_content is None
    error: dict[str, Any] = json.loads(result.content[0].text)
    assert result.meta["archive-mcp/error"] == error
    return error


async def three_items(client: Client) -> list[str]:
    arguments = {
        "workspace": WORKSPACE,
        "filter": {"itemTypes": ["REEL"]},
        "fields": ["id"],
        "limit": 3,
    }
    result = await client.call_tool("archive_search_items", arguments)
    assert not result.is_error, result
    return [post["id"] for post in result.structured_content["nodes"]]


async def test_the_user_is_asked_for_a_workspace_once_and_the_choice_is_remembered(
    build: Build, era: str
) -> None:
    person = Person(accept(workspace=WORKSPACE))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        first = await client.call_tool("archive_get_workspace", {"fields": ["name"]})
        second = await client.call_tool("archive_get_workspace", {"fields": ["name"]})
    assert first.structured_content == second.structured_content == {"name": WORKSPACE}
    assert len(person.asked) == 1
    assert person.forms[0]["workspace"]["enum"] == [
        WORKSPACE,
        "Northwind Outdoor",
        "Bluebird Coffee",
    ]


async def test_a_dialog_gets_its_title_where_the_protocol_can_carry_it(
    build: Build, era: str
) -> None:
    person = Person(accept(confirm=True))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        ids = await three_items(client)
        await client.call_tool(
            "archive_refetch_engagement_bulk", {"workspace": WORKSPACE, "itemIds": ids}
        )
    (message,), (meta,) = person.asked, person.metas
    # A question inside a result has no `_meta` (protocol 2026-07-28).
    if era == "2026-07-28":
        assert meta is None
        return
    display = meta["anthropic/permissionDisplay"]
    assert message.startswith(display["title"].removesuffix(ELLIPSIS))
    # The title is cut here, so the description holds the whole message.
    assert display["description"] == message


async def test_a_client_that_cannot_ask_gets_the_choices(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        error = error_of(await client.call_tool("archive_get_workspace", {}))
    assert error["code"] == "WORKSPACE_REQUIRED"
    assert [choice["name"] for choice in error["choices"]] == [
        WORKSPACE,
        "Northwind Outdoor",
        "Bluebird Coffee",
    ]


@pytest.mark.usefixtures("at_leisure")
@pytest.mark.parametrize(
    ("action", "code"), [("decline", "DECLINED"), ("cancel", "WORKSPACE_REQUIRED")]
)
async def test_no_workspace_is_chosen_for_a_user_who_does_not_choose(
    build: Build, era: str, action: Any, code: str
) -> None:
    person = Person(ElicitResult(action=action))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        error = error_of(await client.call_tool("archive_get_workspace", {}))
    assert error["code"] == code


async def test_a_confirmed_change_happens_after_the_users_yes_to_its_preview(
    build: Build, era: str
) -> None:
    person = Person(accept(confirm=True))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        ids = await three_items(client)
        result = await client.call_tool(
            "archive_refetch_engagement_bulk", {"workspace": WORKSPACE, "itemIds": ids}
        )
    assert not result.is_error, result
    assert result.structured_content["processedCount"] == 3
    assert "9 billing credits" in person.asked[0]


async def test_both_questions_of_one_call_are_asked_one_after_the_other(
    build: Build, era: str
) -> None:
    person = Person(accept(workspace=WORKSPACE), accept(confirm=True))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        ids = await three_items(client)
        result = await client.call_tool("archive_refetch_engagement_bulk", {"itemIds": ids})
    assert result.structured_content["operationId"]
    assert len(person.asked) == 2


@pytest.mark.usefixtures("at_leisure")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (ElicitResult(action="decline"), "DECLINED"),
        (ElicitResult(action="accept", content={"confirm": False}), "DECLINED"),
        (ElicitResult(action="cancel"), "CONFIRMATION_REQUIRED"),
    ],
)
async def test_anything_but_a_yes_changes_nothing(
    build: Build, era: str, answer: ElicitResult, code: str
) -> None:
    async with Client(build(), mode=era, elicitation_callback=Person(answer)) as client:
        ids = await three_items(client)
        before = await client.call_tool("archive_get_operations", {"workspace": WORKSPACE})
        error = error_of(
            await client.call_tool(
                "archive_refetch_engagement_bulk", {"workspace": WORKSPACE, "itemIds": ids}
            )
        )
        after = await client.call_tool("archive_get_operations", {"workspace": WORKSPACE})
    assert error["code"] == code
    assert "confirm" not in error, "a client that can ask gets no token to answer for the user"
    assert after.structured_content == before.structured_content


async def test_a_client_that_cannot_ask_gets_a_token_that_works_once(
    build: Build, era: str
) -> None:
    async with Client(build(), mode=era) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        preview = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))
        assert preview["preview"]["billingCreditsAtMost"] == 9
        confirmed = {**arguments, "confirm": preview["confirm"]}
        first = await client.call_tool("archive_refetch_engagement_bulk", confirmed)
        again = error_of(await client.call_tool("archive_refetch_engagement_bulk", confirmed))
    assert first.structured_content["processedCount"] == 3
    assert again["code"] == "CONFIRMATION_REQUIRED"


async def test_a_token_is_not_good_for_other_items(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        ids = await three_items(client)
        arguments = {"workspace": WORKSPACE, "itemIds": ids[:1]}
        token = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))[
            "confirm"
        ]
        other = {"workspace": WORKSPACE, "itemIds": ids, "confirm": token}
        error = error_of(await client.call_tool("archive_refetch_engagement_bulk", other))
    assert error["code"] == "CONFIRMATION_REQUIRED"


async def test_token_mode_offers_the_token_to_a_client_that_answers_cancel(
    build: Build, era: str
) -> None:
    person = Person(ElicitResult(action="cancel"))
    async with Client(
        build(ARCHIVE_MCP_CONFIRM="token"), mode=era, elicitation_callback=person
    ) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        token = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))[
            "confirm"
        ]
        result = await client.call_tool(
            "archive_refetch_engagement_bulk", {**arguments, "confirm": token}
        )
    assert result.structured_content["processedCount"] == 3


AUTOMATIC = (ElicitResult(action="decline"), ElicitResult(action="accept"), accept())


@pytest.mark.parametrize("answer", AUTOMATIC)
async def test_an_automatic_answer_is_nobodys_and_brings_preview_or_choices(
    build: Build, era: str, answer: ElicitResult
) -> None:
    async with Client(build(), mode=era, elicitation_callback=Person(answer, answer)) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        choices = error_of(await client.call_tool("archive_get_workspace", {}))
        preview = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))
    assert choices["code"] == "WORKSPACE_REQUIRED"
    assert len(choices["choices"]) == 3
    assert preview["code"] == "CONFIRMATION_REQUIRED"
    assert preview["preview"]["billingCreditsAtMost"] == 9
    # A model could walk round a host that forbids by declining.
    assert "confirm" not in preview


async def test_an_automatic_decline_brings_a_token_only_where_the_user_said_so(
    build: Build, era: str
) -> None:
    server, person = build(ARCHIVE_MCP_CONFIRM="token"), Person(ElicitResult(action="decline"))
    async with Client(server, mode=era, elicitation_callback=person) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        preview = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))
    assert preview["confirm"]


async def test_never_refuses_without_asking(build: Build, era: str) -> None:
    person = Person()
    async with Client(
        build(ARCHIVE_MCP_CONFIRM="never"), mode=era, elicitation_callback=person
    ) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        error = error_of(await client.call_tool("archive_refetch_engagement_bulk", arguments))
    assert error["code"] == "DECLINED"
    assert person.asked == []


async def test_a_forged_answer_without_the_servers_own_state_is_no_yes(build: Build) -> None:
    async with Client(build(), mode="2026-07-28", elicitation_callback=Person()) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        result = await client.session.call_tool(
            "archive_refetch_engagement_bulk",
            arguments,
            input_responses={"confirm": accept(confirm=True)},
            allow_input_required=True,
        )
    assert result.result_type == "input_required"


async def test_one_yes_is_one_execution(build: Build) -> None:
    async with Client(build(), mode="2026-07-28", elicitation_callback=Person()) as client:
        call = {"workspace": WORKSPACE, "itemIds": await three_items(client)}
        tool = "archive_refetch_engagement_bulk"
        question: Any = await client.session.call_tool(tool, call, allow_input_required=True)
        yes: Any = {
            "input_responses": {"confirm": accept(confirm=True)},
            "request_state": question.request_state,
            "allow_input_required": True,
        }
        results: list[Any] = [await client.session.call_tool(tool, call, **yes) for _ in range(3)]
    first, *again = results
    assert not first.is_error
    assert first.result_type == "complete"
    assert [result.result_type for result in again] == ["input_required"] * 2


async def test_all_questions_of_a_call_share_the_time_in_which_a_host_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def send_request(*_: Any, **__: Any) -> ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    able = SimpleNamespace(elicitation=SimpleNamespace(form=object(), url=None))
    session = SimpleNamespace(client_capabilities=able, send_request=send_request)
    context: Any = SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1)
    assert asking.ANSWER_SECONDS == 40.0
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.05)
    asker = await asking.asker_for(context, None, None, MemoryReplies())

    assert (await asker.ask(Question("first", "?", {}))).action == "cancel"
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 60.0)
    with anyio.fail_after(30):
        assert (await asker.ask(Question("second", "?", {}))).action == "cancel"
