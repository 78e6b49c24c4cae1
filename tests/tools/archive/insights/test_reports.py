from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from server.errors import Code
from server.sandbox.archive.data.items import Item
from tests.support.tools.insights_shop import (
    COFFEE,
    FIELDS,
    OUTDOOR,
    PER_DOLLAR,
    Json,
    Shop,
    as_shown,
    engagement,
    known,
    name_shown,
    shop,
)

SUMMARY, TOP, BRANDS = (
    "archive_summarize_performance",
    "archive_get_top_content",
    "archive_compare_brands",
)
RATED = ("REEL", "TIKTOK")


@pytest.fixture
async def there() -> AsyncIterator[Shop]:
    """A read-only server over a sandbox of 400 items."""
    async with shop() as found:
        yield found


def agrees(figures: Json | None, items: list[Item], metric: str) -> None:
    """What a summary says of a metric is what the sandbox's own records say, calculated in another
    way."""
    values = known(items, metric)
    if figures is None:
        assert not values
        return
    assert figures["known"] == len(values)
    if values:
        assert figures["total"] == as_shown(metric, sum(values))
        mean = statistics.fmean(values) / (PER_DOLLAR if metric == "earnedMediaValue" else 1)
        assert figures["mean"] == pytest.approx(mean, abs=0.0051)
        assert figures["median"] == as_shown(metric, statistics.median(values))
    else:
        assert {figures[name] for name in ("total", "mean", "median")} == {None}
    assert figures.get("unknown", len(items) - len(values)) == len(items) - len(values)


@pytest.mark.parametrize("workspace", ["Northwind Skincare", OUTDOOR, COFFEE])
async def test_a_summary_is_what_the_records_themselves_say(there: Shop, workspace: str) -> None:
    found, items = await there.summary(workspace, search={}), there.items(workspace)

    assert found["items"] == len(items)
    for metric in FIELDS:
        agrees(found["metrics"][name_shown(metric)], items, metric)
    assert found["span"] == {"from": text_of(items[-1].taken_at), "to": text_of(items[0].taken_at)}


def text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def test_groups_are_what_the_records_themselves_say(there: Shop) -> None:
    found, items = await there.summary(by=["platform", "type", "account"]), there.items()
    keys: dict[str, Callable[[Item], tuple[str, ...]]] = {
        "platform": lambda item: (item.provider,),
        "type": lambda item: (item.provider, item.type),
        "account": lambda item: (item.provider, item.social_profile.account_name),
    }
    names = {
        "platform": ["platform"],
        "type": ["provider", "type"],
        "account": ["provider", "accountName"],
    }
    for by, key in keys.items():
        expected: dict[tuple[str, ...], list[Item]] = defaultdict(list)
        for item in items:
            expected[key(item)].append(item)
        groups = [group for group in found["by"][by] if "others" not in group]
        assert len(groups) == min(25, len(expected))
        for group in groups:
            for metric in FIELDS:
                members = expected[tuple(group[name] for name in names[by])]
                agrees(group[name_shown(metric)], members, metric)


@pytest.mark.parametrize("by", ["week", "month"])
async def test_times_are_what_the_records_themselves_say(there: Shop, by: str) -> None:
    window = {"from": "2026-06-01", "to": "2026-11-30"}
    found = await there.summary(search={}, by=[by], takenAt=window)
    expected: dict[str, list[Item]] = defaultdict(list)
    for item in there.items():
        if item.taken_at.date() >= date(2026, 6, 1):
            expected[item.taken_at.strftime("%G-W%V" if by == "week" else "%Y-%m")].append(item)

    assert [each[by] for each in found["by"][by]] == sorted(expected)
    for group in found["by"][by]:
        assert group["items"] == len(expected[group[by]])
        agrees(group["likes"], expected[group[by]], "likes")
    assert found["items"] == sum(map(len, expected.values()))


async def test_weeks_that_the_period_cuts_are_named_as_in_a_chart(there: Shop) -> None:
    window = {"from": "2026-07-01", "to": "2026-07-31"}
    cut = await there.summary(search={}, by=["week"], takenAt=window)
    uncut = await there.summary(
        search={}, by=["week"], takenAt={"from": "2026-06-29", "to": "2026-07-12"}
    )
    by_month = await there.summary(search={}, by=["month"], takenAt=window)

    assert (
        "Partial weeks: 2026-W27 (2026-07-01 to 2026-07-05), 2026-W31 (2026-07-27 to 2026-07-31)."
        in cut["notes"]
    )
    assert "Partial weeks" not in str([uncut["notes"], by_month["notes"]])


async def test_what_belongs_into_the_search_or_to_another_tool_says_so(there: Shop) -> None:
    inside = await there.refused(TOP, filter={"provider": "TIKTOK"})
    other = await there.refused(TOP, fields=["id"])

    assert inside.message == "`filter` is not an argument here: it belongs in `search`."
    assert other.message == "`fields` is not an argument here: archive_search_items takes it."


async def test_creators_are_the_25_with_the_most_and_the_others_together(there: Shop) -> None:
    found = await there.summary(search={}, by=["creator"], metric="LIKE_COUNT")
    expected: dict[str, list[Item]] = defaultdict(list)
    for item in there.items():
        expected[item.creator.id].append(item)
    likes = {creator: sum(known(items, "likes")) for creator, items in expected.items()}
    *first, others = found["by"]["creator"]

    assert len(first) == 25
    assert [each["likes"]["total"] for each in first] == sorted(likes.values(), reverse=True)[:25]
    for group in first:
        agrees(group["likes"], expected[group["creatorId"]], "likes")
        assert set(group["accountNames"]) <= {
            each.social_profile.account_name for each in expected[group["creatorId"]]
        }
    assert others["others"] == len(expected) - 25
    assert others["likes"]["total"] == sum(likes.values()) - sum(
        each["likes"]["total"] for each in first
    )


async def test_virality_is_counted_for_reels_and_tiktoks_only(there: Shop) -> None:
    found = (await there.summary(search={}))["virality"]
    rated = [each for each in there.items() if each.kind in RATED]
    classes = Counter(
        engagement(each).linear_virality_score for each in rated if each.current_engagement
    )

    assert found["items"] == len(rated)
    assert {name: found[name] for name in ("HIGH", "MEDIUM", "LOW", "NOT_VIRAL")} == {
        name: classes[name] for name in ("HIGH", "MEDIUM", "LOW", "NOT_VIRAL")
    }
    assert found["unknown"] == sum(not each.current_engagement for each in rated) > 0
    assert "only" in found["of"]


async def test_money_that_the_plan_does_not_report_is_unknown_and_not_nothing(there: Shop) -> None:
    found = await there.summary(COFFEE, search={}, by=["platform"])

    assert found["metrics"]["earnedMediaValueUsd"] == {
        "total": None,
        "mean": None,
        "median": None,
        "known": 0,
        "unknown": 350,
    }
    assert all(each["earnedMediaValueUsd"] is None for each in found["by"]["platform"])
    assert found["best"] == []
    assert any("No item has earnedMediaValue" in note for note in found["notes"])


async def test_stories_have_no_likes_instead_of_none_of_them(there: Shop) -> None:
    found = await there.summary(search={"filter": {"itemTypes": ["STORY"]}})
    stories = [each for each in there.items() if each.kind == "STORY"]

    assert found["metrics"]["likes"]["known"] == found["metrics"]["views"]["known"] == 0
    assert found["metrics"]["likes"]["total"] is None
    assert found["metrics"]["likes"]["unknown"] == found["items"] == len(stories)


@pytest.mark.parametrize("tool", [SUMMARY, TOP])
async def test_earned_media_value_of_items_is_shown_in_dollars_that_are_said_to_be_assumed(
    there: Shop, tool: str
) -> None:
    result = await there.result(tool, search={})

    assert result.structured["units"] == {"earnedMediaValueUsd": "USD, assumed"}
    assert "ARCHIVE_MCP_EMV_UNIT" in result.structured["notes"][-1]
    assert '"earnedMediaValue"' not in result.text
    if tool == SUMMARY:
        total = sum(known(there.items(), "earnedMediaValue"))
        figures = result.structured["metrics"]["earnedMediaValueUsd"]
        assert figures["total"] == as_shown("earnedMediaValue", total)


async def test_numbers_that_came_as_text_are_added_up_exactly(there: Shop) -> None:
    large = 2**53 + 1
    there.sandbox.changed = {"views": str(large)}
    found = await there.summary(search={"filter": {"itemTypes": ["REEL"]}}, by=["type"])
    reels = [each for each in there.items() if each.kind == "REEL"]
    pages = -(-len(reels) // 100)
    rest = known([each for place, each in enumerate(reels) if place % 100], "views")

    assert pages == 1
    assert found["metrics"]["views"]["total"] == str(large + sum(rest))
    assert found["by"]["type"][0]["views"]["total"] == found["metrics"]["views"]["total"]


async def test_a_view_and_a_collection_are_summarised_over_all_their_items(there: Shop) -> None:
    presets = (await there.call("archive_get_filter_presets"))["nodes"]
    ids = {each["name"]: each["id"] for each in presets}
    home = there.home()
    collection = next(each for each in home.collections if each.name == "Team Favourites")
    contains = home.library.membership.contains
    held = [home.item(n) for n in home.numbers if contains(collection.number, n)]
    reels = [each for each in there.items() if each.kind == "REEL"]

    for name, items in (("All Reels", reels), ("Team Favourites", held)):
        found = await there.summary(search={"presetId": ids[name]})
        assert found["items"] == len(items) > 0
        agrees(found["metrics"]["earnedMediaValueUsd"], items, "earnedMediaValue")


async def test_named_items_and_links_are_summarised_and_what_they_do_not_find_is_said(
    there: Shop,
) -> None:
    items = [each for each in there.items() if each.original_url][:120]
    by_id = await there.summary(
        itemIds=[*(each.id for each in items), "00000000-0000-4000-8000-000000000000"]
    )
    links = [each.original_url or "" for each in items]
    by_link = await there.summary(
        urls=[*links, links[0] + "?utm_source=x", "https://example.org/nothing"]
    )

    assert by_id["items"] == by_link["items"] == 120
    assert by_id["metrics"] == by_link["metrics"]
    assert any("1 of the ids" in note for note in by_id["notes"])
    assert by_link["missing"] == ["https://example.org/nothing (NOT_FOUND)"]


async def test_a_window_of_time_narrows_a_preset_here(there: Shop) -> None:
    presets = (await there.call("archive_get_filter_presets"))["nodes"]
    preset = next(each["id"] for each in presets if each["name"] == "All Reels")
    found = await there.summary(
        search={"presetId": preset}, takenAt={"from": "2026-10-01", "to": "2026-10-31"}
    )
    october = [
        e
        for e in there.items()
        if e.kind == "REEL" and (e.taken_at.year, e.taken_at.month) == (2026, 10)
    ]

    assert found["items"] == len(october) > 0
    assert found["instants"] == [{"from": "2026-10-01T00:00:00Z", "to": "2026-10-31T23:59:59Z"}]
    assert any("applied here" in note for note in found["notes"])


async def test_few_items_take_no_job_and_one_request_a_page(there: Shop) -> None:
    await there.summary(search={})

    assert [each["first"] for each in there.sandbox.pages] == [100] * 4
    assert await there.jobs() == []


async def test_a_search_that_finds_nothing_has_no_figures(there: Shop) -> None:
    found = await there.summary(
        search={"filter": {"accountNames": ["nobody.at.all"]}}, by=["week", "creator"]
    )

    assert (found["items"], found["span"], found["best"]) == (0, None, [])
    assert found["by"] == {"week": [], "creator": []}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (SUMMARY, {"metrics": ["saves"]}),
        (SUMMARY, {"search": {"presetId": "y"}, "itemIds": ["x"]}),
        (SUMMARY, {"search": {}, "by": ["day"]}),
        (
            SUMMARY,
            {
                "search": {"filter": {"takenAt": {"from": "2026-01-01"}}},
                "takenAt": {"from": "2026-02-01"},
            },
        ),
        (TOP, {"search": {"presetId": "x"}, "accountName": "someone"}),
        (TOP, {"itemIds": ["x"], "creatorId": "y"}),
        (TOP, {"limit": 51}),
        (TOP, {"metric": "SAVES"}),
        (BRANDS, {"period": "YEAR"}),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    there: Shop, tool: str, arguments: Any
) -> None:
    failure = await there.refused(tool, **arguments)

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.hint
    assert not there.sandbox.pages


async def test_three_figures_of_the_first_accounts_are_one_small_answer(there: Shop) -> None:
    found = await there.result(
        SUMMARY, by=["account"], metrics=["likes", "comments", "views"], top=3, limit=0
    )
    likes: dict[str, int] = defaultdict(int)
    for item in there.items():
        likes[f"{item.provider} {item.social_profile.account_name}"] += (
            engagement(item).likes or 0 if item.current_engagement else 0
        )
    *groups, others = found.structured["by"]["account"]

    assert [group["likes"]["total"] for group in groups] == sorted(likes.values())[:-4:-1]
    assert others["others"] == len(likes) - 3
    assert list(found.structured["metrics"]) == ["likes", "comments", "views"]
    assert found.structured.keys().isdisjoint({"best", "virality", "units"})
    assert len(found.text) < 1_800


async def test_the_first_chosen_figure_ranks_unless_a_metric_is_named(there: Shop) -> None:
    views = await there.summary(metrics=["views", "likes"])
    likes = await there.summary(metrics=["views"], metric="LIKE_COUNT")

    assert [list(best)[-1] for best in views["best"]] == ["views"] * 5
    assert [list(best)[-1] for best in likes["best"]] == ["likes"] * 5


@pytest.mark.parametrize(
    ("name", "key"), [("likes", "LIKE_COUNT"), ("views", "MERGED_VIEW_PLAY_COUNT")]
)
async def test_a_metric_may_be_named_as_answers_name_it(there: Shop, name: str, key: str) -> None:
    assert await there.top(metric=name) == await there.top(metric=key)


async def test_top_and_total_are_one_answer(there: Shop) -> None:
    window = {"from": "2026-08-01", "to": "2026-08-31"}
    found = await there.top(takenAt=window, limit=5)
    august = [item for item in there.items() if item.taken_at.strftime("%Y-%m") == "2026-08"]

    assert found["items"] == len(august) > 5
    first = {item.id: item for item in august}[found["nodes"][0]["id"]]
    assert found["nodes"][0]["provider"] == first.provider
    assert found["nodes"][0]["type"] == first.type
    assert found["nodes"][0]["accountName"] == first.social_profile.account_name
    assert found["nodes"][0]["originalUrl"] == first.original_url


async def test_a_phrase_counts_only_captions_that_hold_it(there: Shop) -> None:
    found = await there.summary(search={"captionPhrase": "two  PUMPS of"}, metrics=["likes"])
    matches = [item for item in there.items() if "two pumps of" in (item.caption or "").lower()]

    assert found["items"] == len(matches) > 0
    assert found["metrics"]["likes"]["total"] == sum(known(matches, "likes"))


async def test_nothing_for_a_filter_says_which(there: Shop) -> None:
    filters = {"accountNames": ["nobody"], "provider": "TIKTOK"}
    for tool in (SUMMARY, TOP):
        found = await there.call(tool, search={"filter": filters})
        assert any(
            note.startswith("Nothing meets filter.provider, filter.accountNames together")
            for note in found["notes"]
        )


async def test_a_result_fits_also_with_every_group_of_many_items() -> None:
    async with shop(1_000) as there:
        result = await there.result(
            SUMMARY, search={}, by=["platform", "type", "week", "month", "creator"]
        )
    found = result.structured

    assert len(result.text) < 40_000
    for by, groups in found["by"].items():
        assert sum(each["items"] for each in groups) == 1_000, by
    assert any("By week: the latest" in note for note in found["notes"])
    assert "earlier" in found["by"]["week"][0]
