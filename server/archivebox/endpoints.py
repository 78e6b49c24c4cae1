"""Typed REST requests: the base classes of every ArchiveBox tool."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import ConfigDict, Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.fields import Shape, check_fields, has_path, select_fields
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.tool.confirmation import Preview
from server.tool.request import Request, Risk, describe_type
from server.tool.result import BUDGET, Result, compact, whole

R = TypeVar("R")

# Never empty: 0.9.31 takes an empty id for the first snapshot there is.
Text = Annotated[str, Field(min_length=1)]

# Paging and confirmation are this server's own; lists add their `limit` and `offset` themselves.
_OURS = frozenset({"fields", "limit", "after", "offset", "confirm"})
# What the server's database takes; beyond it the answer is a 503.
_LARGEST_OFFSET = 2**63 - 1
# For the note about a text that was cut.
_BESIDE_TEXT = 200


class ArchiveBoxTool(Request[R, ArchiveBoxContext], Generic[R]):
    """Base of the ArchiveBox tools; arguments carry names in snake case."""

    # The base turns names into Archive's camelCase; ArchiveBox's own are in snake case.
    model_config = ConfigDict(alias_generator=None)

    backend: ClassVar[str] = "archivebox"


class Workflow(ArchiveBoxTool[R], Generic[R]):
    """Base of the tools that are more than one endpoint of ArchiveBox."""

    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"


class EndpointRequest(ArchiveBoxTool[R], Generic[R]):
    """Base of the tools that are one endpoint; arguments carry the API's own names."""

    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "endpoint"
    since: ClassVar[str] = "every version"
    """The first version that has the endpoint, for people."""
    use: ClassVar[str] = ""
    """What to use where the server lacks it."""

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        about = describe_type(cls.result_type())
        return {"type": "object", **({"description": about} if about else {})}

    @classmethod
    def method(cls) -> str:
        """Return the HTTP method."""
        return cls.operation.partition(" ")[0]

    def path(self) -> str:
        """Return the path with this request's values in it."""
        path = self.operation.partition(" ")[2]
        for name in self.in_path():
            # A model wrote the id: unquoted, a slash or `..` in it would reach another endpoint.
            path = path.replace(f"{{{name}}}", quote(str(getattr(self, name)), safe=""))
        return path

    @classmethod
    def in_path(cls) -> list[str]:
        """Return the names of the fields that are part of the path."""
        return list(filter(lambda name: f"{{{name}}}" in cls.operation, cls.model_fields))

    def request_values(self) -> dict[str, Any]:
        """Return the arguments of the call that go into the query or the body."""
        skipped = {*_OURS, *self.in_path()}
        # Defaults are not sent: a server that lacks such an argument would then refuse the call.
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude=skipped)

    async def prepare(self, context: ArchiveBoxContext) -> None:
        """Refuse what the server does not have or would ignore.

        Raises:
            Failure: `UNSUPPORTED`, naming the endpoint or the argument.
        """
        context.description.require(self.operation, self.since, self.use)

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values if the server reads all of them: it ignores others without a word.

        Raises:
            Failure: `UNSUPPORTED`, naming the argument.
        """
        for name in values:
            if not description.takes(self.operation, name):
                raise Failure(
                    Code.UNSUPPORTED,
                    f"This ArchiveBox ({description.version}) does not know `{name}` here and "
                    "would ignore it.",
                    "Leave it out, or the user updates ArchiveBox.",
                )
        return values


class Get(EndpointRequest[R], Generic[R]):
    """Reads one object."""

    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True

    async def run(self, context: ArchiveBoxContext) -> Result:
        values = self.require_supported(context.description, self.request_values())
        return whole(self.present(await context.api.get(self.path(), **values)))

    def present(self, answer: Any) -> dict[str, Any]:
        """Return the result: the object in the shape that all versions share."""
        return answer if isinstance(answer, dict) else {"result": answer}


class Change(EndpointRequest[R], Generic[R]):
    """Changes something."""

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return self.request_values()

    async def run(self, context: ArchiveBoxContext) -> Result:
        body = self.require_supported(context.description, self.body())
        return whole(self.present(await self.send(context.api, body)))

    async def send(self, api: ArchiveBoxApi, body: dict[str, Any]) -> Any:
        """Send the change and return its answer."""
        wants_body = self.method() != "DELETE"
        return await api.change(
            self.method(),
            self.path(),
            body if wants_body else None,
            repeatable=self.repeatable,
            verify=self.verify,
        )

    def present(self, answer: Any) -> dict[str, Any]:
        """Return the result: the object in the shape that all versions share."""
        return answer if isinstance(answer, dict) else {"result": answer}


class MayConfirm(Change[R], Generic[R]):
    """A change that is asked about where there is reason to: where `preview` finds one."""

    confirm: Text | None = Field(None, description="Token from the preview.")


class Confirmed(MayConfirm[R], Generic[R]):
    """A change that happens only after the user's confirmation of its preview."""

    confirmed: ClassVar[bool] = True

    @abstractmethod
    async def preview(self, context: ArchiveBoxContext) -> Preview | None:
        """Return what exactly would change."""

    async def prepare(self, context: ArchiveBoxContext) -> None:
        await super().prepare(context)
        # Nobody is asked about what the server would then refuse or ignore.
        self.require_supported(context.description, self.body())


class Many(EndpointRequest[R], Generic[R]):
    """Reads a list, `limit` records from `after` or `offset` on."""

    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True

    fields: list[Text] | None = Field(None, description="Fields; `*` adds the usual ones.")
    # At least 1: the server divides by the limit and answers 0 and -1 with a 503.
    limit: int = Field(20, ge=1, le=1000, description="Most records to return.")
    after: Text | None = Field(None, description="`nextCursor` of the previous call.")
    offset: int | None = Field(None, ge=0, description="Records to skip.")

    def check(self) -> None:
        if self.after is not None and self.offset is not None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`after` and `offset` exclude each other.",
                "Keep one of them.",
            )
        if (self.offset or 0) > _LARGEST_OFFSET:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`offset` must be at most {_LARGEST_OFFSET}; got {self.offset}.",
                "Go on with `nextCursor` instead.",
            )
        shape: type[Shape] = self.result_type()
        check_fields(self.fields, shape)

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        # `totalCount` and `nextCursor` may be null, which a schema can only say in ways that some
        # hosts reject.
        record = describe_type(cls.result_type())
        about = f"{record} Pass `nextCursor` as `after` to go on; it is null at the end.".strip()
        nodes = {"type": "array", "items": {"type": "object"}, "description": about}
        return {"type": "object", "properties": {"nodes": nodes}}

    def one(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record in the shape that all versions share."""
        return record

    def show(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a record that the call asks for."""
        return select_fields(self.one(record), self.fields)

    def has_field(self, *names: str) -> bool:
        """Return whether the call asks for one of these fields by name."""
        return has_path(self.fields, names)

    def notes(self, description: Description) -> list[str]:
        """Return what the result must say about how the arguments were applied."""
        return []


def cut_text(text: str) -> dict[str, Any]:
    """Return the text as far as the size budget goes, with a note where it was cut."""
    most = BUDGET - _BESIDE_TEXT
    # In JSON a line break takes two characters, and a control character six.
    size = len(compact(text[:most]))
    end = most if size <= most else most * most // size
    if end >= len(text):
        return {"text": text}
    return {"text": text[:end], "notes": [f"Cut: the first {end} of {len(text)} characters."]}
