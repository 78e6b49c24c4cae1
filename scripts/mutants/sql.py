"""Small changes of the SQL inside Python's texts, as an operator of Cosmic Ray.

Much of what jobs and the limiter promise is decided by their database: a lease that has run out, a
record that is done. Changes of Python alone would leave that unmeasured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.operators.operator import Example, Operator

Position = tuple[tuple[int, int], tuple[int, int]]

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|CASE|AND|VALUES)\b")
_CHANGES: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bAND\b", "OR"),
        (r"\bOR\b(?! (REPLACE|IGNORE))", "AND"),
        (r"\bNOT (?=IN\b)", ""),
        (r"\bIS NOT NULL\b", "IS NULL"),
        (r"\bIS NULL\b", "IS NOT NULL"),
        (r"(?<= )>(?= )", ">="),
        (r"(?<= )<(?= )", "<="),
        (r"(?<= )<=(?= )", "<"),
        (r"!=", "="),
        (r"(?<=\w )= 0\b", "= 1"),
        (r"(?<=\w )= 1\b", "= 0"),
        (r"\+ 1\b", "+ 2"),
        (r"- 1\b", "- 2"),
        (r"\bDESC\b", "ASC"),
        (r"\bmax\(", "min("),
    )
]


class SqlReplacer(Operator):  # type: ignore[misc]  # its base is untyped
    """Turns a comparison, an AND, an order or a step inside a statement."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield a position for each change that the text of a node allows."""
        for _ in _changes_of(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with the change of that number."""
        match, replacement = list(_changes_of(node))[index]
        node.value = node.value[: match.start()] + replacement + node.value[match.end() :]
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return what it does, for Cosmic Ray's own tests."""
        return (Example('x = "SELECT a WHERE b > c"', 'x = "SELECT a WHERE b >= c"'),)


class _Provider:
    def __iter__(self) -> Iterator[str]:
        return iter(("SqlReplacer",))

    def __getitem__(self, name: str) -> type[SqlReplacer]:
        return {"SqlReplacer": SqlReplacer}[name]


def register() -> None:
    """Offer the operator to Cosmic Ray, which otherwise knows those of installed packages alone."""
    cosmic_ray.plugins.OPERATOR_PROVIDERS["sql"] = _Provider()


def _changes_of(node: Any) -> Iterator[tuple[re.Match[str], str]]:
    if node.type not in ("string", "fstring_string") or not _SQL.search(node.value):
        return
    for pattern, replacement in _CHANGES:
        for match in pattern.finditer(node.value):
            yield match, replacement
