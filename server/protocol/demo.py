"""A short scripted session with the sandbox over stdio, by a real MCP client: what an assistant
would do."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from server import wall_clock

COLLECTION = "Q4 Report"


def play(command: Sequence[str]) -> int:
    """Start the server with `command`, play the session, print it; the result is the exit
    status."""
    return anyio.run(_session, list(command))


async def _session(command: list[str]) -> int:
    parameters = StdioServerParameters(command=command[0], args=command[1:])
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        _say(
            f"The server offers {len(tools)} tools, among them {', '.join(each.name for each in tools[:3])}."
        )
        demo = _Demo(client)
        top = await demo.top_posts()
        await demo.collect(top)
        refused = await demo.mistake()
    done = len(top) == 5 and refused
    _say(
        "Everything above came over stdio from a sandbox: no token, no network."
        if done
        else "The session failed."
    )
    return 0 if done else 1


class _Demo:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._workspace = ""

    async def top_posts(self) -> list[dict[str, Any]]:
        workspaces = await self._call("archive_get_workspaces", {"fields": ["name"]})
        self._workspace = workspaces["nodes"][0]["name"]
        # Not "this month": on its first day there are not yet five posts.
        start = (wall_clock.utc_now() - timedelta(days=30)).strftime("%Y-%m-%d")
        _ask(
            "Show me the top five posts of the last 30 days by earned media value "
            f"({self._workspace})."
        )
        found = await self._call(
            "archive_search_items",
            {
                "filter": {"takenAt": {"from": start}},
                "sorting": [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}],
                "limit": 5,
            },
        )
        for rank, post in enumerate(found["nodes"], 1):
            account, metrics = post["socialProfile"]["accountName"], post["currentEngagement"]
            value = metrics["earnedMediaValue"] / 100
            _say(
                f"{rank}. ${value:>9,.2f}  {post['provider']:<9} @{account}: {_short(post['caption'])}"
            )
        _say(
            f"(of {found['totalCount']} posts; earned media value came in {found['units']['earnedMediaValue']})"
        )
        return list(found["nodes"])

    async def collect(self, posts: list[dict[str, Any]]) -> None:
        _ask(f"Put them into the collection {COLLECTION}.")
        for post in posts:
            arguments = {"itemId": post["id"], "collectionNames": [COLLECTION], "autoCreate": True}
            await self._call("archive_add_item_to_collections", arguments)
        presets = await self._call("archive_get_filter_presets", {})
        preset = next(each["id"] for each in presets["nodes"] if each["name"] == COLLECTION)
        inside = await self._call("archive_search_items", {"presetId": preset, "fields": ["id"]})
        _say(f"{COLLECTION} now holds {inside['totalCount']} posts.")

    async def mistake(self) -> bool:
        _ask("(a mistake on purpose) Posts on Instagramm, with their likes.")
        arguments = {"filter": {"provider": "INSTAGRAMM"}, "fields": ["likes"], "limit": 0}
        result = await self._client.call_tool(
            "archive_search_items", {**arguments, "workspace": self._workspace}
        )
        error = json.loads(_text(result))
        _say(f"Refused, nothing sent: {error['code']}: {error['message']}")
        return bool(result.is_error)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        place = {"workspace": self._workspace} if self._workspace else {}
        result = await self._client.call_tool(tool, {**arguments, **place})
        if result.is_error:
            raise SystemExit(f"{tool} failed: {_text(result)}")
        found: dict[str, Any] = result.structured_content
        return found


def _text(result: Any) -> str:
    block = result.content[0]
    return block.text if isinstance(block, TextContent) else ""


def _short(caption: str | None) -> str:
    line = " ".join((caption or "(no caption)").split())
    return line if len(line) <= 60 else line[:57] + "..."


def _ask(text: str) -> None:
    sys.stdout.write(f"\n> {text}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()
