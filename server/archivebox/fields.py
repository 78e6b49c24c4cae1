"""The fields of records in lists: which there are, and which of them an answer shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import itemgetter, methodcaller
from typing import Any, ClassVar

from server.errors import Code, Failure
from server.tool.names import suggest

Json = dict[str, Any]
_DEFAULTS = "*"


class Shape:
    """Base of the kinds of records: `fields` are the names that some version has, with blanks,
    `inner` those of the records inside of them."""

    fields: ClassVar[str] = ""
    inner: ClassVar[dict[str, type[Shape]]] = {}


def check_fields(paths: Sequence[str] | None, shape: type[Shape]) -> None:
    """Refuse paths that no version has; `*` stands for what is shown without them.

    Raises:
        Failure: `INVALID_ARGUMENT`, with the nearest field that exists.
    """
    for path in filter(_DEFAULTS.__ne__, paths or ()):
        _check_path(path, shape)


def select_fields(record: Json, paths: Sequence[str] | None) -> Json:
    """Return the fields at these paths, null where the record lacks them; all without paths."""
    if not paths:
        return record
    tree: Json = {}
    for path in filter(_DEFAULTS.__ne__, paths):
        branch = tree
        for step in path.split("."):
            branch = branch.setdefault(step, {})
    selected = {name: _cut(record.get(name), branch) for name, branch in tree.items()}
    return {**record, **selected} if _DEFAULTS in paths else selected


def has_path(paths: Sequence[str] | None, names: Sequence[str]) -> bool:
    """Return whether one of the paths leads into one of these fields."""
    steps = map(methodcaller("split", "."), paths or ())
    return not set(names).isdisjoint(map(itemgetter(0), steps))


def _check_path(path: str, shape: type[Shape]) -> None:
    name, _, rest = path.partition(".")
    names = shape.fields.split()
    if name not in names:
        hint = suggest(name, names).strip() or f"The fields are {', '.join(names)}."
        raise Failure(Code.INVALID_ARGUMENT, f"`fields`: {path!r} does not exist.", hint)
    # What lies deeper in other fields, such as settings, has no fixed names.
    if rest and name in shape.inner:
        _check_path(rest, shape.inner[name])


def _cut(value: Any, tree: Json) -> Any:
    """Return a value with nothing but the branches of a tree; without any it stays whole."""
    if not tree:
        return value
    if isinstance(value, list):
        return list(map(partial(_cut, tree=tree), value))
    record = value if isinstance(value, dict) else {}
    return {name: _cut(record.get(name), branch) for name, branch in tree.items()}
