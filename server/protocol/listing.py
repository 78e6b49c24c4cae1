"""The listing of tools, and what is said about it, for the host that is connected."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from server.tool.catalog import Catalog
from server.tool.hosts import FEW, REQUIRES_PERSON, SchemaForm, find_host

# The first answers list tools before the SDK is imported (`server.protocol.opening`).
if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    Context = ServerRequestContext[Any, Any]

Json = dict[str, Any]

# Together with the instructions these stay under the 2,048 characters at which hosts cut them.
SHORTENED = "\nListed here: core tools; `--toolsets all` lists all."
SWITCHED_OFF = "\n{count} more tools are off: the user turns them on with `--toolsets all`."

_SENTENCE_ENDS = re.compile(r"(?<=\.) ")


class Listing:
    """Lists the tools as the connected host can take them.

    Args:
        schema: the form of the schemas that the user chose; None leaves it to the host's name.
        shortens: whether a host that cannot take all tools gets fewer.
        asks_person: whether hosts are told which tools a person has to allow each time; without
            one, as where a token confirms, such a call would be refused.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        schema: SchemaForm | None = None,
        shortens: bool = False,
        asks_person: bool = True,
    ) -> None:
        self._catalog = catalog
        self._schema = schema
        self._shortens = shortens
        self._asks_person = asks_person
        self._is_short = False

    def list_tools(self, client: str) -> list[dict[str, Any]]:
        """Return the tools for a client of that name."""
        form = self._schema or find_host(client).schemas
        return self._closed if form == "closed" else self._tools

    def meet(self, client: str) -> None:
        """Shorten the listing for a host of that name, where it needs it.

        One process serves one client: what is offered to it is what all its calls may use.
        """
        if not self._is_short and self._shortens and find_host(client).sends_all:
            self._is_short = True
            self._catalog.shorten(FEW)

    def complete(self, instructions: str) -> str:
        """Return the instructions as they hold for the host's listing: no sentence names a tool
        that cannot be called, and the last says how to get the tools that are missing."""
        lines = map(self._drop_sentences, instructions.rstrip().split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        if self._is_short:
            return text + SHORTENED
        count = self._catalog.switched_off
        return text + SWITCHED_OFF.format(count=count) if count else text + "\n"

    def _drop_sentences(self, line: str) -> str:
        return " ".join(filter(self._catalog.can_call_all, _SENTENCE_ENDS.split(line)))

    async def watch(self, ctx: Context, call_next: Callable[[Context], Awaitable[Any]]) -> Any:
        """Adapt the listing to the host at its first message, as middleware."""
        self.meet(client_name(ctx))
        result = await call_next(ctx)
        # A notification has no result at all.
        if not result or "instructions" not in result:
            return result
        return {**result, "instructions": self.complete(result["instructions"])}

    @property
    def _tools(self) -> list[dict[str, Any]]:
        tools = self._catalog.list_tools()
        if self._asks_person:
            return tools
        return [{**tool, "_meta": _without(tool["_meta"], REQUIRES_PERSON)} for tool in tools]

    @cached_property
    def _closed(self) -> list[dict[str, Any]]:
        return [{**tool, "inputSchema": close_schema(tool["inputSchema"])} for tool in self._tools]


def _without(fields: Json, name: str) -> Json:
    return {key: value for key, value in fields.items() if key != name}


def client_name(ctx: Context) -> str:
    """Return the name that the client gives; empty where it gives none."""
    # With the first request it is in the parameters alone: the session does not know it yet.
    if ctx.method == "initialize":
        return _read_name((ctx.params or {}).get("clientInfo"))
    params = ctx.session.client_params
    return params.client_info.name if params is not None else ""


def _read_name(info: Any) -> str:
    return str(info.get("name", "")) if isinstance(info, dict) else ""


def close_schema(schema: Json) -> Json:
    """Return the schema with `additionalProperties: false` at each object whose fields it names."""
    closed = dict(schema)
    if "items" in schema:
        closed["items"] = close_schema(schema["items"])
    if "properties" in schema:
        fields = schema["properties"].items()
        closed["properties"] = {name: close_schema(field) for name, field in fields}
        closed["additionalProperties"] = False
    return closed
