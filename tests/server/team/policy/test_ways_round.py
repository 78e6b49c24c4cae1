"""A hundred ways round the policy: none leads anywhere.

Wim may change everything but delete and spend; Rita may read one workspace with the core tools.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server.sandbox import MAIN, OUTDOOR
from tests.support.paths import SURFACE
from tests.support.team.people import POLICY, Person, make_team, serve

WIM = """
[[person]]
id = "wim"
group = "everything"
may_delete = false
may_spend = false

[[person]]
id = "dora"
group = "everything"
toolsets = ["discover"]
may_delete = false
may_spend = false
"""
ROWS = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
FORBIDDEN = [
    row["tool"]["name"]
    for row in ROWS
    if row["risk"] in ("removes", "spends") and not row.get("adds_too")
]
OPERATIONS = {row["tool"]["name"]: row["operation"] for row in ROWS}
# A workspace that one may not use may as well not exist; a tool is refused as what it is.
NO_WORKSPACE = {"FORBIDDEN", "NOT_FOUND"}
NO_TOOL = {"FORBIDDEN", "READ_ONLY", "NOT_CONFIGURED"}

Way = Callable[[Person, str], Awaitable[dict[str, Any]]]


async def directly(person: Person, tool: str) -> dict[str, Any]:
    return await person.call(tool, workspace=MAIN, id="1")


async def with_no_arguments(person: Person, tool: str) -> dict[str, Any]:
    return await person.call(tool)


async def with_a_made_up_confirmation(person: Person, tool: str) -> dict[str, Any]:
    return await person.call(tool, workspace=MAIN, id="1", confirm="aaaaaaaaaaaa")


async def through_the_caller_of_writes(person: Person, tool: str) -> dict[str, Any]:
    arguments = {"workspace": MAIN, "id": "1"}
    return await person.call("archive_mcp_call_write_tool", name=tool, arguments=arguments)


async def through_the_caller_of_reads(person: Person, tool: str) -> dict[str, Any]:
    return await person.call("archive_mcp_call_read_tool", name=tool, arguments={})


async def by_its_description(person: Person, tool: str) -> dict[str, Any]:
    return await person.call("archive_mcp_describe_tool", name=tool)


async def by_a_list_of_descriptions(person: Person, tool: str) -> dict[str, Any]:
    return await person.call("archive_mcp_describe_tool", names=["archive_get_workspaces", tool])


async def by_wider_headers(person: Person, tool: str) -> dict[str, Any]:
    person.headers = {"x-archive-read-only": "off", "x-archive-toolsets": "all"}
    return await person.call(tool, workspace=MAIN, id="1")


WAYS = [
    directly,
    with_no_arguments,
    with_a_made_up_confirmation,
    through_the_caller_of_writes,
    through_the_caller_of_reads,
    by_its_description,
    by_a_list_of_descriptions,
    by_wider_headers,
]


@pytest.mark.parametrize("tool", FORBIDDEN)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_one_may_not_do_cannot_be_called(way: Way, tool: str, tmp_path: Path) -> None:
    async with serve(make_team(tmp_path, POLICY + WIM), tmp_path) as replica:
        for name in ("wim", "dora"):
            answer = await way(await replica.person(name), tool)
            assert answer["error"]["code"] in NO_TOOL, (name, answer)


async def test_what_one_may_not_do_is_shown_nowhere(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path, POLICY + WIM), tmp_path) as replica:
        wim, dora = await replica.person("wim"), await replica.person("dora")
        assert FORBIDDEN
        assert (await wim.tools()).isdisjoint(FORBIDDEN)
        names = json.dumps(await dora.call("archive_mcp_find_tools"))
        for tool in FORBIDDEN:
            assert f'"{tool}"' not in names
            found = await dora.call("archive_mcp_find_tools", query=tool.replace("_", " "))
            assert tool not in json.dumps(found)
            uri = f"archive://operation/{OPERATIONS[tool]}"
            assert "error" in await wim.ask("resources/read", {"uri": uri})
        reference = {"type": "ref/resource", "uri": "archive://operation/{name}"}
        for start in ("", "delete", "remove", "refetch", "untag"):
            argument = {"name": "name", "value": start}
            answer = await wim.ask("completion/complete", {"ref": reference, "argument": argument})
            shown = set(answer["result"]["completion"]["values"])
            assert shown.isdisjoint(FORBIDDEN)
            assert shown.isdisjoint(OPERATIONS[tool] for tool in FORBIDDEN)


async def test_jobs_do_no_more_than_single_calls(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path, POLICY + WIM), tmp_path) as replica:
        anna, wim = await replica.person("anna"), await replica.person("wim")
        items = await anna.call("archive_search_items", workspace=MAIN, limit=2, fields=["id"])
        ids = [node["id"] for node in items["nodes"]]
        forbidden: list[tuple[str, dict[str, Any]]] = [
            ("archive_start_collection_job", {"action": "remove", "collectionNames": ["x"]}),
            ("archive_start_collection_job", {"undo": "job-1"}),
            ("archive_start_engagement_job", {"mode": "refresh"}),
            ("archivebox_start_remove", {"ids": ["1"]}),
        ]
        for tool, arguments in forbidden:
            source = {} if "undo" in arguments or "ids" in arguments else {"itemIds": ids}
            answer = await wim.call(tool, **source, **arguments)
            assert answer["error"]["code"] in NO_TOOL, (tool, arguments, answer)
            # A dry run is no way to look either.
            if "undo" not in arguments:
                answer = await wim.call(tool, **source, **arguments, dryRun=True)
                assert "error" in answer
        added = await wim.call(
            "archive_start_collection_job",
            workspace=MAIN,
            itemIds=ids,
            collectionNames=["Of Wim"],
            autoCreate=True,
            dryRun=True,
        )
        assert added["dryRun"] is True


OTHERS = [
    OUTDOOR,
    OUTDOOR.upper(),
    f" {OUTDOOR} ",
    "Northwind Outdoor",
    "northwind outdoor",
    "Outdoor",
    "outd",
]
READS: list[tuple[str, dict[str, Any]]] = [
    ("archive_search_items", {}),
    ("archive_search_creators", {}),
    ("archive_get_filter_presets", {}),
    ("archive_get_custom_attribute_schemas", {"entity": "ITEM"}),
    ("archive_get_workspace", {}),
]


@pytest.mark.parametrize("workspace", OTHERS)
@pytest.mark.parametrize(("tool", "arguments"), READS)
async def test_another_workspace_cannot_be_read(
    tool: str, arguments: dict[str, Any], workspace: str, tmp_path: Path
) -> None:
    policy = POLICY.replace('["core"]', '["all", "discover"]')
    async with serve(make_team(tmp_path, policy), tmp_path) as replica:
        rita = await replica.person("rita")
        for call in (
            rita.call(tool, workspace=workspace, **arguments),
            rita.call(
                "archive_mcp_call_read_tool",
                name=tool,
                arguments={"workspace": workspace, **arguments},
            ),
        ):
            answer = await call
            assert answer["error"]["code"] in NO_WORKSPACE, answer
            assert "Outdoor" not in json.dumps(answer["error"].get("choices", []))
        assert "error" not in await rita.call(tool, workspace=MAIN, **arguments)


@pytest.mark.parametrize("workspace", [OUTDOOR, OUTDOOR.upper(), "Northwind%20Outdoor"])
@pytest.mark.parametrize(
    "address",
    [
        "archive://workspace/{}/collections",
        "archive://workspace/{}/budget",
        "archive://workspace/{}/views/content",
        "archive://workspace/{}/custom-attributes/ITEM",
    ],
)
async def test_another_workspace_is_no_resource(
    address: str, workspace: str, tmp_path: Path
) -> None:
    policy = POLICY.replace('["core"]', '["all", "discover"]')
    async with serve(make_team(tmp_path, policy), tmp_path) as replica:
        anna, rita = await replica.person("anna"), await replica.person("rita")
        uri = address.format(workspace)
        assert "result" in await anna.ask("resources/read", {"uri": uri})
        assert "error" in await rita.ask("resources/read", {"uri": uri})


async def test_another_workspace_completes_nothing(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        rita = await replica.person("rita")
        uri = "archive://workspace/{workspace}/collections"
        params = {
            "ref": {"type": "ref/resource", "uri": uri},
            "argument": {"name": "workspace", "value": ""},
        }
        answer = await rita.ask("completion/complete", params)

        # `collections` is no tool of hers, so neither is the template.
        assert "Outdoor" not in json.dumps(answer)


@pytest.mark.parametrize("arguments", [{}, {"fields": ["name"]}, {"fields": ["id"]}, {"limit": 1}])
async def test_other_workspaces_are_neither_listed_nor_counted(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        answer = await (await replica.person("rita")).call("archive_get_workspaces", **arguments)

        assert len(answer["nodes"]) <= 1
        assert "Outdoor" not in json.dumps(answer)
        assert answer.get("totalCount") in (None, 1)


async def test_a_cursor_of_somebody_else_leads_nowhere_new(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna, rita = await replica.person("anna"), await replica.person("rita")
        page = await anna.call("archive_search_items", workspace=OUTDOOR, limit=2, fields=["id"])
        answer = await rita.call(
            "archive_search_items", workspace=MAIN, limit=2, fields=["id"], after=page["nextCursor"]
        )
        assert "error" in answer


async def test_what_is_read_only_or_of_another_api_does_not_exist(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        rita = await replica.person("rita")
        for row in ROWS:
            tool = row["tool"]["name"]
            if row["risk"] == "reads" and row["backend"] != "archivebox":
                continue
            if row.get("reads_too") or row["toolset"] == "discover":
                continue
            answer = await rita.call(tool, workspace=MAIN)
            assert answer["error"]["code"] in NO_TOOL, answer
