"""The MCP server: what it lists, and tool calls as results that models can act on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from .. import __version__
from ..calls import Calls
from ..errors import Code, Failure
from ..results import Result, compact
from ..surface import Surface
from .asking import InputNeeded, asker_for

if TYPE_CHECKING:
    from ..resources import Resources

NAME = "archive-mcp"
ERROR_META = "archive-mcp/error"
COMPLETE = {"resultType": "complete"}
"""What the modern era wants in every result; the older ones never see it."""

_FIXED = CacheHint(ttl_ms=3_600_000, scope="public")
"""Lists and documents come from files of the package: they cannot change while the server runs."""
_CACHED: tuple[CacheableMethod, ...] = (
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
)

_LIVE = {"ttlMs": 0, "cacheScope": "private"}
"""What is read from an API belongs to the one who asked, and may be different the next moment."""
_CALLERS = (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.AMBIGUOUS, Code.WORKSPACE_REQUIRED)
"""Failures that another address would not meet."""
_NAMED = 10

Context = ServerRequestContext[Any, Any]


class Document(Protocol):
    """A text that is served as a prompt and as a resource."""

    @property
    def name(self) -> str:
        """Name of the prompt."""

    @property
    def title(self) -> str:
        """Title for people."""

    @property
    def description(self) -> str:
        """What it is for."""

    @property
    def uri(self) -> str:
        """URI of the resource."""

    @property
    def mime_type(self) -> str:
        """Type of the text."""

    def text(self) -> str:
        """The text itself."""


def build_server(surface: Surface, calls: Calls, documents: Sequence[Document], instructions: str) -> Server[Any]:
    """The MCP server over these tools and documents; nothing in it touches the network before a call."""
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title="Archive and ArchiveBox",
        instructions=instructions,
        cache_hints=dict.fromkeys(_CACHED, _FIXED),
    )
    server.middleware.clear()  # telemetry that nobody exports
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    _serve_tools(server, surface, calls)
    _serve_documents(server, documents)

    @cache
    def resources() -> Resources:
        from ..resources import Resources  # with the first use, not at start

        return Resources(surface, calls)

    _serve_resources(server, documents, resources)
    _serve_completions(server, documents, resources)
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
        return _answered(result)

    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)


def _serve_documents(server: Server[Any], documents: Sequence[Document]) -> None:
    by_name = {each.name: each for each in documents}

    async def list_prompts(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "prompts": [_described(each) for each in documents]}

    async def get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> dict[str, Any]:
        document = by_name.get(params.name)
        if document is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no prompt {params.name!r}.")
        content = {"type": "text", "text": document.text()}
        return {**COMPLETE, "description": document.description, "messages": [{"role": "user", "content": content}]}

    server.add_request_handler("prompts/list", types.PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, get_prompt)


def _serve_resources(server: Server[Any], documents: Sequence[Document], resources: Callable[[], Resources]) -> None:
    by_uri = {each.uri: each for each in documents}

    async def list_resources(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {
            **COMPLETE,
            "resources": [{**_described(each), "uri": each.uri, "mimeType": each.mime_type} for each in documents],
        }

    async def list_templates(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "resourceTemplates": resources().listing()}

    async def read_resource(ctx: Context, params: types.ReadResourceRequestParams) -> dict[str, Any]:
        document = by_uri.get(params.uri)
        if document is not None:
            return _contents(document.uri, document.mime_type, document.text())
        try:
            content = await resources().read(params.uri)
        except Failure as failure:
            raise _refusal(failure, uri=params.uri) from None
        return {**_contents(params.uri, "application/json", content.text), **({} if content.fixed else _LIVE)}

    server.add_request_handler("resources/list", types.PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, list_templates)
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read_resource)


def _serve_completions(server: Server[Any], documents: Sequence[Document], resources: Callable[[], Resources]) -> None:
    prompts = {each.name for each in documents}

    async def complete(ctx: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        reference, known = params.ref, params.context.arguments if params.context else None
        if isinstance(reference, types.PromptReference):
            if reference.name not in prompts:
                raise MCPError(types.INVALID_PARAMS, f"There is no prompt {reference.name!r}.")
            return _completed([], 0)
        try:
            found = await resources().complete(reference.uri, params.argument.name, params.argument.value, known or {})
        except Failure as failure:
            raise _refusal(failure, uri=reference.uri) from None
        return _completed(found.values, found.total)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)


def _contents(uri: str, mime_type: str, text: str) -> dict[str, Any]:
    return {**COMPLETE, "contents": [{"uri": uri, "mimeType": mime_type, "text": text}]}


def _completed(values: list[str], total: int) -> dict[str, Any]:
    return {**COMPLETE, "completion": {"values": values, "total": total, "hasMore": total > len(values)}}


def _described(document: Document) -> dict[str, Any]:
    return {"name": document.name, "title": document.title, "description": document.description}


def _answered(result: Result) -> dict[str, Any]:
    texts = [result.text, *([result.prose] if result.prose else [])]
    content: list[dict[str, Any]] = [{"type": "text", "text": each} for each in texts]
    for image in result.images:
        data = base64.b64encode(image.content).decode()
        content.append({"type": "image", "data": data, "mimeType": image.mime_type})
    answer = {**COMPLETE, "content": content, "isError": False}
    return {**answer, "structuredContent": result.structured} if result.is_structured else answer


def _failed(failure: Failure) -> dict[str, Any]:
    """A failure as text and metadata only: clients validate structured content against the output schema."""
    error = _error(failure)
    content = [{"type": "text", "text": compact(error)}]
    return {**COMPLETE, "content": content, "_meta": {ERROR_META: error}, "isError": True}


def _refusal(failure: Failure, uri: str) -> MCPError:
    """A failure as a protocol error; hosts show its message and nothing else, so what to choose from is in it."""
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
