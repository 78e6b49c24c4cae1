"""Short texts for people: cut to a length, put on one line, counted, listed; and untrusted text,
made safe to stand in a sentence of ours.

A page's title, an account's name or a caption may hold line breaks, invisible characters and words
that look like the rest of a question; a question to the user has to stay ours.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

ELLIPSIS = "..."
# Characters of a title and of an address within a question.
LONGEST_TITLE = 60
LONGEST_URL = 200
# Characters of a question, a message or a line of the log.
LONGEST_SENTENCE = 4_000

# Whatever looks like our quotation mark would seem to end the title.
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u301d-\u301f\uff02]')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks by their category, which nobody sees all the same.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# How many times its length is looked at for a text that is cut: blanks and hidden characters go.
_LOOKED_AT = 8


def truncate(text: str, most: int) -> str:
    """Return a text of at most `most` characters, its last three dots where it was cut."""
    return text if len(text) <= most else text[: most - len(ELLIPSIS)] + ELLIPSIS


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
    # Nearly all texts are such, and a look at each character takes long.
    if text.isascii() and text.isprintable():
        return join_lines(text)
    # Each hidden character may have stood between two words, as a line break does.
    return join_lines(_blank_hidden(text))


def is_hidden(character: str) -> bool:
    """Return whether a character controls the text instead of being seen in it."""
    return unicodedata.category(character) in _HIDDEN or character in _BLANK


def quote_title(text: Any, most: int = LONGEST_TITLE) -> str:
    """Return a title, name or caption in quotation marks that it cannot end by itself."""
    # Cut before the look at each character: a name may be as long as its writer likes.
    title = _QUOTES.sub("'", one_line(str(text)[: _LOOKED_AT * most]))
    return f'"{truncate(title, most)}"'


def clean_sentence(text: str, most: int = LONGEST_SENTENCE) -> str:
    """Return a text of ours that may hold strangers' words: on one line, cut, nothing hidden."""
    return truncate(one_line(text[: _LOOKED_AT * most]), most)


def indent_lines(text: str) -> str:
    """Return a text of several lines, each indented, so that none looks like a line of ours."""
    return "\n".join(f"    {_blank_hidden(line)}" for line in text.split("\n"))


def _blank_hidden(line: str) -> str:
    return "".join(" " if is_hidden(character) else character for character in line)


def show_url(url: Any, most: int = LONGEST_URL) -> str:
    """Return an address that is one word: blanks and hidden characters in their percent form."""
    text = "".join(
        quote(character, safe="") if character.isspace() or is_hidden(character) else character
        # A half of a surrogate pair has no percent form.
        for character in str(url).strip()[: _LOOKED_AT * most].encode("utf-8", "replace").decode()
    )
    return truncate(text, most)


def show_page(url: Any, title: Any = None) -> str:
    """Return a page as a question shows it: the address first, then the title, if there is one."""
    return f"{show_url(url)} ({quote_title(title)})" if title else show_url(url)


def safe_details(value: Any) -> Any:
    """Return the details of a preview with each text on one line, without hidden characters."""
    return change_texts(value, clean_sentence)


def change_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return JSON-ready data with each of its texts changed, names too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [change_texts(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {change_texts(key, change): change_texts(item, change) for key, item in value.items()}


def write_out(text: str) -> None:
    """Print text for people: a terminal that lacks a letter gets the rest, a closed one nothing."""
    stream = sys.stdout
    # None where whoever started this program closed its output.
    if not stream:
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        # The reader has left, as `head` does. At the exit Python would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
