"""Four tools that stand for all others, for clients with little room: find one, see its arguments,
call it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Annotated, Any

from pydantic import Field

from server.builtin import ServerContext, ServerTool
from server.errors import Code, Failure
from server.tool.arguments import list_once
from server.tool.catalog import Catalog, Entry
from server.tool.names import suggest
from server.tool.result import Result, compact, drop_empty, drop_nulls, whole
from server.tool.schema import abbreviate
from server.tool.search import choose_best, group_by_toolset, rank, summarise

Name = Annotated[str, Field(min_length=1)]
Payload = dict[str, Any]

# Characters of an argument's schema from which a description shows its short form.
_LONG_SCHEMA = 600
# How descriptions say that another tool's schema has the fields: all arguments, or one of them.
_ALL_OF = re.compile(r"Arguments of (archive\w+)")
_ONE_OF = re.compile(r"As `(\w+)` of (archive\w+)")
# What belongs to a call of its own and not to a search within another tool.
_OF_THE_CALL = frozenset({"fields", "limit", "after", "workspace", "optionNames", "countOnly"})
# What stands between several tasks in one query.
_TASKS = re.compile(r"[;\n]")
_NOTIFY = re.compile(
    r"\b(notif\w+|alert\w*|webhooks?|ping me|(tell|let) me (know )?(when|as soon as|if))\b", re.I
)
# Archive's help centre, "Setting Up Webhooks", 2026-08-20.
_WEBHOOKS = (
    "No tool watches or notifies. Archive sends webhooks when posts enter a content view: the user "
    "sets them up in Archive's settings, for a view made with archive_create_content_view."
)


class FindTools(ServerTool[Payload]):
    """Find tools of Archive (archive.com: social posts, creators, engagement) and ArchiveBox (saved
    web pages) by what they do. Most tools are not listed: start here, or with
    archive_mcp_describe_tool if you know the name. Without `query`: all names by toolset."""

    operation = "find_tools"
    title = "Find tools"
    search_hint = (
        "what is possible, capabilities, what else, help, is there a way to, features, everything "
        "you can do, what can I ask, list your functions, API do, what can this do, something "
        "like that, scheduling, kinds of queries, which requests are understood"
    )
    risk = "reads"
    core = True
    repeatable = True

    query: Name | None = Field(
        None,
        description="Words of the task, such as `add item to collection`; several apart by `;`.",
    )
    limit: int = Field(8, ge=1, le=30, description="Most to return.")

    async def run(self, context: ServerContext) -> Result:
        entries = context.catalog.list_callable()
        if self.query is None:
            return whole({"toolsets": group_by_toolset(entries)})
        notes = [_WEBHOOKS] if _NOTIFY.search(self.query) else []
        best = _find_best(entries, self.query, self.limit)
        # An empty answer would end the search; the names let the model choose by itself.
        if not best:
            notes.append("Nothing fits these words; here are all names.")
            return whole({"tools": [], "toolsets": group_by_toolset(entries), "notes": notes})
        rows = list(map(_row, best))
        return whole({"tools": rows, **drop_empty({"notes": notes})})


class DescribeTool(ServerTool[Payload]):
    """Show what tools do and the JSON schemas of their arguments. Read it before you call a tool
    for the first time. Long objects come in a short form; `argument` shows one in full."""

    operation = "describe_tool"
    title = "Describe a tool"
    search_hint = (
        "how does this tool work, which arguments, parameters, explain the tool, schema, "
        "documentation, how do I use, details of the function, inputs, what can I pass, which "
        "filters does it take, usage, how exactly do I have to fill in, what options has it got, "
        "what comes back, units, what does it expect as input, expected"
    )
    risk = "reads"
    core = True
    repeatable = True

    name: Name | None = Field(None, description="Tool name from archive_mcp_find_tools.")
    names: list[Name] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="Up to 10 tools at once: what they share comes once.",
    )
    argument: Name | None = Field(
        None, description="Only this argument, in full, such as `filter`."
    )

    def check(self) -> None:
        if (self.name is None) == (self.names is None):
            raise Failure(Code.INVALID_ARGUMENT, "Pass either `name` or `names`.")
        if self.argument is not None and self.name is None:
            raise Failure(Code.INVALID_ARGUMENT, "`argument` needs the one tool in `name`.")

    async def run(self, context: ServerContext) -> Result:
        catalog = context.catalog
        if self.name is not None:
            return whole(self._describe_one(catalog, catalog.find_reachable(self.name)))
        # A name that is repeated would repeat the longest part of the answer.
        entries = list(map(catalog.find_reachable, list_once(self.names)))
        tools = [_describe(catalog, entry) for entry in entries]
        return whole({"tools": tools, **_collect_shared(catalog, entries)})

    def _describe_one(self, catalog: Catalog, entry: Entry) -> Payload:
        if self.argument is not None:
            return _describe_argument(catalog, entry, self.argument)
        return {**_describe(catalog, entry), **_collect_shared(catalog, [entry])}


class _CallTool(ServerTool[Payload]):
    name: Name = Field(description="Tool name.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Arguments of that tool, as its schema says."
    )

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        # Some tools answer with pictures or prose, which a client that has a schema refuses.
        return None

    async def pass_on(
        self, entry: Entry, context: ServerContext, *, only_reads: bool = False
    ) -> Result:
        return await context.dispatch(entry, self.arguments, context.caller, only_reads=only_reads)


class CallReadTool(_CallTool):
    """Call a tool that changes nothing and writes no file. Results and errors are the tool's."""

    operation = "call_read_tool"
    title = "Call a reading tool"
    search_hint = (
        "run the lookup, run the function you found, execute, use that tool, go ahead, run that "
        "query, fetch"
    )
    risk = "reads"
    core = True
    repeatable = True
    open_world = True

    async def run(self, context: ServerContext) -> Result:
        entry = _other(context, self.name)
        # A client that allows reads unasked must not run a change through this tool. What some
        # calls of a tool do is decided by the call.
        if entry.takes_reads:
            return await self.pass_on(entry, context, only_reads=True)
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{self.name} changes data or writes a file.",
            "Call it through {call_write_tool}.",
        )


class CallWriteTool(_CallTool):
    """Call a tool that changes data (adds, replaces, removes, spends) or writes a file. Deletes,
    spending and bulk changes ask the user first; where nobody can be asked, the error contains a
    preview and a token, to be added to `arguments` as `confirm`."""

    operation = "call_write_tool"
    title = "Call a changing tool"
    search_hint = (
        "run the function that makes or changes something, go ahead and run it, execute the "
        "change, with the name, carry it out, use the tool you just found to change, perform"
    )
    risk = "changes"
    core = True
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


def _find_best(entries: Sequence[Entry], query: str, most: int) -> list[Entry]:
    """Return the tools that fit best: of several tasks the best of each first."""
    tasks = list(filter(str.strip, _TASKS.split(query))) or [query]
    rankings = [choose_best(rank(entries, task), most) for task in tasks]
    # By place, so that no task's many fits leave another without any.
    matches = chain.from_iterable(zip_longest(*rankings))
    best = {match.entry.name: match.entry for match in matches if match}
    return list(best.values())[:most]


def _row(entry: Entry) -> Payload:
    row: Payload = {"name": entry.name, "what": summarise(entry), "toolset": entry.toolset}
    if not entry.reads:
        row["changesData"] = True
    return row


def _describe(catalog: Catalog, entry: Entry) -> Payload:
    # Two callers, so that a client can allow all reads without a question and still ask for writes.
    caller = "{call_read_tool}" if entry.reads else "{call_write_tool}"
    if entry.takes_reads and not entry.reads:
        caller = f"{caller}; calls that only read: {{call_read_tool}}"
    tool = entry.tool
    schema = tool["inputSchema"]
    arguments = {name: _shorten(part) for name, part in schema["properties"].items()}
    hints = tool["annotations"]
    # The output schema is left out: it is long, and the model sees the output anyway.
    return {
        "name": tool["name"],
        "description": tool["description"],
        "inputSchema": {**schema, "properties": arguments},
        # The hints of a tool that is not listed reach nobody but through here.
        "changesData": not entry.reads,
        "destructive": hints["destructiveHint"],
        "repeatable": hints["idempotentHint"],
        "callWith": catalog.render_hint(caller),
    }


def _describe_argument(catalog: Catalog, entry: Entry, argument: str) -> Payload:
    """Return one argument's schema in full; where another tool spells it out, that tool's.

    Raises:
        Failure: `INVALID_ARGUMENT`: the tool takes no such argument.
    """
    properties = entry.tool["inputSchema"]["properties"]
    if argument not in properties:
        message = f"{entry.name} takes no argument {argument!r}."
        hint = f"It takes {', '.join(properties)}.{suggest(argument, properties)}"
        raise Failure(Code.INVALID_ARGUMENT, message, hint)
    schema = properties[argument]
    shared = _find_shared(catalog, schema)
    about = {"name": entry.name, "argument": argument, "schema": schema}
    return {**about, **drop_nulls({"fields": shared and shared.schema})}


def _shorten(schema: Payload) -> Payload:
    if len(compact(schema)) <= _LONG_SCHEMA:
        return schema
    about = schema.get("description", "")
    return {"type": schema["type"], "description": f"{about} {abbreviate(schema)}".lstrip()}


def _collect_shared(catalog: Catalog, entries: Iterable[Entry]) -> Payload:
    """Return the short forms of the arguments that other tools spell out, once for all tools.

    Where such a tool is described beside them, or listed anyway, its name stands for the form.
    """
    visible = {tool["name"] for tool in catalog.list_tools()}
    visible.update(entry.name for entry in entries)
    forms: dict[str, str] = {}
    for entry in entries:
        for name, schema in _walk(entry.tool["inputSchema"]):
            shared = _find_shared(catalog, schema)
            if shared is not None:
                forms[name] = shared.render(visible)
    return drop_empty({"shortForms": forms})


def _walk(schema: Payload) -> Iterator[tuple[str, Payload]]:
    """Yield the fields of an object schema by name, and the fields of those."""
    for name, field in schema.get("properties", {}).items():
        yield name, field
        yield from _walk(field)


@dataclass(frozen=True)
class _Shared:
    """The schema of an argument that another tool spells out."""

    owner: str
    schema: Payload

    def render(self, visible: set[str]) -> str:
        """Return the short form, or its owner where the model sees that one's schema anyway."""
        if self.owner in visible:
            return f"as {self.owner} takes it"
        return abbreviate(self.schema)


def _find_shared(catalog: Catalog, schema: Payload) -> _Shared | None:
    """Return the schema at another tool to which a description refers; None where there is none."""
    about = schema.get("description", "")
    if match := _ALL_OF.search(about):
        properties = _list_arguments(catalog, match[1]).items()
        own = {name: part for name, part in properties if name not in _OF_THE_CALL}
        return _Shared(match[1], {"type": "object", "properties": own})
    if match := _ONE_OF.search(about):
        return _Shared(match[2], _list_arguments(catalog, match[2])[match[1]])
    return None


def _list_arguments(catalog: Catalog, name: str) -> dict[str, Payload]:
    """Return the schemas of a tool's arguments, by name."""
    properties: dict[str, Payload] = catalog.find_reachable(name).tool["inputSchema"]["properties"]
    return properties


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
