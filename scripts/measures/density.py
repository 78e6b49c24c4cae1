"""How much stands in little space: decisions, long lines, few comments, full folders."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.measures.source import Function, Module, Place, Ratio, line_span

LONGEST_LINE = 100
_DIRECTIVE = re.compile(r"\s+# (noqa|type: ignore)\b.*")
MOST_DECISIONS = 3.0  # in ten lines of function bodies
LEAST_COMMENTS = 4.0  # to a hundred lines of code

BRANCHES = (
    ast.If | ast.IfExp | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.match_case
)
# A comment addressed to a tool tells a reader nothing.
DIRECTIVE = r"-\*-|!|flake8:|fmt:|isort:|mypy:|noqa|nosec|pragma:|pylint:|pyright:|ruff:|type:"
WORDS = re.compile(rf"\s*+(?!{DIRECTIVE}).*\w")


def find_outer_functions(node: ast.AST) -> Iterator[Function]:
    """Yield the functions below a node that stand in no other function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        else:
            yield from find_outer_functions(child)


def count_decisions(node: ast.AST) -> int:
    """Return how many decisions one node adds: `a and b or c` adds two, `with` none."""
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, BRANCHES))


def measure_functions(module: Module) -> Iterator[tuple[Function, Ratio]]:
    """Yield the outer functions with their decisions per ten lines of code in their bodies."""
    # What stands inside a function is part of it, so that no line counts twice.
    for function in find_outer_functions(module.tree):
        decisions = sum(count_decisions(node) for node in ast.walk(function))
        lines = module.code_lines.intersection(line_span(function))
        yield function, Ratio(decisions, len(lines - find_signature_lines(function)), per=10)


def find_signature_lines(function: Function) -> set[int]:
    """Return the numbers of the lines that the signatures in a function have to themselves."""
    # A signature decides nothing, and a long one would make the body look sparse.
    numbers: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, Function):
            numbers.update(range(node.lineno, node.body[0].lineno))
    return numbers


def measure_decisions(modules: Iterable[Module]) -> Ratio:
    """Return the decisions per ten lines over all functions."""
    decisions = 0
    lines = 0
    for module in modules:
        for _, ratio in measure_functions(module):
            decisions += ratio.part
            lines += ratio.whole
    return Ratio(decisions, lines, per=10)


def list_dense_functions(modules: Iterable[Module]) -> list[Place]:
    """Return the functions with more than three decisions per ten lines, the worst first."""
    places: list[tuple[float, Place]] = []
    for module in modules:
        for node, ratio in measure_functions(module):
            # Sorted by the decisions too many: a long function does more harm than a short one.
            excess = ratio.part - MOST_DECISIONS * ratio.whole / 10
            places.append((excess, Place(module.path, node.lineno, f"{node.name} {ratio}")))
    places.sort(key=lambda row: row[0], reverse=True)
    return [place for excess, place in places if excess > 0]


def list_long_lines(modules: Iterable[Module]) -> list[Place]:
    """Return the lines of more than 100 characters.

    A directive of a tool at the end does not count, as it does not for the linter.
    """
    places: list[Place] = []
    for module in modules:
        for number, line in enumerate(module.lines, 1):
            size = len(_DIRECTIVE.sub("", line))
            if size > LONGEST_LINE:
                places.append(Place(module.path, number, f"{size} characters"))
    return places


def measure_comments(modules: Iterable[Module]) -> Ratio:
    """Return the comments per hundred lines of code, a comment of two lines counted twice."""
    comments = 0
    code_lines = 0
    for module in modules:
        comments += sum(speaks_to_readers(token.string) for token in module.comments)
        code_lines += len(module.code_lines)
    return Ratio(comments, code_lines)


def speaks_to_readers(comment: str) -> bool:
    """Return whether a comment says more than a directive to a tool or a ruled line."""
    # A directive may be followed by its reason: a second comment on the same line.
    parts = comment.split("#")
    return any(WORDS.match(part) for part in parts)


def list_silent_modules(modules: Iterable[Module]) -> list[Place]:
    """Return the modules with less than four comments per hundred lines, the worst first."""
    places: list[tuple[float, Place]] = []
    for module in modules:
        ratio = measure_comments([module])
        lack = LEAST_COMMENTS * ratio.whole / 100 - ratio.part
        places.append((lack, Place(module.path, 1, f"{ratio} comments")))
    places.sort(key=lambda row: row[0], reverse=True)
    return [place for lack, place in places if lack > 0]


def count_modules(modules: Iterable[Module]) -> Counter[Path]:
    """Return how many modules each folder holds, `__init__` not counted."""
    files = [module.path for module in modules]
    return Counter(file.parent for file in files if file.stem != "__init__")
