"""What the words of a request weigh for each tool: by where the tool's texts have them, and by how
few tools do."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, filterfalse

from server.text import join_lines
from server.tool.catalog import Entry
from server.tool.hosts import SEARCH_HINT
from server.tool.search.words import list_concepts, split, vocabulary

Weights = dict[str, float]

# What a word counts, by where it stands; where it stands several times, the heaviest place counts.
_WEIGHTS = {
    "arguments": 0.5,
    "description": 1.2,
    "toolset": 1.5,
    "summary": 2.0,
    "hint": 3.0,
    "title": 3.0,
    "name": 3.0,
}
# What a thing or an action counts, by whatever name: most where the tool is named after it.
_CONCEPT_WEIGHTS = {"summary": 1.5, "hint": 1.5, "title": 3.0, "name": 4.0}
_HEAVIEST = 3.0
# Begins concepts, so that they differ from words.
_MARK = "="
# What a word counts that only begins as one of the tools' words does, or is spelt nearly so.
_NOT_THE_SAME = 0.6
# Letters that two words share at least from the start to count as forms of one.
_SAME_START = 4
# Letters of a word that may be misspelt; how many words it may stand for, and how much of it must
# be right.
_MISSPELT = 5
_GUESSES = 3
_SPELT_ALIKE = 0.8


class Index:
    """The weights of all words in the texts of some tools."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._count = len(entries)
        self._places: dict[str, dict[int, float]] = {}
        for place, entry in enumerate(entries):
            for word, weight in _weigh_entry(entry).items():
                self._places.setdefault(word, {})[place] = weight
        self._long_words = list(filter(_is_long_word, self._places))

    def score(self, query: str) -> list[float]:
        """Return for each tool how much the query fits it.

        A word that few tools have, and by weighty places, says more about them: inverse document
        frequency.
        """
        scores = [0.0] * self._count
        for word, share in self._weigh_query(split(query)).items():
            places = self._places.get(word, {})
            rarity = self._rarity(places)
            for place, weight in places.items():
                scores[place] += share * rarity * weight
        return scores

    def _rarity(self, places: Mapping[int, float]) -> float:
        # A word that no tool has adds nothing, whatever its rarity.
        spread = max(sum(places.values()) / _HEAVIEST, 1e-9)
        return math.log(1 + self._count / spread)

    def _weigh_query(self, words: Sequence[str]) -> Weights:
        result: Weights = {}
        for word in filterfalse(vocabulary().stop_stems.__contains__, words):
            _raise(result, *self._find_forms(word))
        # A misspelt name of a thing names it all the same; `zip` makes a list of one of each word.
        concepts = list_concepts(words).union(*map(list_concepts, zip(result, strict=True)))
        return result | dict.fromkeys(map(_MARK.__add__, concepts), 1.0)

    def _find_forms(self, word: str) -> tuple[Sequence[str], float]:
        """Return the tools' words that a word of the query stands for, and how much they count."""
        if word in self._places:
            return [word], 1.0
        if len(word) < _SAME_START:
            return [], 0.0
        return self._match_beginnings(word) or self._guess_spelling(word), _NOT_THE_SAME

    def _match_beginnings(self, word: str) -> list[str]:
        return [own for own in self._long_words if _begin_alike(own, word)]

    def _guess_spelling(self, word: str) -> list[str]:
        if len(word) < _MISSPELT:
            return []
        return difflib.get_close_matches(word, self._long_words, _GUESSES, _SPELT_ALIKE)


def _begin_alike(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _is_long_word(word: str) -> bool:
    return len(word) >= _SAME_START and not word.startswith(_MARK)


@cache
def list_named_concepts(name: str) -> set[str]:
    """Return the things and actions that a tool of that name is about."""
    return list_concepts(split(_without_backend(name)))


def _without_backend(name: str) -> str:
    # `archivebox` and `archive` begin the names of nearly all tools.
    return name.partition("_")[2]


def _weigh_entry(entry: Entry) -> Weights:
    tool = entry.tool
    description = join_lines(str(tool["description"]))
    return _weigh_texts(
        " ".join(tool["inputSchema"]["properties"]),
        description,
        entry.toolset,
        re.split(r"(?<=\.) ", description, maxsplit=1)[0],
        str(tool["_meta"].get(SEARCH_HINT, "")),
        str(tool["title"]),
        _without_backend(entry.name),
    )


@cache
def _weigh_texts(*texts: str) -> Weights:
    """Return what the words and concepts of a tool's texts weigh, the texts in the order of
    `_WEIGHTS`."""
    by_place = dict(zip(_WEIGHTS, texts, strict=True))
    result: Weights = {}
    for place, weight in _WEIGHTS.items():
        _raise(result, split(by_place[place]), weight)
    for place, weight in _CONCEPT_WEIGHTS.items():
        # A phrase of a hint ends at its comma.
        phrases = map(split, by_place[place].split(","))
        concepts = chain.from_iterable(map(list_concepts, phrases))
        _raise(result, map(_MARK.__add__, concepts), weight)
    return result


def _raise(weights: Weights, words: Iterable[str], weight: float) -> None:
    for word in words:
        weights[word] = max(weights.get(word, 0.0), weight)
