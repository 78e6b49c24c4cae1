"""What a view may hold: Archive docs, content views. Whatever `items` or `creators` would refuse is
refused here.

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

from server.sandbox.archive.data.attributes import find_attribute
from server.sandbox.archive.data.saved import ENTITIES
from server.sandbox.archive.errors import ensure
from server.sandbox.archive.filters import items as item_filters
from server.sandbox.archive.filters.conditions import make_tests
from server.sandbox.archive.resolvers.context import (
    Info,
    Payload,
    UserErrors,
    name_errors,
    user_error,
)
from server.sandbox.ids import Kind

PEOPLE_SORT_KEYS = frozenset({"ACCOUNT_NAME", "FOLLOWERS_COUNT"})
"""Sort keys of creator views and social profile views."""


def check_view(info: Info, kind: Kind, parts: Payload) -> None:
    """Raise UserErrors if a view cannot have these parts, which have the API's names.

    Parts that are left out are not checked.
    """
    # Before the other checks, which read into the values.
    nulls = [part for part, value in parts.items() if value is None]
    if nulls:
        raise UserErrors(*(user_error(part, f"{part} must not be null") for part in nulls))
    errors = name_errors(parts["name"]) if "name" in parts else []
    for part in filter(parts.__contains__, _CHECKS):
        try:
            _CHECKS[part](info, kind, parts[part])
        except GraphQLError as error:
            errors.append(user_error(part, error.message))
    if errors:
        raise UserErrors(*errors)


def item_filter(schema: GraphQLSchema, stored: Payload) -> Payload:
    """Return the filters of a content view as `items` takes them.

    Raises GraphQLError if they do not fit.
    """
    parts: Payload = _read(schema.type_map["ItemFilterInput"], stored, "filters")
    return parts


def _check_filters(info: Info, kind: Kind, stored: Any) -> None:
    ensure(isinstance(stored, dict), "filters must be an object")
    if kind is Kind.CONTENT_VIEW:
        item_filters.item_tests(info.context.workspace, item_filter(info.schema, stored))


def _check_conditions(info: Info, kind: Kind, conditions: list[Payload]) -> None:
    for condition in conditions:
        # Reads let an unknown key match nothing; what is saved has to name one that exists.
        is_known = find_attribute(ENTITIES[kind], condition["field"]) is not None
        ensure(is_known, f"Unknown custom attribute field: {condition['field']}")
    make_tests(info.context.workspace, ENTITIES[kind], conditions)


def _check_sort(info: Info, kind: Kind, levels: Any) -> None:
    ensure(isinstance(levels, list), "sort must be a list of {sortKey, sortOrder}")
    for level in levels:
        _read(info.schema.type_map["ItemSortingInput"], level, "sort")
        ensure(
            kind is Kind.CONTENT_VIEW or level["sortKey"] in PEOPLE_SORT_KEYS,
            f"sort: sortKey must be one of {', '.join(sorted(PEOPLE_SORT_KEYS))}",
        )


_CHECKS = {
    "filters": _check_filters,
    "customAttributeConditions": _check_conditions,
    "sort": _check_sort,
}


def _read(kind: Any, value: Any, path: str) -> Any:
    """Return a JSON value as an input type of the schema takes it.

    path: where the value stands, for the message of the GraphQLError that a misfit raises.
    """
    # Not by graphql-core's own reading, which differs between its versions.
    if isinstance(kind, GraphQLNonNull):
        ensure(value is not None, f"{path} must not be null")
        return _read(kind.of_type, value, path)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        # A single value stands for a list of one, as everywhere in GraphQL.
        entries = value if isinstance(value, list) else [value]
        return [_read(kind.of_type, entry, path) for entry in entries]
    if isinstance(kind, GraphQLInputObjectType):
        return _read_object(kind, value, path)
    return _read_leaf(kind, value, path)


def _read_object(kind: GraphQLInputObjectType, value: Any, path: str) -> Payload:
    ensure(isinstance(value, dict), f"{path} must be an object")
    types = {name: field.type for name, field in kind.fields.items()}
    unknown = set(value) - set(types)
    ensure(not unknown, f"{path} has no {', '.join(sorted(map(repr, unknown)))}")
    required = {name for name, type_ in types.items() if isinstance(type_, GraphQLNonNull)}
    missing = required - set(value)
    ensure(not missing, f"{path} needs {', '.join(sorted(missing))}")
    return {name: _read(types[name], entry, f"{path}.{name}") for name, entry in value.items()}


def _read_leaf(kind: GraphQLScalarType | GraphQLEnumType, value: Any, path: str) -> Any:
    try:
        return kind.parse_value(value)
    except GraphQLError as error:
        raise GraphQLError(f"{path}: {error.message}") from error
