"""A tool is a typed request: one class per operation or endpoint, and everything about the tool
follows from it.

The docstring is the tool's description, the fields are its arguments, the type parameter is its
result. Backends derive their own base classes (`server.archive.operations`); `tools/` holds the
classes themselves.
"""

from __future__ import annotations

import inspect
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from server.audit.auditor import Change
from server.audit.event import Confirmed
from server.http.urls import split_links
from server.text import join_lines
from server.tool.hosts import ALWAYS_LOAD, MAX_RESULT_CHARACTERS, REQUIRES_PERSON, SEARCH_HINT
from server.tool.permissions import Risk as Risk

if TYPE_CHECKING:
    from server.tool.confirmation import Preview
    from server.tool.context import Context
    from server.tool.result import Result

R = TypeVar("R")
C = TypeVar("C", bound="Context")

Links = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(split_links)]
"""Links as people give them: also several in one text, with blanks, or without a scheme."""

_NOTHING = frozenset(("", "null", "none", "nil", "undefined", "nan", "n/a"))
# What programs write around a value: quotation marks, and the brackets of a list.
_AROUND_VALUE = "\"'[]{}() \t\r\n"


def _refuse_nothing(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be blank.")
    if name.strip(_AROUND_VALUE).casefold() in _NOTHING:
        raise ValueError('is what programs write for "nothing", and no name: leave it out.')
    return name


NewName = Annotated[str, Field(min_length=1), AfterValidator(_refuse_nothing)]
"""The name of something that the call may make."""


class Input(BaseModel):
    """An object argument: closed, under the API's own camelCase names."""

    model_config = ConfigDict(
        # ArchiveBox ignores names that it does not know; here each is refused by its name.
        extra="forbid",
        alias_generator=to_camel,
        # Models send ids that look like numbers as numbers.
        coerce_numbers_to_str=True,
        # The text of an error may reach a log: what was sent stays out of it.
        hide_input_in_errors=True,
    )


class Request(Input, Generic[R, C]):
    """Base of every tool: what it is called with, what it does with a context, what it returns.

    Class variables: `operation` (the API's name for it), `title` (for people), `risk`, `repeatable`
    (whether sending it twice is harmless by the API's own semantics, so that an ambiguous failure
    may be retried), `confirmed` (whether the user is always asked first), `core` (whether it
    belongs to the few tools that most sessions need), `open_world` (whether it reaches beyond this
    server).
    """

    backend: ClassVar[str]
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]]
    operation: ClassVar[str]
    title: ClassVar[str]
    risk: ClassVar[Risk]
    repeatable: ClassVar[bool]
    confirmed: ClassVar[bool] = False
    core: ClassVar[bool] = False
    requires_person: ClassVar[bool] = False
    """Whether hosts have a person allow each call, though some of them need no confirmation: for
    jobs that do what a single tool does only after one."""
    reads_too: ClassVar[bool] = False
    """Whether some calls of a tool that changes something only read: a read-only server offers
    these."""
    reads_by_call: ClassVar[bool] = False
    """Whether some calls of a tool that a read-only server leaves out only read: the tool for
    reading calls takes those."""
    adds_too: ClassVar[bool] = False
    """Whether some calls of a tool that removes or spends only add."""
    open_world: ClassVar[bool] = True
    search_hint: ClassVar[str] = ""
    """The words people use for what it does, such as `folder` for a collection: hosts and
    `discover` search them, and no model reads them."""
    always_loaded: ClassVar[bool] = False
    """Whether a host that loads tools on demand loads it from the start."""
    most_characters: ClassVar[int] = 0
    """Characters of a result that a host is asked to show in place; 0 leaves it to the host."""
    synonyms: ClassVar[Mapping[str, str]] = {}
    """Names that callers take from results, each with the argument that it stands for."""
    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Arguments that it lacks and callers expect, each with where it is, in words."""
    verify: ClassVar[str] = ""
    """For one that changes something: how to find out whether it happened, when the answer was
    lost."""

    @abstractmethod
    async def run(self, context: C) -> Result:
        """Do it and return the result.

        Raises:
            Failure: whatever kept it from being done.
        """

    async def preview(self, context: C) -> Preview | None:
        """Return what exactly would change, or None where nobody needs to be asked."""
        return None

    async def prepare(self, context: C) -> None:
        """Check and complete the arguments with what the context knows, before anybody is asked.

        Raises:
            Failure: arguments that fit nothing there, or too much.
        """

    async def perform(self, context: C) -> Result:
        """Prepare the request, ask the user where there is something to ask, and run it.

        Raises:
            Failure: whatever kept it from being done.
        """
        await self.prepare(context)
        preview = await self.preview(context)
        confirmed: Confirmed = "not needed"
        if preview is not None:
            confirmed = await context.confirm(
                preview,
                call=[self.tool_name(), self.call_arguments()],
                token=getattr(self, "confirm", None),
                # A second preview also renews what `run` acts on, such as the pages to delete.
                review=lambda: self.preview(context),
            )
        if not self.changes_something():
            return await self.run(context)
        change = Change(
            tool=self.tool_name(),
            workspace=context.scope.workspace,
            arguments=self.call_arguments(),
            preview=None if preview is None else preview.digest,
            confirmed=confirmed,
            credits=self.billing_credits(),
        )
        async with context.process.auditor.record(change) as outcome:
            result = await self.run(context)
            outcome.result = result.structured
        return result

    def call_arguments(self) -> dict[str, Any]:
        """Return the arguments of the call, JSON-ready, without those about the call itself."""
        # A confirmation is for the call itself: its token must not change what it is bound to.
        return self.model_dump(
            by_alias=True, exclude_unset=True, mode="json", exclude={"confirm", "workspace"}
        )

    def call_risk(self) -> Risk:
        """Return what this very call does, where it is less than its tool can do."""
        return self.risk

    def changes_something(self) -> bool:
        """Return whether what this call is about to do belongs into the audit log."""
        return self.call_risk() != "reads"

    def billing_credits(self, payload: dict[str, Any] | None = None) -> int:
        """Return the most billing credits that it spends, or has spent by the API's answer; the
        user pays for them."""
        return 0

    def check(self) -> None:
        """Refuse combinations of arguments that the API would reject or silently ignore.

        Raises:
            Failure: `INVALID_ARGUMENT`, saying which arguments clash and what to send instead.
        """

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        """The envelope of the result, open and without required keys; None where the result is
        prose or a picture.

        It does not repeat every field of a record.
        """
        return {"type": "object"}

    @classmethod
    def result_type(cls) -> Any:
        """Return the type parameter: `Item`, `Creator`, ..."""
        for base in cls.__mro__:
            # Classes that only inherit have no metadata of their own: the nearest base with some
            # decides.
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return arguments[0]
        raise TypeError(f"{cls.__name__} does not say what it returns")

    @classmethod
    def tool_name(cls) -> str:
        """Return the backend and the class name in snake case: `SearchItems` becomes
        `..._search_items`."""
        return f"{cls.backend}_{snake_case(cls.__name__)}"

    @classmethod
    def toolset_name(cls) -> str:
        """Return the toolset it is listed in: the folder or file of its backend's that holds it."""
        return cls.__module__.split(".")[2]

    @classmethod
    def description(cls) -> str:
        """Return the docstring as the model reads it: paragraphs on one line each."""
        paragraphs = inspect.cleandoc(cls.__doc__ or "").split("\n\n")
        # Line breaks of the source would only cost tokens.
        return "\n".join(map(join_lines, paragraphs))

    @classmethod
    def meta(cls) -> dict[str, Any]:
        """Return what `_meta` says about the tool: its operation, for counting coverage by machine,
        and what hosts read (`server.tool.hosts`)."""
        asks = cls.requires_person or (cls.confirmed and cls.risk in ("removes", "spends"))
        meta = {
            f"archive-mcp/{cls.operation_kind}": cls.operation,
            SEARCH_HINT: cls.search_hint,
            ALWAYS_LOAD: cls.always_loaded,
            MAX_RESULT_CHARACTERS: cls.most_characters,
            REQUIRES_PERSON: asks,
        }
        # Left out rather than false: hosts take what is not said for their own default.
        return {key: value for key, value in meta.items() if value}

    @classmethod
    def annotations(cls) -> dict[str, Any]:
        """Return the four behaviour hints of MCP, from the declared risk."""
        return {
            "title": cls.title,
            "readOnlyHint": cls.risk == "reads",
            # MCP calls a tool destructive unless it only adds: changing and spending count too.
            "destructiveHint": cls.risk not in ("reads", "adds"),
            "idempotentHint": cls.repeatable,
            "openWorldHint": cls.open_world,
        }


def argument_names(model: type[BaseModel]) -> dict[str, str]:
    """Return the names under which callers pass a class's fields, by the field's own name."""
    return {name: info.alias or name for name, info in model.model_fields.items()}


def describe_type(kind: type[Any]) -> str:
    """Return the docstring of a class on one line; of `Any`, whose own says nothing here, none."""
    if kind is Any:
        return ""
    return join_lines(kind.__doc__ or "")


@dataclass(frozen=True)
class ApiType:
    """The name a type has in the API's own schema, where Python's does not tell (an `ID`, an
    enum)."""

    name: str


@dataclass(frozen=True)
class Meaning:
    """Marks a field to which null, or an empty object, means something; in any other it stands for
    an argument that was left out."""

    of: Literal["null", "empty"]


@dataclass(frozen=True)
class Unit:
    """The unit of a number, named in every result that carries it."""

    name: str


def snake_case(name: str) -> str:
    """`GetItemIdsByUrl` -> `get_item_ids_by_url`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
