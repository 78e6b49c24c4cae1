"""Which of the mutants that Cosmic Ray can make are worth a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cosmic_ray.ast import get_ast_from_path
from cosmic_ray.commands import init
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

from scripts.mutants.configuration import ROOT, Configuration, Module

_BINARY = {"arith_expr", "term", "expr", "xor_expr", "and_expr", "shift_expr", "power"}


def list_mutants(module: Module, configuration: Configuration) -> list[WorkItem]:
    """Return the mutants of a module that could change what it does."""
    with use_db(":memory:", WorkDB.Mode.create) as database:
        init([ROOT / module.path], database, {})
        items: tuple[WorkItem, ...] = database.work_items
    tree = get_ast_from_path(ROOT / module.path)
    lines = (ROOT / module.path).read_text(encoding="utf-8").splitlines()
    return [
        item for item in items if _is_worth_a_run(item.mutations[0], tree, lines, configuration)
    ]


def _is_worth_a_run(
    mutation: MutationSpec, tree: Any, lines: Sequence[str], configuration: Configuration
) -> bool:
    name = mutation.operator_name.partition("/")[2]
    if not configuration.operators.fullmatch(name):
        return False
    line = lines[mutation.start_pos[0] - 1]
    if any(
        operator.fullmatch(name) and text.search(line) for operator, text in configuration.excluded
    ):
        return False
    leaf = tree.get_leaf_for_position(mutation.start_pos)
    if _in_protocol(leaf):
        return False
    if name == "ExceptionReplacer":
        # Cosmic Ray cannot replace a dotted name (`sqlite3.Error`).
        return leaf.parent.type not in ("power", "atom_expr")
    if name.startswith("ReplaceBinaryOperator"):
        # Cosmic Ray also takes the bare `*` of a parameter list, `**` before a mapping and the `|`
        # of an annotation for operators.
        return leaf.parent.type in _BINARY and not _in_annotation(leaf)
    return True


def _in_protocol(node: Any) -> bool:
    # What only the type checker compares: nothing of it runs, its implementations have the defaults
    # that count.
    while node := node.parent:
        if node.type == "classdef":
            bases = "".join(child.get_code() for child in node.children[2:-1])
            return re.search(r"\bProtocol\b", bases) is not None
    return False


def _in_annotation(node: Any) -> bool:
    while parent := node.parent:
        if parent.type == "tfpdef":
            return True
        if parent.type == "annassign" and parent.children[1] is node:
            return True
        if parent.type == "funcdef" and parent.annotation is node:
            return True
        node = parent
    return False
