"""Errors for the `errors` list of an answer."""

from __future__ import annotations

from graphql import GraphQLError


def make_error(message: str, code: str | None = None) -> GraphQLError:
    """Return an error with the API's code, if the API has one for it."""
    return GraphQLError(message, extensions={"code": code} if code else None)


def ensure(condition: object, message: str, code: str | None = None) -> None:
    """Raise GraphQLError unless the condition holds."""
    if not condition:
        raise make_error(message, code)
