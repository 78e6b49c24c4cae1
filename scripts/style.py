"""Measure the language of Python source: how things are named and how dense the lines are.

`python -m scripts.style [PATH...]` prints one table with a column for every tree (`server` and
`tools` by default); `python scripts/style.py PATH...` measures any other package the same way.
`--list KIND` prints the places behind a figure. A tree is only read, never imported.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

if not __package__:
    # Run by its path, Python searches the folder of this file instead of the one above.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.measures import density, imports, naming
from scripts.measures.source import Module, Place, Ratio, read_tree, short_path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_TREES = (ROOT / "server", ROOT / "tools")

KINDS: dict[str, Callable[[Iterable[Module]], list[Place]]] = {
    "participles": naming.list_participles,
    "placeholders": naming.list_placeholders,
    "decisions": density.list_dense_functions,
    "lines": density.list_long_lines,
    "comments": density.list_silent_modules,
    "cycles": imports.list_cycles,
}


@dataclass(frozen=True)
class Figures:
    """What one tree measures."""

    participles: Ratio
    placeholders: Ratio
    decisions: Ratio
    long_lines: Ratio
    comments: Ratio
    folder: Path
    folder_modules: int
    statements: int
    nodes: int
    runtime_cycles: int
    type_only_cycles: int


ROWS: dict[str, Callable[[Figures], object]] = {
    "functions named by a participle, %": lambda figures: figures.participles,
    "names that are a placeholder, %": lambda figures: figures.placeholders,
    "decisions per 10 function lines": lambda figures: figures.decisions,
    "lines over 100 characters, %": lambda figures: figures.long_lines,
    "comments per 100 code lines": lambda figures: figures.comments,
    "most modules in one folder": lambda figures: figures.folder_modules,
    "... which is": lambda figures: figures.folder,
    "statements": lambda figures: figures.statements,
    "syntax tree nodes": lambda figures: figures.nodes,
    "runtime import cycles": lambda figures: figures.runtime_cycles,
    "type-only import cycles": lambda figures: figures.type_only_cycles,
}


def measure(modules: Sequence[Module]) -> Figures:
    """Return the figures of the modules of one tree."""
    functions = bindings = lines = 0
    nodes: list[ast.AST] = []
    for module in modules:
        functions += len(naming.list_functions(module))
        bindings += len(naming.list_bindings(module))
        # Blank lines are never too long, and would only make the share look smaller.
        lines += sum(bool(line.strip()) for line in module.lines)
        nodes += ast.walk(module.tree)
    runtime, type_only = imports.find_cycles(modules)
    # A tree of nothing but an `__init__` has no folder that counts.
    folders = density.count_modules(modules).most_common(1) or [(modules[0].path.parent, 0)]
    folder, folder_modules = folders[0]
    return Figures(
        participles=Ratio(len(naming.list_participles(modules)), functions),
        placeholders=Ratio(len(naming.list_placeholders(modules)), bindings),
        decisions=density.measure_decisions(modules),
        long_lines=Ratio(len(density.list_long_lines(modules)), lines),
        comments=density.measure_comments(modules),
        folder=short_path(folder),
        folder_modules=folder_modules,
        statements=sum(isinstance(node, ast.stmt) for node in nodes),
        nodes=len(nodes),
        runtime_cycles=len(runtime),
        type_only_cycles=len(type_only),
    )


def render_table(columns: dict[str, Figures]) -> str:
    """Return a table with one row for every figure and one column for every tree."""
    table = [["", *columns]]
    for label, cell in ROWS.items():
        table.append([label, *(str(cell(figures)) for figures in columns.values())])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines: list[str] = []
    for label, *cells in table:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([label.ljust(widths[0]), *padded]))
    return "\n".join(lines)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the paths and the kind that the command line names."""
    parser = argparse.ArgumentParser(description="Measure the language of Python source.")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a package's folder or a Python file (default: server and tools)",
    )
    parser.add_argument(
        "--list",
        choices=KINDS,
        dest="kind",
        help="print the places behind one figure instead of the table",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or the places of one kind."""
    options = parse_arguments(arguments)
    paths: Sequence[Path] = options.paths or DEFAULT_TREES
    trees = {str(short_path(path.resolve())): read_tree(path) for path in paths}
    if options.kind:
        # Listed over all trees at once, so that a cycle through two of them shows.
        modules = chain.from_iterable(trees.values())
        print(*KINDS[options.kind](modules), sep="\n")
        return
    print(render_table({name: measure(tree) for name, tree in trees.items()}))
    if not options.paths:
        tests = measure(read_tree(ROOT / "tests"))
        print(f"\nmost modules in one folder of tests: {tests.folder_modules} ({tests.folder})")


if __name__ == "__main__":
    main()
