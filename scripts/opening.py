"""Records how the SDK answers a host's first requests: `python -m scripts.opening`.

The server gives these answers while the SDK is still being imported (`server.protocol.opening`).
The file holds what the SDK adds to them, by protocol version and method, and the rows of the lists
that are the same for everybody; the instructions and the tools come from the files that hold them.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.shared._context_streams import create_context_streams
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, jsonrpc_message_adapter
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

import prompts
from archive_mcp import ROOT
from server.dispatch import Dispatcher
from server.protocol.handlers import build_server
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog

Json = dict[str, Any]

FILE = ROOT / "tools" / "opening.json"
LISTS = ("tools/list", "prompts/list", "resources/templates/list")
CLIENT = {"name": "recorder", "version": "1"}

# The lists that do not depend on the host; no version changes their rows.
_SHARED = ("prompts", "resourceTemplates")
_LEFT_OUT = ("instructions", "tools", *_SHARED)


def open_with(version: str, client: Json = CLIENT, capabilities: Json | None = None) -> list[Json]:
    """Return the messages with which a host opens a connection and asks for every list."""
    if version in HANDSHAKE_PROTOCOL_VERSIONS:
        params = {
            "protocolVersion": version,
            "capabilities": capabilities or {},
            "clientInfo": client,
        }
        lists = [_request(method, {}) for method in LISTS]
        initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        return [_request("initialize", params), initialized, *lists]
    prefix = "io.modelcontextprotocol/"
    meta = {
        f"{prefix}protocolVersion": version,
        f"{prefix}clientInfo": client,
        f"{prefix}clientCapabilities": capabilities or {},
    }
    return [_request(method, {"_meta": meta}) for method in ("server/discover", *LISTS)]


async def converse(server: Server[Any], messages: Sequence[Json]) -> list[Json]:
    """Return the SDK's answers to these messages, sent one after the other."""
    incoming, read = create_context_streams[SessionMessage | Exception](0)
    write, outgoing = create_context_streams[SessionMessage](0)
    answers: list[Json] = []
    async with incoming, outgoing, anyio.create_task_group() as group:
        group.start_soon(server.run, read, write, server.create_initialization_options())
        for message in messages:
            parsed = jsonrpc_message_adapter.validate_python(message, by_name=False)
            await incoming.send(SessionMessage(parsed))
            if not isinstance(parsed, JSONRPCNotification):
                answer = (await outgoing.receive()).message
                text = answer.model_dump_json(by_alias=True, exclude_unset=True)
                answers.append(json.loads(text))
        await incoming.aclose()
    return answers


async def record() -> Json:
    """Return what the packaged file holds."""
    settings = load({}, sandbox=True, environment={})
    catalog = Catalog.read(ROOT / "tools" / "surface.json", importlib.import_module)
    versions: Json = {}
    rows: Json = {}
    async with Services(settings) as services:
        dispatcher = Dispatcher(catalog, services, settings.timezone)
        texts = (prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
        for version in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS):
            messages = open_with(version)
            methods = [message["method"] for message in messages if "id" in message]
            answers = await converse(build_server(catalog, dispatcher, *texts), messages)
            results = [answer["result"] for answer in answers]
            versions[version] = dict(zip(methods, map(_envelope, results), strict=True))
            for result in results:
                rows.update({key: result[key] for key in _SHARED if key in result})
    return {"versions": versions, "rows": rows}


def render() -> str:
    """Return the text of the file."""
    return json.dumps(anyio.run(record), indent=1, ensure_ascii=False) + "\n"


def _envelope(result: Json) -> Json:
    return {key: value for key, value in result.items() if key not in _LEFT_OUT}


def _request(method: str, params: Json) -> Json:
    return {"jsonrpc": "2.0", "id": method, "method": method, "params": params}


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name} is written\n")
