"""Executes GraphQL against our own SDL, with the API's checks and error codes."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
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
    OperationDefinitionNode,
    build_schema,
    execute,
    get_operation_ast,
    parse,
    validate,
)

from server.sandbox.archive.resolvers import (
    campaigns as resolvers_campaigns,
)
from server.sandbox.archive.resolvers import (
    collections as resolvers_collections,
)
from server.sandbox.archive.resolvers import (
    competitors as resolvers_competitors,
)
from server.sandbox.archive.resolvers import (
    content as resolvers_content,
)
from server.sandbox.archive.resolvers import (
    creators as resolvers_creators,
)
from server.sandbox.archive.resolvers import (
    groups as resolvers_groups,
)
from server.sandbox.archive.resolvers import (
    operations as resolvers_operations,
)
from server.sandbox.archive.resolvers import (
    profiles as resolvers_profiles,
)
from server.sandbox.archive.resolvers import (
    uploads as resolvers_uploads,
)
from server.sandbox.archive.resolvers import (
    views as resolvers_views,
)
from server.sandbox.archive.resolvers import (
    workspaces as resolvers_workspaces,
)
from server.sandbox.archive.resolvers.context import Context, Info, Resolver
from server.sandbox.archive.rules import RULES, depth
from server.sandbox.archive.scalars import bind_scalars

MAX_DEPTH = 10
_KEPT = 256

RESOLVERS: dict[str, Resolver] = {
    **resolvers_workspaces.TABLE,
    **resolvers_content.TABLE,
    **resolvers_creators.TABLE,
    **resolvers_collections.TABLE,
    **resolvers_operations.TABLE,
    **resolvers_campaigns.TABLE,
    **resolvers_competitors.TABLE,
    **resolvers_profiles.TABLE,
    **resolvers_uploads.TABLE,
    **resolvers_views.TABLE,
    **resolvers_groups.TABLE,
}


class SandboxBug(Exception):
    """A resolver failed for a reason of its own; the cause is attached."""


def sdl() -> str:
    """The schema as text."""
    return Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8")


@cache
def schema() -> GraphQLSchema:
    """The executable schema, built once for each process."""
    built = build_schema(sdl())
    bind_scalars(built)
    for operation_type in (built.query_type, built.mutation_type):
        for name, field in operation_type.fields.items() if operation_type else ():
            field.resolve = RESOLVERS[name]
    roots = {built.query_type, built.mutation_type}
    for kind in built.type_map.values():
        if (
            isinstance(kind, GraphQLObjectType)
            and kind not in roots
            and not kind.name.startswith("__")
        ):
            for name, field in kind.fields.items():
                field.resolve = _reader(name)
    media = built.get_type("MediaContent")
    if not isinstance(media, GraphQLUnionType):
        raise TypeError("MediaContent")
    media.resolve_type = lambda record, _info, _type: "Video" if record.type == "VIDEO" else "Image"
    return built


def _reader(field_name: str) -> Callable[[Any, Info], Any]:
    """Reads a field of a record: an attribute, or a key of a plain dict, by its name in snake
    case."""
    name = re.sub(r"(?=[A-Z])", "_", field_name).lower()

    def read(record: Any, _info: Info) -> Any:
        return record[name] if type(record) is dict else getattr(record, name)

    return read


@dataclass(frozen=True)
class Prepared:
    """A parsed query: either its document, or the errors that keep it from running."""

    document: DocumentNode | None
    errors: list[dict[str, Any]]


class Documents:
    """Parsed and validated queries, the latest ones kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, query: str) -> Prepared:
        """Parse and validate, or answer from memory."""
        known = self._kept.get(query)
        if known is not None:
            self._kept.move_to_end(query)
            return known
        made = _prepare(query)
        self._kept[query] = made
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made


def _prepare(query: str) -> Prepared:
    try:
        document = parse(query)
        errors = validate(schema(), document, RULES)
    except GraphQLError as error:
        return Prepared(None, [dict(error.formatted)])
    except RecursionError:
        return Prepared(None, [{"message": "Document is nested too deeply"}])
    if errors:
        return Prepared(document, [_formatted(error) for error in errors])
    found = depth(document)
    if found > MAX_DEPTH:
        message = f"Query has depth of {found}, which exceeds max depth of {MAX_DEPTH}"
        return Prepared(document, [{"message": message}])
    return Prepared(document, [])


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation to run, or None if the name fits none or is needed and missing."""
    return get_operation_ast(document, name)


async def run(
    document: DocumentNode, variables: dict[str, Any], operation_name: str | None, context: Context
) -> dict[str, Any]:
    """The body of an answer: data, and errors if there are any.

    Raises SandboxBug if a resolver breaks; the API would answer 500.
    """
    result = execute(
        schema(),
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
    )
    done = await result if isawaitable(result) else result
    if not isinstance(done, ExecutionResult):
        raise TypeError(type(done))
    if not done.errors:
        return {"data": done.data}
    for error in done.errors:
        cause = error.original_error
        if cause is not None and not isinstance(cause, GraphQLError):
            raise SandboxBug from cause
    if not any(error.path for error in done.errors):
        # Nothing ran: the variables do not fit their types.
        return {"errors": [_of_variables(error) for error in done.errors]}
    return {"errors": [_formatted(error) for error in done.errors], "data": done.data}


def _formatted(error: GraphQLError) -> dict[str, Any]:
    body: dict[str, Any] = dict(error.formatted)
    # The API does not say which variable it was.
    body["message"] = body["message"][max(0, body["message"].find("Cannot coerce")) :]
    return body


def _of_variables(error: GraphQLError) -> dict[str, Any]:
    return {"extensions": {"code": "argumentLiteralsIncompatible"}, **_formatted(error)}
