"""Resource templates as data: what an address stands for, and what its variables may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from server.errors import Code, Failure
from server.tool.names import closest_match, normalise

_VARIABLE = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Source:
    """The operation that is read, and the variable that each of its arguments takes.

    `operations` has one operation for each value of the variable `by`; without `by` there is one,
    under "".
    """

    operations: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)
    by: str = ""

    def find_operation(self, parts: Mapping[str, str]) -> str:
        """Return the operation for the values of the variables."""
        return self.operations[parts[self.by] if self.by else ""]

    def fill_arguments(self, parts: Mapping[str, str]) -> dict[str, Any]:
        """Return the operation's arguments, those of variables without a value left out."""
        pairs = self.arguments.items()
        return {argument: parts[name] for argument, name in pairs if name in parts}


@dataclass(frozen=True)
class Variable:
    """A variable of a template, with the values that it takes.

    It is either one of `values`, or the name (or id) of a record of `rows`; with neither it is an
    operation of the template's backend. With `as_id` the operation that is read takes the id
    instead of the name. `default` stands in while another variable is completed and this one has no
    value yet.
    """

    values: tuple[str, ...] = ()
    rows: Source | None = None
    as_id: bool = False
    default: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Variable:
        """Return the variable of a row of the packaged file."""
        return cls(**{**row, "values": tuple(row["values"]), "rows": _make_source(row["rows"])})

    @property
    def is_operation(self) -> bool:
        """Whether it is the name of an operation."""
        return not self.values and self.rows is None

    def check(self, name: str, value: str) -> str:
        """Return the value, one of a closed set as it is written there.

        Raises:
            Failure: `INVALID_ARGUMENT` for a value outside a closed set.
        """
        choices = {normalise(choice): choice for choice in self.values}
        if not choices or normalise(value) in choices:
            return choices.get(normalise(value), value)
        match = closest_match(value, self.values)
        suggestion = f"Did you mean {match}? " if match else ""
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name} is not {value!r}.",
            f"{suggestion}It is one of: {', '.join(self.values)}.",
        )


@dataclass(frozen=True)
class Template:
    """A template: its listing and its source; without `reads` it is the schema of an operation."""

    uri: str
    name: str
    title: str
    description: str
    backend: str
    variables: Mapping[str, Variable]
    reads: Source | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Template:
        """Return the template of a row of the packaged file."""
        variables = {name: Variable.from_row(entry) for name, entry in row["variables"].items()}
        return cls(**{**row, "variables": variables, "reads": _make_source(row["reads"])})

    def to_listing(self) -> dict[str, Any]:
        """Return the template as `resources/templates/list` serves it."""
        return {
            "uriTemplate": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "mimeType": "application/json",
        }

    def parse(self, uri: str) -> dict[str, str] | None:
        """Return the values of the variables in an address, None in one of another template.

        Raises:
            Failure: `INVALID_ARGUMENT` for a broken percent-escape, or bytes that are not UTF-8.
        """
        match = re.fullmatch(_VARIABLE.sub(r"(?P<\1>[^/]+)", self.uri), uri)
        if match is None:
            return None
        return {name: _decode(part, uri) for name, part in match.groupdict().items()}


def _make_source(row: Mapping[str, Any] | None) -> Source | None:
    return None if row is None else Source(**row)


def _decode(part: str, uri: str) -> str:
    malformed = Failure(
        Code.INVALID_ARGUMENT,
        f"{uri!r} is not a well-formed address.",
        "Percent-encode names as UTF-8: a blank is %20, a slash %2F, a percent sign %25.",
    )
    # `unquote` leaves a broken escape as it is, which would name something else.
    if _BAD_ESCAPE.search(part):
        raise malformed
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise malformed from None
    # No name is blank or holds a control character, so this is a mistake or an attack.
    if not text.strip() or _CONTROL.search(text):
        raise malformed
    return text
