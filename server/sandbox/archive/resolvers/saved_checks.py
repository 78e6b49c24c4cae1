"""What a view may hold: Archive docs, content views. Whatever could not be asked of `items` or
`creators` is refused.

The page does not describe `filters` and `sort`. Here the filters of a content view have the shape
of `ItemFilterInput`, those of other views, which are never applied, any shape; `sort` is a list of
{sortKey, sortOrder}.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
)

from server.sandbox.archive import filters
from server.sandbox.archive.data.saved import ENTITIES
from server.sandbox.archive.resolvers import conditions as attribute_conditions
from server.sandbox.archive.resolvers.context import Info, user_error
from server.sandbox.ids import Kind

Payload = dict[str, Any]

ORDERS_OF_PEOPLE = frozenset({"ACCOUNT_NAME", "FOLLOWERS_COUNT"})
"""Sort keys of creator views and social profile views."""


def name_errors(name: str) -> list[Payload]:
    """Why something cannot be called that."""
    return [] if name.strip() else [user_error("name", "A name must not be blank")]


def view_errors(info: Info, kind: Kind, given: Payload) -> list[Payload]:
    """Why a view cannot have these parts, named as in the API; parts left out are not checked."""
    if nulls := [
        user_error(part, f"{part} must not be null")
        for part, value in given.items()
        if value is None
    ]:
        return nulls
    errors = name_errors(given["name"]) if "name" in given else []
    checks = {
        "filters": _check_filters,
        "customAttributeConditions": _check_conditions,
        "sort": _check_sort,
    }
    for part, check in checks.items():
        if part not in given:
            continue
        try:
            check(info, kind, given[part])
        except GraphQLError as error:
            errors.append(user_error(part, error.message))
    return errors


def item_filter(schema: GraphQLSchema, stored: Payload) -> Payload:
    """The filters of a content view as `items` takes them. Raises GraphQLError if they do not
    fit."""
    read: Payload = _read(schema.type_map["ItemFilterInput"], stored, "filters")
    return read


def _check_filters(info: Info, kind: Kind, stored: Any) -> None:
    if not isinstance(stored, dict):
        raise GraphQLError("filters must be an object")
    if kind is Kind.CONTENT_VIEW:
        filters.item_tests(info.context.workspace, item_filter(info.schema, stored))


def _check_conditions(info: Info, kind: Kind, conditions: list[Payload]) -> None:
    attribute_conditions.tests(info.context.workspace, ENTITIES[kind], conditions)


def _check_sort(info: Info, kind: Kind, levels: Any) -> None:
    if not isinstance(levels, list):
        raise GraphQLError("sort must be a list of {sortKey, sortOrder}")
    for level in levels:
        _read(info.schema.type_map["ItemSortingInput"], level, "sort")
        if kind is not Kind.CONTENT_VIEW and level["sortKey"] not in ORDERS_OF_PEOPLE:
            raise GraphQLError(
                f"sort: sortKey must be one of {', '.join(sorted(ORDERS_OF_PEOPLE))}"
            )


def _read(wanted: Any, value: Any, path: str) -> Any:
    """A JSON value as an input of the schema; graphql-core's own reading differs between its
    versions."""
    if isinstance(wanted, GraphQLNonNull):
        if value is None:
            raise GraphQLError(f"{path} must not be null")
        return _read(wanted.of_type, value, path)
    if value is None:
        return None
    if isinstance(wanted, GraphQLList):
        entries = value if isinstance(value, list) else [value]
        return [_read(wanted.of_type, entry, path) for entry in entries]
    if isinstance(wanted, GraphQLInputObjectType):
        return _read_object(wanted, value, path)
    return _read_leaf(wanted, value, path)


def _read_object(wanted: GraphQLInputObjectType, value: Any, path: str) -> Payload:
    if not isinstance(value, dict):
        raise GraphQLError(f"{path} must be an object")
    if unknown := set(value) - set(wanted.fields):
        raise GraphQLError(f"{path} has no {', '.join(sorted(map(repr, unknown)))}")
    needed = {
        name for name, field in wanted.fields.items() if isinstance(field.type, GraphQLNonNull)
    }
    if missing := needed - set(value):
        raise GraphQLError(f"{path} needs {', '.join(sorted(missing))}")
    return {
        name: _read(wanted.fields[name].type, held, f"{path}.{name}")
        for name, held in value.items()
    }


def _read_leaf(wanted: GraphQLScalarType | GraphQLEnumType, value: Any, path: str) -> Any:
    try:
        return wanted.parse_value(value)
    except GraphQLError as error:
        raise GraphQLError(f"{path}: {error.message}") from error
