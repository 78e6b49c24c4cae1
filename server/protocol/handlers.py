"""The MCP server: what it lists, and tool calls as results that models can act on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from server import __version__
from server.dispatch import Dispatcher
from server.errors import ERROR_META, Code, Failure
from server.protocol.answers import explain_parameters, mend_answers
from server.protocol.elicitation import InputNeeded, asker_for
from server.protocol.icon import ICON
from server.protocol.listing import Listing, client_name
from server.protocol.prompts import Document, Prompts, Workflow, to_listing
from server.redaction import holds_secret, redact_values
from server.tool.catalog import Catalog
from server.tool.result import Result, compact

if TYPE_CHECKING:
    from server.resources.exports import ExportResources
    from server.resources.workspace import Resources

NAME = "archive-mcp"
# What the modern era wants in every result; clients of older eras never see it.
COMPLETE = {"resultType": "complete"}

# Lists and documents come from files of the package, which do not change while the server runs.
_FIXED = CacheHint(ttl_ms=3_600_000, scope="public")
_CACHED: tuple[CacheableMethod, ...] = (
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
)

# For what is read from an API, and for the user's files: not meant for everybody, and perhaps
# different the next moment.
_LIVE = {"ttlMs": 0, "cacheScope": "private"}
# Failures that the caller can mend with another address; any other is the server's or the API's.
_CALLER_CODES = (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.AMBIGUOUS, Code.WORKSPACE_REQUIRED)
# Choices in the message of an error: hosts show it in a line.
_MOST_CHOICES = 10
# The first protocol version with resource links; older clients take them for a fault.
_LINKS_SINCE = "2025-06-18"

Context = ServerRequestContext[Any, Any]


def build_server(
    catalog: Catalog,
    dispatcher: Dispatcher,
    documents: Sequence[Document],
    instructions: str,
    workflows: Callable[[], Sequence[Workflow]] = tuple,
    listing: Listing | None = None,
    withheld: Callable[[], Collection[str]] = tuple,
) -> Server[Any]:
    """Return the MCP server of these tools and texts; it touches no network before a call.

    Args:
        workflows: returns the prompts with arguments; called when a prompt is first used.
        listing: lists the tools for the connected host; by default the same for all.
        withheld: returns the names of the prompts that whoever calls may not use.
    """
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title="Archive and ArchiveBox",
        instructions=instructions,
        icons=[ICON],
        cache_hints=dict.fromkeys(_CACHED, _FIXED),
    )
    # What the SDK puts there is telemetry that nobody exports.
    server.middleware.clear()
    telemetry = dispatcher.services.telemetry
    if telemetry is not None:
        names = [entry.name for entry in catalog.list_callable()]
        server.middleware.append(telemetry.observe_calls(names))
    state = dispatcher.services.state
    audience = f"{NAME} {dispatcher.services.principal.id}"
    server.middleware.append(RequestStateBoundary(_seal(state.keys), default_audience=audience))
    server.middleware += [explain_parameters, mend_answers]
    listing = listing or Listing(catalog)
    server.middleware.append(listing.watch)
    _serve_tools(server, listing, dispatcher)
    prompts = Prompts(documents, workflows, withheld)
    _serve_prompts(server, prompts, dispatcher)

    # Both are imported when they are first used: the start should not pay for them.
    @cache
    def open_resources() -> Resources:
        from server.resources.workspace import Resources

        return Resources(catalog, dispatcher)

    @cache
    def open_exports() -> ExportResources:
        from server.resources.exports import ExportResources

        return ExportResources(dispatcher)

    _serve_resources(server, documents, open_resources, open_exports)
    _serve_completions(server, prompts, open_resources, dispatcher)
    return server


def _seal(keys: Sequence[bytes]) -> RequestStateSecurity:
    """Return what seals the state of a question, which comes back through the client.

    A key of this process alone lives as long as the process: after a restart an old answer counts
    as none.
    """
    return RequestStateSecurity(keys=keys) if keys else RequestStateSecurity.ephemeral()


def _serve_tools(server: Server[Any], listing: Listing, dispatcher: Dispatcher) -> None:
    used = dispatcher.services.state.replies

    async def list_tools(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        # On one page: many clients read no further than the first.
        return {**COMPLETE, "tools": listing.list_tools(client_name(ctx))}

    async def call_tool(
        ctx: Context, params: types.CallToolRequestParams
    ) -> dict[str, Any] | types.InputRequiredResult:
        asker = await asker_for(ctx, params.input_responses, params.request_state, used)
        try:
            result = await dispatcher.call(params.name, params.arguments or {}, asker)
        except Failure as failure:
            return _render_failure(failure)
        except InputNeeded as question:
            return question.result
        return _render_result(result, ctx.protocol_version)

    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)


def _serve_prompts(server: Server[Any], prompts: Prompts, dispatcher: Dispatcher) -> None:
    async def list_prompts(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "prompts": prompts.listing()}

    async def get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> dict[str, Any]:
        try:
            async with dispatcher.note_refusals("prompts/get", about=params.name):
                return {**COMPLETE, **prompts.fill(params.name, params.arguments or {})}
        except Failure as failure:
            raise _to_protocol_error(failure, prompt=params.name) from None

    server.add_request_handler("prompts/list", types.PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, get_prompt)


def _serve_resources(
    server: Server[Any],
    documents: Sequence[Document],
    open_resources: Callable[[], Resources],
    open_exports: Callable[[], ExportResources],
) -> None:
    by_uri = {document.uri: document for document in documents}

    async def list_resources(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        resources = [
            {**to_listing(document), "uri": document.uri, "mimeType": document.mime_type}
            for document in documents
        ]
        resources += await open_exports().list_resources()
        # Live although the documents are fixed, because exports come and go.
        return {**COMPLETE, "resources": resources, **_LIVE}

    async def list_templates(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {**COMPLETE, "resourceTemplates": open_resources().list_templates()}

    async def read_resource(
        ctx: Context, params: types.ReadResourceRequestParams
    ) -> dict[str, Any]:
        document = by_uri.get(params.uri)
        if document is not None:
            return _render_contents(document.uri, document.mime_type, document.text())
        try:
            if open_exports().holds(params.uri):
                return {**COMPLETE, "contents": await open_exports().read(params.uri), **_LIVE}
            content = await open_resources().read(params.uri)
        except Failure as failure:
            raise _to_protocol_error(failure, uri=params.uri) from None
        contents = _render_contents(params.uri, "application/json", content.text)
        return contents if content.is_fixed else {**contents, **_LIVE}

    server.add_request_handler("resources/list", types.PaginatedRequestParams, list_resources)
    server.add_request_handler(
        "resources/templates/list", types.PaginatedRequestParams, list_templates
    )
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read_resource)


def _serve_completions(
    server: Server[Any],
    prompts: Prompts,
    open_resources: Callable[[], Resources],
    dispatcher: Dispatcher,
) -> None:
    async def complete(ctx: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        reference, name, start = params.ref, params.argument.name, params.argument.value
        # What people entered before decides what fits: views belong to a workspace.
        entries = (params.context.arguments if params.context else None) or {}
        if isinstance(reference, types.PromptReference):
            try:
                async with dispatcher.note_refusals("completion/complete", about=reference.name):
                    argument = prompts.find_argument(reference.name, name)
            except Failure as failure:
                raise _to_protocol_error(failure, prompt=reference.name) from None
            # A document takes no arguments, yet clients ask.
            if argument is None:
                return _render_completion([], 0)
            proposals = await open_resources().propose(
                argument.values, argument.variable, start, entries
            )
            return _render_completion(proposals.values, proposals.total)
        try:
            proposals = await open_resources().complete(reference.uri, name, start, entries)
        except Failure as failure:
            raise _to_protocol_error(failure, uri=reference.uri) from None
        return _render_completion(proposals.values, proposals.total)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)


def _render_contents(uri: str, mime_type: str, text: str) -> dict[str, Any]:
    return {**COMPLETE, "contents": [{"uri": uri, "mimeType": mime_type, "text": text}]}


def _render_completion(values: list[str], total: int) -> dict[str, Any]:
    completion = {"values": values, "total": total, "hasMore": total > len(values)}
    return {**COMPLETE, "completion": completion}


def _render_result(result: Result, protocol_version: str) -> dict[str, Any]:
    texts = filter(None, (result.text, result.prose))
    content: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts]
    for image in result.images:
        data = base64.b64encode(image.content).decode()
        content.append({"type": "image", "data": data, "mimeType": image.mime_type})
    # Dates compare as text: the versions of the protocol are such.
    if protocol_version >= _LINKS_SINCE:
        content += [
            {
                "type": "resource_link",
                "uri": link.uri,
                "name": link.name,
                "mimeType": link.mime_type,
                "size": link.size,
            }
            for link in result.links
        ]
    answer = {**COMPLETE, "content": content, "isError": False}
    # The texts alone are searched: the structured part holds the same, and pictures no words.
    if holds_secret(result.text) or holds_secret(result.prose):
        answer = redact_values(answer)
        return {**answer, **_structure(redact_values(result.structured), result)}
    return {**answer, **_structure(result.structured, result)}


def _structure(content: dict[str, Any], result: Result) -> dict[str, Any]:
    # Left out rather than empty: some hosts show only the structured part where there is one.
    return {"structuredContent": content} if result.is_structured else {}


def _render_failure(failure: Failure) -> dict[str, Any]:
    """Return a failure as text and metadata.

    Not as structured content: clients validate that against the output schema even for errors.
    """
    error = _to_dict(failure)
    content = [{"type": "text", "text": compact(error)}]
    return {**COMPLETE, "content": content, "_meta": {ERROR_META: error}, "isError": True}


def _to_protocol_error(failure: Failure, **about: str) -> MCPError:
    """Return a failure as a protocol error with what to choose from in its message.

    Hosts show that message and nothing else.

    Args:
        about: what the request named, by its kind.
    """
    code = types.INVALID_PARAMS if failure.code in _CALLER_CODES else types.INTERNAL_ERROR
    parts = [failure.message, failure.hint, _describe_choices(failure)]
    data = {**about, ERROR_META: _to_dict(failure)}
    return MCPError(code, " ".join(filter(None, parts)), data)


def _describe_choices(failure: Failure) -> str:
    choices = failure.details.get("candidates", failure.details.get("choices", ()))
    names = [f"{choice['name']} ({choice['id']})" for choice in choices[:_MOST_CHOICES]]
    return f"The choices are: {', '.join(names)}." if names else ""


def _to_dict(failure: Failure) -> dict[str, Any]:
    error: dict[str, Any] = {"code": failure.code, "message": failure.message}
    # An empty hint would read as one that says to do nothing.
    if failure.hint:
        error["hint"] = failure.hint
    return {**error, "retryable": failure.retryable, **failure.details}
