"""How things are named: functions by a participle, values by a word that fits any value.

Words count whole: `_named_targets` begins with a participle, but `known_ids` is no placeholder.
A participle may name a boolean: functions that return `bool` and names that hold one pass.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.measures.source import Function, Module, Place


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


# Participles that are also the verb itself (`read`, `set`, `put`, `bound`) are left out on
# purpose: `read_page` is a command, and nothing in the source tells the two apart.
IRREGULAR = words(
    """
    beaten begun bent bitten blown born borne bought bred broken brought built burnt caught chosen
    clung crept dealt done drawn driven drunk dug eaten fallen fed felt fled flown forbidden
    forgiven forgotten fought found frozen given gone got gotten grown heard held hidden hung kept
    known laid lain learnt led left lent lit lost made meant met paid proven ridden risen rung said
    seen sent sewn shaken shown shrunk slept slid sold sought sped spelt spent spoken spun stolen
    stood struck stuck sung sunk sworn swept swollen taken taught thought thrown told torn
    understood withdrawn withheld woken won worn woven written
    """
)
PREFIXES = ("", "fore", "mis", "out", "over", "re", "un")
NOT_PARTICIPLES = words(
    """
    bed biped bleed breed creed deed ed embed exceed feed greed hatred heed hundred indeed infrared
    kindred med misdeed moped naked need newsfeed overfeed proceed red reed relent reseed sacred
    seed shed shred sled speed steed succeed ted wed weed zed
    """
)
BOOLEAN = re.compile(r"bool|(\w+\.)?(TypeGuard|TypeIs)\[.*\]")
# Words that fit any value, and so say nothing about the one they stand for.
PLACEHOLDERS = words(
    """
    asked begun chosen each found given got granted heard held kept known made meant named said
    seen sent settled shown taken told wanted
    """
)


@dataclass(frozen=True)
class Binding:
    """One place where a name is bound, and whether what it holds is plainly a boolean."""

    name: str
    line: int
    is_boolean: bool


class NameVisitor(ast.NodeVisitor):
    """Collects the functions and the bindings of a module.

    A name counts at every place that binds it: assignments, arguments, loops, comprehensions,
    `with`, `except` and `match`.
    """

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.bindings: list[Binding] = []
        self.booleans: set[ast.expr] = set()

    def bind(self, name: str, line: int, *, is_boolean: bool = False) -> None:
        """Note that a line binds a name."""
        self.bindings.append(Binding(name, line, is_boolean))

    def visit_FunctionDef(self, node: Function) -> None:
        # The names of dunder methods are given, and those of tests are sentences.
        if not node.name.startswith(("__", "test_")):
            self.functions.append(node)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if promises_boolean(node.annotation):
            self.booleans.add(node.target)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        # The targets are visited after this, so that each finds itself in the set.
        if is_boolean_value(node.value):
            self.booleans.update(node.targets)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, node.lineno, is_boolean=node in self.booleans)

    def visit_arg(self, node: ast.arg) -> None:
        # Nobody chose the names `self` and `cls`, and they would only thin out the others.
        if node.arg not in {"self", "cls"}:
            self.bind(node.arg, node.lineno, is_boolean=promises_boolean(node.annotation))

    def visit_ExceptHandler(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        # `except OSError:` and `case _:` bind nothing.
        if node.name:
            self.bind(node.name, node.lineno)
        self.generic_visit(node)

    visit_MatchAs = visit_ExceptHandler  # noqa: N815
    visit_MatchStar = visit_ExceptHandler  # noqa: N815


def list_functions(module: Module) -> list[Function]:
    """Return the functions whose names somebody chose: neither dunder methods nor tests."""
    return visit_names(module).functions


def list_bindings(module: Module) -> list[Binding]:
    """Return the places that bind a name."""
    return visit_names(module).bindings


def visit_names(module: Module) -> NameVisitor:
    """Return the visitor of a module after its visit."""
    visitor = NameVisitor()
    visitor.visit(module.tree)
    return visitor


def promises_boolean(annotation: ast.expr | None) -> bool:
    """Return whether an annotation stands for a truth value, type guards included."""
    if annotation is None:
        return False
    # An annotation may stand in quotes.
    text = ast.unparse(annotation).strip("'")
    return BOOLEAN.fullmatch(text) is not None


def is_boolean_value(value: ast.expr) -> bool:
    """Return whether an expression is a boolean constant, a negation or a comparison."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bool)
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not)
    return isinstance(value, ast.Compare)


def is_participle(word: str) -> bool:
    """Return whether a word is a past participle that differs from its verb."""
    if word in NOT_PARTICIPLES:
        return False
    stems = {word.removeprefix(prefix) for prefix in PREFIXES}
    return word.endswith("ed") or not IRREGULAR.isdisjoint(stems)


def is_participle_function(function: Function) -> bool:
    """Return whether a participle names the function though it returns no boolean."""
    if promises_boolean(function.returns):
        return False
    first_word = function.name.strip("_").split("_")[0]
    return is_participle(first_word)


def is_placeholder(binding: Binding) -> bool:
    """Return whether the name fits any value though it holds no boolean."""
    if binding.is_boolean:
        return False
    return binding.name.strip("_").lower() in PLACEHOLDERS


def list_participles(modules: Iterable[Module]) -> list[Place]:
    """Return the functions whose name begins with a past participle."""
    places: list[Place] = []
    for module in modules:
        functions = filter(is_participle_function, list_functions(module))
        places += [Place(module.path, node.lineno, node.name) for node in functions]
    return places


def list_placeholders(modules: Iterable[Module]) -> list[Place]:
    """Return the bindings whose whole name is a word that fits any value."""
    places: list[Place] = []
    for module in modules:
        bindings = filter(is_placeholder, list_bindings(module))
        places += [Place(module.path, binding.line, binding.name) for binding in bindings]
    return places
