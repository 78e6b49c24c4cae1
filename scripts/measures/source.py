"""Source files as the measures see them: text, lines, comments and the syntax tree."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A spot in the source, with the name or the figure that it stands for."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{short_path(self.path)}:{self.line} {self.name}"


@dataclass(frozen=True)
class Ratio:
    """How many of a whole, counted per hundred unless `per` says otherwise."""

    part: int
    whole: int
    per: int = 100

    @property
    def value(self) -> float:
        """Return the rate, 0 where the whole is empty."""
        if not self.whole:
            return 0.0
        return self.per * self.part / self.whole

    def __str__(self) -> str:
        return f"{self.value:.1f} ({self.part}/{self.whole})"


@dataclass(frozen=True)
class Module:
    """One source file: its path, the dotted name it is imported by, and its text."""

    path: Path
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines without their ends."""
        # Only this end counts: `splitlines` also splits at separators inside a string.
        return self.text.removesuffix("\n").split("\n")

    @cached_property
    def comments(self) -> list[tokenize.TokenInfo]:
        """Return the comments in order, those addressed to tools included."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [token for token in tokens if token.type == tokenize.COMMENT]

    @cached_property
    def code_lines(self) -> set[int]:
        """Return the numbers of the lines that are not blank, comment or docstring."""
        numbers: set[int] = set()
        # Where a comment has the line to itself, nothing but the comment is stripped off.
        own_line = {token.start[0]: token.string.strip() for token in self.comments}
        for number, line in enumerate(self.lines, 1):
            if line.strip() != own_line.get(number, ""):
                numbers.add(number)
        return numbers - docstring_lines(self.tree)


def read_tree(path: Path) -> list[Module]:
    """Return the modules below a folder, or the one in a file.

    Raises `FileNotFoundError` where there is no Python source, `SyntaxError` where it is broken.
    """
    path = path.resolve()
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"no Python file below {path}")
    root = path.parent
    # Names start below the folder that Python searches: the first one above that is no package.
    while (root / "__init__.py").exists():
        root = root.parent
    return [Module(file, module_name(file.relative_to(root)), read_text(file)) for file in files]


def read_text(path: Path) -> str:
    """Return the text of a source file, decoded as its first lines declare."""
    with tokenize.open(path) as stream:
        return stream.read()


def module_name(path: Path) -> str:
    """Return the dotted name of the module at a path relative to the search path."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def short_path(path: Path) -> Path:
    """Return the path from the working folder where it lies below, else the path itself."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def docstring_lines(tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that the docstrings of a module occupy."""
    numbers: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, Function)):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            numbers.update(line_span(node.body[0]))
    return numbers


def line_span(node: ast.stmt) -> range:
    """Return the numbers of the lines from the first to the last of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
