from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code
from server.insights.rows import METRICS, Row
from server.pictures import charts
from server.pictures.charts import (
    Column,
    Panel,
    draw_bars,
    draw_over_time,
    shorten_number,
    to_plain_text,
)
from server.pictures.drawings import (
    MOST_WEEKS,
    Drawing,
    chart_engagement,
    chart_platform_mix,
    chart_top_creators,
    chart_weeks,
)
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


def row(
    taken_at: str = "2026-11-02T10:00:00Z",
    creator: str | None = "c",
    account: str = "mia",
    **values: Any,
) -> Row:
    metrics = tuple(values.get(name) for name in METRICS)
    return Row(taken_at, "TIKTOK", "POST", taken_at, metrics, creator=creator, account=account)


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
    assert told["columns"] == ["creatorId", "accounts", "items", "earnedMediaValue"]
    assert [(line[0], line[2], line[3]) for line in told["rows"]] == [
        (id, posts[id], sum_) for id, sum_ in expected
    ]
    assert told["units"] == {"earnedMediaValue": "cents"}
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
    assert {week: count for week, count, _ in lines if count} == counts
    assert {week: total or 0 for week, count, total in lines if count} == totals
    assert [week for week, _, _ in lines] == sorted(week for week, _, _ in lines)


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
    assert (
        "one metric" in refused(Chart, kind="weekly", search={}, metrics=["likes", "views"]).message
    )
    assert "exactly one of" in refused(Chart, kind="weekly", itemIds=["a"], urls=["b"]).message
    async with viewer(tmp_path, items=3100) as v:
        many = await v.refused(Chart, kind="weekly", search={})
        timelines = await v.refused(Chart, kind="engagement_over_time", search={})
        nothing = await v.refused(Chart, kind="weekly", itemIds=["no-such-item"])

    assert "up to 3,000 items; these are 3,100" in many.message
    assert "up to 6 items; these are 3,100" in timelines.message
    assert nothing.code is Code.NOT_FOUND


async def test_all_items_of_a_time_are_drawn_without_a_search(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        window = {"from": "2026-07-01", "to": "2026-07-31"}
        result = await v.look(Chart, kind="platform_mix", takenAt=window)
        july = [item for item in items(v) if item.taken_at.strftime("%Y-%m") == "2026-07"]

    assert sum(count for _, _, count, _ in result.structured["rows"]) == len(july) > 0


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

    assert {total for _, _, total in by_week.structured["rows"]} == {None}
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


def test_a_week_without_posts_has_no_posts_and_no_total() -> None:
    drawing = chart_weeks(
        [row("2026-10-05T00:00:00Z", likes=3), row("2026-10-25T23:59:59Z", likes=4)], "likes"
    )

    assert drawing.rows == [["2026-W41", 1, 3], ["2026-W42", 0, None], ["2026-W43", 1, 4]]


def test_a_week_whose_posts_all_lack_the_metric_has_no_total() -> None:
    drawing = chart_weeks(
        [row("2026-10-05T00:00:00Z"), row("2026-10-12T00:00:00Z", likes=0)], "likes"
    )

    assert drawing.rows == [["2026-W41", 1, None], ["2026-W42", 1, 0]]


def test_only_the_latest_weeks_are_drawn() -> None:
    start = datetime(2020, 1, 6, tzinfo=UTC)
    rows = [
        row((start + timedelta(weeks=week)).isoformat(), likes=week)
        for week in range(MOST_WEEKS + 50)
    ]
    drawing = chart_weeks(rows, "likes")

    assert [total for _, _, total in drawing.rows] == list(range(50, MOST_WEEKS + 50))
    assert any(f"the last {MOST_WEEKS} are shown" in note for note in drawing.notes)


def test_creators_without_the_metric_and_accounts_without_a_creator_are_not_ranked() -> None:
    rows = [row(creator="a", likes=0), row(creator="b"), row(creator=None, likes=900)]
    drawing = chart_top_creators(rows, "likes", 10)

    assert drawing.rows == [["a", "mia", 1, 0]]
    assert "1 items of accounts without a creator in the CRM are left out." in drawing.notes
    assert "1 creators have no known likes: left out." in drawing.notes


def drawn_texts(drawing: Drawing, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is written on a chart."""
    texts: list[str] = []
    save = charts._encode_png

    def keep(figure: Any) -> bytes:
        png = save(figure)
        found = figure.findobj(lambda each: hasattr(each, "get_text"))
        texts.extend(each.get_text() for each in found if each.get_visible() and each.get_text())
        return png

    monkeypatch.setattr(charts, "_encode_png", keep)
    drawing.draw()
    return texts


EMV_ROWS = [
    row("2026-10-05T00:00:00Z", earnedMediaValue=123_456),
    row("2026-10-12T00:00:00Z", earnedMediaValue=5),
]


@pytest.mark.parametrize(
    "drawing",
    [
        chart_top_creators(EMV_ROWS, "earnedMediaValue", 5),
        chart_platform_mix(EMV_ROWS, "earnedMediaValue"),
        chart_weeks(EMV_ROWS, "earnedMediaValue"),
        chart_engagement(
            EMV_ROWS[:1],
            [[{"at": "2026-10-06T00:00:00Z", "earnedMediaValue": 7}]],
            ["earnedMediaValue"],
        ),
    ],
)
def test_money_is_named_as_cents_and_never_as_dollars(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = drawn_texts(drawing, monkeypatch)

    assert "Earned media value (cents)" in texts
    assert not any("$" in text or "USD" in text for text in texts)
    assert drawing.to_dict()["units"] == {"earnedMediaValue": "cents"}


def test_an_unknown_figure_is_a_gap_and_is_called_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = chart_platform_mix([row(likes=5), row()], "likes")
    nothing = chart_platform_mix([row(), row()], "likes")

    assert "unknown" not in drawn_texts(mixed, monkeypatch)
    assert "unknown" in drawn_texts(nothing, monkeypatch)


NAMES = [
    "mia 🎀✨",
    "$a$b$",
    "\\frac{1}{2}",
    "<b>x</b>",
    "a\nb\tc",
    "\u202eevil",
    "北京美食",
    "é" * 300,
    "",
    "🇫🇷",
    "_",
    "\x00\x07",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_strangers_chose_are_drawn_as_text_without_a_warning(name: str) -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)

    assert draw_bars(name, [name, "b"], [Column(name, [1, None])], [name, name + "x"], name)
    assert draw_over_time(
        name, [Panel(name, [(name, [(moment, 1.0)]), ("b", [(moment, None)])])], name, name
    )


def test_a_name_is_cut_and_keeps_what_the_font_has() -> None:
    assert to_plain_text("a" * 100) == "a" * 31 + "\N{HORIZONTAL ELLIPSIS}"
    assert to_plain_text("mia 🎀") == "mia \N{WHITE SQUARE}"
    assert to_plain_text("\u202eab\x00c\nd") == "abc d"
    assert to_plain_text("$x$") == r"\$x\$"
    assert to_plain_text("Zoé") == "Zoé"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7.5, "7.5"),
        (950, "950"),
        (12_345, "12.3k"),
        (2_000_000, "2M"),
        (-1500, "-1.5k"),
        (3.2e13, "32T"),
    ],
)
def test_numbers_are_written_as_people_say_them(number: float, text: str) -> None:
    assert shorten_number(number) == text


def test_a_settings_file_of_matplotlib_in_the_working_folder_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: black\n")
    draw = "sys.stdout.buffer.write(draw_bars('t', ['a'], [Column('c', [1])]))"
    script = f"import sys; from server.pictures.charts import *; {draw}"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        check=True,
    )

    assert run.stdout == draw_bars("t", ["a"], [Column("c", [1])])


def test_nothing_heavy_is_imported_before_a_picture_is_drawn() -> None:
    script = (
        "import sys, tools.archive.insights.media, tools.archive.insights.charts; "
        "print([each for each in ('PIL', 'matplotlib', 'numpy') if each in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"
