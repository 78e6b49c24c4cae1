"""How hosts that show a model only the names of tools find the others, written anew.

Two ways are in use. One is BM25 over the words of names, descriptions and search hints. The other
gives points for each word of the query by where it stands (Claude Code 2.1.332). Both are plainer
than a model that chooses its words itself: they get the person's own sentence.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

Tool = dict[str, Any]
Ranking = Callable[[Sequence[Tool], str], list[str]]

SEARCH_HINT = "anthropic/searchHint"
# The names under which people usually configure this server; hosts search it with the tool's name.
_SERVER = "archive"
_K1 = 1.2
_B = 0.75
# What a model leaves out of a query of keywords, and most searches by BM25 as well.
_STOP_WORDS = (
    "a about all also am an and any are as at be been by can could d did do does don for from get "
    "give go had has have how i if in into is isn it its just ll m me my need no not of on one or "
    "our out please re s so some t than that the their them then there these they this those to "
    "up us ve want was we were what when where which who will with would you your"
)
_STOP = frozenset(_STOP_WORDS.split())


def rank_by_bm25(tools: Sequence[Tool], query: str) -> list[str]:
    """Return the names of the tools that share words with the query, best first (Okapi BM25)."""
    documents = [Counter(_split(_searchable_text(tool))) for tool in tools]
    lengths = [document.total() for document in documents]
    mean = sum(lengths) / len(lengths)
    spread = Counter(word for document in documents for word in document)
    scores: dict[str, float] = {}
    for tool, document, length in zip(tools, documents, lengths, strict=True):
        norm = _K1 * (1 - _B + _B * length / mean)
        score = 0.0
        for word in _keywords(query):
            rarity = math.log(1 + (len(tools) - spread[word] + 0.5) / (spread[word] + 0.5))
            score += rarity * document[word] * (_K1 + 1) / (document[word] + norm)
        scores[tool["name"]] = score
    return _sort(scores)


def rank_by_points(tools: Sequence[Tool], query: str) -> list[str]:
    """Return the names of the tools whose texts hold words of the query, best first.

    A word of the name counts 12, a part of such a word 6, a word of the hint 4, one of the
    description 2.
    """
    scores = {tool["name"]: _count_points(tool, _keywords(query)) for tool in tools}
    return _sort(scores)


def _count_points(tool: Tool, words: Sequence[str]) -> float:
    name = f"{_SERVER} {tool['name']}".lower()
    parts = re.split(r"[\s_.]+", name)
    hint = _hint(tool).lower()
    description = str(tool["description"]).lower()
    points = 0.0
    for word in words:
        whole = re.compile(rf"\b{re.escape(word)}\b")
        if word in parts:
            points += 12
        elif any(word in part for part in parts):
            points += 6
        if whole.search(hint):
            points += 4
        if whole.search(description):
            points += 2
    return points


def _searchable_text(tool: Tool) -> str:
    return f"{tool['name'].replace('_', ' ')} {tool['description']} {_hint(tool)}"


def _hint(tool: Tool) -> str:
    return str(tool.get("_meta", {}).get(SEARCH_HINT, ""))


def _keywords(query: str) -> list[str]:
    return [word for word in dict.fromkeys(_split(query)) if word not in _STOP]


@cache
def _split(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def _sort(scores: dict[str, float]) -> list[str]:
    # The sort is stable: equals stay in the order of the listing.
    matches = [name for name, score in scores.items() if score > 0]
    return sorted(matches, key=lambda name: -scores[name])
