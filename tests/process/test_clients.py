"""Real clients do the job: the SDK's stdio client and the official inspector call every tool of
Archive's sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.support.archive.example_calls import VIEWS, Found, arguments
from tests.support.machine.node import Inspector, inspector_or_skip
from tests.support.paths import SURFACE
from tests.support.sandboxed import LAUNCHER, SandboxProcess, sandbox_process, using

ROWS = json.loads((SURFACE).read_text())["tools"]
LISTED = sorted(
    row["tool"]["name"]
    for row in ROWS
    if row["backend"] != "archivebox" and row["toolset"] != "discover"
)
"""Those of Archive and of the server itself: `using` configures nothing else."""
TOOLS = sorted(
    row["tool"]["name"] for row in ROWS if "archive-mcp/operation" in row["tool"]["_meta"]
)
"""One for each operation of Archive's API."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """The sandbox over loopback HTTP, its window shortened so that the suite is not paced like the
    real one."""
    with sandbox_process(window=0.05) as running:
        yield running


CONFIRMED = sorted(
    row["tool"]["name"]
    for row in ROWS
    if "confirm" in row["tool"]["inputSchema"]["properties"]
    # This one asks only where a new name is close to an old one.
    and row["operation"] != "addItemToCollections"
)
"""Those that ask first."""


async def look_around(client: Client) -> Found:
    """Find something of each kind, as an assistant would."""
    wanted = {"filter": {"itemTypes": ["REEL"]}, "fields": ["*", "creator.id"], "limit": 3}
    items = (await called(client, "archive_search_items", wanted))["nodes"]

    async def first(tool: str) -> str:
        nodes = (await called(client, f"archive_get_{tool}", {"limit": 2}))["nodes"]
        return str(nodes[-1]["id"])

    return Found(
        items=[each["id"] for each in items],
        url=items[0]["originalUrl"],
        creator=items[0]["creator"]["id"],
        account=items[0]["socialProfile"]["accountName"],
        provider=items[0]["provider"],
        operation=await first("operations"),
        brand=await first("competitor_brands"),
        group=await first("view_groups"),
        collection=await first("collections"),
        views={kind: await first(f"{kind}s") for kind in VIEWS},
    )


async def called(client: Client, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """The structured result of a call that must succeed."""
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    text = result.content[0].text  # type: ignore[union-attr]
    assert json.loads(text) == result.structured_content
    content: dict[str, Any] = result.structured_content
    return content


def parameters(sandbox: SandboxProcess, folder: Path) -> StdioServerParameters:
    env = using(sandbox, folder)
    return StdioServerParameters(command=LAUNCHER[0], args=list(LAUNCHER[1:]), env=env, cwd=folder)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdk_client_calls_every_tool(
    sandbox: SandboxProcess, tmp_path: Path, mode: str
) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path), mode=mode) as client:
        assert sorted(each.name for each in (await client.list_tools()).tools) == LISTED
        prompt = await client.get_prompt("archive_system_prompt")
        resource = await client.read_resource("archive://system-prompt")
        text = prompt.messages[0].content.text  # type: ignore[union-attr]
        assert text == resource.contents[0].text  # type: ignore[union-attr]
        calls = arguments(await look_around(client))
        assert sorted(calls) == TOOLS
        answers = {tool: await in_both_steps(client, tool, given) for tool, given in calls.items()}
    assert answers["archive_refetch_engagement_bulk"]["processedCount"] == 2
    assert len(answers["archive_search_items"]["nodes"]) == 5
    assert answers["archive_get_item_ids_by_url"]["nodes"][0]["status"] == "FOUND"
    assert (
        answers["archive_add_item_to_collections"]["item"]["id"]
        == calls["archive_get_media_contents"]["itemIds"][0]
    )
    assert answers["archive_search_creators"]["nodes"]
    assert answers["archive_delete_view_group"]["movedViewIds"]
    gone = {tool: given["id"] for tool, given in calls.items() if "_delete_" in tool}
    assert {tool: next(iter(answers[tool].values())) for tool in gone} == gone


async def in_both_steps(client: Client, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """The result of a call, after its preview where it asks first and nobody is there to answer."""
    if tool not in CONFIRMED:
        return await called(client, tool, given)
    result = await client.call_tool(tool, given)
    preview: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
    # A change of a view asks only where it empties something.
    if tool.startswith("archive_update_") and not result.is_error:
        assert "replaced" in preview
        return preview
    assert preview["code"] == "CONFIRMATION_REQUIRED"
    return await called(client, tool, {**given, "confirm": preview["confirm"]})


async def test_the_main_job_top_posts_into_a_new_collection(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path)) as client:
        sorting = [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}]
        top = await called(client, "archive_search_items", {"sorting": sorting, "limit": 5})
        ids = [each["id"] for each in top["nodes"]]
        values = [each["currentEngagement"]["earnedMediaValue"] for each in top["nodes"]]
        assert values == sorted(values, reverse=True)
        assert top["units"] == {"earnedMediaValue": "cents, assumed"}
        for each in ids:
            given = {"itemId": each, "collectionNames": ["Q4 Report"], "autoCreate": True}
            await called(client, "archive_add_item_to_collections", given)
        presets = (await called(client, "archive_get_filter_presets", {}))["nodes"]
        preset = next(each["id"] for each in presets if each["name"] == "Q4 Report")
        inside = await called(
            client, "archive_search_items", {"presetId": preset, "sorting": sorting}
        )
    assert [each["id"] for each in inside["nodes"]] == ids


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    """The official inspector, installed from npm on first use."""
    return inspector_or_skip()


def test_the_inspector_finds_no_fault_in_the_tools(
    inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    done = inspector.run(using(sandbox, tmp_path), LAUNCHER, "--method", "tools/list", "--strict")
    assert sorted(each["name"] for each in result_of(done)["tools"]) == LISTED
    faults = [line for line in done.stderr.splitlines() if line.strip().startswith("Path:")]
    assert faults == []


def test_the_inspector_reads_the_prompt_and_the_resource(
    inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    env = using(sandbox, tmp_path)
    prompt = inspector.run(
        env, LAUNCHER, "--method", "prompts/get", "--prompt-name", "archive_system_prompt"
    )
    resource = inspector.run(
        env, LAUNCHER, "--method", "resources/read", "--uri", "archive://system-prompt"
    )
    text = result_of(prompt)["messages"][0]["content"]["text"]
    assert text == result_of(resource)["contents"][0]["text"]
    assert text.startswith("# ")


async def test_the_inspector_calls_every_tool(
    inspector: Inspector, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.reset()
    async with Client(parameters(sandbox, tmp_path)) as client:
        calls = arguments(await look_around(client))
    assert sorted(calls) == TOOLS
    for number, (tool, given) in enumerate(calls.items()):
        era = "modern" if number % 2 else "legacy"
        done = inspector.call(using(sandbox, tmp_path), LAUNCHER, tool, given, era)
        # A change of a view asks only where it empties something.
        if tool in CONFIRMED and not tool.startswith("archive_update_"):
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
