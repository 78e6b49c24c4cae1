"""Typed GraphQL requests: the base classes of every Archive tool, and the documents that follow
from them.

A document is constant for a class and a selection: all arguments are declared as variables, and
what the call leaves out is left out of the variables, so that the API's own defaults apply.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, Field

from server.archive.attributes import OptionNames, name_options
from server.archive.context import ArchiveContext
from server.archive.explanations import UNKNOWN_REFUSAL
from server.archive.pagination import PARTIAL
from server.archive.records import Record, Selection
from server.archive.selection import (
    check_connection,
    convert_list,
    convert_record,
    render,
    select,
    units,
)
from server.archive.workspaces import Workspaces
from server.errors import Code, Failure
from server.shared_state.spending import spend
from server.tool.confirmation import Preview
from server.tool.context import Caller
from server.tool.request import (
    ApiType,
    Input,
    Request,
    Risk,
    describe_type,
)
from server.tool.result import Result, whole
from server.tool.schema import unwrap

R = TypeVar("R")

# Empty texts are what models send for "none"; as an id Archive would only answer not found.
Id = Annotated[str, ApiType("ID"), Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]

_SCALARS: dict[Any, str] = {str: "String", int: "Int", bool: "Boolean", float: "Float", Any: "JSON"}
# Arguments of the tool alone: Archive refuses names that its schema does not have.
_OURS = frozenset(
    {"workspace", "fields", "limit", "after", "confirm", "optionNames", "clear"}
    | {"captionPhrase", "countOnly", "takenAt"}
)


class ArchiveTool(Request[R, ArchiveContext], Generic[R]):
    """Base of the Archive tools."""

    backend: ClassVar[str] = "archive"
    instead: ClassVar[str] = (
        "Look the ids up again: what they named may be gone, or be in another workspace."
    )
    """The hint for the case that something the arguments name is not found."""
    forbidden: ClassVar[str] = ""
    """The hint for the case that Archive does not allow it; empty where the general one will do."""
    refused: ClassVar[str] = ""
    """The hint for the case that Archive refuses it."""

    @property
    def workspace_argument(self) -> str | None:
        """The workspace that the caller named: an id or a name."""
        return None

    async def resolve(self, workspaces: Workspaces, caller: Caller) -> str | None:
        """Return the id of the workspace that the request is about; None where only the account
        matters."""
        return None

    def explain(self, failure: Failure) -> None:
        """Add to a failure what the user or the assistant can do about it."""
        # The first hint that is there. Of a missing permission the tool can say more than the
        # failure; of anything else the failure knows more than the tool.
        hints = {
            Code.NOT_FOUND: (failure.hint, self.instead),
            Code.FORBIDDEN: (self.forbidden, failure.hint),
            # Of what only Archive's text explains, the tool knows more.
            Code.REJECTED: (
                failure.hint.replace(UNKNOWN_REFUSAL, ""),
                self.refused or failure.hint,
            ),
        }
        first, second = hints.get(failure.code, (failure.hint, ""))
        failure.hint = first or second


class ArchiveRequest(ArchiveTool[R], Generic[R]):
    """Base of the tools that are one operation of Archive. `cost`: rate credits that one request
    takes (Archive docs, rate limiting)."""

    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "operation"
    keyword: ClassVar[Literal["query", "mutation"]]
    # The least that Archive counts; classes of larger reads state their own.
    cost: ClassVar[float] = 5

    @classmethod
    def record(cls) -> type[Record]:
        """Return the record type of the result, one record or many."""
        record: type[Record] = cls.result_type()
        return record

    @classmethod
    def document(cls, selection: Selection) -> str:
        """Return the GraphQL document that asks for this selection."""
        arguments = graphql_arguments(cls)
        declared = join_arguments(f"${name}: {kind}" for name, kind in arguments.items())
        passed = join_arguments(f"{name}: ${name}" for name in arguments)
        call = f"{cls.operation}{passed} {{ {cls.body(render(selection, cls.record()))} }}"
        return f"{cls.keyword} {cls.__name__}{declared} {{ {call} }}"

    def credits(self) -> float:
        """Return the rate credits of one request: `cost`, unless the arguments matter."""
        return self.cost

    @classmethod
    def body(cls, selected: str) -> str:
        """Return the text inside the operation's braces, with the selected fields in it."""
        return selected

    def variables(self) -> dict[str, Any]:
        """Return the arguments of the call under the API's names."""
        # Unset fields are left out rather than null: null may be refused, or mean something else.
        arguments = self.model_dump(by_alias=True, exclude_unset=True)
        return {name: value for name, value in arguments.items() if name not in _OURS}


class InWorkspace(Input):
    """The argument of every request about one workspace: all but the list of workspaces itself."""

    workspace: Text | None = Field(None, description="Workspace id or name.")

    @property
    def workspace_argument(self) -> str | None:
        """The workspace that the caller named: an id or a name."""
        return self.workspace

    async def resolve(self, workspaces: Workspaces, caller: Caller) -> str | None:
        """Return the id of the workspace that is named, is the default, or was chosen."""
        return await workspaces.resolve(self.workspace, caller.person, caller.deadline)


class Workflow(InWorkspace, ArchiveTool[R], Generic[R]):
    """Base of the tools that are more than one operation of Archive."""

    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"


class NamesOptions(Input):
    """A read whose records hold custom attributes: options of selects as ids, or as names where
    that is asked for."""

    option_names: bool = Field(
        False, description="Show options in customAttributes by name instead of id."
    )

    async def read_option_names(
        self, context: ArchiveContext, selection: Selection, record: type[Record]
    ) -> OptionNames | None:
        """Return the names of the options to show; None where ids are asked for."""
        if not self.option_names:
            return None
        return await context.attributes.option_names(
            selection, record, context.workspace, context.deadline
        )


class Read(ArchiveRequest[R], Generic[R]):
    """Reads one record, or nothing."""

    keyword: ClassVar[Literal["query", "mutation"]] = "query"
    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True
    missing: ClassVar[str] = "Archive has no such record."
    """The message for the case that the API answers null."""

    fields: list[Text] | None = Field(
        None, description="Dotted paths to return; `*` means the defaults."
    )

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        return {"type": "object", "description": describe_type(cls.record())}

    def default_selection(self) -> Selection:
        """Return the selection of `fields`, or the record's defaults."""
        return select(self.record(), self.fields)

    def convert(self, data: Any, selection: Selection) -> Any:
        """Return the data of the answer, its text numbers as numbers."""
        return convert_record(data, self.record(), selection)

    async def read_option_names(
        self, context: ArchiveContext, selection: Selection, record: type[Record]
    ) -> OptionNames | None:
        """Return the names of the options to show; None where ids are shown."""
        return None

    async def run(self, context: ArchiveContext) -> Result:
        selection = self.default_selection()
        names = await self.read_option_names(context, selection, self.record())
        record, partial = await context.api.read(self, selection)
        # A nullable read answers null for what it does not find (Archive docs, `socialProfile`).
        if record is None:
            raise Failure(Code.NOT_FOUND, self.missing, self.instead)
        if names is not None:
            name_options(record, self.record(), selection, names)
        # Beside the values, because item EMV is in cents and brand EMV in dollars.
        if units_of_record := units(selection, self.record()):
            record["units"] = context.money.restate_units(units_of_record)
        if partial:
            # Said in the result too: a null metric would otherwise read as "not available at all".
            record |= {"partial": True, "notes": [PARTIAL]}
        return whole(record)


class ReadMany(Read[R], Generic[R]):
    """Reads a list, `limit` records from `after` on."""

    paged: ClassVar[bool] = False
    """Whether the API sends the list in pages, with a cursor."""
    capped: ClassVar[bool] = False
    """Whether the API ends the list at 1,000 rows without a word."""

    limit: int = Field(20, ge=1, le=1000, description="Most records to return.")
    after: Text | None = Field(None, description="`nextCursor` of the previous call.")

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        # `totalCount` and `nextCursor` may be null, which a schema can only say in ways that some
        # hosts reject.
        about = (
            f"{describe_type(cls.record())} "
            "Pass `nextCursor` as `after` to go on; it is null at the end."
        )
        nodes = {"type": "array", "items": {"type": "object"}, "description": about}
        return {"type": "object", "properties": {"nodes": nodes}}

    def order(self) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None:
        """Return what sorts the records here; None where the API does, or no order was asked
        for."""
        return None

    def notes(self) -> list[str]:
        """Return what the result must say about how the arguments were applied."""
        return []

    def notes_if_empty(self) -> list[str]:
        """Return why there may be nothing, where the arguments make that likely."""
        return []

    def extra_paths(self) -> list[str]:
        """Return the paths that the request itself needs, whatever `fields` says."""
        return []

    def convert(self, data: Any, selection: Selection) -> Any:
        """Return the records of the answer, their text numbers as numbers."""
        return convert_list(data, self.record(), selection)

    async def run(self, context: ArchiveContext) -> Result:
        names = await self.read_option_names(context, self.default_selection(), self.record())
        return await context.lists.read(self, context.scope.workspace, context.deadline, names)


class ReadPages(ReadMany[R], Generic[R]):
    """A list that the API pages: up to 100 records a request, with a cursor."""

    paged: ClassVar[bool] = True

    def convert(self, data: Any, selection: Selection) -> Any:
        """Return the connection of the answer, the text numbers of its nodes as numbers."""
        return {
            **check_connection(data),
            "nodes": convert_list(data["nodes"], self.record(), selection),
        }

    @classmethod
    def body(cls, selected: str) -> str:
        return f"nodes {{ {selected} }} pageInfo {{ endCursor hasNextPage }} totalCount"


class Query(InWorkspace, Read[R], Generic[R]):
    """Reads one record of a workspace."""


class Connection(InWorkspace, ReadPages[R], Generic[R]):
    """Reads a list of a workspace that the API pages."""


class Listing(InWorkspace, ReadMany[R], Generic[R]):
    """Reads a list of a workspace that the API sends whole."""

    limit: int = Field(100, ge=1, le=1000, description="Most records to return.")


class Lookup(Listing[R], Generic[R]):
    """Reads what belongs to the ids or links that were asked for: all of it, unless `limit` says
    less."""

    limit: int = Field(1000, ge=1, le=1000, description="Most records to return.")


class Mutation(InWorkspace, ArchiveRequest[R], Generic[R]):
    """Changes something. The payload's `userErrors` become a failure; the rest is the result."""

    keyword: ClassVar[Literal["query", "mutation"]] = "mutation"
    # Of any mutation, about (Archive docs, rate limiting).
    cost: ClassVar[float] = 55
    selected: ClassVar[str]
    """Paths of the payload to return."""

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        return {"type": "object", "description": describe_type(cls.record())}

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the result: the payload, with what it does not say by itself."""
        return payload

    def billing_credits(self, payload: dict[str, Any] | None = None) -> int:
        """Return the most billing credits that it spends, or has spent by the API's answer."""
        return 0

    async def run(self, context: ArchiveContext) -> Result:
        try:
            async with spend(context.spending, self.billing_credits()) as purchase:
                payload = await context.api.apply(self, admit=purchase.note_send)
                purchase.spent = self.billing_credits(payload)
        finally:
            # Also after a failure: the change may have been made.
            context.lists.forget()
        return whole(self.present_payload(payload))


class MayConfirm(Mutation[R], Generic[R]):
    """A mutation that is asked about where there is reason to: where `preview` finds one."""

    confirm: Text | None = Field(None, description="Token from the preview.")


class Confirmed(MayConfirm[R], Generic[R]):
    """A mutation that happens only after the user's confirmation of its preview."""

    confirmed: ClassVar[bool] = True

    @abstractmethod
    async def preview(self, context: ArchiveContext) -> Preview | None:
        """Return what exactly would change."""


def join_arguments(arguments: Iterable[str]) -> str:
    """Return arguments in parentheses; none are nothing, because GraphQL knows no empty list."""
    text = ", ".join(arguments)
    return f"({text})" if text else ""


# Asked for on each call, while the answer depends on the class alone.
@cache
def graphql_arguments(request: type[ArchiveRequest[Any]]) -> dict[str, str]:
    """Return the operation's arguments with their types in the API's schema."""
    arguments = {
        info.alias or name: _graphql_type(
            info.annotation, tuple(info.metadata), required=info.is_required()
        )
        for name, info in request.model_fields.items()
        if (info.alias or name) not in _OURS
    }
    # `limit` and `after` are the tool's own: these two are set for each page that they take.
    if issubclass(request, ReadPages):
        arguments |= {"first": "Int", "after": "String"}
    return arguments


def _graphql_type(annotation: Any, metadata: tuple[Any, ...], *, required: bool) -> str:
    bare, inner, _ = unwrap(annotation)
    return _type_name(bare, (*metadata, *inner)) + ("!" if required else "")


def _type_name(bare: Any, metadata: tuple[Any, ...]) -> str:
    # A mark goes first: ids and enums are plain texts in Python, but have types of their own there.
    for mark in metadata:
        if isinstance(mark, ApiType):
            return mark.name
    if get_origin(bare) is list:
        return f"[{_graphql_type(get_args(bare)[0], (), required=True)}]"
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return bare.__name__
    return _SCALARS[bare]
