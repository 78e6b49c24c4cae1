"""Resource templates as data: what an address stands for, and what its variables may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from server.errors import Code, Failure

_VARIABLE = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Source:
    """The operation that is read, and which variable each of its arguments takes.

    `operations` has one operation for each value of the variable `by`; without `by` there is one,
    under "".
    """

    operations: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True)
class Variable:
    """What a variable may be.

    Either one of `values`, or the name (or id) of a record of `rows`; with neither it is an
    operation of the template's backend. `as_id`: the operation that is read wants the id of what is
    named. `default` stands in while another variable is completed and this one is not known yet.
    """

    values: tuple[str, ...] = ()
    rows: Source | None = None
    as_id: bool = False
    default: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Variable:
        """The variable of a row of the packaged file."""
        rows = None if row["rows"] is None else Source(**row["rows"])
        return cls(**{**row, "values": tuple(row["values"]), "rows": rows})

    @property
    def is_operation(self) -> bool:
        """Whether it is the name of an operation."""
        return not self.values and self.rows is None


@dataclass(frozen=True)
class Template:
    """One template: its listing, and how it is read; without `reads` it is the schema of an
    operation."""

    uri: str
    name: str
    title: str
    description: str
    backend: str
    variables: Mapping[str, Variable]
    reads: Source | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Template:
        """The template of a row of the packaged file."""
        variables = {name: Variable.of(each) for name, each in row["variables"].items()}
        reads = None if row["reads"] is None else Source(**row["reads"])
        return cls(**{**row, "variables": variables, "reads": reads})

    def listed(self) -> dict[str, Any]:
        """The template as `resources/templates/list` serves it."""
        return {
            "uriTemplate": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "mimeType": "application/json",
        }

    def parts(self, uri: str) -> dict[str, str] | None:
        """The values of the variables in an address, decoded; None where the address is not of this
        template.

        Raises:
            Failure: `INVALID_ARGUMENT` for an escape that is none, or letters that are not UTF-8.
        """
        found = re.fullmatch(_VARIABLE.sub(r"(?P<\1>[^/]+)", self.uri), uri)
        return (
            None
            if found is None
            else {name: _decoded(part, uri) for name, part in found.groupdict().items()}
        )


def _decoded(part: str, uri: str) -> str:
    if _BAD_ESCAPE.search(part):
        raise _malformed(uri)
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise _malformed(uri) from None
    if not text.strip() or _CONTROL.search(text):
        raise _malformed(uri)
    return text


def _malformed(uri: str) -> Failure:
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{uri!r} is not a well-formed address.",
        "Percent-encode names as UTF-8: a blank is %20, a slash %2F, a percent sign %25.",
    )
