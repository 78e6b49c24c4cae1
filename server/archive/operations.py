"""Typed GraphQL requests: the base classes of every Archive tool, and the documents that follow
from them.

A document is constant for a class and a selection: all arguments are declared as variables, and
what the call leaves out is left out of the variables, so that the API's own defaults apply.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    get_args,
    get_origin,
)

from pydantic import BaseModel, Field

from server.archive.records import Record, Selection
from server.archive.selection import render
from server.tool.request import (
    ApiType,
    Input,
    Request,
    Risk,
    describe_type,
)
from server.tool.schema import unwrap

if TYPE_CHECKING:
    from server.archive.attributes import Attributes
    from server.archive.client import Archive
    from server.tool.confirmation import Preview

R = TypeVar("R")

Id = Annotated[str, ApiType("ID"), Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]

ROW_CAP = 1000
"""Rows after which Archive ends a list that has no pages, without a word (Archive docs, collections
and views)."""

_SCALARS: dict[Any, str] = {str: "String", int: "Int", bool: "Boolean", float: "Float", Any: "JSON"}
_OURS = frozenset({"workspace", "fields", "limit", "after", "confirm", "optionNames"})


class ArchiveRequest(Request[R], Generic[R]):
    """Base of the Archive tools. `cost`: rate credits that one request takes (Archive docs, rate
    limiting)."""

    backend: ClassVar[str] = "archive"
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "operation"
    keyword: ClassVar[Literal["query", "mutation"]]
    cost: ClassVar[float] = 5
    instead: ClassVar[str] = (
        "Look the ids up again: what they named may be gone, or be in another workspace."
    )
    """What to do when something that the arguments name is not found."""
    forbidden: ClassVar[str] = ""
    """What to do when Archive does not allow it, where more can be said than in general."""

    @classmethod
    def record(cls) -> type[Record]:
        """The record type that is returned, one or many of it."""
        record: type[Record] = cls.result_type()
        return record

    @classmethod
    def document(cls, selection: Selection) -> str:
        """The GraphQL document that asks for this selection."""
        arguments = graphql_arguments(cls)
        declared = ", ".join(f"${name}: {kind}" for name, kind in arguments.items())
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        head = f"{cls.keyword} {cls.__name__}" + (f"({declared})" if declared else "")
        call = cls.operation + (f"({passed})" if passed else "")
        return f"{head} {{ {call} {{ {cls.body(render(selection, cls.record()))} }} }}"

    def credits(self) -> float:
        """Rate credits that one request of this call takes: `cost`, where the arguments make no
        difference."""
        return self.cost

    @classmethod
    def body(cls, selected: str) -> str:
        """What stands inside the operation's braces, around the selected fields."""
        return selected

    def variables(self) -> dict[str, Any]:
        """The arguments that were given, under the API's names."""
        given = self.model_dump(by_alias=True, exclude_unset=True)
        return {name: value for name, value in given.items() if name not in _OURS}


class InWorkspace(Input):
    """A request about one workspace: all but the list of workspaces itself."""

    refused: ClassVar[str] = ""
    """What to do when Archive refuses it."""

    workspace: Text | None = Field(None, description="Id or name.")

    async def resolve_names(self, attributes: Attributes, workspace: str, deadline: float) -> None:
        """Put what the API takes in place of the names that it does not, before anything else is
        sent.

        Raises:
            Failure: a name that fits nothing, or too much.
        """


class NamesOptions(Input):
    """A read whose records hold custom attributes: options of selects as ids, or as names where
    that is asked for."""

    option_names: bool = Field(False, description="Options in customAttributes by name, not id.")


class Read(ArchiveRequest[R], Generic[R]):
    """Reads one record, or nothing."""

    keyword: ClassVar[Literal["query", "mutation"]] = "query"
    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True
    missing: ClassVar[str] = "Archive has no such record."
    """What to say when the API answers null."""

    fields: list[Text] | None = Field(None, description="Dotted paths; `*` = defaults.")

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        return {"type": "object", "description": describe_type(cls.record())}


class ReadMany(Read[R], Generic[R]):
    """Reads a list, `limit` records from `after` on."""

    limit: int = Field(20, ge=1, le=1000, description="Records in all.")
    after: Text | None = Field(None, description="The last `nextCursor`.")

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        # `totalCount` and `nextCursor` may be null, which a schema can only say in ways that some
        # hosts reject.
        about = f"{describe_type(cls.record())} Pass `nextCursor` as `after` to go on; it is null at the end."
        nodes = {"type": "array", "items": {"type": "object"}, "description": about}
        return {"type": "object", "properties": {"nodes": nodes}}

    def order(self) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None:
        """How to sort the records here, where the API would not; None where it does, or no order
        was asked for."""
        return None

    def notes(self) -> list[str]:
        """What the result must say about how the arguments were applied."""
        return []

    def notes_if_empty(self) -> list[str]:
        """Why there may be nothing, where the arguments make that likely."""
        return []

    def needed(self) -> list[str]:
        """Paths that the request itself needs, whatever `fields` says."""
        return []


class ReadPages(ReadMany[R], Generic[R]):
    """A list that the API pages: up to 100 records a request, with a cursor."""

    @classmethod
    def body(cls, selected: str) -> str:
        return f"nodes {{ {selected} }} pageInfo {{ endCursor hasNextPage }} totalCount"


class Query(InWorkspace, Read[R], Generic[R]):
    """Reads one record of a workspace."""


class Connection(InWorkspace, ReadPages[R], Generic[R]):
    """Reads a list of a workspace that the API pages."""


class Listing(InWorkspace, ReadMany[R], Generic[R]):
    """Reads a list of a workspace that the API sends whole."""

    capped: ClassVar[bool] = False
    """Whether the API ends the list at 1,000 rows without a word."""
    limit: int = Field(100, ge=1, le=1000, description="Records in all.")


class Lookup(Listing[R], Generic[R]):
    """Reads what belongs to the ids or links that were asked for: all of it, unless `limit` says
    less."""

    limit: int = Field(1000, ge=1, le=1000, description="Records in all.")


class Mutation(InWorkspace, ArchiveRequest[R], Generic[R]):
    """Changes something. The payload's `userErrors` become a failure; the rest is the result."""

    keyword: ClassVar[Literal["query", "mutation"]] = "mutation"
    cost: ClassVar[float] = 55
    selected: ClassVar[str]
    """Paths of the payload to return."""
    verify: ClassVar[str]
    """How to find out whether it happened, when the answer was lost."""

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        return {"type": "object", "description": describe_type(cls.record())}

    def told(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The result: the payload, with what it does not say by itself."""
        return payload


class Doubtful(Mutation[R], Generic[R]):
    """A mutation that is asked about where there is reason to: where `preview` finds one."""

    confirm: Text | None = Field(None, description="Token of the preview.")

    @abstractmethod
    async def preview(self, archive: Archive, workspace: str, deadline: float) -> Preview | None:
        """What exactly would change, read from the API before `deadline`; None where nobody need be
        asked."""


class Confirmed(Doubtful[R], Generic[R]):
    """A mutation that happens only after the user's yes to its preview."""

    confirmed: ClassVar[bool] = True

    @abstractmethod
    async def preview(self, archive: Archive, workspace: str, deadline: float) -> Preview:
        """What exactly would change, read from the API before `deadline`."""


@cache
def graphql_arguments(request: type[ArchiveRequest[Any]]) -> dict[str, str]:
    """The operation's arguments and their types in the API's schema, from the declaration."""
    arguments = {
        info.alias or name: _graphql_type(
            info.annotation, tuple(info.metadata), required=info.is_required()
        )
        for name, info in request.model_fields.items()
        if (info.alias or name) not in _OURS
    }
    if issubclass(request, ReadPages):
        arguments |= {"first": "Int", "after": "String"}
    return arguments


def _graphql_type(annotation: Any, metadata: tuple[Any, ...], *, required: bool) -> str:
    bare, inner, _ = unwrap(annotation)
    return _named(bare, (*metadata, *inner)) + ("!" if required else "")


def _named(bare: Any, metadata: tuple[Any, ...]) -> str:
    if named := next((each.name for each in metadata if isinstance(each, ApiType)), None):
        return named
    if get_origin(bare) is list:
        return f"[{_graphql_type(get_args(bare)[0], (), required=True)}]"
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return bare.__name__
    return _SCALARS[bare]
