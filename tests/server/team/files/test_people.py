"""Two people, two replicas and their files, as clients see them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from server.sandbox import MAIN
from server.team.files.settings import FileSettings
from tests.support.team.people import POLICY, Person, Replica, make_team, serve

Json = dict[str, Any]


@pytest.fixture
async def replicas(file_settings: FileSettings, tmp_path: Path) -> AsyncIterator[list[Replica]]:
    """Two replicas on two machines, with one store for exports."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            team = make_team(folder, files=file_settings)
            found.append(await stack.enter_async_context(serve(team, folder)))
        yield found


async def call(person: Person, tool: str, **arguments: Any) -> Json:
    """The whole answer of a tool, content and all."""
    answer = await person.ask("tools/call", {"name": tool, "arguments": arguments})
    result: Json = answer["result"]
    assert not result["isError"], result
    return result


async def export(person: Person, name: str = "q4") -> Json:
    """The answer that shows a finished export."""
    answer = await call(
        person, "archive_start_export", workspace=MAIN, name=name, search={}, format="jsonl"
    )
    job = answer["structuredContent"]["jobId"]
    for _ in range(10):
        if answer["structuredContent"]["state"] == "done":
            return answer
        answer = await call(person, "archive_mcp_get_job", id=job, wait=20)
    raise AssertionError(answer)


def read_links(answer: Json) -> list[str]:
    """The addresses that an answer links to."""
    return [part["uri"] for part in answer["content"] if part["type"] == "resource_link"]


async def load(replica: Replica, url: str) -> httpx2.Response:
    """What a browser gets, which sends no token."""
    browser = await replica.bring(None)
    return await browser.client.get(urlsplit(url).path)


async def list_exports(person: Person) -> list[str]:
    """The addresses of the exports that are listed."""
    resources = (await person.ask("resources/list"))["result"]["resources"]
    return [entry["uri"] for entry in resources if entry["uri"].startswith("archive://exports/")]


async def read(person: Person, uri: str) -> Json:
    """The message that answers the reading of a resource."""
    return await person.ask("resources/read", {"uri": uri})


async def test_an_export_is_linked_twice_and_loaded_from_any_replica(
    replicas: list[Replica], tmp_path: Path
) -> None:
    anna = await replicas[0].person("anna")
    answer = await export(anna, "Café ☕ 100 %")

    resource, url = read_links(answer)
    content = answer["structuredContent"]
    assert resource == "archive://exports/Caf%C3%A9%20%E2%98%95%20100%20%25.jsonl"
    assert content["downloads"][0]["url"] == url
    assert content["result"]["path"] == resource
    assert str(tmp_path) not in answer["content"][0]["text"]
    for replica in replicas:
        loaded = await load(replica, url)
        assert loaded.status_code == 200
        rows = [json.loads(line) for line in loaded.text.splitlines()]
        assert len({row["id"] for row in rows}) == len(rows) == content["result"]["rows"]


async def test_only_the_owner_sees_and_reads_a_file(replicas: list[Replica]) -> None:
    answer = await export(await replicas[0].person("anna"))
    (uri, _) = read_links(answer)

    for replica in replicas:
        anna, ben = await replica.person("anna"), await replica.person("ben")
        assert await list_exports(anna) == [uri]
        assert await list_exports(ben) == []
        assert "result" in await read(anna, uri)
        refused = await read(ben, uri)
        assert "error" in refused
        # As for a file that nobody has.
        absent = await read(ben, "archive://exports/never.jsonl")
        assert refused["error"]["message"].replace("q4", "never") == absent["error"]["message"]


async def test_each_has_a_file_of_the_same_name(replicas: list[Replica]) -> None:
    people = [await replicas[number].person(name) for number, name in enumerate(("anna", "ben"))]
    answers = [await export(person) for person in people]

    (first, first_url), (second, second_url) = map(read_links, answers)
    assert first == second
    assert first_url != second_url
    again = await export(await replicas[1].person("anna"))
    assert read_links(again)[0] == "archive://exports/q4-2.jsonl"
    assert len(await list_exports(await replicas[1].person("ben"))) == 1


async def test_links_end_with_the_policy(replicas: list[Replica], tmp_path: Path) -> None:
    _, url = read_links(await export(await replicas[0].person("anna")))
    assert (await load(replicas[1], url)).status_code == 200
    without = POLICY.replace('id = "anna"', 'id = "someone-else"')
    (tmp_path / "two" / "policy.toml").write_text(without)
    replicas[1].front.reload()
    answer = await load(replicas[1], url)

    assert answer.status_code == 403
    assert "may not use this server any more" in answer.text


async def test_a_chart_is_linked_too(replicas: list[Replica]) -> None:
    anna = await replicas[0].person("anna")
    answer = await call(anna, "archive_chart", workspace=MAIN, kind="platform_mix", save="chart")

    resource, url = read_links(answer)
    assert resource == "archive://exports/chart.png"
    loaded = await load(replicas[1], url)
    assert loaded.headers["content-type"] == "image/png"
    assert loaded.content.startswith(b"\x89PNG")
