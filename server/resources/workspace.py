"""Serves what the server knows as resources: schemas of operations, and a workspace's set-up.

Everything of a workspace is read by the same requests that the tools make, in the same way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio

from server.dispatch import CALL_SECONDS, Dispatcher
from server.errors import Code, Failure
from server.resources.matching import Row, match_completions, match_records
from server.resources.names import NameCache
from server.resources.templates import Source, Template, Variable
from server.tool.catalog import Catalog, Entry
from server.tool.elicitation import Nobody
from server.tool.names import closest_match, normalise
from server.tool.result import compact

OPERATION = "archive-mcp/operation"
"""The key of a tool's `_meta` that names its operation: workflows have none."""
MOST_ROWS = 1000
"""The most records of a list that is read as a resource."""
MOST_VALUES = 100
"""The most values of one completion (MCP specification, completion)."""
_MOST_SUGGESTIONS = 10
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """The text of a resource.

    `is_fixed` says that it follows from the package alone, and so is the same for everybody.
    """

    text: str
    is_fixed: bool


@dataclass(frozen=True)
class Completion:
    """The values that fit, the first hundred of `total`."""

    values: list[str]
    total: int


NOTHING = Completion([], 0)


class Resources:
    """The templates on offer: their listing, their contents and the values of their variables."""

    def __init__(
        self, surface: Catalog, calls: Dispatcher, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._surface = surface
        # A packaged variable serves prompts, whose arguments belong to no template.
        templates = map(Template.from_row, surface.templates)
        self._templates = {template.uri: template for template in templates}
        self._withheld = [Template.from_row(row) for row in surface.withheld_templates]
        self._variables = {name: Variable.from_row(row) for name, row in surface.variables.items()}
        self._calls = calls
        self._names = NameCache(self._read_names, clock, self._note_refusal)

    def list_templates(self) -> list[dict[str, Any]]:
        """Return the templates as `resources/templates/list` serves them, in the file's order."""
        return [template.to_listing() for template in self._templates.values()]

    async def read(self, uri: str) -> Content:
        """Return what an address of one of the templates stands for.

        Raises:
            Failure: the address is that of no template, a name fits nothing or too much, or the
                operation behind it failed.
        """
        with self._calls.mask_faults("resources/read"):
            async with self._calls.note_refusals("resources/read", about=uri):
                return await self._read(uri)

    async def _read(self, uri: str) -> Content:
        template, parts = self._find_template(uri)
        for name, part in parts.items():
            parts[name] = template.variables[name].check(name, part)
        if template.reads is None:
            text = self._describe_operation(template, *parts.values())
            return Content(text, is_fixed=True)
        try:
            with anyio.fail_after(CALL_SECONDS):
                record = await self._read_record(template, template.reads, parts)
                return Content(compact(record), is_fixed=False)
        except TimeoutError:
            message = f"It took longer than {CALL_SECONDS:.0f} s and was abandoned."
            hint = "Read it again later."
            raise Failure(Code.TIMEOUT, message, hint, retryable=True) from None

    async def complete(
        self, uri: str, variable: str, typed: str, arguments: Mapping[str, str]
    ) -> Completion:
        """Return the values of a template's variable that fit what was typed, best first.

        Args:
            uri: the template.
            arguments: the variables that already have a value.

        Raises:
            Failure: `NOT_FOUND` for an unknown template or variable, `FORBIDDEN` for a template
                that is withheld. Names that cannot be read complete nothing.
        """
        template = self._templates.get(uri)
        if any(uri == withheld.uri for withheld in self._withheld):
            async with self._calls.note_refusals("completion/complete", about=uri):
                raise _refuse(uri)
        if template is None or variable not in template.variables:
            raise Failure(
                Code.NOT_FOUND,
                f"There is no resource template {uri!r} with a variable {variable!r}.",
            )
        if not template.variables[variable].is_operation:
            return await self._complete(template.variables, variable, typed, arguments)
        return _make_completion(list(self._list_operations(template)), typed)

    async def propose(
        self, values: Sequence[str], variable: str, typed: str, arguments: Mapping[str, str]
    ) -> Completion:
        """Return proposals for an argument of a prompt.

        Args:
            values: the fixed values, if it has any.
            variable: the packaged variable whose values it takes otherwise.
            arguments: the arguments that already have a value, named as the variables are.
        """
        if values:
            return _make_completion(values, typed)
        if variable not in self._variables:
            return NOTHING
        return await self._complete(self._variables, variable, typed, arguments)

    async def _complete(
        self,
        variables: Mapping[str, Variable],
        variable: str,
        typed: str,
        arguments: Mapping[str, str],
    ) -> Completion:
        # A client completes while somebody types: an error would only flicker.
        try:
            with self._calls.mask_faults("completion/complete"):
                values = await self._list_values(variables, variable, arguments)
                return _make_completion(values, typed)
        except Failure:
            return NOTHING

    def _find_template(self, uri: str) -> tuple[Template, dict[str, str]]:
        for template in self._templates.values():
            parts = template.parse(uri)
            if parts is not None:
                return template, parts
        if any(template.parse(uri) is not None for template in self._withheld):
            raise _refuse(uri)
        # The shapes tell a model that guessed an address how to mend it.
        shapes = ", ".join(self._templates) or "none"
        raise Failure(Code.NOT_FOUND, f"There is no resource {uri!r}. Templates: {shapes}.")

    def _describe_operation(self, template: Template, name: str) -> str:
        entry = self._find_operation(template, name)
        # Imported with the first schema and not at start, because it is slow.
        from server.resources.schemas import describe_operation

        return compact(describe_operation(entry, self._surface.load(entry)))

    def _find_operation(self, template: Template, name: str) -> Entry:
        operations = self._list_operations(template)
        entries = {entry.name: entry for entry in operations.values()} | operations
        if name in entries:
            return entries[name]
        # Raises a better error for an operation that exists, but is switched off here.
        try:
            self._surface.find_serving(name)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
        match = closest_match(name, entries)
        hint = f"Did you mean {match}?" if match else f"Operations: {', '.join(operations)}."
        raise Failure(Code.NOT_FOUND, f"There is no operation {name!r} here.", hint)

    def _list_operations(self, template: Template) -> dict[str, Entry]:
        return {
            entry.operation: entry
            for entry in self._surface.list_callable()
            if entry.backend == template.backend and OPERATION in entry.tool["_meta"]
        }

    async def _read_record(self, template: Template, source: Source, parts: dict[str, str]) -> Row:
        for name, variable in template.variables.items():
            if variable.as_id and variable.rows is not None:
                parts[name] = await self._find_id(variable.rows, name, parts)
        return await self._perform(source, parts)

    async def _find_id(self, source: Source, variable: str, parts: Mapping[str, str]) -> str:
        name = parts[variable]
        # An id needs no look-up; whether there is such a record is up to the operation.
        if _UUID.match(name):
            return name.lower()
        # Read now and not from the cache: what was renamed meanwhile must not be taken for it.
        rows = await self._names.refresh(source, parts)
        matches = match_records(rows, name)
        if len(matches) == 1:
            return str(matches[0]["id"])
        if matches:
            few = matches[:_MOST_SUGGESTIONS]
            candidates = ", ".join(f"{row['name']} ({row['id']})" for row in few)
            raise Failure(
                Code.AMBIGUOUS,
                f"{len(matches)} of them fit {name!r}: {candidates}.",
                "Use the id of one of them.",
            )
        names = [str(row["name"]) for row in rows]
        match = closest_match(name, names)
        choices = ", ".join(names[:_MOST_SUGGESTIONS]) or "none"
        suggestion = f"Did you mean {match!r}?" if match else f"The choices are: {choices}."
        raise Failure(Code.NOT_FOUND, f"There is no {variable} {name!r}. {suggestion}")

    async def _list_values(
        self, variables: Mapping[str, Variable], name: str, arguments: Mapping[str, str]
    ) -> list[str]:
        rows = variables[name].rows
        if rows is None:
            return list(variables[name].values)
        parts = {}
        for key, variable in variables.items():
            # Clients send the empty fields of their form too.
            value = arguments.get(key, "")
            if value.strip():
                parts[key] = variable.check(key, value)
            elif variable.default:
                parts[key] = variable.default
        names = {str(row["name"]) for row in await self._names.get(rows, parts)}
        return sorted(names, key=lambda value: (normalise(value), value))

    async def _note_refusal(self, failure: Failure, parts: Mapping[str, str]) -> None:
        """Have it in the audit log where names are not shown for want of a right."""
        with suppress(Failure):
            async with self._calls.note_refusals("completion/complete", parts):
                raise failure

    async def _read_names(self, source: Source, parts: Mapping[str, str]) -> list[Row]:
        answer = await self._perform(source, parts, fields=["id", "name"])
        rows: list[Row] = answer["nodes"]
        return rows

    async def _perform(self, source: Source, parts: Mapping[str, str], **more: Any) -> Row:
        """Return the operation's result, of a list all records up to the limit.

        They come in one piece, whatever the size budget of a tool's result is.
        """
        entry = self._surface.find_serving(source.find_operation(parts))
        arguments = {**source.fill_arguments(parts), **more}
        if "limit" not in entry.tool["inputSchema"]["properties"]:
            return await self._call(entry, arguments)
        answer: Row = {}
        nodes: list[Row] = []
        notes: list[str] = []
        # It ends: each round adds nodes, or is the last.
        while True:
            arguments["limit"] = MOST_ROWS - len(nodes)
            page = await self._call(entry, arguments)
            nodes += page["nodes"]
            notes += page.get("notes", [])
            answer |= page
            cursor = page.get("nextCursor")
            if cursor is None or len(nodes) >= MOST_ROWS or not page["nodes"]:
                break
            arguments["after"] = cursor
        # How to get the next page is of no use to whoever gets all of them.
        notes = [note for note in dict.fromkeys(notes) if "`nextCursor`" not in note]
        if cursor is not None:
            notes.append(
                f"These are the first {len(nodes)}: continue with {entry.name}, "
                "`after` set to `nextCursor`."
            )
        answer |= {"nodes": nodes, "notes": notes}
        if not notes:
            del answer["notes"]
        return answer

    async def _call(self, entry: Entry, arguments: dict[str, Any]) -> Row:
        caller = self._calls.caller(Nobody())
        return (await self._calls.perform(entry, arguments, caller)).structured


def _refuse(uri: str) -> Failure:
    return Failure(
        Code.FORBIDDEN,
        f"{uri!r} is not among what this user may read.",
        "Tell the user; the administrators of this server decide.",
    )


def _make_completion(values: Sequence[str], typed: str) -> Completion:
    matches = match_completions(values, typed)
    return Completion(matches[:MOST_VALUES], len(matches))
