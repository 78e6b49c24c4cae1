from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code
from server.sandbox import COFFEE
from tests.support.paths import ROOT
from tests.support.tools.looking import (
    Viewer,
    opened,
    refused,
    viewer,
    without,
)
from tools.archive.insights.charts import Chart
from tools.archive.workspace import GetFilterPresets

EVERYTHING: dict[str, Any] = {}
FIELDS = {
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "views": "views",
    "impressions": "impressions",
    "earnedMediaValue": "earned_media_value",
}


def items(v: Viewer) -> list[Any]:
    return [v.home.item(number) for number in range(400)]


def value(item: Any, metric: str) -> int | None:
    engagement = item.current_engagement
    found: int | None = getattr(engagement, FIELDS[metric]) if engagement else None
    return found


async def test_top_creators_are_those_of_the_raw_records(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(
            Chart, kind="top_creators", search=EVERYTHING, metrics="earnedMediaValue", top=7
        )
        totals: dict[str, int] = defaultdict(int)
        posts: dict[str, int] = defaultdict(int)
        unknown = 0
        for item in items(v):
            found = value(item, "earnedMediaValue")
            unknown += found is None
            posts[item.creator.id] += 1
            totals[item.creator.id] += found or 0

    told = result.structured
    expected = sorted(totals.items(), key=lambda each: -each[1])[:7]
    assert told["columns"] == ["creatorId", "accounts", "items", "earnedMediaValueUsd"]
    assert [(line[0], line[2], line[3]) for line in told["rows"]] == [
        (id, posts[id], cents / 100) for id, cents in expected
    ]
    assert told["units"] == {"earnedMediaValueUsd": "USD, assumed"}
    assert (
        f"earnedMediaValue is unknown for {unknown} of 400 items; they add nothing."
        in told["notes"]
    )


@pytest.mark.parametrize("metric", ["views", "likes"])
async def test_the_mix_of_platforms_is_that_of_the_raw_records(tmp_path: Path, metric: str) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(Chart, kind="platform_mix", search=EVERYTHING, metrics=[metric])
        expected: dict[tuple[str, str], tuple[int, int | None]] = {}
        for item in items(v):
            count, total = expected.get((item.provider, item.type), (0, None))
            found = value(item, metric)
            sum_ = total if found is None else (total or 0) + found
            expected[item.provider, item.type] = (count + 1, sum_)

    lines = {
        (platform, kind): (count, total)
        for platform, kind, count, total in result.structured["rows"]
    }
    assert lines == expected
    assert None in {total for _, total in lines.values()}


async def test_weeks_are_those_of_the_raw_records(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(Chart, kind="weekly", search=EVERYTHING, metrics="likes")
        counts: dict[str, int] = defaultdict(int)
        totals: dict[str, int] = defaultdict(int)
        for item in items(v):
            week = f"{item.taken_at:%G-W%V}"
            counts[week] += 1
            totals[week] += value(item, "likes") or 0

    lines = result.structured["rows"]
    assert {week: count for week, _, _, count, _ in lines if count} == counts
    assert {week: total or 0 for week, _, _, count, total in lines if count} == totals
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)


async def test_a_timeline_is_that_of_the_raw_snapshots(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        chosen = items(v)[100:103]
        ids = [item.id for item in chosen]
        result = await v.look(
            Chart, kind="engagement_over_time", itemIds=ids, metrics=["likes", "views"]
        )
        expected = [
            [place, f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", entry.likes, entry.views]
            for place, item in enumerate(chosen, 1)
            for entry in reversed(item.history)
        ]

    assert result.structured["columns"] == ["number", "at", "likes", "views"]
    assert [(each["number"], each["itemId"]) for each in result.structured["items"]] == list(
        enumerate(ids, 1)
    )
    assert result.structured["rows"] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "top_creators", "search": {}},
        {"kind": "platform_mix", "search": {"filter": {"provider": "TIKTOK"}}, "metrics": "views"},
        {"kind": "weekly", "search": {}, "metrics": "impressions"},
    ],
)
async def test_a_chart_is_a_png_that_decodes_beside_its_numbers(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(Chart, **arguments)

    (picture,) = result.images
    found = opened(picture)
    assert picture.mime_type == "image/png"
    assert found.width == 1100
    assert 300 < found.height < 1400
    assert len(found.convert("RGB").getcolors(1 << 20) or ()) > 10
    assert len(picture.content) < 300_000
    assert not result.is_structured
    assert result.links == ()


async def test_a_saved_chart_is_the_same_picture_in_the_export_folder_and_replaces_nothing(
    tmp_path: Path,
) -> None:
    async with viewer(tmp_path) as v:
        first = await v.look(Chart, kind="weekly", search=EVERYTHING, save="q4")
        second = await v.look(Chart, kind="weekly", search=EVERYTHING, save="q4.png")

    folder = tmp_path / "exports"
    assert sorted(each.name for each in folder.iterdir()) == ["q4-2.png", "q4.png"]
    assert (folder / "q4.png").read_bytes() == first.images[0].content
    assert first.structured["file"] == {
        "path": str(folder / "q4.png"),
        "bytes": len(first.images[0].content),
    }
    assert second.structured["file"]["path"] == str(folder / "q4-2.png")
    assert [(each.uri, each.mime_type) for each in first.links] == [
        ("archive://exports/q4.png", "image/png")
    ]


# Refused.
@pytest.mark.parametrize("name", ["../q4", "/tmp/q4", "a/b", "con", "x" * 300])  # noqa: S108
def test_a_file_elsewhere_is_refused_before_anything_is_read(name: str) -> None:
    assert refused(Chart, kind="weekly", search={}, save=name)


async def test_only_what_can_be_drawn_is_taken(tmp_path: Path) -> None:
    over_time = refused(Chart, kind="engagement_over_time", metrics=["items"])
    assert "does not change over time" in over_time.message
    assert "exactly one of" in refused(Chart, kind="weekly", itemIds=["a"], urls=["b"]).message
    async with viewer(tmp_path, items=3100) as v:
        many = await v.refused(Chart, kind="weekly", search={})
        timelines = await v.refused(Chart, kind="engagement_over_time", search={})
        nothing = await v.refused(Chart, kind="weekly", itemIds=["no-such-item"])

    assert "up to 3,000 items; these are 3,100" in many.message
    assert "up to 6 items; these are 3,100" in timelines.message
    assert nothing.code is Code.NOT_FOUND


async def test_posts_are_counted_where_no_metric_was_asked_for(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        window = {"from": "2026-07-01", "to": "2026-07-31"}
        result = await v.look(Chart, kind="weekly", takenAt=window)
        july = [item for item in items(v) if item.taken_at.strftime("%Y-%m") == "2026-07"]

    told = result.structured
    assert told["title"] == "Northwind Skincare: posts by week"
    assert told["posts"] == "posted from 2026-07-01 to 2026-07-31"
    assert told["columns"] == ["week", "from", "to", "items"]
    assert [line[1] for line in told["rows"]] == [
        "2026-07-01", "2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27"
    ]  # fmt: skip
    assert sum(line[-1] for line in told["rows"]) == len(july)


async def test_a_view_is_called_by_its_name(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        presets = (await v.look(GetFilterPresets)).structured["nodes"]
        (view,) = [preset for preset in presets if preset["accessor"] == "MEDIA_DECK"][:1]
        result = await v.look(Chart, kind="weekly", search={"presetId": view["id"]})

    assert result.structured["posts"] == f"view or collection {view['name']}"


async def test_all_items_of_a_time_are_drawn_without_a_search(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        window = {"from": "2026-07-01", "to": "2026-07-31"}
        result = await v.look(Chart, kind="platform_mix", takenAt=window)
        july = [item for item in items(v) if item.taken_at.strftime("%Y-%m") == "2026-07"]

    assert sum(line[2] for line in result.structured["rows"]) == len(july) > 0


async def test_ids_that_name_nothing_are_counted(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(Chart, kind="top_creators", itemIds=[items(v)[0].id, "no-such-item"])

    assert "1 of the ids name no item in this workspace." in result.structured["notes"]


async def test_a_metric_that_a_workspace_lacks_is_unknown_and_not_zero(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        by_week = await v.look(
            Chart, kind="weekly", search={}, metrics="earnedMediaValue", workspace=COFFEE
        )
        creators = await v.look(
            Chart, kind="top_creators", search={}, metrics="earnedMediaValue", workspace=COFFEE
        )

    assert {line[-1] for line in by_week.structured["rows"]} == {None}
    assert creators.structured["rows"] == []
    opened(by_week.images[0])
    opened(creators.images[0])


async def test_without_matplotlib_a_chart_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "matplotlib")
    async with viewer(tmp_path) as v:
        failure = await v.refused(Chart, kind="weekly", search={})

    assert failure.code is Code.UNSUPPORTED
    assert '"archive-mcp[charts]"' in failure.hint
    assert "{performance}" in failure.hint


def test_nothing_heavy_is_imported_before_a_picture_is_drawn() -> None:
    script = (
        "import sys, tools.archive.insights.media, tools.archive.insights.charts; "
        "print([each for each in ('PIL', 'matplotlib', 'numpy') if each in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"
