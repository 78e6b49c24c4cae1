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

_CODES = {
    "FieldsOnCorrectTypeRule": "undefinedField",
    "ValuesOfCorrectTypeRule": "argumentLiteralsIncompatible",
    "ProvidedRequiredArgumentsRule": "missingRequiredArguments",
}
_INTROSPECTION = frozenset({"__schema", "__type"})


def _with_code(rule: type[ASTValidationRule], code: str) -> type[ASTValidationRule]:
    class Coded(rule):  # type: ignore[valid-type, misc]  # a base known only at run time
        def report_error(self, error: GraphQLError) -> None:
            # A scalar's own code is more precise than the rule's.
            error.extensions = error.extensions or {"code": code}
            super().report_error(error)

    return Coded


class NoIntrospection(ASTValidationRule):
    """The schema cannot be asked for (Archive docs: introspection); its fields are answered as if
    there were none."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Refuse `__schema` and `__type`; `__typename` stays."""
        if node.name.value in _INTROSPECTION:
            message = f"Field '{node.name.value}' doesn't exist on type 'Query'"
            self.report_error(GraphQLError(message, node, extensions={"code": "undefinedField"}))


RULES: list[type[ASTValidationRule]] = [
    NoIntrospection,
    *(
        _with_code(rule, _CODES[rule.__name__]) if rule.__name__ in _CODES else rule
        for rule in specified_rules
    ),
]


def depth(document: DocumentNode) -> int:
    """How many fields deep a valid document goes, leaves included and fragments followed."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }

    def below(selection: SelectionSetNode | None) -> int:
        if selection is None:
            return 0
        deepest = 0
        for node in selection.selections:
            if isinstance(node, FragmentSpreadNode):
                found = below(fragments[node.name.value].selection_set)
            else:
                # All other nodes have one.
                found = below(node.selection_set) + isinstance(node, FieldNode)  # type: ignore[attr-defined]
            deepest = max(deepest, found)
        return deepest

    # Fragments are reached through the operations that spread them.
    operations = [d for d in document.definitions if not isinstance(d, FragmentDefinitionNode)]
    return max((below(getattr(d, "selection_set", None)) for d in operations), default=0)
