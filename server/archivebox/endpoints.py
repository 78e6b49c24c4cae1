"""Typed REST requests: the base classes of every ArchiveBox tool."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import ConfigDict, Field

from server.archivebox.client import Send
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.tool.confirmation import Confirmations, Preview
from server.tool.request import Request, Risk, describe_type
from server.tool.result import BUDGET, Result, whole

if TYPE_CHECKING:
    from server.archivebox.client import ArchiveBox, Upload
    from server.limiter import Lane
    from server.tool.elicitation import Asker

R = TypeVar("R")

Text = Annotated[str, Field(min_length=1)]

_OURS = frozenset({"limit", "after", "offset", "confirm"})


@dataclass(frozen=True)
class Box:
    """What a request works with: the server, what it can do, how much time is left, and the person
    to ask."""

    client: ArchiveBox
    api: Description
    deadline: float
    asker: Asker
    confirmations: Confirmations
    lane: Lane = "interactive"

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path; parameters that are None are left out."""
        from server.archivebox.client import Send

        given = {name: value for name, value in params.items() if value is not None}
        return await self.client.send(
            Send("GET", path, self.deadline, params=given, lane=self.lane)
        )

    async def change(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        repeatable: bool,
        verify: str,
        admit: Callable[[], None] | None = None,
    ) -> Any:
        """The JSON that a change was answered with; `admit` is called just before each send."""
        from server.archivebox.client import Send

        send = Send(
            method,
            path,
            self.deadline,
            body=body,
            repeatable=repeatable,
            verify=verify,
            lane=self.lane,
            admit=admit,
        )
        return await self.client.send(send)

    async def form(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        *,
        verify: str,
        file: Upload | None = None,
    ) -> Any:
        """As `change`, for the endpoints that take a form, with a file or without; none of them may
        be repeated."""
        from server.archivebox.client import Send

        send = Send(
            method,
            path,
            self.deadline,
            body=body,
            form=True,
            file=file,
            repeatable=False,
            verify=verify,
        )
        return await self.client.send(send)


class BoxRequest(Request[R], Generic[R]):
    """Base of the ArchiveBox tools; arguments carry the API's own snake_case names."""

    model_config = ConfigDict(alias_generator=None)

    backend: ClassVar[str] = "archivebox"
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
        """The HTTP method."""
        return cls.operation.partition(" ")[0]

    def path(self) -> str:
        """The path with this request's values in it."""
        path = self.operation.partition(" ")[2]
        for name in self.in_path():
            path = path.replace(f"{{{name}}}", quote(str(getattr(self, name)), safe=""))
        return path

    @classmethod
    def in_path(cls) -> list[str]:
        """The fields that are part of the path."""
        return [name for name in cls.model_fields if f"{{{name}}}" in cls.operation]

    def given(self) -> dict[str, Any]:
        """The arguments that were given and go into the query or the body."""
        values = self.model_dump(exclude_unset=True)
        skipped = {*_OURS, *self.in_path()}
        return {
            name: value
            for name, value in values.items()
            if name not in skipped and value is not None
        }

    async def perform(self, box: Box) -> Result:
        """Check that the server has the endpoint, then do it."""
        box.api.require(self.operation, self.since, self.use)
        return await self.run(box)

    @abstractmethod
    async def run(self, box: Box) -> Result:
        """Do it."""

    def known_to(self, box: Box, values: dict[str, Any]) -> dict[str, Any]:
        """The values, all of which the server must read: it would ignore others without a word.

        Raises:
            Failure: `UNSUPPORTED`, naming the argument.
        """
        for name in values:
            if not box.api.takes(self.operation, name):
                raise Failure(
                    Code.UNSUPPORTED,
                    f"This ArchiveBox ({box.api.version}) does not know `{name}` here and would ignore it.",
                    "Leave it out, or the user updates ArchiveBox.",
                )
        return values


class Get(BoxRequest[R], Generic[R]):
    """Reads one object."""

    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True

    async def run(self, box: Box) -> Result:
        values = self.known_to(box, self.given())
        return whole(self.told(await box.get(self.path(), **values)))

    def told(self, found: Any) -> dict[str, Any]:
        """The result: the object in the shape that all versions share."""
        return found if isinstance(found, dict) else {"result": found}


class Change(BoxRequest[R], Generic[R]):
    """Changes something."""

    verify: ClassVar[str]
    """How to find out whether it happened, when the answer was lost."""

    async def run(self, box: Box) -> Result:
        body = self.known_to(box, self.given())
        if self.confirmed:
            await self.confirm_with(box, await self.preview(box))
        return whole(self.told(await self.sent(box, body)))

    async def sent(self, box: Box, body: dict[str, Any]) -> Any:
        """The answer to the change."""
        wants_body = self.method() != "DELETE"
        return await box.change(
            self.method(),
            self.path(),
            body if wants_body else None,
            repeatable=self.repeatable,
            verify=self.verify,
        )

    async def confirm_with(self, box: Box, preview: Preview) -> None:
        """Return only with the user's yes."""
        token = getattr(self, "confirm", None)
        call = [self.tool_name(), self.model_dump(exclude_unset=True, exclude={"confirm"})]
        await box.confirmations.require(preview, call=call, token=token, asker=box.asker)

    async def preview(self, box: Box) -> Preview:
        """What exactly would change; only confirmed changes are asked for it."""
        raise TypeError(f"{type(self).__name__} is declared as confirmed but has no preview")

    def told(self, found: Any) -> dict[str, Any]:
        """The result: the object in the shape that all versions share."""
        return found if isinstance(found, dict) else {"result": found}


class Confirmed(Change[R], Generic[R]):
    """A change that happens only after the user's yes to its preview."""

    confirmed: ClassVar[bool] = True
    confirm: Text | None = Field(None, description="Token of the preview")


class Many(BoxRequest[R], Generic[R]):
    """Reads a list, `limit` records from `after` or `offset` on."""

    risk: ClassVar[Risk] = "reads"
    repeatable: ClassVar[bool] = True

    limit: int = Field(20, ge=1, le=1000, description="Records in all")
    after: Text | None = Field(None, description="Last `nextCursor`")
    offset: int | None = Field(None, ge=0, description="Records to skip")

    def check(self) -> None:
        if self.after is not None and self.offset is not None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`after` and `offset` exclude each other.",
                "Keep one of them.",
            )

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        # `totalCount` and `nextCursor` may be null, which a schema can only say in ways that some
        # hosts reject.
        record = describe_type(cls.result_type())
        about = f"{record} Pass `nextCursor` as `after` to go on; it is null at the end.".strip()
        nodes = {"type": "array", "items": {"type": "object"}, "description": about}
        return {"type": "object", "properties": {"nodes": nodes}}

    def one(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record in the shape that all versions share."""
        return record

    def notes(self, box: Box) -> list[str]:
        """What the result must say about how the arguments were applied."""
        return []


async def text_at(box: Box, path: str, params: Mapping[str, Any] | None = None) -> str:
    """The text at an API path.

    Raises:
        Failure: decoded as for any other answer.
    """
    reply = await box.client.raw(Send("GET", path, box.deadline, params=params or {}))
    return reply.body.decode("utf-8", "replace")


def shown(text: str) -> dict[str, Any]:
    """The text as far as the size budget goes, with a note where it was cut."""
    notes = (
        {"notes": [f"Cut: the first {BUDGET} of {len(text)} characters."]}
        if len(text) > BUDGET
        else {}
    )
    return {"text": text[:BUDGET], **notes}
