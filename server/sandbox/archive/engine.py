"""Executes GraphQL against our own SDL, with the API's checks and error codes."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from inspect import isawaitable
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    execute,
    parse,
    validate,
)

from server.sandbox.archive.resolvers import (
    campaigns,
    collections,
    competitors,
    content,
    creators,
    groups,
    operations,
    profiles,
    uploads,
    views,
    workspaces,
)
from server.sandbox.archive.resolvers.context import Context, Info, Resolver
from server.sandbox.archive.rules import RULES, depth
from server.sandbox.archive.scalars import bind_scalars

# Archive docs: error handling ("exceeds max depth").
MAX_DEPTH = 10

_MODULES = (
    workspaces,
    content,
    creators,
    collections,
    operations,
    campaigns,
    competitors,
    profiles,
    uploads,
    views,
    groups,
)
RESOLVERS: dict[str, Resolver] = dict(ChainMap(*(module.TABLE for module in _MODULES)))


class SandboxBug(Exception):
    """A resolver failed for a reason of its own; the cause is attached."""


def sdl() -> str:
    return Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8")


@cache
def schema() -> GraphQLSchema:
    """Return the executable schema, built once for each process."""
    built = build_schema(sdl())
    bind_scalars(built)
    roots = {built.query_type, built.mutation_type}
    for kind in built.type_map.values():
        # The types of introspection know themselves how to read their fields.
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for name, field in kind.fields.items():
            field.resolve = RESOLVERS[name] if kind in roots else _reader(name)
    media = built.get_type("MediaContent")
    if not isinstance(media, GraphQLUnionType):
        raise TypeError("MediaContent")
    media.resolve_type = lambda record, _info, _type: "Video" if record.type == "VIDEO" else "Image"
    return built


def _reader(field_name: str) -> Callable[[Any, Info], Any]:
    """Return what reads a field of a record, by its name in snake case.

    Records are objects with attributes or plain dicts.
    """
    name = re.sub(r"(?=[A-Z])", "_", field_name).lower()

    def read(record: Any, _info: Info) -> Any:
        return record[name] if type(record) is dict else getattr(record, name)

    return read


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed query: either its document, or the errors that keep it from running."""

    document: DocumentNode | None
    errors: list[dict[str, Any]]


# Kept, because a client sends the same few queries over and over, each with other variables.
@lru_cache(maxsize=256)
def parse_query(query: str) -> ParsedQuery:
    """Return a query parsed and validated."""
    try:
        document = parse(query)
        errors = validate(schema(), document, RULES)
    except GraphQLError as error:
        return ParsedQuery(None, [dict(error.formatted)])
    except RecursionError:
        return ParsedQuery(None, [{"message": "Document is nested too deeply"}])
    if errors:
        return ParsedQuery(document, [_format_error(error) for error in errors])
    levels = depth(document)
    if levels > MAX_DEPTH:
        message = f"Query has depth of {levels}, which exceeds max depth of {MAX_DEPTH}"
        return ParsedQuery(document, [{"message": message}])
    return ParsedQuery(document, [])


async def run(
    document: DocumentNode, variables: dict[str, Any], operation_name: str | None, context: Context
) -> dict[str, Any]:
    """Return the body of an answer: data, and errors if there are any.

    Raises SandboxBug if a resolver breaks; the API would answer 500.
    """
    result = execute(
        schema(),
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
    )
    outcome = await result if isawaitable(result) else result
    if not isinstance(outcome, ExecutionResult):
        raise TypeError(type(outcome))
    if not outcome.errors:
        return {"data": outcome.data}
    for error in outcome.errors:
        cause = error.original_error
        if cause is not None and not isinstance(cause, GraphQLError):
            raise SandboxBug from cause
    formatted = [_format_error(error) for error in outcome.errors]
    if any(error.path for error in outcome.errors):
        return {"errors": formatted, "data": outcome.data}
    # Nothing ran: the variables do not fit their types.
    code = {"extensions": {"code": "argumentLiteralsIncompatible"}}
    return {"errors": [code | body for body in formatted]}


def _format_error(error: GraphQLError) -> dict[str, Any]:
    body: dict[str, Any] = dict(error.formatted)
    # The API does not say which variable it was.
    body["message"] = body["message"][max(0, body["message"].find("Cannot coerce")) :]
    return body
