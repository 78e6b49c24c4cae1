"""Finding tools by what they do, for clients that list only the few tools that reach all others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain

from server.text import join_lines
from server.tool.catalog import Entry

# What a word counts, by where it stands; where it stands several times, the heaviest place counts.
_WEIGHTS = {"name": 4.0, "title": 3.0, "toolset": 2.0, "description": 1.5, "arguments": 0.7}
# Letters that two words must share from the start to count as forms of one.
_SAME_START = 4
_NOT_THE_SAME = 0.6
# At least two letters stay before the ending: `ties` is not the plural of `ty`.
_PLURAL_IES = re.compile(r"(?<=..)ies$")
# `access` is no plural, and neither is a word as short as `gas`.
_PLURAL_S = re.compile(r"(?<=..[^s])s$")
# Words of a question, not of a task; `get` is in so many names that it tells no tool apart.
_STOP = frozenset(
    {
        "a",
        "an",
        "and",
        "are",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "get",
        "give",
        "how",
        "i",
        "in",
        "into",
        "is",
        "it",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "that",
        "the",
        "to",
        "what",
        "which",
        "who",
    }
)


def rank(entries: Iterable[Entry], query: str) -> list[Entry]:
    """Return the tools that share words with the query, best first; equals in the listing's order.

    One whose name or title the query is comes before all others.
    """
    exact = query.strip().casefold()
    entries = list(entries)
    weights_by_entry = list(map(_weigh_words, entries))
    # A word that few tools share says more about them: inverse document frequency.
    spread = Counter(chain.from_iterable(weights_by_entry))
    requested = [word for word in _split(query) if word not in _STOP]
    ranks: list[tuple[bool, float, Entry]] = []
    for entry, weights in zip(entries, weights_by_entry, strict=True):
        score = sum(_score(word, weights, spread, len(entries)) for word in requested)
        if score > 0:
            is_exact = exact in (entry.name, str(entry.tool["title"]).casefold())
            # False sorts before True: the exact name or title comes first.
            ranks.append((not is_exact, -score, entry))
    ranks.sort(key=lambda rank: rank[:2])
    return [entry for _, _, entry in ranks]


def summarise(entry: Entry) -> str:
    """Return the first sentence of a tool's description."""
    text = join_lines(str(entry.tool["description"]))
    return re.split(r"(?<=\.) ", text, maxsplit=1)[0]


def group_by_toolset(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Return the names of the tools, by toolset."""
    result: dict[str, list[str]] = {}
    for entry in entries:
        result.setdefault(entry.toolset, []).append(entry.name)
    return result


def _score(word: str, weights: Mapping[str, float], spread: Counter[str], tools: int) -> float:
    best = 0.0
    for existing, weight in weights.items():
        rarity = math.log(1 + tools / spread[existing])
        best = max(best, _compare(word, existing) * weight * rarity)
    return best


def _compare(word: str, existing: str) -> float:
    """Return how much two words are alike, from 0 to 1."""
    if word == existing:
        return 1.0
    shorter, longer = sorted((word, existing), key=len)
    if len(shorter) < _SAME_START or not longer.startswith(shorter):
        return 0.0
    return _NOT_THE_SAME


def _weigh_words(entry: Entry) -> dict[str, float]:
    texts = {
        "name": entry.name,
        "title": str(entry.tool["title"]),
        "toolset": entry.toolset,
        "description": str(entry.tool["description"]),
        "arguments": " ".join(entry.tool["inputSchema"]["properties"]),
    }
    result: dict[str, float] = {}
    for place, text in texts.items():
        for word in _split(text):
            result[word] = max(result.get(word, 0.0), _WEIGHTS[place])
    return result


def _split(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return [_to_singular(word) for word in words]


def _to_singular(word: str) -> str:
    return _PLURAL_S.sub("", _PLURAL_IES.sub("y", word))
