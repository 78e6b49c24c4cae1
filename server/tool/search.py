"""Finding tools by what they do, for clients that list only the few tools that reach all others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import filterfalse

from server.text import join_lines
from server.tool.catalog import Entry
from server.tool.hosts import SEARCH_HINT

# What a word counts, by where it stands; where it stands several times, the heaviest place counts.
_WEIGHTS = {"name": 3.0, "title": 3.0, "hint": 3.0, "toolset": 1.5, "description": 1.5}
_ARGUMENT_WEIGHT = 0.5
_HEAVIEST = max(_WEIGHTS.values())
# Letters that two words must share from the start to count as forms of one.
_SAME_START = 4
_NOT_THE_SAME = 0.6
# A row whose score is below this part of the best one's is not worth reading.
_THRESHOLD = 0.5
# What a tool counts, by whether it is of the other kind: one that changes something where the query
# asks for nothing of the sort, one that reads where it does.
_KINDS = {True: 0.8, False: 1.0}
_EXACT = 10_000.0
# At least two letters stay before the ending: `ties` is not the plural of `ty`.
_PLURAL_IES = re.compile(r"(?<=..)ies$")
# `access` is no plural, and neither is a word as short as `gas`.
_PLURAL_S = re.compile(r"(?<=..[^su])s$")
# Words of a question, not of a task; `get` is in so many names that it tells no tool apart.
_STOP_WORDS = (
    "a about all also am an and any are as at be been by can could d did do does don for from get "
    "give had has have her him his how i if in into is isn it its just ll m me my need of on or "
    "our please re s she so t than that the their them then there these they this those to us ve "
    "want was we were what when where which who whose will with would you your"
)
_STOP = frozenset(_STOP_WORDS.split())
# Verbs by which a request asks for a change or a file. Those that people use as nouns as often
# (`label`, `bookmark`) would push the lists of such things down.
_CHANGES_WORDS = (
    "abort add apply arrange assign attach bin bring cancel change clean clear collect continue "
    "create delete discard drop dump edit erase exclude export fill fix halt import include keep "
    "kick kill make mark merge move narrow organise organize pause pin preserve purge put recheck "
    "refetch refresh register remove rename reorder replace requeue reset resume retry revert rid "
    "save schedule scrap set sort start stop store swap take throw trash undo untag update upload "
    "wipe write"
)
_CHANGES = frozenset(_CHANGES_WORDS.split())


@dataclass(frozen=True)
class Match:
    """A tool that fits a query, and how well: the best has the highest score."""

    entry: Entry
    score: float


def rank(entries: Iterable[Entry], query: str) -> list[Match]:
    """Return the tools that share words with the query, best first; equals in the listing's order.

    One whose name or title the query is comes before all others. Tools that read come before those
    that change something, unless the query has a verb of change.
    """
    exact = query.strip().casefold()
    entries = list(entries)
    words = _split(query)
    asks_for_change = not _CHANGES.isdisjoint(words)
    scores = _score_words(entries, dict.fromkeys(filterfalse(_STOP.__contains__, words)))
    matches = [
        Match(entry, _adjust(score, entry, exact, asks_for_change))
        for entry, score in zip(entries, scores, strict=True)
        if score > 0
    ]
    # The sort is stable: equals stay in the listing's order.
    return sorted(matches, key=lambda match: -match.score)


def choose_best(matches: list[Match], most: int) -> list[Match]:
    """Return the first `most` matches without those that fit much worse than the best."""
    # None or one: there is no best of nothing.
    least = sum(match.score for match in matches[:1]) * _THRESHOLD
    return [match for match in matches[:most] if match.score >= least]


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


def _adjust(score: float, entry: Entry, exact: str, asks_for_change: bool) -> float:
    title = str(entry.tool["title"]).casefold()
    is_exact = exact in (entry.name, title)
    factor = _KINDS[entry.reads == asks_for_change]
    # So high that the threshold leaves out all others: the tool was asked for by its name.
    return score * factor + is_exact * _EXACT


def _score_words(entries: list[Entry], words: Iterable[str]) -> list[float]:
    """Return for each tool how much the words fit it.

    A word that few tools have, and by weighty places, says more about them: inverse document
    frequency.
    """
    weights_by_entry = list(map(_weigh_words, entries))
    scores = [0.0] * len(entries)
    for word in words:
        fits = [_fit(word, weights) for weights in weights_by_entry]
        # A word that no tool has adds nothing, whatever its rarity.
        spread = max(sum(fits) / _HEAVIEST, 1e-9)
        rarity = math.log(1 + len(entries) / spread)
        for place, fit in enumerate(fits):
            scores[place] += fit * rarity
    return scores


def _fit(word: str, weights: Mapping[str, float]) -> float:
    return max((_compare(word, own) * weight for own, weight in weights.items()), default=0.0)


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
        "hint": str(entry.tool["_meta"].get(SEARCH_HINT, "")),
        "toolset": entry.toolset,
        "description": str(entry.tool["description"]),
    }
    arguments = " ".join(entry.tool["inputSchema"]["properties"])
    result = dict.fromkeys(_split(arguments), _ARGUMENT_WEIGHT)
    for place, text in texts.items():
        for word in _split(text):
            result[word] = max(result.get(word, 0.0), _WEIGHTS[place])
    return result


def _split(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return [_to_singular(word) for word in words]


def _to_singular(word: str) -> str:
    return _PLURAL_S.sub("", _PLURAL_IES.sub("y", word))
