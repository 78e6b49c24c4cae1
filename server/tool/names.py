"""Matching what a person typed against ids and names: one rule for everything that has a name.

An id counts first, then the exact name, then the name without regard to case, accents, Unicode form
and blanks, then a part of the name. The best kind that fits anything decides. The closest name is
only ever suggested, never used: a typo must not choose what is changed.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import filterfalse
from typing import Any, TypeVar

from server.errors import Code, Failure

T = TypeVar("T")

# Likeness, from 0 to 1, from which on a name may be what was meant.
_CLOSE = 0.6
# The same for identifiers, half of which is the share of the words that both have.
_CLOSE_IDENTIFIER = 0.55
_MOST_CANDIDATES = 10


def normalise(text: str) -> str:
    """Return a name as it is compared: no case, no accents, single blanks."""
    # Decomposed, accents are characters of their own and full-width letters plain ones.
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(filterfalse(unicodedata.combining, decomposed))
    # Folding case may compose anew, for example of a Turkish dotted capital I.
    return " ".join(unicodedata.normalize("NFKC", plain.casefold()).split())


def closest_match(text: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like a text; None where none is close."""
    by_key = {normalise(name): name for name in names}
    matches = difflib.get_close_matches(normalise(text), by_key, n=1, cutoff=_CLOSE)
    if not matches:
        return None
    return by_key[matches[0]]


def closest_identifier(text: str, names: Iterable[str]) -> str | None:
    """Return the identifier that is most like a text, by spelling and by the words that both have;
    of equals the first, None where none is close."""
    weights = {name: _weigh(text.casefold(), name) for name in names}
    best = max(weights, key=lambda name: weights[name], default=None)
    if best is None or weights[best] < _CLOSE_IDENTIFIER:
        return None
    return best


def _weigh(text: str, name: str) -> float:
    """Return how much an identifier is like a text, from 0 to 1."""
    words, others = set(text.split("_")), set(name.split("_"))
    # Spelling alone favours names that are long or share a prefix, whatever they do.
    shared = len(words & others) / len(words | others)
    return (shared + difflib.SequenceMatcher(None, text, name).ratio()) / 2


def suggest(text: str, names: Iterable[str]) -> str:
    """Return a suggestion in words, or nothing: ` Did you mean `first`?`."""
    name = closest_match(text, names)
    if name is None:
        return ""
    return f" Did you mean `{name}`?"


def find_matches(
    text: str,
    entries: Sequence[T],
    *,
    name: Callable[[T], str],
    identity: Callable[[T], str],
    partial: bool = True,
) -> list[T]:
    """Return what fits best: more than one where the text is ambiguous.

    Args:
        partial: whether a part of a name will do; not for what deletes or empties.
    """

    def select(fits: Callable[[T], bool]) -> list[T]:
        return [entry for entry in entries if fits(entry)]

    text = text.strip()
    key = normalise(text)
    # Something may be named like another one's id: then neither is meant more than the other.
    exact = select(lambda entry: text in (identity(entry), name(entry)))
    if exact:
        return exact
    same = select(lambda entry: normalise(name(entry)) == key)
    # Nothing but blanks would be a part of every name.
    if same or not partial or not key:
        return same
    return select(lambda entry: key in normalise(name(entry)))


def match_one(
    text: str,
    entries: Sequence[T],
    *,
    kind: str,
    name: Callable[[T], str],
    identity: Callable[[T], str],
    remedy: str,
    partial: bool = True,
    code: Code = Code.NOT_FOUND,
    **details: Any,
) -> T:
    """Return the one entry that a text means.

    Args:
        kind: what the entries are, in the singular: `workspace`.
        remedy: the hint where nothing fits.
        code: the failure's code where nothing fits.
        details: more details of that failure.

    Raises:
        Failure: nothing fits, with the closest name; `AMBIGUOUS` with the candidates.
    """
    matches = find_matches(text, entries, name=name, identity=identity, partial=partial)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        near = suggest(text, map(name, entries))
        raise Failure(code, f"There is no {kind} {text!r}.{near}", remedy, **details)
    visible = matches[:_MOST_CANDIDATES]
    raise Failure(
        Code.AMBIGUOUS,
        f"{len(matches)} {kind}s fit {text!r}.",
        "Repeat the call with one of these names in full, or with its id.",
        candidates=[{"id": identity(entry), "name": name(entry)} for entry in visible],
    )
