"""Mends values that a client split at blanks, inside quotation marks too, as Claude Code does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_MARKS = '"“”„«»'
_WORD = re.compile(rf"[{_MARKS}]([^{_MARKS}]*)[{_MARKS}]|(\S+)")


def is_split(values: Mapping[str, str]) -> bool:
    """Return whether a quotation mark opens or ends a value that does not have the other one."""
    return any((value[0] in _MARKS) != (value[-1] in _MARKS) for value in values.values() if value)


def strip_quotes(value: str) -> str:
    """Return a value without the quotation marks around it."""
    if len(value) > 1 and value[0] in _MARKS and value[-1] in _MARKS:
        return value[1:-1].strip()
    return value


def rejoin(values: Mapping[str, str], names: Sequence[str]) -> dict[str, str] | None:
    """Return the values as they were entered: parts of one put together, the rest moved up.

    Args:
        names: the arguments in the order in which a client fills them.

    Returns:
        None where that cannot be told: a quotation mark has no other, or a value is left over.
    """
    parts = [values[name] for name in names if name in values]
    text = " ".join(parts)
    if sum(text.count(mark) for mark in _MARKS) % 2:
        return None
    words = [match[1] if match[1] is not None else match[2] for match in _WORD.finditer(text)]
    if len(words) > len(names) or any(mark in word for word in words for mark in _MARKS):
        return None
    return dict(zip(names, words, strict=False))
