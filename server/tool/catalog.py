"""The tools as data: `tools/list` is served from a packaged file, without importing any tool."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.errors import Code, Failure
from server.tool.permissions import EVERYTHING, Permissions, Risk

Row = dict[str, Any]
# A function that imports the module of that name.
ModuleLoader = Callable[[str], Any]

# The backend of the tools that are about this server itself.
OWN = "archive_mcp"

# The toolset that stands for all others: its tools find, describe and call theirs.
_DISCOVER = "discover"
_PRESETS = ("all", "core", _DISCOVER)

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"\w+|(GET|POST|PATCH|DELETE) /\S*")
# A name, or a method and a path: nothing that JSON of somebody else's message could be.
_OPERATION = re.compile(r"\{(\w+|[A-Z]+ /(?:[^{}\s]|\{\w+\})*)\}")


@dataclass(frozen=True)
class Entry:
    """One tool: what is listed of it, what decides whether it is listed, and where its class is."""

    tool: dict[str, Any]
    backend: str
    toolset: str
    operation: str
    module: str
    class_name: str
    core: bool = False
    reads_too: bool = False
    reads_by_call: bool = False
    adds_too: bool = False
    risk: Risk = "changes"

    @property
    def name(self) -> str:
        """The tool's name."""
        return str(self.tool["name"])

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return bool(self.tool["annotations"]["readOnlyHint"])

    @property
    def takes_reads(self) -> bool:
        """Whether some of its calls only read, or all."""
        return self.reads or self.reads_too or self.reads_by_call

    @property
    def least_risk(self) -> Risk:
        """The risk of the most harmless of its calls."""
        if self.reads or self.reads_too:
            return "reads"
        return "adds" if self.adds_too else self.risk

    @property
    def discovers(self) -> bool:
        """Whether it only reaches other tools."""
        return self.toolset == _DISCOVER


class Catalog:
    """The tools that this server offers, and those that it knows but does not offer now.

    Attributes:
        templates: The resource templates of the offered backends, as data; they only read, so the
            toolsets do not matter.
        variables: What arguments of prompts may be, by name, as data.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        load: ModuleLoader,
        templates: Iterable[Row] = (),
        variables: Mapping[str, Row] | None = None,
    ) -> None:
        self._all = {entry.name: entry for entry in entries}
        self._reachable = _select(self._all, lambda entry: not entry.discovers)
        self._offered = self._reachable
        self._load = load
        # Of all tools, offered or not: a hint names one that is switched off as such.
        self._by_operation = {entry.operation: entry.name for entry in self._all.values()}
        self.permissions = EVERYTHING
        self._is_bounded = False
        self._templates = tuple(templates)
        self.templates = self._templates
        self.variables = dict(variables or {})

    @classmethod
    def read(cls, file: Path, load: ModuleLoader) -> Catalog:
        """Return the surface of the packaged file; `load` imports a module by its name."""
        content = json.loads(file.read_text(encoding="utf-8"))
        tools = (Entry(**row) for row in content["tools"])
        return cls(tools, load, content.get("templates", []), content.get("variables"))

    def copy(self) -> Catalog:
        """Return the same tools, to be restricted in another way."""
        return Catalog(self._all.values(), self._load, self._templates, self.variables)

    def list_toolsets(self) -> list[str]:
        """Return the presets and the names of all toolsets."""
        existing = {entry.toolset for entry in self._all.values()}
        return [*_PRESETS, *sorted(existing - set(_PRESETS))]

    def offer(
        self,
        *,
        backends: set[str],
        toolsets: Iterable[str],
        read_only: bool = False,
        permissions: Permissions | None = None,
        bounded: bool = False,
    ) -> None:
        """Restrict what is offered.

        Args:
            toolsets: names of toolsets, or the presets `all`, `core` and `discover`, whose tools
                reach all others.
            permissions: which kinds of calls are allowed, where `read_only` does not say it all.
            bounded: whether tools of other toolsets cannot be reached in any way.

        Raises:
            ValueError: an unknown toolset; the message names the known ones.
        """
        requested = set(map(str.casefold, toolsets))
        choices = self.list_toolsets()
        if unknown := requested.difference(choices):
            raise ValueError(
                f"unknown toolset {', '.join(sorted(unknown))}; known: {', '.join(choices)}."
            )
        # A write that is switched off is refused in other words than a missing backend's tool.
        self.permissions = permissions or Permissions(read_only=read_only)
        self._is_bounded = bounded
        # Where only tools that reach others are offered, all others are there to be reached.
        bounds = (requested - {_DISCOVER} if bounded else set()) or {"all", _DISCOVER}
        offered = {OWN, *backends} if backends else set()
        self._reachable = _select(
            self._all,
            lambda entry: (
                entry.backend in offered
                and self.permissions.allow(entry.least_risk)
                and (entry.backend == OWN or _is_requested(entry, bounds))
            ),
        )
        # Within bounds, the tools of a preset that reach others would reach what is listed anyway.
        leads = not bounded or _DISCOVER in requested
        self._offered = _select(
            self._reachable,
            lambda entry: _is_requested(entry, requested) and (leads or not entry.discovers),
        )
        self.templates = tuple(
            template
            for template in self._templates
            if template["backend"] in backends and self._can_read(template)
        )

    def narrow(self, toolsets: Iterable[str]) -> None:
        """Take away the tools of other toolsets; nothing is added."""
        requested = set(toolsets)
        bounds = requested - {_DISCOVER} or {"all", _DISCOVER}
        self._is_bounded = True
        self._reachable = _select(
            self._reachable, lambda entry: entry.backend == OWN or _is_requested(entry, bounds)
        )
        # The tools that reach others add nothing: what they reach is narrowed as well.
        self._offered = _select(
            self._reachable,
            lambda entry: (
                _is_requested(entry, requested) and (entry.discovers or entry.name in self._offered)
            ),
        )
        self.templates = tuple(filter(self._can_read, self.templates))

    def refuse(self, entry: Entry, risk: Risk) -> None:
        """Refuse a call of this risk where it is not allowed.

        Raises:
            Failure: `READ_ONLY`, or `FORBIDDEN`.
        """
        self.permissions.refuse(f"This call of {entry.name}", risk)

    def list_tools(self, toolsets: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the offered tools as `tools/list` serves them, in the file's order; of the
        toolsets where some are named."""
        entries = self._offered if toolsets is None else self._choose(toolsets)
        return [entry.tool for entry in entries.values()]

    def shorten(self, toolsets: Iterable[str]) -> None:
        """Offer these toolsets instead, for a client that takes no more."""
        self._offered = self._choose(toolsets)

    def _choose(self, toolsets: Iterable[str]) -> dict[str, Entry]:
        requested = set(toolsets)
        return _select(self._reachable, lambda entry: _is_requested(entry, requested))

    def find(self, name: str) -> Entry:
        """Return the offered tool of that name.

        Raises:
            Failure: `READ_ONLY`, `NOT_CONFIGURED` or `NOT_FOUND`.
        """
        if entry := self._offered.get(name):
            return entry
        # Raises for what cannot be offered at all: what remains is only a matter of toolsets.
        entry = self.find_reachable(name)
        if self._discovers:
            caller = "{call_read_tool}" if entry.reads else "{call_write_tool}"
            raise Failure(
                Code.NOT_CONFIGURED, f"{name} is not listed here.", f"Call it through {caller}."
            )
        raise Failure(
            Code.NOT_CONFIGURED,
            f"{name} is switched off: its toolset, {entry.toolset}, is not among those of this "
            "server.",
            "Tell the user: --toolsets (ARCHIVE_MCP_TOOLSETS) decides which toolsets there are.",
        )

    def find_reachable(self, name: str) -> Entry:
        """Return the tool of that name, offered or not, if the backends and the mode allow it.

        Raises:
            Failure: `READ_ONLY`, `NOT_CONFIGURED` or `NOT_FOUND`.
        """
        existing = self._all.get(name)
        if existing is None:
            from server.tool.names import closest_identifier  # with the first mistake, not at start

            # A listed tool is the better suggestion: the model can call it at once.
            choices = ([*self._offered, *self._callable], self._reachable)
            near = next(filter(None, (closest_identifier(name, names) for names in choices)), None)
            hint = f"Did you mean {near}?" if near else "Use a tool that this server lists."
            raise Failure(Code.NOT_FOUND, f"There is no tool {name!r}.", hint)
        if name in self._reachable:
            return existing
        self.permissions.refuse(name, existing.least_risk)
        if self._is_bounded:
            raise Failure(
                Code.FORBIDDEN,
                f"{name} is not among the tools that this user may use.",
                "Tell the user; the administrators of this server decide.",
            )
        raise Failure(
            Code.NOT_CONFIGURED,
            f"{name} is not offered: its backend is not configured.",
            "Tell the user to run `archive-mcp doctor`.",
        )

    def find_serving(self, operation: str) -> Entry:
        """Return the tool that serves an operation, or has that name, as `find_reachable`.

        Raises:
            Failure: as `find_reachable`.
        """
        return self.find_reachable(self._by_operation.get(operation, operation))

    def reaches_others(self, name: str) -> bool:
        """Return whether a tool finds, describes or calls others."""
        entry = self._all.get(name)
        return entry is not None and entry.discovers

    @property
    def withheld_templates(self) -> tuple[Row, ...]:
        """The templates that whoever calls may not read; what is not set up is withheld from
        nobody."""
        if not self._is_bounded:
            return ()
        return tuple(row for row in self._templates if row not in self.templates)

    def list_callable(self) -> list[Entry]:
        """Return every tool that can be reached, without those that only reach others."""
        return list(_select(self._reachable, lambda entry: not entry.discovers).values())

    def load(self, entry: Entry) -> Any:
        """Return the request class of an entry; the first call of a domain imports its module."""
        return getattr(self._load(entry.module), entry.class_name)

    def render_hint(self, text: str) -> str:
        """Return a hint with each `{operation}` replaced by its tool, marked if not offered."""
        return _OPERATION.sub(self._name_tool, text)

    def _can_read(self, template: Row) -> bool:
        """Return whether something that a template reads can be reached."""
        if template["reads"] is None:
            return True
        operations = template["reads"]["operations"].values()
        names = {self._by_operation.get(operation) for operation in operations}
        return not self._is_bounded or not names.isdisjoint(self._reachable)

    def can_call_all(self, text: str) -> bool:
        """Return whether every tool that a text names can be called here."""
        names = self._all.keys() & set(_WORD.findall(text))
        return names <= self._callable.keys()

    @property
    def switched_off(self) -> int:
        """How many tools of the configured backends cannot be called, because of the toolsets."""
        entries = [entry for entry in self._reachable.values() if not entry.discovers]
        return sum(entry.name not in self._callable for entry in entries)

    @property
    def _callable(self) -> Mapping[str, Entry]:
        """The tools that can be called, directly or through another."""
        return self._reachable if self._discovers else self._offered

    @property
    def _discovers(self) -> bool:
        """Whether tools that reach others are offered."""
        return any(entry.discovers for entry in self._offered.values())

    def _name_tool(self, result: re.Match[str]) -> str:
        name = self._by_operation.get(result[1])
        if name is None:
            return _drop_braces(result)
        if name in self._callable:
            return name
        # A hint must not send a model to a tool that its host does not list, without saying so.
        return f"{name} (not offered here)"


def _select(entries: Mapping[str, Entry], test: Callable[[Entry], bool]) -> dict[str, Entry]:
    return {name: entry for name, entry in entries.items() if test(entry)}


def _is_requested(entry: Entry, requested: set[str]) -> bool:
    toolsets = {entry.toolset}
    if entry.core:
        toolsets.add("core")
    # `all` leaves out the tools that reach others: with every tool listed they are a second way.
    if not entry.discovers:
        toolsets.add("all")
    return not toolsets.isdisjoint(requested)


def _drop_braces(result: re.Match[str]) -> str:
    """Return a name that no tool serves without braces; anything else in them unchanged."""
    return result[1] if _NAME.fullmatch(result[1]) else result[0]
