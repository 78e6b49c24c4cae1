"""Real clients do the job: the SDK's stdio client and the official inspector call every tool of Archive's sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.support.node import Inspector, inspector_or_skip
from tests.support.sandboxed import LAUNCHER, SandboxProcess, sandbox_process, using

TOOLS = sorted(
    row["tool"]["name"]
    for row in json.loads((Path(__file__).parents[1] / "tools" / "surface.json").read_text())["tools"]
    if row["backend"] == "archive"
)
"""Those of Archive: `using` configures nothing else."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """The sandbox over loopback HTTP, its window shortened so that the suite is not paced like the real one."""
    with sandbox_process(window=0.05) as running:
        yield running


@dataclass(frozen=True)
class Found:
    """Things that exist in the sandbox, to call tools with."""

    items: list[str]
    url: str
    creator: str
    account: str
    provider: str
    operation: str
    preset: str


def arguments(found: Found) -> dict[str, dict[str, Any]]:
    """Sensible arguments for every tool."""
    return {
        "archive_get_workspaces": {"fields": ["id", "name"]},
        "archive_get_workspace": {},
        "archive_get_custom_attribute_schemas": {"entity": "CREATOR"},
        "archive_get_filter_presets": {},
        "archive_search_items": {
            "filter": {"provider": "INSTAGRAM", "takenAt": {"from": "2020-01-01"}},
            "sorting": [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}],
            "limit": 5,
        },
        "archive_get_media_contents": {"itemIds": found.items},
        "archive_get_transcriptions": {"itemIds": found.items},
        "archive_get_item_ids_by_url": {"urls": [found.url]},
        "archive_get_engagement_history": {"itemId": found.items[0], "limit": 3},
        "archive_search_creators": {
            "customAttributeConditions": [
                {"field": "emails", "operator": "CONTAINS", "type": "TEXT", "value": "@mail.example"}
            ],
            "limit": 3,
        },
        "archive_get_creator": {"id": found.creator},
        "archive_get_social_profile": {"accountName": found.account, "provider": found.provider},
        "archive_get_operations": {"limit": 2},
        "archive_get_operation": {"id": found.operation},
        "archive_add_item_to_collections": {
            "itemId": found.items[0],
            "collectionNames": ["Q4 Report"],
            "autoCreate": True,
        },
        "archive_remove_item_from_collections": {"itemId": found.items[0], "collectionNames": ["Q4 Report"]},
        "archive_refetch_engagement_bulk": {"itemIds": found.items[:2]},
    }


async def look_around(client: Client) -> Found:
    """Find something of each kind, as an assistant would."""
    wanted = {"filter": {"itemTypes": ["REEL"]}, "fields": ["*", "creator.id"], "limit": 3}
    items = (await called(client, "archive_search_items", wanted))["nodes"]
    operation = (await called(client, "archive_get_operations", {"limit": 1}))["nodes"][0]
    preset = (await called(client, "archive_get_filter_presets", {}))["nodes"][0]
    return Found(
        items=[each["id"] for each in items],
        url=items[0]["originalUrl"],
        creator=items[0]["creator"]["id"],
        account=items[0]["socialProfile"]["accountName"],
        provider=items[0]["provider"],
        operation=operation["id"],
        preset=preset["id"],
    )


async def called(client: Client, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """The structured result of a call that must succeed."""
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]
    content: dict[str, Any] = result.structured_content
    return content


def parameters(sandbox: SandboxProcess, folder: Path) -> StdioServerParameters:
    env = using(sandbox, folder)
    return StdioServerParameters(command=LAUNCHER[0], args=list(LAUNCHER[1:]), env=env, cwd=folder)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdk_client_calls_every_tool(sandbox: SandboxProcess, tmp_path: Path, mode: str) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path), mode=mode) as client:
        assert sorted(each.name for each in (await client.list_tools()).tools) == TOOLS
        prompt = await client.get_prompt("archive_system_prompt")
        resource = await client.read_resource("archive://system-prompt")
        assert prompt.messages[0].content.text == resource.contents[0].text  # type: ignore[union-attr]
        calls = arguments(await look_around(client))
        assert sorted(calls) == TOOLS
        refetch = calls.pop("archive_refetch_engagement_bulk")
        answers = {tool: await called(client, tool, given) for tool, given in calls.items()}
        preview = await client.call_tool("archive_refetch_engagement_bulk", refetch)
        confirm = json.loads(preview.content[0].text)["confirm"]  # type: ignore[union-attr]
        refreshed = await called(client, "archive_refetch_engagement_bulk", {**refetch, "confirm": confirm})
    assert refreshed["processedCount"] == 2
    assert len(answers["archive_search_items"]["nodes"]) == 5
    assert answers["archive_get_item_ids_by_url"]["nodes"][0]["status"] == "FOUND"
    assert answers["archive_add_item_to_collections"]["item"]["id"] == calls["archive_get_media_contents"]["itemIds"][0]


async def test_the_main_job_top_posts_into_a_new_collection(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path)) as client:
        sorting = [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}]
        top = await called(client, "archive_search_items", {"sorting": sorting, "limit": 5})
        ids = [each["id"] for each in top["nodes"]]
        values = [each["currentEngagement"]["earnedMediaValue"] for each in top["nodes"]]
        assert values == sorted(values, reverse=True)
        assert top["units"] == {"earnedMediaValue": "cents"}
        for each in ids:
            given = {"itemId": each, "collectionNames": ["Q4 Report"], "autoCreate": True}
            await called(client, "archive_add_item_to_collections", given)
        presets = (await called(client, "archive_get_filter_presets", {}))["nodes"]
        preset = next(each["id"] for each in presets if each["name"] == "Q4 Report")
        inside = await called(client, "archive_search_items", {"presetId": preset, "sorting": sorting})
    assert [each["id"] for each in inside["nodes"]] == ids


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    """The official inspector, installed from npm on first use."""
    return inspector_or_skip()


def test_the_inspector_finds_no_fault_in_the_tools(
    inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    done = inspector.run(using(sandbox, tmp_path), LAUNCHER, "--method", "tools/list", "--strict")
    assert sorted(each["name"] for each in result_of(done)["tools"]) == TOOLS
    faults = [line for line in done.stderr.splitlines() if line.strip().startswith("Path:")]
    # The value of a condition is any JSON by the API's own contract.
    assert {line.strip() for line in faults} <= {
        "Path: inputSchema.properties.customAttributeConditions.items.properties.value"
    }


def test_the_inspector_reads_the_prompt_and_the_resource(
    inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    env = using(sandbox, tmp_path)
    prompt = inspector.run(env, LAUNCHER, "--method", "prompts/get", "--prompt-name", "archive_system_prompt")
    resource = inspector.run(env, LAUNCHER, "--method", "resources/read", "--uri", "archive://system-prompt")
    text = result_of(prompt)["messages"][0]["content"]["text"]
    assert text == result_of(resource)["contents"][0]["text"]
    assert text.startswith("# ")


async def test_the_inspector_calls_every_tool(inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path)) as client:
        calls = arguments(await look_around(client))
    assert sorted(calls) == TOOLS
    for number, (tool, given) in enumerate(calls.items()):
        era = "modern" if number % 2 else "legacy"
        done = inspector.call(using(sandbox, tmp_path), LAUNCHER, tool, given, era)
        if tool == "archive_refetch_engagement_bulk":
            # The inspector cannot put a question to anybody: the change is previewed, not made.
            assert done.returncode == 5, done.stdout + done.stderr
            assert "CONFIRMATION_REQUIRED" in done.stdout
            continue
        assert done.returncode == 0, f"{tool}: {done.stdout}{done.stderr}"
        assert result_of(done)["structuredContent"]


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The result in the inspector's answer."""
    result: dict[str, Any] = json.loads(done.stdout)["result"]
    return result
