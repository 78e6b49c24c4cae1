"""Credits of a request.

Figures for pages of 100: Archive docs, rate limiting page. Between the cheapest call (5) and a full
page the cost grows with the page size; each relation of an item adds its share up to the documented
page with everything (183).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    value_from_ast_untyped,
)

from server.sandbox.archive.paging import MAX_PAGE_SIZE

CHEAPEST = 5.0
_MUTATION = 55.0
_RECORD_COSTS = {
    "items": 0.55,
    "creators": 0.85,
    "socialProfiles": 0.40,
    "engagementHistory": 0.01,
    "campaigns": 0.05,
    "competitorBrands": 0.55,
    "competitorBrandItems": 0.55,
}
# All six lift a page of 100 items from 60 credits to 183.
_RELATION = 0.205
_RELATIONS = frozenset(
    {
        "aiFilterReasons",
        "creator",
        "currentEngagement",
        "location",
        "socialProfile",
        "transcriptions",
    }
)
_NARROWED_CREATORS = 250.0
_NARROWING = ("customAttributeConditions", "presetId")
_DEFAULT_PAGE = 20

Fragments = dict[str, FragmentDefinitionNode]


def cost(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> float:
    """Return the credits that a validated operation costs."""
    fields = [
        node for node in root_fields(document, operation) if not node.name.value.startswith("__")
    ]
    if operation.operation is OperationType.MUTATION:
        return _MUTATION * len(fields)
    # Defaults count as if the caller had sent them, or a query could hide its page size in one.
    values: dict[str, Any] = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    values |= variables
    fragments = find_fragments(document)
    return sum(_field_cost(fragments, node, values) for node in fields)


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[FieldNode]:
    """Return the fields that an operation asks of Query or Mutation, aliases one by one."""
    return list(_fields(find_fragments(document), operation.selection_set))


def find_fragments(document: DocumentNode) -> Fragments:
    """Return the fragments of a document by their names."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def _fields(fragments: Fragments, selection: SelectionSetNode | None) -> Iterator[FieldNode]:
    """Yield the fields of a selection, those inside fragments included."""
    if selection is None:
        return
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments, fragments[node.name.value].selection_set)
        else:
            yield from _fields(fragments, getattr(node, "selection_set", None))


def _field_cost(fragments: Fragments, node: FieldNode, variables: dict[str, Any]) -> float:
    name = node.name.value
    arguments = {
        argument.name.value: value_from_ast_untyped(argument.value, variables)
        # Versions of graphql-core differ in how they say that there are none.
        for argument in node.arguments or ()
    }
    size = arguments.get("first", _DEFAULT_PAGE)
    if not isinstance(size, int):
        size = _DEFAULT_PAGE
    record_cost = _RECORD_COSTS.get(name, 0.0)
    if name == "items":
        record_cost += _RELATION * len(_RELATIONS & _names_on_records(fragments, node))
    total = CHEAPEST + record_cost * max(0, min(size, MAX_PAGE_SIZE))
    # The API looks at everybody's attributes then, whatever the size of the page.
    if name == "creators" and any(arguments.get(name) for name in _NARROWING):
        total += _NARROWED_CREATORS
    return total


def _names_on_records(fragments: Fragments, node: FieldNode) -> set[str]:
    """Return the fields asked of each record of a connection, whether through nodes or edges."""
    names: set[str] = set()
    for part in _fields(fragments, node.selection_set):
        levels = [part]
        if part.name.value == "edges":
            levels = list(_fields(fragments, part.selection_set))
        for level in levels:
            names.update(field.name.value for field in _fields(fragments, level.selection_set))
    return names
