"""Two people at two replicas: what one of them did is there on both, and nothing of it is the
other's, for every kind of state."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.sandbox import MAIN
from server.settings import Secret
from tests.support.clocks import fixed_sandbox
from tests.support.team.people import Person, Replica, make_team, serve

Json = dict[str, Any]
GET = "archive_get_workspace"
EXPORTS = "archive://exports/"


@dataclass
class Pair:
    """Two replicas over one database and one Archive."""

    replicas: tuple[Replica, Replica]

    async def at(self, replica: int, name: str, *, can_ask: bool = False) -> Person:
        return await self.replicas[replica].person(name, can_ask=can_ask)


@pytest.fixture
async def pair(tmp_path: Path, database_url: str) -> AsyncIterator[Pair]:
    team = make_team(tmp_path, database_url=Secret(database_url))
    sandbox = fixed_sandbox(items=400)
    async with AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(serve(team, tmp_path, sandbox=sandbox))
            for _ in range(2)
        ]
        yield Pair((replicas[0], replicas[1]))


async def ask_for_workspace(person: Person) -> Json:
    answer = await person.ask("tools/call", {"name": GET, "arguments": {}})
    result: Json = answer["result"]
    return result


def is_question(result: Json) -> bool:
    return "inputRequests" in result


@pytest.mark.parametrize("home", [0, 1])
async def test_a_choice_of_workspace(pair: Pair, home: int) -> None:
    anna = await pair.at(home, "anna", can_ask=True)
    asked = await ask_for_workspace(anna)
    await anna.resume(GET, asked, {"workspace": "Northwind Outdoor"})

    for replica in (0, 1):
        own = await (await pair.at(replica, "anna", can_ask=True)).call(GET)
        assert own["name"] == "Northwind Outdoor"
        other = await ask_for_workspace(await pair.at(replica, "ben", can_ask=True))
        assert is_question(other)


@pytest.mark.parametrize("home", [0, 1])
async def test_the_state_of_a_question(pair: Pair, home: int) -> None:
    asked = await ask_for_workspace(await pair.at(home, "anna", can_ask=True))
    answer = {"workspace": "Northwind Outdoor"}

    for replica in (0, 1):
        ben = await pair.at(replica, "ben", can_ask=True)
        assert "error" in await ben.resume(GET, asked, answer)
    elsewhere = await pair.at(1 - home, "anna", can_ask=True)
    assert (await elsewhere.resume(GET, asked, answer))["name"] == "Northwind Outdoor"


async def test_an_answer_counts_once_over_all_replicas(pair: Pair) -> None:
    anna = await pair.at(0, "anna", can_ask=True)
    made = await anna.call("archive_create_collection", workspace=MAIN, input={"name": "Once"})
    arguments = {"workspace": MAIN, "id": made["collection"]["id"]}
    tool = "archive_delete_collection"
    asked = (await anna.ask("tools/call", {"name": tool, "arguments": arguments}))["result"]
    first = await anna.resume(tool, asked, {"confirm": True}, **arguments)
    assert "error" not in first

    elsewhere = await pair.at(1, "anna", can_ask=True)
    again = await elsewhere.resume(tool, asked, {"confirm": True}, **arguments)
    # The collection is gone, or the question comes once more: the old answer is none.
    assert is_question(again) or again["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("home", [0, 1])
async def test_a_confirmation_token(pair: Pair, home: int) -> None:
    anna = await pair.at(home, "anna")
    made = await anna.call("archive_create_collection", workspace=MAIN, input={"name": "Gone"})
    arguments = {"workspace": MAIN, "id": made["collection"]["id"]}
    preview = await anna.call("archive_delete_collection", **arguments)
    token = preview["error"]["confirm"]

    for replica in (0, 1):
        ben = await pair.at(replica, "ben")
        theft = await ben.call("archive_delete_collection", **arguments, confirm=token)
        assert theft["error"]["code"] == "CONFIRMATION_REQUIRED"
    elsewhere = await pair.at(1 - home, "anna")
    done = await elsewhere.call("archive_delete_collection", **arguments, confirm=token)
    assert "error" not in done


@pytest.mark.parametrize("home", [0, 1])
async def test_a_job(pair: Pair, home: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tool.job.ANSWER_SECONDS", 0.1)
    anna = await pair.at(home, "anna")
    # No worker runs here: the job waits.
    tool = "archive_start_collection_job"
    items = await anna.call("archive_search_items", workspace=MAIN, limit=2, fields=["id"])
    arguments = {
        "workspace": MAIN,
        "itemIds": [node["id"] for node in items["nodes"]],
        "collectionNames": ["Of a job"],
        "autoCreate": True,
    }
    preview = await anna.call(tool, **arguments)
    started = await anna.call(tool, **arguments, confirm=preview["error"]["confirm"])
    job = started["jobId"]

    for replica in (0, 1):
        own, other = await pair.at(replica, "anna"), await pair.at(replica, "ben")
        assert (await own.call("archive_mcp_get_job", id=job))["jobId"] == job
        assert [entry["jobId"] for entry in await list_jobs(own)] == [job]
        assert await list_jobs(other) == []
        for foreign in (
            other.call("archive_mcp_get_job", id=job),
            other.call("archive_mcp_cancel_job", id=job),
            other.call(tool, resume=job, workspace=MAIN),
            other.call(tool, undo=job, workspace=MAIN),
        ):
            assert (await foreign)["error"]["code"] in ("NOT_FOUND", "INVALID_ARGUMENT")
    elsewhere = await pair.at(1 - home, "anna")
    assert "error" not in await elsewhere.call("archive_mcp_cancel_job", id=job)


async def list_jobs(person: Person) -> list[Json]:
    nodes: list[Json] = (await person.call("archive_mcp_list_jobs"))["nodes"]
    return nodes


Look = Callable[[Person], Awaitable[Any]]


async def list_exports(person: Person) -> list[str]:
    resources = (await person.ask("resources/list"))["result"]["resources"]
    return [entry["name"] for entry in resources if entry["uri"].startswith(EXPORTS)]


@pytest.mark.parametrize("home", [0, 1])
async def test_a_file(pair: Pair, home: int) -> None:
    anna = await pair.at(home, "anna")
    arguments = {"workspace": MAIN, "kind": "platform_mix", "save": "mine"}
    chart = await anna.call("archive_chart", **arguments)
    assert "error" not in chart, chart
    for replica in (0, 1):
        assert await list_exports(await pair.at(replica, "anna")) == ["mine.png"]
        ben = await pair.at(replica, "ben")
        assert await list_exports(ben) == []
        assert "error" in await ben.ask("resources/read", {"uri": f"{EXPORTS}mine.png"})


async def test_what_was_read_before(pair: Pair) -> None:
    """Pages that were cut are kept for their reader alone."""
    anna, ben = await pair.at(0, "anna"), await pair.at(0, "ben")
    arguments = {"workspace": MAIN, "fields": ["*"], "limit": 100}
    page = await anna.call("archive_search_items", **arguments)
    mine = anna_lists(pair.replicas[0], "anna")
    theirs = anna_lists(pair.replicas[0], "ben")
    assert page["nodes"]
    assert mine is not theirs or mine is None
    assert "error" not in await ben.call("archive_search_items", **arguments)


def anna_lists(replica: Replica, name: str) -> Any:
    tenant = replica.front.tenants._open.get(f"oidc:{name}")
    backend = tenant.services._archive if tenant is not None else None
    return backend._lists if backend is not None else None


@pytest.mark.parametrize("replica", [0, 1])
async def test_names_that_complete(pair: Pair, replica: int) -> None:
    """Whoever sees one workspace is proposed that one, whatever others were proposed before."""
    params = {
        "ref": {"type": "ref/resource", "uri": "archive://workspace/{workspace}/budget"},
        "argument": {"name": "workspace", "value": ""},
    }
    anna, rita = await pair.at(replica, "anna"), await pair.at(replica, "rita")
    assert "Outdoor" in json.dumps(await anna.ask("completion/complete", params))
    assert "Outdoor" not in json.dumps(await rita.ask("completion/complete", params))
    assert "Outdoor" in json.dumps(await anna.ask("completion/complete", params))


@pytest.mark.parametrize("replica", [0, 1])
async def test_resources_that_were_read(pair: Pair, replica: int) -> None:
    uri = "archive://workspace/Northwind%20Outdoor/budget"
    anna, rita = await pair.at(replica, "anna"), await pair.at(replica, "rita")
    assert "result" in await anna.ask("resources/read", {"uri": uri})
    assert "error" in await rita.ask("resources/read", {"uri": uri})
