"""Short texts for people: cut to a length, put on one line, counted, listed."""

from __future__ import annotations

from collections.abc import Sequence

_ELLIPSIS = "..."


def truncate(text: str, most: int) -> str:
    """Return a text of at most `most` characters, its last three dots where it was cut."""
    return text if len(text) <= most else text[: most - len(_ELLIPSIS)] + _ELLIPSIS


def truncate_line(text: str, most: int) -> str:
    """Return a text on one line of at most `most` characters."""
    return truncate(join_lines(text), most)


def join_lines(text: str) -> str:
    """Return a text on one line, its blanks made single."""
    return " ".join(text.split())


def count_noun(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 item`, `2,000 items`.

    Args:
        count: The number.
        noun: What is counted, in the singular.
        plural: Its plural, where an `s` does not make it.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def join_first(names: Sequence[str], most: int) -> str:
    """Return the first `most` names and how many more there are: `a, b, 3 more`."""
    rest = len(names) - most
    return ", ".join([*names[:most], *([f"{rest} more"] if rest > 0 else [])])
