"""What the resolvers of all domains share.

Each domain has a module with a table of its operations (`TABLE`, collected in `engine.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Protocol, TypeVar

from graphql import GraphQLSchema

from server.sandbox.archive.data.items import MEDIA
from server.sandbox.archive.data.saved import Library, Record, Records
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import make_error
from server.sandbox.archive.filters.search import Results

T = TypeVar("T")
Resolver = Callable[..., Any]
Payload = dict[str, Any]

MAX_ROWS = 1_000
"""Rows of a list without pages; what lies beyond is left out without a word."""


@dataclass
class Context:
    """What a resolver may know about the request.

    requested: the workspace of the header. media: where the caller reaches the files of media
    contents.
    """

    visible: list[Workspace]
    requested: Workspace | None
    results_by_index: dict[int, Results] = field(default_factory=dict)
    media: str = MEDIA

    @property
    def workspace(self) -> Workspace:
        # Requests that need one are refused earlier if it is missing.
        if self.requested is None:
            raise make_error("Shop not found")
        return self.requested

    @property
    def results(self) -> Results:
        return self.results_by_index[self.workspace.index]


class Info(Protocol):
    """The part of graphql-core's resolve info that resolvers use."""

    @property
    def context(self) -> Context: ...

    @property
    def schema(self) -> GraphQLSchema: ...


# An exception, so that a check deep inside a mutation ends it like one at its start.
class UserErrors(Exception):
    """Ends a mutation with the entries of its `userErrors`."""

    def __init__(self, *errors: Payload) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


def mutation(*fields: str) -> Callable[[Resolver], Resolver]:
    """Return a decorator that completes the payload of a mutation.

    A mutation that ends with UserErrors has null in its fields, any other has no errors.
    """

    def decorate(resolve: Resolver) -> Resolver:
        @wraps(resolve)
        def respond(*values: Any, **arguments: Any) -> Payload:
            try:
                payload: Payload = resolve(*values, **arguments)
            except UserErrors as rejection:
                return dict.fromkeys(fields) | {"user_errors": rejection.errors}
            return payload | {"user_errors": []}

        return respond

    return decorate


def require(record: T | None, field_name: str, message: str) -> T:
    """Return the record. Raises UserErrors if it is missing."""
    if record is None:
        raise UserErrors(user_error(field_name, message))
    return record


def check_name(name: str) -> None:
    """Raise UserErrors if nothing can have this name."""
    if errors := name_errors(name):
        raise UserErrors(*errors)


def delete(library: Library, records: Records[Any], text: str, field_name: str) -> Payload:
    """Delete a record by its id, and return the payload that names it."""
    record: Record | None = records.find(text)
    # Deleting what is not there succeeds too: it leaves things as the caller wants them.
    if record is not None:
        library.delete(record)
    return {field_name: record and record.id}


def user_error(field_name: str, message: str) -> Payload:
    """Return one entry of `userErrors`."""
    return {"field": [field_name], "message": message}


def name_errors(name: str) -> list[Payload]:
    """Return the reasons why nothing can have this name."""
    return [] if name.strip() else [user_error("name", "A name must not be blank")]
