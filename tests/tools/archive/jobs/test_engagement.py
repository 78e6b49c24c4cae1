from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.insights.money import ASSUMED_CENTS
from server.sandbox import COFFEE, Answer
from tests.support.tools.calling import refused
from tests.support.tools.engagements import REELS, items, said
from tests.support.tools.working import Json, Worker, worker
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetEngagementHistory
from tools.archive.jobs.engagement import StartEngagementJob

PACKED, SINGLE = "GetEngagementHistorys", "GetEngagementHistory"
COLUMNS = [
    "itemId",
    "accountName",
    "takenAt",
    "at",
    "likes",
    "comments",
    "shares",
    "views",
    "impressions",
    "earnedMediaValueCents",
    "earnedMediaValueUsd",
    "followers",
    "linearViralityScore",
]
ALIASES = {"errors": [{"message": "Query has too many aliases"}]}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Worker]:
    """A process over a sandbox of 400 items."""
    async with worker(tmp_path) as found:
        yield found


async def timelines(one: Worker, **raw: Any) -> Json:
    return await one.ended(await one.call(StartEngagementJob, **raw))


def table(result: Json) -> list[dict[str, str]]:
    with Path(result["path"]).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def lines(result: Json) -> list[Json]:
    return [
        json.loads(each) for each in Path(result["path"]).read_text(encoding="utf-8").splitlines()
    ]


def shown(value: Any) -> str:
    return "" if value is None else str(value)


async def test_the_file_has_every_snapshot_of_every_item_as_single_reads_have_them(
    one: Worker,
) -> None:
    found = await items(one, 60)
    result = await timelines(one, itemIds=[each["id"] for each in found])
    rows = table(result)

    expected = []
    for item in found:
        history = await one.call(GetEngagementHistory, itemId=item["id"], limit=1000)
        for entry in reversed(history["nodes"]):
            cents = entry.pop("earnedMediaValue")
            row = {
                "itemId": item["id"],
                "accountName": item["socialProfile"]["accountName"],
                **item,
                **entry,
                "earnedMediaValueCents": cents,
                "earnedMediaValueUsd": ASSUMED_CENTS.to_dollars(cents),
            }
            expected.append({name: shown(row[name]) for name in COLUMNS})
    assert sorted(rows, key=str) == sorted(expected, key=str)
    assert rows == sorted(
        rows, key=lambda row: ([each["id"] for each in found].index(row["itemId"]), row["at"])
    )
    assert result["columns"] == list(rows[0]) == COLUMNS
    assert result["summary"]["items"] == 60
    assert result["summary"]["snapshots"] == len(rows) == result["rows"]
    assert result["summary"]["itemsWithoutHistory"] == 60 - len({row["itemId"] for row in rows})
    assert result["units"] == {
        "earnedMediaValueCents": "cents",
        "earnedMediaValueUsd": "USD, assumed",
    }
    assert result["resource"]["uri"] == f"archive://exports/{result['name']}"
    assert "timelines" not in result
    assert one.sandbox.times(PACKED) <= 8


async def test_a_window_of_days_narrows_the_snapshots_and_means_the_same_days_later(
    one: Worker,
) -> None:
    window = {"from": "2026-11-10", "to": "2026-11-12"}
    everything = table(await timelines(one, search={}, name="all"))
    told = await one.call(StartEngagementJob, search={}, **window)
    rows = table(await one.ended(told))

    inside = [
        row for row in everything if "2026-11-10T00:00:00Z" <= row["at"] <= "2026-11-12T23:59:59Z"
    ]
    assert rows == inside
    assert 0 < len(rows) < len(everything)
    journalled = (await one.jobs.get(told["jobId"])).arguments
    assert (journalled["from"], journalled["to"]) == (
        "2026-11-10T00:00:00Z",
        "2026-11-12T23:59:59Z",
    )


async def test_a_small_result_has_its_rows_in_it_with_numbers_as_numbers(one: Worker) -> None:
    found = await items(one, 8, filter=REELS)
    result = await timelines(one, itemIds=[each["id"] for each in found], format="jsonl")

    assert result["timelines"] == lines(result)
    assert {type(each["views"]) for each in result["timelines"]} == {int}


async def test_ids_that_name_nothing_and_items_without_history_are_told(one: Worker) -> None:
    found = await items(one, 250)
    result = await timelines(one, itemIds=[*(each["id"] for each in found), "nobody", "nothing"])

    silent = result["summary"]["itemsWithoutHistory"]
    assert silent == len(found) - len({row["itemId"] for row in table(result)}) > 0
    (quiet,) = result["withoutHistoryItems"]
    assert (quiet["reason"], quiet["count"]) == ("No snapshot yet.", silent)
    assert all(each["account"] for each in quiet["items"])
    (unknown,) = result["leftOutItems"]
    assert unknown["reason"] == "No item of this workspace has that id."
    assert [each["id"] for each in unknown["items"]] == ["nobody", "nothing"]


async def test_links_lead_to_items_too_each_once(one: Worker) -> None:
    nodes = (await one.call(SearchItems, limit=3, fields=["id", "originalUrl"], filter=REELS))[
        "nodes"
    ]
    links = [each["originalUrl"] for each in nodes]
    result = await timelines(one, urls=[*links, links[0], "https://www.instagram.com/p/Nowhere00/"])

    assert result["summary"]["items"] == 3
    (left_out,) = result["leftOutItems"]
    assert left_out["items"] == [{"id": "https://www.instagram.com/p/Nowhere00/"}]


async def test_more_than_a_page_of_snapshots_is_followed_to_its_end(one: Worker) -> None:
    (item,) = await items(one, 1)

    def page(start: int, stop: int, end: str | None) -> Json:
        nodes = [
            {"at": f"2026-01-01T00:00:{number:03}Z", "likes": str(number)}
            for number in range(start, stop)
        ]
        return {
            "nodes": nodes,
            "pageInfo": {"endCursor": end, "hasNextPage": end is not None},
            "totalCount": 230,
        }

    def meddle(name: str, given: Json) -> Answer | None:
        if name != SINGLE and name != PACKED:
            return None
        following = {None: page(0, 100, "x"), "x": page(100, 200, "y"), "y": page(200, 230, None)}
        key = "a0" if name == PACKED else "engagementHistory"
        return said({"data": {key: following[given.get("after")]}})

    one.sandbox.meddle = meddle
    result = await timelines(one, itemIds=[item["id"]])

    assert [int(row["likes"]) for row in table(result)] == list(range(229, -1, -1))
    assert result["summary"] == {"items": 1, "snapshots": 230, "itemsWithoutHistory": 0}


@pytest.mark.parametrize("objection", [said(ALIASES), said(b"<html>Bad Gateway</html>", 502)])
async def test_an_api_that_objects_to_aliases_gives_the_same_file_by_single_reads(
    one: Worker, objection: Answer
) -> None:
    expected = table(await timelines(one, search={}, name="packed"))
    one.sandbox.asked.clear()
    one.sandbox.meddle = lambda name, _: objection if name == PACKED else None
    told = await one.call(StartEngagementJob, search={}, name="single")

    assert table(await one.ended(told)) == expected
    assert one.sandbox.times(SINGLE) == 400
    assert one.sandbox.times(PACKED) < 300


async def test_one_item_that_is_refused_fails_alone_and_is_read_again_when_resumed(
    one: Worker,
) -> None:
    found = [each["id"] for each in await items(one, 30)]
    gone = {"message": "gone", "path": ["a3"], "extensions": {"code": "NOT_FOUND"}}

    def meddle(name: str, given: Json) -> Answer | None:
        names = {
            f"a{key[6:]}": each
            for key, each in given.items()
            if key.startswith("itemId") and key != "itemId"
        }
        place = next((alias for alias, each in names.items() if each == found[7]), None)
        return (
            said({"data": None, "errors": [{**gone, "path": [place]}]})
            if name == PACKED and place
            else None
        )

    one.sandbox.meddle = meddle
    told = await one.call(StartEngagementJob, itemIds=found)
    result = await one.ended(told)
    records = await one.records(told)

    assert {key for key, row in records.items() if row.state != "done"} == {found[7]}
    assert (records[found[7]].code, records[found[7]].state) == ("NOT_FOUND", "failed")
    assert result["summary"] == {**result["summary"], "items": 29, "itemsFailed": 1}
    one.sandbox.meddle = None
    again = await one.ended(await one.call(StartEngagementJob, resume=told["jobId"]))
    assert again["summary"]["items"] == 30
    assert {row["itemId"] for row in table(again)} - {row["itemId"] for row in table(result)} == {
        found[7]
    }
    assert again["path"] != result["path"]


async def test_a_dry_run_tells_what_it_would_take_and_reads_nothing_more(one: Worker) -> None:
    told = await one.call(StartEngagementJob, search={}, dryRun=True)

    assert told["dryRun"] is True
    assert (told["records"], told["rateCredits"]) == (400, 400 * 6 + 4 * 80)
    assert told["requests"] <= 30
    assert one.sandbox.times(PACKED) == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one"),
        ({"itemIds": ["a"], "search": {"presetId": "b"}}, "exactly one"),
        ({"mode": "refresh", "itemIds": ["a"], "from": "2026-01-01"}, "`from`"),
        ({"mode": "refresh", "itemIds": ["a"], "format": "csv", "name": "x"}, "`format`, `name`"),
        ({"itemIds": ["a"], "from": "2026-02-01", "to": "2026-01-01"}, "after"),
        ({"itemIds": ["a"], "from": "yesterday"}, "not a date"),
        ({"itemIds": ["a"], "name": "../x"}, "name"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given: Json, words: str) -> None:
    assert words in refused(StartEngagementJob, **given).message


async def test_money_that_archive_does_not_tell_stays_empty(one: Worker) -> None:
    result = await timelines(one, workspace=COFFEE, search={})

    assert {row["earnedMediaValueCents"] for row in table(result)} == {""}
