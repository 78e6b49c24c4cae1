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

LEAST = 5.0
_MUTATION = 55.0
_EACH = {
    "items": 0.55,
    "creators": 0.85,
    "socialProfiles": 0.40,
    "engagementHistory": 0.01,
    "campaigns": 0.05,
    "competitorBrands": 0.55,
    "competitorBrandItems": 0.55,
}
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
_DEFAULT_PAGE, _MOST = 20, 100


def cost(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> float:
    """Credits that a validated operation costs."""
    fields = [
        node for node in root_fields(document, operation) if not node.name.value.startswith("__")
    ]
    if operation.operation is OperationType.MUTATION:
        return _MUTATION * len(fields)
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return sum(_of_field(document, node, {**defaults, **variables}) for node in fields)


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[FieldNode]:
    """The fields that an operation asks of Query or Mutation, aliases counted one by one."""
    return list(_fields(_fragments(document), operation.selection_set))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _fields(
    fragments: dict[str, FragmentDefinitionNode], selection: SelectionSetNode | None
) -> Iterator[FieldNode]:
    for node in selection.selections if selection else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments, fragments[node.name.value].selection_set)
        else:
            yield from _fields(fragments, getattr(node, "selection_set", None))


def _of_field(document: DocumentNode, node: FieldNode, variables: Mapping[str, Any]) -> float:
    name = node.name.value
    arguments = {
        a.name.value: value_from_ast_untyped(a.value, dict(variables)) for a in node.arguments or ()
    }
    first = arguments.get("first", _DEFAULT_PAGE)
    size = max(0, min(first, _MOST)) if isinstance(first, int) else _DEFAULT_PAGE
    each = _EACH.get(name, 0.0)
    if name == "items":
        each += _RELATION * len(_RELATIONS & _names_on_records(document, node))
    narrowed = name == "creators" and any(
        arguments.get(a) for a in ("customAttributeConditions", "presetId")
    )
    return LEAST + each * size + (_NARROWED_CREATORS if narrowed else 0.0)


def _names_on_records(document: DocumentNode, node: FieldNode) -> set[str]:
    """Names of the fields asked of each record of a connection, whether through nodes or edges."""
    fragments = _fragments(document)
    names: set[str] = set()
    for part in _fields(fragments, node.selection_set):
        inner = list(_fields(fragments, part.selection_set))
        if part.name.value == "edges":
            inner = [deep for edge in inner for deep in _fields(fragments, edge.selection_set)]
        names.update(field.name.value for field in inner)
    return names
