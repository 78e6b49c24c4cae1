"""`archive-mcp demo`: a short scripted session with the sandbox, as an assistant would have it.

A real MCP client starts the program and talks to it over stdio.
"""

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
from server.text import truncate_line

COLLECTION = "Q4 Report"


def play(command: Sequence[str], program: str) -> int:
    """Start the server with `command`, print a session with it and return the exit status.

    Args:
        program: what the user types to run this program.
    """
    return anyio.run(_play_session, list(command), program)


async def _play_session(command: list[str], program: str) -> int:
    parameters = StdioServerParameters(command=command[0], args=command[1:])
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        names = ", ".join(tool.name for tool in tools[:3])
        _say(f"The server offers {len(tools)} tools, such as {names}.")
        demo = _Demo(client)
        posts = await demo.show_top_posts()
        await demo.collect(posts)
        is_refused = await demo.make_mistake()
    if len(posts) != 5 or not is_refused:
        _say("The session failed.")
        return 1
    _say("All of this ran over stdio against the sandbox, without a token and without a network.")
    _say(f"Next: `{program} setup` connects your assistant, with --sandbox to made-up data.")
    return 0


class _Demo:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._workspace = ""

    async def show_top_posts(self) -> list[dict[str, Any]]:
        workspaces = await self._call("archive_get_workspaces", {"fields": ["name"]})
        self._workspace = workspaces["nodes"][0]["name"]
        # Not "this month": on its first day there are not yet five posts.
        start = (wall_clock.utc_now() - timedelta(days=30)).strftime("%Y-%m-%d")
        _ask(
            "Show me the top five posts of the last 30 days by earned media value "
            f"({self._workspace})."
        )
        result = await self._call(
            "archive_search_items",
            {
                "filter": {"takenAt": {"from": start}},
                "sorting": [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}],
                "limit": 5,
            },
        )
        posts: list[dict[str, Any]] = result["nodes"]
        for rank, post in enumerate(posts, 1):
            # The API gives cents; people read dollars.
            value = f"${post['currentEngagement']['earnedMediaValue'] / 100:,.2f}"
            account = post["socialProfile"]["accountName"]
            # On one line, or a caption could look like the demo's own words.
            caption = truncate_line(post["caption"] or "(no caption)", 60)
            _say(f"{rank}. {value:>10}  {post['provider']:<9} @{account}: {caption}")
        unit = result["units"]["earnedMediaValue"]
        _say(f"(out of {result['totalCount']} posts; the API reports earned media value in {unit})")
        return posts

    async def collect(self, posts: list[dict[str, Any]]) -> None:
        _ask(f"Put them into the collection {COLLECTION}.")
        for post in posts:
            arguments = {"itemId": post["id"], "collectionNames": [COLLECTION], "autoCreate": True}
            await self._call("archive_add_item_to_collections", arguments)
        presets = await self._call("archive_get_filter_presets", {})
        # Read back rather than counted: that shows that the sandbox keeps what is changed.
        id = next(preset["id"] for preset in presets["nodes"] if preset["name"] == COLLECTION)
        content = await self._call("archive_search_items", {"presetId": id, "fields": ["id"]})
        _say(f"{COLLECTION} now holds {content['totalCount']} posts.")

    async def make_mistake(self) -> bool:
        """Send arguments that cannot be right; return whether they were refused."""
        _ask("Show me posts on Instagramm. (Misspelt on purpose.)")
        arguments = {"filter": {"provider": "INSTAGRAMM"}}
        result = await self._client.call_tool(
            "archive_search_items", {**arguments, "workspace": self._workspace}
        )
        error = json.loads(_text_of(result))
        _say(f"Refused before anything was sent. {error['code']}: {error['message']}")
        return bool(result.is_error)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        # The first call finds out which workspaces there are, and so names none.
        if self._workspace:
            arguments = {**arguments, "workspace": self._workspace}
        result = await self._client.call_tool(tool, arguments)
        if result.is_error:
            raise SystemExit(f"{tool} failed: {_text_of(result)}")
        structured: dict[str, Any] = result.structured_content
        return structured


def _text_of(result: Any) -> str:
    block = result.content[0]
    return block.text if isinstance(block, TextContent) else ""


def _ask(text: str) -> None:
    sys.stdout.write(f"\n> {text}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    # Piped to a file or a pager, the lines should still come one by one.
    sys.stdout.flush()
