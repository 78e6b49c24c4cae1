"""What the server knows, as resources: schemas of operations, and what is set up in a workspace.

Everything of a workspace is read by the same requests that the tools make, on the same way.
"""

from __future__ import annotations

import difflib
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from server.dispatch import CALL_SECONDS, Calls
from server.errors import Code, Failure
from server.resources.templates import Source, Template, Variable
from server.tool.catalog import Entry, Surface
from server.tool.elicitation import Nobody
from server.tool.result import compact

OPERATION = "archive-mcp/operation"
"""The key of a tool's `_meta` that names its operation: workflows have none."""
MOST_ROWS = 1000
"""Records of a list that is read as a resource."""
MOST_VALUES = 100
"""Values of one completion (MCP, completion)."""
FRESH_SECONDS = 60.0
"""How long completions go on with the names that were read."""
PATIENCE_SECONDS = 8.0
"""How long a completion waits for names."""
REST_SECONDS = 10.0
"""How long completions give up on names that could not be read."""
_KEPT = 32
_SHOWN = 10
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)

Row = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """A resource that was read. `fixed`: it follows from the package alone, and is the same for
    everybody."""

    text: str
    fixed: bool


@dataclass(frozen=True)
class Completion:
    """The values that fit, the first hundred of `total`."""

    values: list[str]
    total: int


NOTHING = Completion([], 0)


@dataclass
class _Names:
    """The names that one source gave, until they are stale."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    rows: list[Row] | None = None
    read_at: float = 0.0
    failed_at: float | None = None


class Resources:
    """The templates that are offered: their listing, their contents and the values of their
    variables."""

    def __init__(
        self, surface: Surface, calls: Calls, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._surface = surface
        self._templates = [Template.of(each) for each in surface.templates]
        self._variables = {name: Variable.of(each) for name, each in surface.variables.items()}
        self._calls = calls
        self._clock = clock
        self._names: dict[tuple[str, ...], _Names] = {}

    def listing(self) -> list[dict[str, Any]]:
        """The templates as `resources/templates/list` serves them, in the file's order."""
        return [each.listed() for each in self._templates]

    async def read(self, uri: str) -> Content:
        """What an address of one of the templates stands for.

        Raises: Failure: an address that is none of theirs, a name that fits nothing or too much, or
            whatever kept the operation behind it from answering.
        """
        with self._calls.mask_faults("resources/read"):
            template, parts = self._found(uri)
            parts = {
                name: _checked(name, part, template.variables[name]) for name, part in parts.items()
            }
            if template.reads is None:
                return Content(self._schema(template, *parts.values()), fixed=True)
            try:
                with anyio.fail_after(CALL_SECONDS):
                    return Content(
                        compact(await self._record(template, template.reads, parts)), fixed=False
                    )
            except TimeoutError:
                message = f"It took longer than {CALL_SECONDS:.0f} s and was given up."
                raise Failure(
                    Code.TIMEOUT, message, "Read it again later.", retryable=True
                ) from None

    async def complete(
        self, uri: str, variable: str, typed: str, known: Mapping[str, str]
    ) -> Completion:
        """Values of a template's variable that fit what was typed: those that begin with it, then
        the others.

        Args:
            uri: the template.
            known: variables that have their value already.

        Raises: Failure: `NOT_FOUND` for an unknown template or variable. Names that cannot be read
            are no names.
        """
        template = next((each for each in self._templates if each.uri == uri), None)
        if template is None or variable not in template.variables:
            raise Failure(
                Code.NOT_FOUND,
                f"There is no resource template {uri!r} with a variable {variable!r}.",
            )
        try:
            with self._calls.mask_faults("completion/complete"):
                if template.variables[variable].is_operation:
                    return _fitting(list(self._operations(template)), typed)
                return _fitting(await self._possible(template.variables, variable, known), typed)
        except Failure:
            return NOTHING

    async def propose(
        self, values: Sequence[str], variable: str, typed: str, known: Mapping[str, str]
    ) -> Completion:
        """Proposals for an argument of a prompt: the fixed values, or what the packaged variable of
        that name may be.

        Args:
            known: arguments that have their value already, named as the variables are.
        """
        if values:
            return _fitting(list(values), typed)
        if variable not in self._variables:
            return NOTHING
        try:
            with self._calls.mask_faults("completion/complete"):
                return _fitting(await self._possible(self._variables, variable, known), typed)
        except Failure:
            return NOTHING

    def _found(self, uri: str) -> tuple[Template, dict[str, str]]:
        for template in self._templates:
            parts = template.parts(uri)
            if parts is not None:
                return template, parts
        shapes = ", ".join(each.uri for each in self._templates) or "none"
        raise Failure(Code.NOT_FOUND, f"There is no resource {uri!r}. Templates: {shapes}.")

    def _schema(self, template: Template, name: str) -> str:
        entry = self._operation(template, name)
        from server.resources.schemas import described  # with the first schema, not at start

        return compact(described(entry, self._surface.load(entry)))

    def _operation(self, template: Template, name: str) -> Entry:
        operations = self._operations(template)
        known = {**{each.name: each for each in operations.values()}, **operations}
        if name in known:
            return known[name]
        try:
            self._surface.serving(name)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
        near = _near(name, known)
        hint = f"Did you mean {near}?" if near else f"Known: {', '.join(operations)}."
        raise Failure(Code.NOT_FOUND, f"There is no operation {name!r} here.", hint)

    def _operations(self, template: Template) -> dict[str, Entry]:
        mine = (each for each in self._surface.others() if each.backend == template.backend)
        return {each.operation: each for each in mine if OPERATION in each.tool["_meta"]}

    async def _record(self, template: Template, source: Source, parts: dict[str, str]) -> Row:
        for name, variable in template.variables.items():
            if variable.as_id and variable.rows is not None:
                parts[name] = await self._id(variable.rows, name, parts)
        return await self._answer(source, parts)

    async def _id(self, source: Source, variable: str, parts: Mapping[str, str]) -> str:
        """The id of what is called so, by the list of now: what was renamed meanwhile must not be
        taken for it."""
        wanted = parts[variable]
        if _UUID.match(wanted):
            return wanted.lower()
        rows = await self._rows(source, parts)
        found = _matching(rows, wanted)
        if len(found) == 1:
            return str(found[0]["id"])
        if found:
            some = ", ".join(f"{each['name']} ({each['id']})" for each in found[:_SHOWN])
            raise Failure(
                Code.AMBIGUOUS,
                f"{len(found)} of them fit {wanted!r}: {some}.",
                "Use the id of one.",
            )
        names = [str(each["name"]) for each in rows]
        near = _near(wanted, names)
        instead = (
            f"Did you mean {near!r}?"
            if near
            else f"There are: {', '.join(names[:_SHOWN]) or 'none'}."
        )
        raise Failure(Code.NOT_FOUND, f"There is no {variable} {wanted!r}. {instead}")

    async def _possible(
        self, variables: Mapping[str, Variable], name: str, known: Mapping[str, str]
    ) -> list[str]:
        variable = variables[name]
        if variable.rows is None:
            return list(variable.values)
        parts = {each: other.default for each, other in variables.items() if other.default}
        for each, value in known.items():
            if each in variables and value.strip():
                parts[each] = _checked(each, value, variables[each])
        rows = await self._kept_rows(variable.rows, parts)
        return sorted({str(each["name"]) for each in rows}, key=lambda each: (_folded(each), each))

    async def _kept_rows(self, source: Source, parts: Mapping[str, str]) -> list[Row]:
        names = self._kept(source, parts)
        async with names.lock:
            if names.rows is not None and self._clock() - names.read_at < FRESH_SECONDS:
                return names.rows
            if names.failed_at is not None and self._clock() - names.failed_at < REST_SECONDS:
                return []
            try:
                with anyio.fail_after(PATIENCE_SECONDS):
                    return await self._rows(source, parts)
            except (Failure, TimeoutError):
                names.failed_at = self._clock()
                return []

    async def _rows(self, source: Source, parts: Mapping[str, str]) -> list[Row]:
        """Id and name of every record of a source, read now."""
        answer = await self._answer(source, parts, fields=["id", "name"])
        names = self._kept(source, parts)
        names.rows, names.read_at, names.failed_at = answer["nodes"], self._clock(), None
        return names.rows

    def _kept(self, source: Source, parts: Mapping[str, str]) -> _Names:
        key = (_named(source, parts), *map(str, _arguments(source, parts).items()))
        names = self._names.pop(key, None) or _Names()
        self._names[key] = names  # as the last one used
        while len(self._names) > _KEPT:
            del self._names[next(iter(self._names))]
        return names

    async def _answer(self, source: Source, parts: Mapping[str, str], **more: Any) -> Row:
        """What the operation answers; of a list all records, up to the limit, whatever fits one
        result."""
        entry = self._surface.serving(_named(source, parts))
        arguments = {**_arguments(source, parts), **more}
        if "limit" not in entry.tool["inputSchema"]["properties"]:
            return (
                await self._calls.perform(entry, arguments, self._calls.caller(Nobody()))
            ).structured
        answer: Row = {}
        nodes: list[Row] = []
        notes: list[str] = []
        while True:
            arguments["limit"] = MOST_ROWS - len(nodes)
            page = (
                await self._calls.perform(entry, arguments, self._calls.caller(Nobody()))
            ).structured
            nodes += page["nodes"]
            notes += [
                each
                for each in page.get("notes", [])
                if "`nextCursor`" not in each and each not in notes
            ]
            answer = {**answer, **page, "nodes": nodes}
            following = page.get("nextCursor")
            if following is None or len(nodes) >= MOST_ROWS or not page["nodes"]:
                break
            arguments["after"] = following
        if following is not None:
            notes.append(
                f"The first {len(nodes)}: {entry.name} goes on with `after` set to `nextCursor`."
            )
        answer.pop("notes", None)
        return {**answer, "notes": notes} if notes else answer


def _named(source: Source, parts: Mapping[str, str]) -> str:
    return source.operations[parts[source.by] if source.by else ""]


def _arguments(source: Source, parts: Mapping[str, str]) -> dict[str, Any]:
    return {argument: parts[name] for argument, name in source.arguments.items() if name in parts}


def _checked(name: str, part: str, variable: Variable) -> str:
    """The part; of a closed set the value as it is written there."""
    if not variable.values:
        return part
    folded = {_folded(each): each for each in variable.values}
    if _folded(part) in folded:
        return folded[_folded(part)]
    near = _near(part, variable.values)
    suggestion = f"Did you mean {near}? " if near else ""
    known = ", ".join(variable.values)
    raise Failure(
        Code.INVALID_ARGUMENT, f"{name} is not {part!r}.", f"{suggestion}It is one of: {known}."
    )


def _fitting(values: list[str], typed: str) -> Completion:
    wanted = _folded(typed)
    first = [each for each in values if _folded(each).startswith(wanted)]
    then = [
        each for each in values if wanted in _folded(each) and not _folded(each).startswith(wanted)
    ]
    return Completion([*first, *then][:MOST_VALUES], len(first) + len(then))


def _matching(rows: list[Row], wanted: str) -> list[Row]:
    """The best kind of match that exists: the id, the name, the name but for case, a part of the
    name."""
    folded = _folded(wanted)
    kinds = (
        [each for each in rows if str(each["id"]) == wanted],
        [each for each in rows if each["name"] == wanted],
        [each for each in rows if _folded(str(each["name"])) == folded],
        [each for each in rows if folded in _folded(str(each["name"]))],
    )
    return next((found for found in kinds if found), [])


def _near(word: str, among: Iterable[str]) -> str:
    folded = {_folded(each): each for each in among}
    found = difflib.get_close_matches(_folded(word), folded, n=1)
    return folded[found[0]] if found else ""


def _folded(text: str) -> str:
    """The text as names are compared: an accent may be part of its letter or follow it."""
    return unicodedata.normalize("NFC", text).casefold()
