"""Who imports whom, and the cycles in it.

A cycle is a set of modules that all reach one another. It is a runtime cycle where the imports that
run while modules load suffice for it, and a type-only one where it takes those under
`if TYPE_CHECKING` or inside functions, which run later or never.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.measures.source import Function, Module, Place

TYPE_CHECKING_TEST = re.compile(r"(not )?(\w+\.)?TYPE_CHECKING")


@dataclass(frozen=True)
class Import:
    """One import: the names it may stand for, the likeliest first, and when it runs."""

    names: tuple[str, ...]
    line: int
    is_deferred: bool


@dataclass(frozen=True)
class Edge:
    """One module imports another."""

    importer: str
    imported: str
    path: Path
    line: int
    is_deferred: bool


@dataclass(frozen=True)
class Cycle:
    """Modules that import one another, with the imports among them."""

    modules: frozenset[str]
    edges: tuple[Edge, ...]


class ImportVisitor(ast.NodeVisitor):
    """Collects what a module imports and whether that waits until the module is loaded."""

    def __init__(self, module: Module) -> None:
        self.package = module.name.split(".")
        # Relative imports count from the package, which an `__init__` is itself.
        if module.path.stem != "__init__":
            self.package.pop()
        self.is_deferred = False
        self.imports: list[Import] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(ancestors(alias.name), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.package[: len(self.package) - node.level + 1] if node.level else []
        source = ".".join([*base, *filter(None, [node.module])])
        for alias in node.names:
            # `from x import y` imports the module `x.y` where there is one, else a name of `x`.
            self.add([f"{source}.{alias.name}", source], node)

    def visit_FunctionDef(self, node: Function) -> None:
        self.visit_deferred(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_If(self, node: ast.If) -> None:
        test = TYPE_CHECKING_TEST.fullmatch(ast.unparse(node.test))
        if test is None:
            self.generic_visit(node)
            return
        blocks = [node.body, node.orelse]
        if test[1]:
            blocks.reverse()
        self.visit_deferred(blocks[0])
        for statement in blocks[1]:
            self.visit(statement)

    def visit_deferred(self, body: list[ast.stmt]) -> None:
        """Visit statements that do not run while the module loads."""
        before, self.is_deferred = self.is_deferred, True
        for statement in body:
            self.visit(statement)
        self.is_deferred = before

    def add(self, names: list[str], node: ast.stmt) -> None:
        """Note an import that stands for the first of the names that is a module."""
        self.imports.append(Import(tuple(names), node.lineno, self.is_deferred))


def ancestors(name: str) -> list[str]:
    """Return a dotted name and the packages around it, the longest first."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def find_edges(modules: Iterable[Module]) -> list[Edge]:
    """Return the imports between the modules, those of anything else left out."""
    by_name = {module.name: module for module in modules}
    edges: list[Edge] = []
    for module in by_name.values():
        visitor = ImportVisitor(module)
        visitor.visit(module.tree)
        for row in visitor.imports:
            target = next((name for name in row.names if name in by_name), module.name)
            if target != module.name:
                edges.append(Edge(module.name, target, module.path, row.line, row.is_deferred))
    # `from x import a, b` is one import, though it names two.
    return list(dict.fromkeys(edges))


def find_cycles(modules: Iterable[Module]) -> tuple[list[Cycle], list[Cycle]]:
    """Return the runtime cycles and the type-only cycles among the modules."""
    edges = find_edges(modules)
    runtime = find_components(edge for edge in edges if not edge.is_deferred)
    # Types may widen a runtime cycle: the wider one is listed as well.
    type_only = find_components(edges) - runtime
    return make_cycles(runtime, edges), make_cycles(type_only, edges)


def find_components(edges: Iterable[Edge]) -> set[frozenset[str]]:
    """Return the largest sets of modules that all reach one another."""
    graph: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        graph[edge.importer].add(edge.imported)
    reach = {name: find_reachable(name, graph) for name in graph}
    components: set[frozenset[str]] = set()
    for name, targets in reach.items():
        # A module that reaches itself is in a cycle with whatever also leads back to it.
        peers = [peer for peer in targets if name in reach.get(peer, ())]
        components.add(frozenset(peers))
    # Modules in no cycle have no peers, not even themselves.
    return components - {frozenset()}


def find_reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Return the modules that imports lead to, the start only where they lead back to it."""
    reachable: set[str] = set()
    waiting = [start]
    while waiting:
        targets = graph.get(waiting.pop(), set()) - reachable
        reachable |= targets
        waiting += targets
    return reachable


def make_cycles(components: Iterable[frozenset[str]], edges: Iterable[Edge]) -> list[Cycle]:
    """Return the cycles in order of their modules, with the imports that run inside them."""
    cycles: list[Cycle] = []
    for modules in sorted(components, key=sorted):
        inner = [edge for edge in edges if {edge.importer, edge.imported} <= modules]
        cycles.append(Cycle(modules, tuple(inner)))
    return cycles


def list_cycles(modules: Iterable[Module]) -> list[Place]:
    """Return the imports that make up the cycles, with the kind and the number of each cycle."""
    runtime, type_only = find_cycles(modules)
    return [*describe_cycles(runtime, "runtime"), *describe_cycles(type_only, "type-only")]


def describe_cycles(cycles: Iterable[Cycle], kind: str) -> list[Place]:
    """Return the imports inside the cycles of one kind."""
    places: list[Place] = []
    for number, cycle in enumerate(cycles, 1):
        head = f"{kind} cycle {number}, {len(cycle.modules)} modules"
        for edge in cycle.edges:
            # Only a deferred import can be dropped without breaking what runs at load.
            when = "deferred" if edge.is_deferred else "at load"
            name = f"{edge.importer} -> {edge.imported} ({head}, {when})"
            places.append(Place(edge.path, edge.line, name))
    return places
