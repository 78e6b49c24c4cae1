"""A shop behind resource templates: what the tests of resources and completions share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC
from types import SimpleNamespace
from typing import Any, ClassVar, cast

from server.archive.operations import Id, Listing, Query
from server.archive.records import Record
from server.audit.auditor import Auditor
from server.dispatch import Dispatcher
from server.errors import Failure
from server.resources.templates import Source, Template, Variable
from server.resources.workspace import Resources
from server.services import Services
from server.tool.catalog import Catalog, Entry
from server.tool.context import LOCAL_USER, Caller
from server.tool.request import Request
from server.tool.result import Result, whole
from server.tool.schema import input_schema
from tests.support.doubles import Clock


class Thing(Record):
    """A thing."""

    id: str
    name: str


class ListThings(Listing[Thing]):
    """List things."""

    backend: ClassVar[str] = "shop"
    operation = "things"
    title = "List"


class ListParts(ListThings):
    """List parts."""

    operation = "parts"


class GetThing(Query[Thing]):
    """Get a thing."""

    backend: ClassVar[str] = "shop"
    operation = "thing"
    title = "Get"

    id: Id


class DropThing(GetThing):
    """Drop a thing."""

    operation = "dropThing"
    risk = "removes"


class GetAccount(GetThing):
    """Get an account."""

    backend: ClassVar[str] = "bank"
    operation = "account"


CLASSES: dict[str, type[Request[Any, Any]]] = {
    each.__name__: each for each in (ListThings, ListParts, GetThing, DropThing, GetAccount)
}
THINGS = Source({"": "things"}, {"workspace": "workspace"})
WORKSPACE = Variable(rows=Source({"": "things"}))
ALL = "shop://workspace/{workspace}/things"
ONE = "shop://workspace/{workspace}/things/{thing}"
KINDS = "shop://workspace/{workspace}/all/{kind}"
OPERATION = "shop://operation/{name}"
TEMPLATES = [
    Template(OPERATION, "operation", "Operation", "One.", "shop", {"name": Variable()}),
    Template(ALL, "things", "Things", "All.", "shop", {"workspace": WORKSPACE}, THINGS),
    Template(
        ONE,
        "thing",
        "Thing",
        "One.",
        "shop",
        {"workspace": WORKSPACE, "thing": Variable(rows=THINGS, as_id=True)},
        Source({"": "thing"}, {"workspace": "workspace", "id": "thing"}),
    ),
    Template(
        KINDS,
        "kinds",
        "Kinds",
        "By kind.",
        "shop",
        {"workspace": WORKSPACE, "kind": Variable(values=("thing", "part"), default="thing")},
        Source({"thing": "things", "part": "parts"}, {"workspace": "workspace"}, by="kind"),
    ),
    Template("bank://{x}", "bank", "Bank", "Bank.", "bank", {"x": Variable()}),
]


@dataclass
class Shop:
    """A backend that keeps what it was asked, and lists at most `page` things at once."""

    names: list[str] = field(default_factory=lambda: ["Summer", "Winter"])
    page: int = 1000
    broken: Failure | Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None

    async def run(self, request: Request[Any, Any], caller: Caller) -> Result:
        self.asked.append({"is": request.operation, **request.model_dump(exclude_unset=True)})
        assert not caller.person.can_ask
        if self.before:
            await self.before()
        if self.broken:
            raise self.broken
        if isinstance(request, GetThing):
            return whole({"id": request.id, "name": "found"})
        assert isinstance(request, ListThings)
        rows = [{"id": f"id-{number}", "name": name} for number, name in enumerate(self.names)]
        start = int(request.after or 0)
        end = min(start + min(self.page, request.limit), len(rows))
        following = str(end) if end < len(rows) else None
        notes = ["Cut: go on with `nextCursor`."] if following else ["At the end."]
        return whole(
            {
                "nodes": rows[start:end],
                "totalCount": len(rows),
                "nextCursor": following,
                "notes": notes,
            }
        )


def entry(name: str) -> Entry:
    request = CLASSES[name]
    tool = {
        "name": request.tool_name(),
        "description": request.description(),
        "inputSchema": input_schema(request),
        "annotations": request.annotations(),
        "_meta": {"archive-mcp/operation": request.operation},
    }
    return Entry(tool, request.backend, "goods", request.operation, "module", name)


def served(shop: Shop, *, clock: Clock | None = None, **offer: Any) -> Resources:
    async def backend(name: str) -> Shop:
        return shop

    surface = Catalog(
        [entry(name) for name in CLASSES],
        lambda name: SimpleNamespace(**CLASSES),
        map(asdict, TEMPLATES),
    )
    surface.offer(**{"backends": {"shop"}, "toolsets": ["all"], "read_only": False, **offer})
    services = SimpleNamespace(backend=backend, principal=LOCAL_USER, auditor=Auditor())
    calls = Dispatcher(surface, cast(Services, services), UTC)
    return Resources(surface, calls, clock or Clock())
