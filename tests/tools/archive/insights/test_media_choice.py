from __future__ import annotations

from pathlib import Path
from typing import Any

from server.sandbox.ids import Kind
from tests.support.tools.looking import (
    opened,
    refused,
    viewer,
)
from tests.support.tools.pictures import shown, usable
from tools.archive.competitors import GetCompetitorBrandItems, GetCompetitorBrands
from tools.archive.insights.media import ViewMedia


async def test_posts_of_competitors_are_shown_by_their_ids(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        brands = (await v.look(GetCompetitorBrands)).structured["nodes"]
        brand = next(each["id"] for each in brands if not each["isOwnBrand"])
        window = {"takenAt": {"from": "2026-09-01", "to": "2026-10-31"}}
        posts = await v.look(GetCompetitorBrandItems, brandId=brand, filter=window, fields=["id"])
        ids = [each["id"] for each in posts.structured["nodes"]]
        before = v.sandbox.requests
        result = await v.look(ViewMedia, competitorBrandItemIds=ids)
        sent = v.sandbox.requests - before

    told = result.structured
    assert [each["itemId"] for each in told["pictures"] + told.get("skipped", [])] != []
    assert {each["itemId"] for each in told["pictures"] + told.get("skipped", [])} == set(ids)
    assert sent < len(ids)
    assert "archive_get_competitor_brand_items" in told["notes"][0]
    opened(result.images[0])


def test_what_cannot_be_shown_together_is_refused() -> None:
    assert "exactly one of" in refused(ViewMedia, itemIds=["a"], urls=["b"]).message
    for other in ({"itemIds": ["a"]}, {"metric": "LIKE_COUNT"}, {"search": {"presetId": "x"}}):
        failure = refused(ViewMedia, competitorBrandItemIds=["b"], **other)
        assert "no other choice of posts" in failure.message
    assert (
        "up to 6 items" in refused(ViewMedia, itemIds=[str(n) for n in range(7)], each=True).message
    )
    assert "itemIds" in refused(ViewMedia, itemIds=[str(n) for n in range(25)]).message
    assert "size" in refused(ViewMedia, itemIds=["a"], size=20).message


async def test_the_best_posts_of_a_time_are_one_call(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        window = {"from": "2026-08-01", "to": "2026-08-31"}
        result = await v.look(ViewMedia, takenAt=window, metric="LIKE_COUNT", limit=3)
        items = [v.home.item(number) for number in range(400)]
        august = [item for item in items if item.taken_at.strftime("%Y-%m") == "2026-08"]

    def likes(item: Any) -> int:
        return (item.current_engagement and item.current_engagement.likes) or 0

    best = [item.id for item in sorted(august, key=likes, reverse=True)[:3]]
    assert [entry["itemId"] for entry in shown(result)] == best
    assert f"Ranked by likes, of {len(august)} items." in result.structured["notes"]


async def test_a_view_is_ranked_over_all_its_items(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        view = next(
            entry
            for entry in v.home.library.views[Kind.CONTENT_VIEW].oldest_first()
            if entry.name == "All Reels"
        )
        result = await v.look(ViewMedia, search={"presetId": view.id}, metric="LIKE_COUNT", limit=2)

    assert len(shown(result)) == 2
    assert {entry["type"] for entry in result.structured["pictures"]} == {"REEL"}


async def test_without_a_metric_the_newest_posts_are_shown(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(ViewMedia)
        newest = [v.home.item(number).id for number in range(9)]

    assert {entry["itemId"] for entry in shown(result)} == set(newest)


async def test_single_images_of_a_search_are_six_at_most_and_it_is_said(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        asked = await v.look(ViewMedia, each=True, limit=9)
        left_out = await v.look(ViewMedia, each=True)

    assert len(shown(asked)) == len(shown(left_out)) == 6
    assert "`limit` is at most 6 here." in asked.structured["notes"]
    assert "`limit`" not in str(left_out.structured.get("notes", []))


async def test_posts_are_shown_by_their_links(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        item = next(item for item in usable(v, 20) if item.original_url)
        links = [item.original_url, "https://www.instagram.com/p/nothing-there/"]
        result = await v.look(ViewMedia, urls=links)

    assert {entry["itemId"] for entry in shown(result)} == {item.id}
    assert any("nothing-there" in note for note in result.structured["notes"])


async def test_nothing_to_show_says_why(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        result = await v.look(ViewMedia, search={"filter": {"accountNames": ["nobody"]}})

    assert result.structured["pictures"] == []
    assert result.structured["notes"][0].startswith("Nothing meets filter.accountNames")
