"""What the tools for collections, views and groups share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, Field, field_validator

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.archive.operations import (
    Confirmed,
    Id,
    Mutation,
    Query,
    Read,
    Text,
)
from server.archive.selection import select
from server.errors import Code, Failure
from server.text import count_noun, join_first, quote_title
from server.tool.confirmation import Preview
from server.tool.request import ApiType, Input
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


Name = Annotated[Text, AfterValidator(_not_blank)]
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
    value: Any = None


class ViewInput(Input):
    """What every kind of view takes; a part is given or left out, never null."""

    custom_attribute_conditions: list[ViewCondition] | None = Field(
        None, description="As in archive_search_creators."
    )
    show_reporting_stats: bool | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _fields_given(cls, value: Any) -> Any:
        if value is None:
            # In an update null could be read as "clear it" as well as "leave it": Archive does not
            # say.
            raise ValueError("must not be null: leave it out to keep it unset or unchanged.")
        return value


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


class UpdateView(TakesConditions, Mutation[R], Generic[R]):
    """Changes a view: what `input` leaves out stays."""

    id: Id = Field(description="View id.")
    input: ViewInput = Field(description="The fields to change.")

    def check(self) -> None:
        # An empty change would cost a request and report success.
        if self.input.model_fields_set:
            return
        parts = ", ".join(str(field.alias) for field in type(self.input).model_fields.values())
        raise Failure(
            Code.INVALID_ARGUMENT,
            "`input` is empty, so it would change nothing.",
            f"Give at least one of its parts: {parts}.",
        )


class MoveToGroup(Mutation[R], Generic[R]):
    """Puts something into a group, or out of the one it is in."""

    instead: ClassVar[str] = "{viewGroups} lists the groups, with what is in them."

    group_id: Annotated[str, ApiType("ID")] | None = Field(
        None, description='Group id; "" takes it out of its group.'
    )

    @field_validator("group_id", mode="after")
    @classmethod
    def _none_if_empty(cls, value: str | None) -> str | None:
        # Archive takes null for "no group"; models leave out null arguments, so an empty string
        # stands for it.
        return value if value and value.strip() else None

    def check(self) -> None:
        # Left out by mistake it would take the thing out of its group without a word.
        if "group_id" not in self.model_fields_set:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`groupId` is missing: it says which group to move to.",
                'Pass the group\'s id ({viewGroups}), or "" to take it out of its group.',
            )


class Deletion(Confirmed[R], Generic[R]):
    """Deletes one of the saved things. `kind` is what people call it; `reads` finds it, `stays` is
    what is kept."""

    kind: ClassVar[str]
    reads: ClassVar[type[Query[Any]]]
    shown: ClassVar[str] = "name filters customAttributeConditions group.name"
    """Paths that the preview needs."""
    stays: ClassVar[str]

    id: Id = Field(description="Id of what to delete.")

    async def preview(self, context: ArchiveContext) -> Preview:
        query = self.reads.model_validate({"id": self.id})
        # Read first: the user has to see which one it is, and how much hangs on it.
        result = await read(query, self.shown.split(), context.api)
        if result is None:
            raise Failure(Code.NOT_FOUND, query.missing, query.instead)
        scope = self.describe_scope(result)
        what = f"{self.kind} {quote_title(result['name'])}"
        if scope:
            what += f" ({'; '.join(scope)})"
        message = f"Delete the {what} for good? {self.describe_survivors(result)}"
        return Preview(
            message, {"delete": self.details(result), "id": self.id, "workspace": context.workspace}
        )

    def details(self, result: dict[str, Any]) -> dict[str, Any]:
        """What the assistant is shown of it, and what the yes is bound to."""
        return result

    def describe_scope(self, result: dict[str, Any]) -> list[str]:
        """What tells it from others: how it narrows, and where it is."""
        # Scalars of type JSON hold anything; no document promises an object.
        filters = result["filters"] if isinstance(result["filters"], dict) else {}
        conditions = result["customAttributeConditions"] or []
        return [
            *([f"filters: {', '.join(filters)}"] if filters else []),
            *([count_noun(len(conditions), "condition")] if conditions else []),
            *in_group(result),
        ]

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


def nothing_in(group: Input | None) -> list[str]:
    """Return why a list of views may be empty, where it is one group's."""
    return [_NO_SUCH_GROUP] if is_narrow(group) else []


async def read(request: Read[Any], paths: list[str], api: Api) -> Any:
    """Return the given paths of what a query answers; None where there is no such record."""
    record, _ = await api.read(request, select(request.record(), paths))
    return record


def in_group(result: dict[str, Any]) -> list[str]:
    """Return the group it is in, in words."""
    return [f"in the group {quote_title(result['group']['name'])}"] if result["group"] else []


def add_notes(payload: dict[str, Any], note: str) -> dict[str, Any]:
    """Return the payload with a note, where there is one."""
    return {**payload, "notes": [note]} if note else payload


def join_quoted(names: list[str]) -> str:
    """Return the first few names in quotation marks, and how many more there are."""
    return join_first([quote_title(name) for name in names], MOST_NAMES)
