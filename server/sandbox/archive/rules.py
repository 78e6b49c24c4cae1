"""Validation with the API's own error codes.

Codes: Archive docs, error handling. Where that page has no code for a mistake, the error carries
none.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    SelectionSetNode,
    specified_rules,
)

from server.sandbox.archive.costs import Fragments, find_fragments

_CODES = {
    "FieldsOnCorrectTypeRule": "undefinedField",
    "ValuesOfCorrectTypeRule": "argumentLiteralsIncompatible",
    "ProvidedRequiredArgumentsRule": "missingRequiredArguments",
}
_INTROSPECTION = frozenset({"__schema", "__type"})


def _add_code(rule: type[ASTValidationRule]) -> type[ASTValidationRule]:
    """Return the rule with the API's code on its errors, if the API has one for it."""
    code = _CODES.get(rule.__name__)
    if code is None:
        return rule

    class RuleWithCode(rule):  # type: ignore[valid-type, misc]  # a base known only at run time
        def report_error(self, error: GraphQLError) -> None:
            # A scalar's own code is more precise than the rule's.
            error.extensions = error.extensions or {"code": code}
            super().report_error(error)

    return RuleWithCode


class NoIntrospection(ASTValidationRule):
    """Hides the schema (Archive docs: introspection), as if its fields did not exist."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Refuse `__schema` and `__type`; `__typename` stays."""
        if node.name.value in _INTROSPECTION:
            message = f"Field '{node.name.value}' doesn't exist on type 'Query'"
            self.report_error(GraphQLError(message, node, extensions={"code": "undefinedField"}))


RULES: list[type[ASTValidationRule]] = [NoIntrospection, *map(_add_code, specified_rules)]


def depth(document: DocumentNode) -> int:
    """Return how many fields deep a valid document goes, leaves included and fragments followed."""
    fragments = find_fragments(document)
    deepest = 0
    for definition in document.definitions:
        # Fragments are reached through the operations that spread them.
        if not isinstance(definition, FragmentDefinitionNode):
            selection = getattr(definition, "selection_set", None)
            deepest = max(deepest, _depth_below(fragments, selection))
    return deepest


def _depth_below(fragments: Fragments, selection: SelectionSetNode | None) -> int:
    if selection is None:
        return 0
    deepest = 0
    for node in selection.selections:
        holder = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        # Only a field is a level of its own, a fragment stands beside what surrounds it.
        below = _depth_below(fragments, getattr(holder, "selection_set", None))
        deepest = max(deepest, below + isinstance(node, FieldNode))
    return deepest
