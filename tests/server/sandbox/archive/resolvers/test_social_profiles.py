"""Lists of profiles."""

from __future__ import annotations

import pytest

from server.sandbox import OUTDOOR
from server.sandbox.ids import Kind
from tests.server.sandbox.archive.conftest import Client, Json

PROFILES = (
    "query($first: Int = 100, $after: String, $platform: Provider, $preset: ID) { "
    "socialProfiles(first: $first,"
    " after: $after, filter: {platform: $platform}, presetId: $preset) { totalCount"
    " nodes { id accountName provider followers verified creator { id customAttributes } }"
    " edges { cursor node { id } } pageInfo { startCursor endCursor hasNextPage } } }"
)


def view(client: Client, number: int, kind: Kind = Kind.PROFILE_VIEW) -> str:
    return client.sandbox.world.workspaces[0].id_of(kind, number)


async def test_every_profile_of_the_crm_is_met_once_when_paging_to_the_end(shared: Client) -> None:
    everybody = await shared.every("socialProfiles", "id")
    people = await shared.every("creators", "socialProfiles { id }")
    assert [p["id"] for p in everybody] == [
        p["id"] for person in people for p in person["socialProfiles"]
    ]


@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK", "YOUTUBE"])
async def test_the_platform_narrows(shared: Client, platform: str) -> None:
    page = await shared.ask(PROFILES, {"platform": platform})
    assert {profile["provider"] for profile in page["nodes"]} == {platform}
    assert page["totalCount"] < (await shared.ask(PROFILES))["totalCount"]


async def test_the_sandbox_knows_no_profile_of_its_own_platform(shared: Client) -> None:
    assert (await shared.ask(PROFILES, {"platform": "INTERNAL"}))["totalCount"] == 0


async def test_only_the_end_cursor_can_be_paged_from(shared: Client) -> None:
    page = await shared.ask(PROFILES, {"first": 2})
    following = await shared.ask(PROFILES, {"first": 1, "after": page["pageInfo"]["endCursor"]})
    assert following["nodes"][0]["id"] not in {profile["id"] for profile in page["nodes"]}
    assert [edge["node"]["id"] for edge in page["edges"]] == [
        profile["id"] for profile in page["nodes"]
    ]
    for edge in page["edges"]:
        assert (await shared.error(PROFILES, {"after": edge["cursor"]}))[0] == "Invalid cursor"


async def test_the_stored_filters_of_a_view_are_not_applied(shared: Client) -> None:
    assert shared.sandbox.world.workspaces[0].brand.profile_views[0].filters == {
        "platform": "TIKTOK"
    }
    seen, everybody = (
        await shared.ask(PROFILES, {"preset": view(shared, 0)}),
        await shared.ask(PROFILES),
    )
    assert (seen["nodes"], seen["totalCount"]) == (everybody["nodes"], everybody["totalCount"])


async def test_the_stored_conditions_of_a_view_apply_to_the_owner(shared: Client) -> None:
    seen = (await shared.ask(PROFILES, {"preset": view(shared, 1)}))["nodes"]
    everybody = await shared.every("socialProfiles", "id creator { customAttributes }")
    favourites = {p["id"] for p in everybody if p["creator"]["customAttributes"]["favourite"]}
    assert {profile["id"] for profile in seen} == favourites
    assert 0 < len(favourites) < len(everybody)


async def test_the_stored_order_of_a_view_applies(shared: Client) -> None:
    followers = [
        p["followers"] for p in (await shared.ask(PROFILES, {"preset": view(shared, 1)}))["nodes"]
    ]
    assert followers == sorted(followers, reverse=True)


async def test_a_platform_beside_a_view_is_ignored(shared: Client) -> None:
    given = {"preset": view(shared, 1), "platform": "YOUTUBE"}
    assert (await shared.ask(PROFILES, given))["nodes"] == (
        await shared.ask(PROFILES, {"preset": view(shared, 1)})
    )["nodes"]


@pytest.mark.parametrize("kind", [Kind.CONTENT_VIEW, Kind.COLLECTION, Kind.CREATOR_VIEW])
async def test_a_view_of_another_kind_is_refused(shared: Client, kind: Kind) -> None:
    assert (await shared.error(PROFILES, {"preset": view(shared, 0, kind)}))[1] == "WRONG_VIEW_TYPE"


async def test_unknown_and_foreign_views_are_not_found(shared: Client) -> None:
    for given in ("unknown", view(shared, 500), view(shared, 0, Kind.CAMPAIGN)):
        assert (await shared.error(PROFILES, {"preset": given}))[1] == "NOT_FOUND"
    assert (await shared.error(PROFILES, {"preset": view(shared, 0)}, workspace=OUTDOOR))[
        1
    ] == "NOT_FOUND"


@pytest.mark.parametrize("first", [0, 101])
async def test_a_page_holds_1_to_100(shared: Client, first: int) -> None:
    assert "first must be" in (await shared.error(PROFILES, {"first": first}))[0]


async def test_a_cursor_of_another_list_is_refused(shared: Client) -> None:
    other: Json = await shared.ask("{ creators { pageInfo { endCursor } } }")
    assert (await shared.error(PROFILES, {"after": other["pageInfo"]["endCursor"]}))[
        0
    ] == "Invalid cursor"
