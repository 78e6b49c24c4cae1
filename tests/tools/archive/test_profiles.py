from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from tests.support.tools.calling import parsed, refused, sent
from tests.support.tools.through_sandbox import desk
from tools.archive.campaigns import GetCampaigns
from tools.archive.content.items import SearchItems
from tools.archive.creators import GetSocialProfiles, SearchCreators
from tools.archive.workspace import GetFilterPresets

Json = dict[str, Any]


async def test_a_campaign_narrows_a_search() -> None:
    async with desk() as at:
        campaigns = (await at.call(GetCampaigns))["nodes"]
        found = await at.call(
            SearchItems, filter={"campaignsIds": [campaigns[0]["id"]]}, fields=["id"]
        )
        whole = await at.call(SearchItems, fields=["id"], limit=1)

    assert campaigns[0].keys() == {"id", "name", "createdAt"}
    assert 0 < found["totalCount"] < whole["totalCount"]


async def test_profiles_are_listed_by_platform() -> None:
    async with desk() as at:
        everybody = await at.call(GetSocialProfiles, limit=1)
        some = await at.call(GetSocialProfiles, filter={"platform": "TIKTOK"}, limit=50)

    assert 0 < some["totalCount"] < everybody["totalCount"]
    assert {each["provider"] for each in some["nodes"]} == {"TIKTOK"}


def test_a_profile_view_says_what_archive_does_not_apply() -> None:
    with_view, without = parsed(GetSocialProfiles, presetId="7"), parsed(GetSocialProfiles)

    assert isinstance(with_view, GetSocialProfiles)
    assert isinstance(without, GetSocialProfiles)
    assert "not its stored filters" in with_view.notes()[0]
    assert without.notes() == []


def test_a_platform_beside_a_profile_view_is_refused_because_archive_would_ignore_it() -> None:
    assert (
        "beside `presetId`"
        in refused(GetSocialProfiles, presetId="7", filter={"platform": "TIKTOK"}).message
    )
    assert sent(GetSocialProfiles, presetId="7", filter={}) == {"presetId": "7"}


@pytest.mark.parametrize("request_type", [GetSocialProfiles, SearchCreators])
async def test_a_view_of_another_kind_or_of_none_is_told_with_where_to_look(
    request_type: Any,
) -> None:
    own = "{socialProfileViews}" if request_type is GetSocialProfiles else "{creatorViews}"
    async with desk() as at:
        content_view = (await at.call(GetFilterPresets))["nodes"][0]["id"]
        wrong = await at.refused(request_type, presetId=content_view)
        unknown = await at.refused(request_type, presetId="00000000-0000-4000-8000-000000000000")

    assert wrong.code is Code.INVALID_ARGUMENT
    assert own in wrong.hint
    assert unknown.code is Code.NOT_FOUND
    assert own in unknown.hint


@pytest.mark.parametrize(
    ("raw", "credits"),
    [
        ({}, 90),
        ({"filter": {"locations": [{"country": "Germany"}]}}, 90),
        ({"presetId": "7"}, 340),
        (
            {"customAttributeConditions": [{"field": "a", "operator": "IS_EMPTY", "type": "TEXT"}]},
            340,
        ),
    ],
)
def test_creators_that_conditions_or_a_view_narrow_cost_more(raw: Json, credits: float) -> None:
    assert parsed(SearchCreators, **raw).credits() == credits
    assert parsed(GetSocialProfiles).credits() == 45
