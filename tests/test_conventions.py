"""The language of the code stays within fixed figures; every failure lists where to mend it.

`python -m scripts.style` prints the same figures, and `--list KIND` all the places.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from scripts.measures import density, imports, naming
from scripts.measures.source import Module, Place, read_tree, short_path
from scripts.style import Figures, measure

ROOT = Path(__file__).parents[1]
TREES = ("server", "tools")
# What the project ships, the launcher included.
PRODUCT = ("archive_mcp.py", "server", "tools", "prompts")
EVERYTHING = (*PRODUCT, "scripts", "tests")

MOST_PARTICIPLES = 4.0
MOST_PLACEHOLDERS = 2.0
MOST_MODULES = 15
MOST_TYPE_ONLY_CYCLES = 0
MOST_OFFENDERS = 30
# What each tree has reached on its way to `density.MOST_DECISIONS`: it only ever gets better.
MOST_DECISIONS = {"server": 3.0, "tools": 3.1}


@cache
def modules_of(name: str) -> list[Module]:
    """Return the modules of one of the top folders, or the launcher."""
    return read_tree(ROOT / name)


@cache
def figures_of(name: str) -> Figures:
    """Return what one of the top folders measures."""
    return measure(modules_of(name))


def all_modules(names: Iterable[str]) -> list[Module]:
    """Return the modules of several top folders as one list."""
    return [module for name in names for module in modules_of(name)]


def report(headline: str, offenders: Iterable[object]) -> str:
    """Return the message of a failure: what is wrong, and the first thirty places."""
    lines = [str(offender) for offender in offenders]
    rest = len(lines) - MOST_OFFENDERS
    if rest > 0:
        lines[MOST_OFFENDERS:] = [f"... and {rest} more"]
    return "\n".join([headline, *lines])


@pytest.mark.parametrize("name", TREES)
def test_functions_are_named_by_verbs_not_by_participles(name: str) -> None:
    share = figures_of(name).participles
    offenders = naming.list_participles(modules_of(name))
    assert share.value < MOST_PARTICIPLES, report(f"{share} % in {name}", offenders)


@pytest.mark.parametrize("name", TREES)
def test_values_are_named_after_what_they_hold(name: str) -> None:
    share = figures_of(name).placeholders
    offenders = naming.list_placeholders(modules_of(name))
    assert share.value < MOST_PLACEHOLDERS, report(f"{share} % in {name}", offenders)


@pytest.mark.parametrize("name", TREES)
def test_comments_give_reasons_often_enough(name: str) -> None:
    rate = figures_of(name).comments
    offenders = density.list_silent_modules(modules_of(name))
    headline = f"{rate} comments per 100 code lines in {name}"
    assert rate.value >= density.LEAST_COMMENTS, report(headline, offenders)


@pytest.mark.parametrize("name", TREES)
def test_a_line_decides_little(name: str) -> None:
    rate = figures_of(name).decisions
    offenders = density.list_dense_functions(modules_of(name))
    headline = f"{rate} decisions per 10 function lines in {name}"
    assert rate.value <= MOST_DECISIONS[name], report(headline, offenders)


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_line_is_over_a_hundred_characters(name: str) -> None:
    offenders = density.list_long_lines(modules_of(name))
    assert not offenders, report(f"{len(offenders)} lines in {name}", offenders)


def test_no_folder_has_more_than_fifteen_modules() -> None:
    counts = density.count_modules(all_modules(EVERYTHING)).most_common()
    offenders = [
        f"{short_path(folder)}: {count} modules" for folder, count in counts if count > MOST_MODULES
    ]
    assert not offenders, report(f"{len(offenders)} folders", offenders)


def test_no_modules_import_one_another_while_they_load() -> None:
    runtime, _ = imports.find_cycles(all_modules(PRODUCT))
    offenders = imports.describe_cycles(runtime, "runtime")
    assert not runtime, report(f"{len(runtime)} runtime cycles", offenders)


def test_no_modules_know_one_another_by_type() -> None:
    _, type_only = imports.find_cycles(all_modules(PRODUCT))
    # The deferred imports are those that can go: what runs at load forms no cycle by itself.
    offenders = [
        Place(edge.path, edge.line, f"{edge.importer} -> {edge.imported} (cycle {number})")
        for number, cycle in enumerate(type_only, 1)
        for edge in cycle.edges
        if edge.is_deferred
    ]
    headline = f"{len(type_only)} type-only cycles"
    assert len(type_only) <= MOST_TYPE_ONLY_CYCLES, report(headline, offenders)
