"""What the tools for collections, views and groups share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.archive.operations import (
    Confirmed,
    Id,
    Listing,
    MayConfirm,
    Mutation,
    Query,
    Read,
    Text,
)
from server.archive.pagination import ROW_CAP
from server.archive.selection import select
from server.errors import Code, Failure
from server.text import count_noun, join_first, quote_title
from server.tool.confirmation import Preview
from server.tool.names import find_matches, match_one
from server.tool.request import ApiType, Input, Meaning, NewName, argument_names
from server.tool.result import Result, drop_empty
from tools.archive.schema.inputs import (
    AttributeType,
    CustomAttributeConditionInput,
    Operator,
    TakesConditions,
    is_narrow,
)

R = TypeVar("R")

# A question stays readable: five names show which kind it is about.
MOST_NAMES = 5
"""The most names of each kind that a preview shows."""
_NO_SUCH_GROUP = (
    "Archive answers an unknown groupId with nothing too; archive_get_view_groups has the ids."
)
FILTERS_IGNORED = (
    "Archive stores these `filters` but never applies them; only conditions narrow this view."
)


def _not_blank(name: str) -> str:
    # Checked here, for Archive would refuse it only after the request.
    if not name.strip():
        raise ValueError("must not be blank.")
    return name


ViewPart = Literal["filters", "sort", "customAttributeConditions"]
# What Archive takes for a part that narrows or orders nothing.
_EMPTY: dict[ViewPart, Any] = {"filters": {}, "sort": [], "customAttributeConditions": []}

# Ids are made of letters, digits and hyphens; so are some names, which hold no digit mostly.
_ID = re.compile(r"(?=.*\d)[\w-]+")

Name = Annotated[NewName, AfterValidator(_not_blank)]
StoredFilters = Annotated[
    dict[str, Any], ApiType("JSON"), Field(description="Send {}; Archive never applies them.")
]
StoredSort = Annotated[
    list[dict[str, Any]], ApiType("JSON"), Field(description="As `sort` of an existing view.")
]


class NamedInput(Input):
    """The input of a collection or group: its name."""

    name: Name


class ViewCondition(CustomAttributeConditionInput):
    """The condition of the searches; what they say about its parts is not said again in every tool
    of a view."""

    field: Text
    operator: Operator
    type: AttributeType
    value: Annotated[Any, Meaning("null")] = None


# Listed as a plain list: the searches spell the conditions out, and six tools take them.
ViewConditions = Annotated[list[ViewCondition], ApiType("JSON")]


class ViewInput(Input):
    """What every kind of view takes; null or an empty part is one that is left out."""

    custom_attribute_conditions: ViewConditions | None = Field(
        None, description="As in archive_search_creators."
    )
    show_reporting_stats: bool | None = None


class NewStoredView(ViewInput):
    """A new view of creators or profiles: its `filters` are kept, never applied."""

    name: Name
    filters: StoredFilters
    sort: StoredSort | None = None


class ChangedStoredView(ViewInput):
    """What such a view becomes."""

    name: Name | None = None
    filters: StoredFilters | None = None
    sort: StoredSort | None = None


class OfStoredView(Input):
    """A change of such a view says where it stored filters for nothing."""

    input: NewStoredView | ChangedStoredView

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        return add_notes(payload, FILTERS_IGNORED if self.input.filters else "")


class UpdateView(TakesConditions, MayConfirm[R], Generic[R]):
    """Changes a view: what `input` leaves out stays. `kind` and `reads` as of a deletion."""

    kind: ClassVar[str]
    reads: ClassVar[type[Query[Any]]]

    id: Id = Field(description="View id.")
    input: ViewInput = Field(description="The fields to change.")
    # Explicit, because clients send empty parts for those that a model left out.
    clear: list[ViewPart] | None = Field(
        None, description="Parts to empty; the user is asked first."
    )

    def check(self) -> None:
        if both := set(self._changed).intersection(self._parts_to_empty):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`{min(both)}` is both in `input` and in `clear`.",
                "Leave it in one of them.",
            )
        # An empty change would cost a request and report success.
        if self._changed or self.clear:
            return
        parts = ", ".join(argument_names(type(self.input)).values())
        raise Failure(
            Code.INVALID_ARGUMENT,
            "`input` is empty, so it would change nothing.",
            f"Give at least one of its parts: {parts}. To empty some: `clear`.",
        )

    @property
    def _parts_to_empty(self) -> list[ViewPart]:
        """The parts that `clear` names."""
        return self.clear or []

    @property
    def _changed(self) -> list[str]:
        """The parts that `input` has, by the names of the arguments."""
        changed = self.input.model_fields_set
        names = argument_names(type(self.input))
        return [argument for field, argument in names.items() if field in changed]

    def variables(self) -> dict[str, Any]:
        variables = super().variables()
        emptied = {part: _EMPTY[part] for part in self._parts_to_empty}
        return {**variables, "input": {**variables["input"], **emptied}}

    async def preview(self, context: ArchiveContext) -> Preview | None:
        """Return what `clear` would empty; other changes ask nobody."""
        if not self.clear:
            return None
        earlier = await self._read_replaced(context, ["name"])
        if earlier is None:
            raise Failure(Code.NOT_FOUND, self.reads.missing, self.reads.instead)
        parts = {part: earlier[part] for part in self.clear}
        name = quote_title(earlier["name"])
        message = (
            f"Empty {join_words(self.clear)} of the {self.kind} {name} for the whole workspace?"
        )
        return Preview(message, {"empty": parts, "id": self.id, "workspace": context.workspace})

    async def run(self, context: ArchiveContext) -> Result:
        # Read first: Archive keeps no earlier version, so the result is the only one.
        earlier = await self._read_replaced(context, [])
        result = await super().run(context)
        return result.with_fields(**drop_empty({"replaced": earlier}))

    async def _read_replaced(
        self, context: ArchiveContext, more: list[str]
    ) -> dict[str, Any] | None:
        paths = list(dict.fromkeys([*more, *self._changed, *self._parts_to_empty]))
        earlier: dict[str, Any] | None = await read(
            self.reads.model_validate({"id": self.id}), paths, context.api
        )
        return earlier


class MoveToGroup(Mutation[R], Generic[R]):
    """Puts something into a group, or out of the one it is in."""

    instead: ClassVar[str] = "{viewGroups} lists the groups, with what is in them."
    reads: ClassVar[type[Query[Any]]]
    moves: ClassVar[str] = "view_id"

    group_id: Annotated[Id, Meaning("null")] | None = Field(
        None, description="Group id; null takes it out of its group."
    )

    def check(self) -> None:
        # Left out by mistake it would take the thing out of its group without a word.
        if "group_id" not in self.model_fields_set:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`groupId` says where to: it is missing.",
                "Pass the group's id ({viewGroups}), or null to take it out of its group.",
            )

    async def run(self, context: ArchiveContext) -> Result:
        query = self.reads.model_validate({"id": getattr(self, self.moves)})
        # Read first: the answer says only where it is now.
        earlier = await read(query, ["group.id", "group.name"], context.api)
        result = await super().run(context)
        return result.with_fields(previousGroup=earlier["group"]) if earlier else result


class Deletion(Confirmed[R], Generic[R]):
    """Deletes one of the saved things. `kind` is what people call it; `reads` finds it by its id,
    `lists` by its name; `stays` is what is kept."""

    kind: ClassVar[str]
    reads: ClassVar[type[Query[Any]]]
    lists: ClassVar[type[Listing[Any]]]
    shown: ClassVar[str] = "name filters customAttributeConditions group.name"
    """Paths that the preview needs."""
    stays: ClassVar[str]

    id: Id = Field(description="Id or exact name of what to delete.")

    _deleted: dict[str, Any] = PrivateAttr(default_factory=dict)
    """What was shown in the last preview, for the result."""

    async def preview(self, context: ArchiveContext) -> Preview:
        # Read first: the user has to see which one it is, and how much hangs on it.
        result = await self._find(context)
        self._deleted = {
            "deleted": self.summarise(result),
            "kept": self.describe_survivors(result),
        }
        scope = self.describe_scope(result)
        what = f"{self.kind} {quote_title(result['name'])}"
        if scope:
            what += f" ({'; '.join(scope)})"
        message = f"Delete the {what} for good? {self.describe_survivors(result)}"
        return Preview(
            message, {"delete": self.details(result), "id": self.id, "workspace": context.workspace}
        )

    async def run(self, context: ArchiveContext) -> Result:
        return (await super().run(context)).with_fields(**self._deleted)

    async def _find(self, context: ArchiveContext) -> dict[str, Any]:
        """Return what is meant, and keep its id in place of its name."""
        is_id = _ID.fullmatch(self.id) is not None
        # An id first, for it is one request; a name that looks like one is found all the same.
        if is_id and (result := await self._read(context)):
            return result
        if await self._take_id_of_name(context, must=not is_id):
            result = await self._read(context)
            if result is not None:
                return result
        raise Failure(Code.NOT_FOUND, self.reads.missing, self.reads.instead)

    async def _read(self, context: ArchiveContext) -> dict[str, Any] | None:
        query = self.reads.model_validate({"id": self.id})
        result: dict[str, Any] | None = await read(query, self.shown.split(), context.api)
        return result

    async def _take_id_of_name(self, context: ArchiveContext, *, must: bool) -> bool:
        """Put the id in place of the name; return whether there is one to look for.

        Raises:
            Failure: Several have that name, or none, where there `must` be one.
        """
        rows = (await context.api.read_whole(self.lists(fields=["id", "name"]))).records
        if not find_matches(self.id, rows, name=_name, identity=_identity, partial=False):
            # In a list that Archive cut, what is missing may exist: it is asked for as an id.
            if must and len(rows) >= ROW_CAP:
                return True
            if not must:
                return False
        # Never by a part of a name, nor by a similar one: what is deleted is gone.
        match = match_one(
            self.id,
            rows,
            kind=self.kind,
            remedy=f"{self.reads.instead} Pass an id or the exact name.",
            name=_name,
            identity=_identity,
            partial=False,
        )
        self.id = match["id"]
        return True

    def summarise(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return what the result says of it: its name, and how much it held."""
        return {"name": result["name"]}

    def details(self, result: dict[str, Any]) -> dict[str, Any]:
        """What the assistant is shown of it, and what the yes is bound to."""
        return result

    def describe_scope(self, result: dict[str, Any]) -> list[str]:
        """What tells it from others: how it narrows, and where it is."""
        # Scalars of type JSON hold anything; no document promises an object.
        filters, conditions = result["filters"], result["customAttributeConditions"]
        scope = []
        if filters and isinstance(filters, dict):
            scope.append(f"filters: {', '.join(filters)}")
        if conditions:
            scope.append(count_noun(len(conditions), "condition"))
        return scope + in_group(result)

    def describe_survivors(self, result: dict[str, Any]) -> str:
        """What the deletion leaves as it is."""
        return self.stays

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload.get(self.selected.split()[0]) is None:
            # The preview found it: the first answer to this very call may have been lost.
            return add_notes(
                payload,
                "It is gone: an earlier attempt of this call, or somebody else, deleted the "
                f"{self.kind}.",
            )
        return payload


def _name(row: dict[str, Any]) -> str:
    return str(row["name"])


def _identity(row: dict[str, Any]) -> str:
    return str(row["id"])


def join_words(words: Sequence[str]) -> str:
    """Return words as a sentence names them: `a, b and c`."""
    *first, last = words
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def nothing_in(group: Input | None) -> list[str]:
    """Return why a list of views may be empty, where it is one group's."""
    return [_NO_SUCH_GROUP] if is_narrow(group) else []


async def read(request: Read[Any], paths: list[str], api: Api) -> Any:
    """Return the given paths of what a query answers; None where there is no such record."""
    record, _ = await api.read(request, select(request.record(), paths))
    return record


def in_group(result: dict[str, Any]) -> list[str]:
    """Return the group it is in, in words."""
    if not result["group"]:
        return []
    return [f"in the group {quote_title(result['group']['name'])}"]


def add_notes(payload: dict[str, Any], note: str) -> dict[str, Any]:
    """Return the payload with a note, where there is one."""
    if not note:
        return payload
    return {**payload, "notes": [note]}


def join_quoted(names: list[str]) -> str:
    """Return the first few names in quotation marks, and how many more there are."""
    return join_first([quote_title(name) for name in names], MOST_NAMES)
