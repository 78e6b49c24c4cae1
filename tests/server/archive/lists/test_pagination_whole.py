from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.archive.pagination import Lists
from tests.support.archive.rows import (
    WORKSPACE,
    Api,
    Json,
    Looked,
    Ordered,
    Whole,
    everything,
    ids,
    rows,
)
from tests.support.doubles import ScriptedArchive


async def test_a_list_that_comes_whole_is_counted_cut_and_continued_without_another_request() -> (
    None
):
    api = Api(250)
    first = await api.read(rows(Whole))

    assert (len(first["nodes"]), first["totalCount"]) == (100, 250)
    assert ids(await api.read(rows(Whole, after=first["nextCursor"]))) == list(range(100, 200))
    assert len(api.asked) == 1


@pytest.mark.parametrize(("count", "noted"), [(999, False), (1000, True)])
async def test_a_list_that_stops_at_the_cap_says_that_there_may_be_more(
    count: int, noted: bool
) -> None:
    answer = await Api(count).read(rows(Whole, limit=1000))

    assert any("may be more" in note for note in answer.get("notes", [])) is noted


async def test_a_lookup_gives_all_by_default() -> None:
    answer = await Api(1000).read(rows(Looked))

    assert len(answer["nodes"]) == 1000
    assert "notes" not in answer


async def test_a_list_that_is_null_is_empty() -> None:
    lists = Lists(ScriptedArchive(lambda call: None))

    result = await lists.read(rows(Whole), WORKSPACE, 99999.0)

    assert result.structured == {"nodes": [], "totalCount": 0, "nextCursor": None}


def by_likes(records: Sequence[Json]) -> list[int]:
    return [int(each["id"]) for each in sorted(records, key=lambda each: -int(each["likes"]))]


@pytest.mark.parametrize("count", [0, 1, 100, 850, 1000])
async def test_what_the_api_does_not_sort_is_sorted_here_over_all_records(count: int) -> None:
    api = Api(count)
    answer = await api.read(rows(Ordered, limit=5))

    assert ids(answer) == by_likes(api.rows)[:5]
    assert answer["totalCount"] == count
    assert answer["notes"] == ["Says what was applied.", f"Sorted here, over all {count} records."]
    assert all(first == 100 for first, _ in api.asked)


async def test_a_sorted_list_goes_on_in_its_order() -> None:
    api = Api(350)

    assert await everything(api, Ordered, 40) == by_likes(api.rows)
    assert len(api.asked) == 4


@pytest.mark.parametrize("count", [1001, 2000])
async def test_what_is_too_much_to_sort_comes_in_the_apis_order_and_says_so(count: int) -> None:
    api = Api(count)
    answer = await api.read(rows(Ordered, limit=5))

    assert ids(answer) == [0, 1, 2, 3, 4]
    assert "Not sorted: there are more than 1000 records" in answer["notes"][1]


async def test_sorting_asks_for_the_field_it_needs() -> None:
    answer = await Api(3).read(rows(Ordered, fields=["id"]))

    assert answer["nodes"][0] == {"id": "2", "likes": 14}
