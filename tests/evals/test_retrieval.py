"""Whether everyday requests lead to the right tool: in `discover`'s search, and in those of hosts
that show a model only names.

Before there were search hints, 84 of 203 requests had a right tool among the first five of the own
search, 72 in BM25 and 62 by points. With hints, 197 requests of a second author, unseen then, had
one in 93%, 86% and 85% of the cases, and 120 of a fourth in 92%, 88% and 87%. These three sets have
been read since, and their misses mended: their floors keep what was reached, and say nothing about
requests of others. That is what 150 of a third author are for, whose misses nobody has read: 97%,
94% and 91% when they were new, 98%, 95% and 92% after the mending of the others.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import chain

import pytest

from server.tool.catalog import Catalog
from server.tool.hosts import SEARCH_HINT
from server.tool.search import Match, choose_best, rank
from tests.support.evals.host_rankings import rank_by_bm25, rank_by_points
from tests.support.evals.requests import (
    REQUESTS,
    SETS,
    Request,
    read_fourth,
    read_second,
    read_unseen,
)
from tools.surface import FILE, rows

FIRST = 5
FLOOR = 0.95
# Of the third author's requests: what was reached without a look at them.
UNSEEN_FLOORS = {"own": 0.98, "BM25": 0.95, "points": 0.91}
SURFACE = Catalog.read(FILE, importlib.import_module)
TOOLS = [row["tool"] for row in rows()]
NAMES = {tool["name"] for tool in TOOLS}
# Tools that reach others are not found by their own search.
REACHABLE = {entry.name for entry in SURFACE.list_callable()}
# Characters of all hints: they are sent with each listing, though no model reads them.
MOST_CHARACTERS = 36_000
# Characters of a hint that Claude Code reads.
LONGEST_HINT = 4_096

Search = Callable[[str], list[str]]


@cache
def rank_own(text: str) -> list[Match]:
    """Return what `discover` finds, with scores."""
    return rank(SURFACE.list_callable(), text)


def search_own(text: str) -> list[str]:
    """Return what `discover` finds."""
    return [match.entry.name for match in rank_own(text)]


SEARCHES: dict[str, Search] = {
    "own": search_own,
    "BM25": lambda text: rank_by_bm25(TOOLS, text),
    "points": lambda text: rank_by_points(TOOLS, text),
}


def assert_found(name: str, requests: list[Request], floor: float) -> None:
    """Fail where too few of the requests lead to a right tool among the first five."""
    if name == "own":
        requests = [request for request in requests if request.tools & REACHABLE]
    misses = list_misses(SEARCHES[name], requests)
    assert 1 - len(misses) / len(requests) >= floor, misses


def list_misses(search: Search, requests: list[Request]) -> list[str]:
    """Return the texts that do not lead to a right tool among the first five."""
    return [
        request.text
        for request in requests
        if request.tools.isdisjoint(search(request.text)[:FIRST])
    ]


SEEN = {"first": list(REQUESTS), "second": read_second(), "fourth": read_fourth()}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("author", SEEN)
def test_everyday_requests_lead_to_a_right_tool_among_the_first_five(
    author: str, name: str
) -> None:
    assert_found(name, SEEN[author], FLOOR)


@pytest.mark.parametrize("name", SEARCHES)
def test_requests_that_nobody_mended_anything_for_lead_there_as_often_as_when_new(
    name: str,
) -> None:
    assert_found(name, read_unseen(), UNSEEN_FLOORS[name])


def test_there_are_enough_requests_of_both_kinds_and_they_name_tools_that_exist() -> None:
    kinds = Counter(request.kind for request in REQUESTS)
    texts = {request.text for request in REQUESTS}

    assert len(texts) == len(REQUESTS) >= 200
    assert set(kinds) == SETS
    assert min(kinds.values()) >= 50
    for request in chain(*SEEN.values(), read_unseen()):
        assert request.tools
        assert request.tools <= NAMES, request.text


def test_search_hints_stay_short() -> None:
    assert sum(len(tool["_meta"][SEARCH_HINT]) for tool in TOOLS) <= MOST_CHARACTERS


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: str(tool["name"]))
def test_every_tool_has_a_hint_that_hosts_read_in_full(tool: dict[str, dict[str, str]]) -> None:
    hint = tool["_meta"][SEARCH_HINT]

    assert 40 <= len(hint) <= LONGEST_HINT
    assert "_" not in hint, "people do not say the names of tools"


def test_rows_that_fit_badly_are_left_out() -> None:
    counts = [len(choose_best(rank_own(request.text), 8)) for request in REQUESTS]

    assert sum(counts) / len(counts) < 5


READS_AND_CHANGES = [
    ("our folders", True),
    ("bookmarks about gardening", True),
    ("influencer segments", True),
    ("delete the folder", False),
    ("rename the label", False),
    ("stop the crawl", False),
]


@pytest.mark.parametrize(("text", "reads"), READS_AND_CHANGES)
def test_reads_come_before_changes_unless_a_change_is_asked_for(text: str, reads: bool) -> None:
    first = rank_own(text)[0].entry

    assert first.reads is reads


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("posts whose caption mentions words", "archive_search_items"),
        ("captions with the word sale", "archive_search_items"),
        ("the words that are said in the video", "archive_get_transcriptions"),
    ],
)
def test_written_and_spoken_words_are_told_apart(text: str, tool: str) -> None:
    assert search_own(text)[0] == tool
