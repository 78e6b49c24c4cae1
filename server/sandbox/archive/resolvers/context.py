"""What the resolvers of all domains share.

Each domain has a module with a table of its operations (`TABLE`, collected in `engine.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLError, GraphQLSchema

from server.sandbox.archive.data.items import MEDIA
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.search import Results

Resolver = Callable[..., Any]


@dataclass
class Context:
    """What a resolver may know about the request."""

    visible: list[Workspace]
    home: Workspace | None
    results: dict[int, Results] = field(default_factory=dict)
    media: str = MEDIA
    """Where the files of media contents are for who asks."""

    @property
    def workspace(self) -> Workspace:
        """The workspace of the request; requests that need one are refused earlier if it is
        missing."""
        if self.home is None:
            raise GraphQLError("Shop not found")
        return self.home

    @property
    def found(self) -> Results:
        """The latest answers of this workspace."""
        return self.results[self.workspace.index]


class Info(Protocol):
    """The part of graphql-core's resolve info that resolvers use."""

    @property
    def context(self) -> Context:
        """The request."""
        ...

    @property
    def schema(self) -> GraphQLSchema:
        """The executable schema."""
        ...


def refused(message: str, code: str | None = None) -> GraphQLError:
    """An error for the `errors` list of an answer."""
    return GraphQLError(message, extensions={"code": code} if code else None)


def user_error(field_name: str, message: str) -> dict[str, Any]:
    """One entry of `userErrors`."""
    return {"field": [field_name], "message": message}
