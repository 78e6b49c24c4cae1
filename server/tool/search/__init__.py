"""Finding tools by what they do, for clients that list only the few tools that reach all others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile

from server.text import join_lines
from server.tool.catalog import Entry
from server.tool.search.index import Index, list_named_concepts
from server.tool.search.words import asks_for_change, list_concepts, simplify, split, write_hint

__all__ = ["Match", "choose_best", "group_by_toolset", "rank", "summarise", "write_hint"]

# A row whose score is below this part of the best one's is not worth reading.
_THRESHOLD = 0.5
# What a tool counts, by whether it is of the kind that the query asks for, for queries that ask for
# a change and others: what changes something comes up unasked less often than what reads.
_KINDS = {True: 0.85, False: 0.75}
# What is left of a score for each thing or action in the tool's name that the query has not.
_TOO_MUCH = 0.94
_EXACT = 10_000.0


@dataclass(frozen=True)
class Match:
    """A tool that fits a query, and how well: the best has the highest score."""

    entry: Entry
    score: float


def rank(entries: Iterable[Entry], query: str) -> list[Match]:
    """Return the tools that share words with the query, best first; equals in the listing's order.

    One whose name or title the query is comes before all others. Tools that read come before those
    that change something, unless the query asks for a change.
    """
    exact = query.strip().casefold()
    entries = list(entries)
    text = simplify(query)
    scores = Index(entries).score(text)
    is_change = asks_for_change(text)
    concepts = list_concepts(split(text))
    matches = [
        Match(entry, score * _weigh_kind(entry, concepts, is_change) + _weigh_name(entry, exact))
        for entry, score in zip(entries, scores, strict=True)
    ]
    # The sort is stable: equals stay in the listing's order.
    ranked = sorted(matches, key=lambda match: -match.score)
    return [match for match in ranked if match.score > 0]


def choose_best(matches: list[Match], most: int) -> list[Match]:
    """Return the first `most` matches without those that fit much worse than the best."""
    # The best comes first.
    fits = takewhile(lambda match: match.score >= matches[0].score * _THRESHOLD, matches)
    return list(islice(fits, most))


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


def _weigh_kind(entry: Entry, concepts: set[str], is_change: bool) -> float:
    excess = len(list_named_concepts(entry.name) - concepts)
    kind = _KINDS[is_change] if entry.reads == is_change else 1.0
    return float(kind * _TOO_MUCH**excess)


def _weigh_name(entry: Entry, exact: str) -> float:
    # So high that the threshold leaves out all others: the tool was asked for by its name.
    is_exact = exact in (entry.name, str(entry.tool["title"]).casefold())
    return is_exact * _EXACT
