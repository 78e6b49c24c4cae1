"""The least client: one request for each call, as the protocol of 2026 allows."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from anyio import to_thread

from server.errors import ERROR_META

Json = dict[str, Any]

_VERSION = "2026-07-28"
_META = "io.modelcontextprotocol/"
_SECONDS = 90.0


async def call_tool(url: str, key: str, tool: str, arguments: Json) -> Json:
    """Return the result of a tool, or its error.

    Raises:
        OSError: the server cannot be reached, or ends before it has answered.
    """
    return await to_thread.run_sync(_call, url, key, tool, arguments)


def _call(url: str, key: str, tool: str, arguments: Json) -> Json:
    meta = {
        f"{_META}protocolVersion": _VERSION,
        f"{_META}clientInfo": {"name": "archive-mcp-demo", "version": "1"},
        f"{_META}clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    request = Request(  # noqa: S310  # a server of this demonstration
        url,
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode(),
        {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": _VERSION,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        },
    )
    # Straight to this computer, whatever proxy is set.
    with build_opener(ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
        text = answer.read().decode()
    # As one message, or as the last of a stream of events.
    _, _, data = text.rpartition("data: ")
    result: Json = json.loads(data or text)["result"]
    if result.get("isError"):
        error: Json = result["_meta"][ERROR_META]
        return error
    content: Json = result["structuredContent"]
    return content
