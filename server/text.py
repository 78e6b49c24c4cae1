"""Short texts for people: cut to a length, put on one line, counted, listed; and text of
strangers, made safe to stand in a sentence of ours.

A page's title, an account's name or a caption may hold line breaks, invisible characters and words
that look like the rest of a question; a question to the user has to stay ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

_ELLIPSIS = "..."
# Characters of a title and of an address within a question.
LONGEST_TITLE = 60
LONGEST_URL = 200

# Whatever looks like our quotation mark would seem to end the title.
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u301d-\u301f\uff02]')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


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


def one_line(text: str) -> str:
    """Return the text on one line, without control, bidirectional and invisible characters."""
    # Each hidden character may have stood between two words, as a line break does.
    visible = "".join(" " if is_hidden(character) else character for character in text)
    return " ".join(visible.split())


def is_hidden(character: str) -> bool:
    """Return whether a character controls the text instead of being seen in it."""
    return unicodedata.category(character) in _HIDDEN


def quote_title(text: Any, most: int = LONGEST_TITLE) -> str:
    """Return a title, name or caption in quotation marks that it cannot end by itself."""
    title = _QUOTES.sub("'", one_line(str(text)))
    return f'"{truncate(title, most)}"'


def show_url(url: Any, most: int = LONGEST_URL) -> str:
    """Return an address that is one word: blanks and hidden characters in their percent form."""
    text = "".join(
        quote(character, safe="") if character.isspace() or is_hidden(character) else character
        # A half of a surrogate pair has no percent form.
        for character in str(url).strip().encode("utf-8", "replace").decode()
    )
    return truncate(text, most)


def show_page(url: Any, title: Any = None) -> str:
    """Return a page as a question shows it: the address first, then the title, if there is one."""
    return f"{show_url(url)} ({quote_title(title)})" if title else show_url(url)


def safe_details(value: Any) -> Any:
    """Return the details of a preview with each text on one line, without hidden characters."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {key: safe_details(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe_details(item) for item in value]
    return value
