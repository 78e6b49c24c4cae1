"""The MCP server: what it lists, and tool calls as results that models can act on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from server import __version__
from server.dispatch import Calls
from server.errors import Code, Failure
from server.protocol.elicitation import InputNeeded, asker_for
from server.protocol.prompts import (
    Document,
    Prompts,
    Workflow,
    described,
)
from server.tool.catalog import Surface
from server.tool.result import Result, compact

if TYPE_CHECKING:
    from server.resources.exports import ExportResources
    from server.resources.workspace import Resources

NAME = "archive-mcp"
ERROR_META = "archive-mcp/error"
COMPLETE = {"resultType": "complete"}
"""What the modern era wants in every result; the older ones never see it."""

_FIXED = CacheHint(ttl_ms=3_600_000, scope="public")
"""Lists and documents come from files of the package: they cannot change while the server runs
(exports do)."""
_CACHED: tuple[CacheableMethod, ...] = (
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
)

_LIVE = {"ttlMs": 0, "cacheScope": "private"}
"""What is read from an API, and the user's files: not everybody's, and maybe different the next
moment."""
_CALLERS = (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.AMBIGUOUS, Code.WORKSPACE_REQUIRED)
"""Failures that another address would not meet."""
_NAMED = 10
_LINKS_SINCE = "2025-06-18"
"""The first protocol version with resource links; older clients take them for a fault."""

Context = ServerRequestContext[Any, Any]


def build_server(
    surface: Surface,
    calls: Calls,
    documents: Sequence[Document],
    instructions: str,
    workflows: Callable[[], Sequence[Workflow]] = tuple,
) -> Server[Any]:
    """The MCP server over these tools and texts; nothing in it touches the network before a call.

    Args:
        workflows: gives the prompts with arguments; called with the first use of a prompt.
    """
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title="Archive and ArchiveBox",
        instructions=instructions,
        cache_hints=dict.fromkeys(_CACHED, _FIXED),
    )
    server.middleware.clear()  # telemetry that nobody exports
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME)
    )
    _serve_tools(server, surface, calls)
    prompts = Prompts(documents, workflows)
    _serve_prompts(server, prompts)

    @cache
    def resources() -> Resources:
        from server.resources.workspace import Resources  # with the first use, not at start

        return Resources(surface, calls)

    @cache
    def exports() -> ExportResources:
        from server.resources.exports import ExportResources  # with the first use, not at start

        return ExportResources(calls)

    _serve_resources(server, documents, resources, exports)
    _serve_completions(server, prompts, resources)
    return server


def _serve_tools(server: Server[Any], surface: Surface, calls: Calls) -> None:
    async def list_tools(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "tools": surface.listing()}

    async def call_tool(
        ctx: Context, params: types.CallToolRequestParams
    ) -> dict[str, Any] | types.InputRequiredResult:
        asker = asker_for(ctx, params.input_responses, params.request_state)
        try:
            result = await calls.call(params.name, params.arguments or {}, asker)
        except Failure as failure:
            return _failed(failure)
        except InputNeeded as needed:
            return needed.result
        return _answered(result, ctx.protocol_version)

    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)


def _serve_prompts(server: Server[Any], prompts: Prompts) -> None:
    async def list_prompts(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "prompts": prompts.listing()}

    async def get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> dict[str, Any]:
        return {**COMPLETE, **prompts.filled(params.name, params.arguments or {})}

    server.add_request_handler("prompts/list", types.PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, get_prompt)


def _serve_resources(
    server: Server[Any],
    documents: Sequence[Document],
    resources: Callable[[], Resources],
    exports: Callable[[], ExportResources],
) -> None:
    by_uri = {each.uri: each for each in documents}

    async def list_resources(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        fixed = [
            {**described(each), "uri": each.uri, "mimeType": each.mime_type} for each in documents
        ]
        return {**COMPLETE, "resources": [*fixed, *await exports().list_resources()], **_LIVE}

    async def list_templates(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "resourceTemplates": resources().list_templates()}

    async def read_resource(
        ctx: Context, params: types.ReadResourceRequestParams
    ) -> dict[str, Any]:
        document = by_uri.get(params.uri)
        if document is not None:
            return _contents(document.uri, document.mime_type, document.text())
        try:
            if exports().holds(params.uri):
                return {**COMPLETE, "contents": await exports().read(params.uri), **_LIVE}
            content = await resources().read(params.uri)
        except Failure as failure:
            raise _refusal(failure, uri=params.uri) from None
        return {
            **_contents(params.uri, "application/json", content.text),
            **({} if content.is_fixed else _LIVE),
        }

    server.add_request_handler("resources/list", types.PaginatedRequestParams, list_resources)
    server.add_request_handler(
        "resources/templates/list", types.PaginatedRequestParams, list_templates
    )
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read_resource)


def _serve_completions(
    server: Server[Any], prompts: Prompts, resources: Callable[[], Resources]
) -> None:
    async def complete(ctx: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        reference, asked = params.ref, params.argument
        known = (params.context.arguments if params.context else None) or {}
        if isinstance(reference, types.PromptReference):
            argument = prompts.argument(reference.name, asked.name)
            if argument is None:
                return _completed([], 0)
            found = await resources().propose(
                argument.values, argument.variable, asked.value, known
            )
            return _completed(found.values, found.total)
        try:
            found = await resources().complete(reference.uri, asked.name, asked.value, known)
        except Failure as failure:
            raise _refusal(failure, uri=reference.uri) from None
        return _completed(found.values, found.total)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)


def _contents(uri: str, mime_type: str, text: str) -> dict[str, Any]:
    return {**COMPLETE, "contents": [{"uri": uri, "mimeType": mime_type, "text": text}]}


def _completed(values: list[str], total: int) -> dict[str, Any]:
    return {
        **COMPLETE,
        "completion": {"values": values, "total": total, "hasMore": total > len(values)},
    }


def _answered(result: Result, protocol_version: str) -> dict[str, Any]:
    texts = [result.text, *([result.prose] if result.prose else [])]
    content: list[dict[str, Any]] = [{"type": "text", "text": each} for each in texts]
    for image in result.images:
        data = base64.b64encode(image.content).decode()
        content.append({"type": "image", "data": data, "mimeType": image.mime_type})
    if protocol_version >= _LINKS_SINCE:
        content += [
            {
                "type": "resource_link",
                "uri": each.uri,
                "name": each.name,
                "mimeType": each.mime_type,
                "size": each.size,
            }
            for each in result.links
        ]
    answer = {**COMPLETE, "content": content, "isError": False}
    return {**answer, "structuredContent": result.structured} if result.is_structured else answer


def _failed(failure: Failure) -> dict[str, Any]:
    """A failure as text and metadata only: clients validate structured content against the output
    schema."""
    error = _error(failure)
    content = [{"type": "text", "text": compact(error)}]
    return {**COMPLETE, "content": content, "_meta": {ERROR_META: error}, "isError": True}


def _refusal(failure: Failure, uri: str) -> MCPError:
    """A failure as a protocol error; hosts show its message and nothing else, so what to choose
    from is in it."""
    code = types.INVALID_PARAMS if failure.code in _CALLERS else types.INTERNAL_ERROR
    offered = failure.details.get("candidates") or failure.details.get("choices") or []
    names = [f"{each['name']} ({each['id']})" for each in offered[:_NAMED]]
    parts = [failure.message, failure.hint, *([f"There are: {', '.join(names)}."] if names else [])]
    return MCPError(code, " ".join(filter(None, parts)), {"uri": uri, ERROR_META: _error(failure)})


def _error(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        **({"hint": failure.hint} if failure.hint else {}),
        "retryable": failure.retryable,
        **failure.details,
    }
