"""One record is read by its id or its name, by the rule that everything with a name has."""

from __future__ import annotations

from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.errors import Code, Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.doubles import IdleProcess, ScriptedArchive
from tests.support.tools.calling import parsed
from tests.support.tools.through_sandbox import Desk, desk
from tools.archive.campaigns import GetCampaigns
from tools.archive.collections import GetCollection, GetCollections
from tools.archive.competitors import (
    GetCompetitorBrand,
    GetCompetitorBrandItems,
    GetCompetitorBrands,
)
from tools.archive.content.items import SearchItems
from tools.archive.views.content import (
    CreateContentView,
    GetContentView,
    GetContentViews,
    UpdateContentView,
)
from tools.archive.views.creators import GetCreatorView, GetCreatorViews
from tools.archive.views.groups import GetViewGroup, GetViewGroups
from tools.archive.views.social_profiles import GetSocialProfileView, GetSocialProfileViews

OCTOBER = {"takenAt": {"from": "2026-10-01", "to": "2026-10-31"}}
UNKNOWN = "11111111-1111-4111-8111-111111111111"


async def identify(front: Desk, listing: Any, name: str) -> str:
    rows = (await front.call(listing, fields=["id", "name"]))["nodes"]
    (match,) = [row["id"] for row in rows if row["name"] == name]
    return str(match)


@pytest.mark.parametrize(
    ("get", "listing", "text", "name"),
    [
        (GetCollection, GetCollections, "Q3 Report", "Q3 Report"),
        (GetCollection, GetCollections, "  holiday   MOODBOARD ", "Holiday Moodboard"),
        (GetCollection, GetCollections, "holiday", "Holiday Moodboard"),
        (GetContentView, GetContentViews, "tiktok top", "TikTok Top Earners"),
        (GetCreatorView, GetCreatorViews, "vip creators", "VIP Creators"),
        (
            GetSocialProfileView,
            GetSocialProfileViews,
            "favourites by audience",
            "Favourites by Audience",
        ),
        (GetViewGroup, GetViewGroups, "REPORTING", "Reporting"),
        (GetCompetitorBrand, GetCompetitorBrands, "salt orchard", "Salt Orchard"),
    ],
)
async def test_a_name_reads_what_its_id_reads(get: Any, listing: Any, text: str, name: str) -> None:
    async with desk() as front:
        by_id = await front.call(get, id=await identify(front, listing, name))
        by_name = await front.call(get, id=text)

    assert by_name == by_id
    assert by_name["name"] == name


async def test_the_posts_about_a_brand_are_read_by_its_name() -> None:
    async with desk() as front:
        brand = await identify(front, GetCompetitorBrands, "Fjordlight")
        by_id = await front.call(GetCompetitorBrandItems, brandId=brand, filter=OCTOBER)
        by_name = await front.call(GetCompetitorBrandItems, brandId="fjord", filter=OCTOBER)

    assert by_name["nodes"] == by_id["nodes"] != []


async def test_a_campaign_narrows_posts_by_its_name_but_not_by_a_part_of_it() -> None:
    async with desk() as front:
        campaign = await identify(front, GetCampaigns, "Summer SPF")
        by_id = await front.call(SearchItems, filter={"campaignsIds": [campaign]}, fields=["id"])
        by_name = await front.call(
            SearchItems, filter={"campaignsIds": ["summer spf"]}, fields=["id"]
        )
        failure = await front.refused(SearchItems, filter={"campaignsIds": ["Summer"]})

    assert by_name["nodes"] == by_id["nodes"] != []
    assert failure.code is Code.NOT_FOUND


async def test_a_view_is_saved_with_the_ids_of_what_its_filters_name() -> None:
    filters = {"collectionsIds": ["q3 report"], "campaignsIds": ["Summer SPF"]}
    async with desk() as front:
        collection = await identify(front, GetCollections, "Q3 Report")
        campaign = await identify(front, GetCampaigns, "Summer SPF")
        view = await front.call(CreateContentView, input={"name": "Both", "filters": filters})
        narrower = {"collectionsIds": ["Holiday Moodboard"]}
        moodboard = await identify(front, GetCollections, "Holiday Moodboard")
        changed = await front.call(
            UpdateContentView, id=view["contentView"]["id"], input={"filters": narrower}
        )

    saved = {"collectionsIds": [collection], "campaignsIds": [campaign]}
    assert view["contentView"]["filters"] == saved
    assert changed["contentView"]["filters"] == {"collectionsIds": [moodboard]}


async def test_a_misspelt_name_is_refused_with_the_closest() -> None:
    async with desk() as front:
        failure = await front.refused(GetCollection, id="Holiday Moodbord")

    assert failure.code is Code.NOT_FOUND
    assert "Did you mean `Holiday Moodboard`?" in failure.message
    assert "lists the collections" in failure.hint


async def test_a_part_of_several_names_is_refused_with_all_of_them() -> None:
    async with desk() as front:
        failure = await front.refused(GetCollection, id="report")

    assert failure.code is Code.AMBIGUOUS
    names = {entry["name"] for entry in failure.details["candidates"]}
    assert {"Q2 Report", "Q3 Report"} <= names


@pytest.mark.parametrize(
    ("text", "requests"),
    [(UNKNOWN, ["collection"]), ("x-1", ["collections", "collection"])],
)
async def test_an_id_costs_no_list_and_what_may_be_one_is_asked_for(
    text: str, requests: list[str]
) -> None:
    archive = ScriptedArchive(lambda call: [] if call.operation == "collections" else None)
    backend = ArchiveBackend(
        archive, UNKNOWN, Confirmations("ask", MemoryTokens(archive.clock)), IdleProcess()
    )

    with pytest.raises(Failure) as caught:
        await backend.run(parsed(GetCollection, id=text), Caller(Nobody(), archive.now() + 45))

    assert caught.value.code is Code.NOT_FOUND
    assert [call.operation for call in archive.calls] == requests
