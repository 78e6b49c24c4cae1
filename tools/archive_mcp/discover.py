"""Four tools that stand for all others, for clients with little room: find one, see its arguments,
call it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from server.builtin import ServerContext, ServerTool
from server.errors import Code, Failure
from server.tool.catalog import Entry
from server.tool.result import Result, whole
from server.tool.search import group_by_toolset, rank, summarise

Name = Annotated[str, Field(min_length=1)]
Payload = dict[str, Any]


class FindTools(ServerTool[Payload]):
    """Find tools of Archive (archive.com: social posts, creators, engagement) and ArchiveBox (saved
    web pages) by what they do. Most tools are not listed: start here, then use
    archive_mcp_describe_tool. Without `query` it returns all names by toolset."""

    operation = "find_tools"
    title = "Find tools"
    risk = "reads"
    repeatable = True

    query: Name | None = Field(
        None, description="Words that describe the task, such as `add item to collection`."
    )
    limit: int = Field(8, ge=1, le=30, description="Most tools to return.")

    async def run(self, context: ServerContext) -> Result:
        entries = context.catalog.list_callable()
        if self.query is None:
            return whole({"toolsets": group_by_toolset(entries)})
        best = rank(entries, self.query)[: self.limit]
        # An empty answer would end the search; the names let the model choose by itself.
        if not best:
            note = "Nothing fits these words; here are all names."
            return whole({"tools": [], "toolsets": group_by_toolset(entries), "notes": [note]})
        return whole({"tools": [_row(entry) for entry in best]})


class DescribeTool(ServerTool[Payload]):
    """Show what a tool does and the JSON schema of its arguments. Read it before you call a tool
    for the first time."""

    operation = "describe_tool"
    title = "Describe a tool"
    risk = "reads"
    repeatable = True

    name: Name = Field(description="Tool name from archive_mcp_find_tools.")

    async def run(self, context: ServerContext) -> Result:
        entry = context.catalog.find_reachable(self.name)
        # Two callers, so that a client can allow all reads without a question and still ask for
        # writes.
        caller = "{call_read_tool}" if entry.reads else "{call_write_tool}"
        tool = entry.tool
        # The output schema is left out: it is long, and the model sees the output anyway.
        visible = {key: tool[key] for key in ("name", "description", "inputSchema")}
        hints = tool["annotations"]
        return whole(
            {
                **visible,
                # The hints of a tool that is not listed reach nobody but through here.
                "changesData": not entry.reads,
                "destructive": hints["destructiveHint"],
                "repeatable": hints["idempotentHint"],
                "callWith": context.catalog.render_hint(caller),
            }
        )


class _CallTool(ServerTool[Payload]):
    name: Name = Field(description="Tool name.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Arguments of that tool, as its schema says."
    )

    async def pass_on(self, entry: Entry, context: ServerContext) -> Result:
        return await context.dispatch(entry, self.arguments, context.caller)


class CallReadTool(_CallTool):
    """Call a tool that changes nothing. Results and errors are those of the tool."""

    operation = "call_read_tool"
    title = "Call a reading tool"
    risk = "reads"
    repeatable = True
    open_world = True

    async def run(self, context: ServerContext) -> Result:
        entry = _other(context, self.name)
        # A client that allows reads unasked must not run a change through this tool.
        if not entry.reads:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.name} changes data.",
                "Call it through {call_write_tool}.",
            )
        return await self.pass_on(entry, context)


class CallWriteTool(_CallTool):
    """Call a tool that changes data: one that adds, replaces, removes or spends. Deletes, spending
    and bulk changes ask the user first; where nobody can be asked, the error contains a preview and
    a token, to be added to `arguments` as `confirm`."""

    operation = "call_write_tool"
    title = "Call a changing tool"
    risk = "changes"
    repeatable = False
    open_world = True
    verify = "read what the tool should have changed."

    async def run(self, context: ServerContext) -> Result:
        entry = _other(context, self.name)
        # Refused, though harmless: a read would be asked about as if it changed something.
        if entry.reads:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.name} only reads.",
                "Call it through {call_read_tool}.",
            )
        return await self.pass_on(entry, context)


def _row(entry: Entry) -> Payload:
    return {
        "name": entry.name,
        "what": summarise(entry),
        "toolset": entry.toolset,
        **({} if entry.reads else {"changesData": True}),
    }


def _other(context: ServerContext, name: str) -> Entry:
    entry = context.catalog.find_reachable(name)
    # A caller that could call itself would go in circles.
    if entry not in context.catalog.list_callable():
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name} is called directly.",
            "Pass the name of the tool to call through it.",
        )
    return entry
