"""What is shown by a view that is given as presetId."""

from __future__ import annotations

import pytest

from tests.server.sandbox.archive.conftest import Client, Json
from tests.support.sandbox.calls import VIEW, done, read
from tests.support.sandbox.views import (
    CONTENT,
    CREATORS,
    PROFILES,
    REACH,
    ViewKind,
    make,
    update,
)


async def shown(
    client: Client, view: str, fields: str = "id", operation: str = "items"
) -> list[Json]:
    return await client.every(operation, fields, f', presetId: "{view}"')


async def test_presets_list_content_views_as_they_are_now(client: Client) -> None:
    async def listed(name: str) -> list[Json]:
        return [
            p for p in await read(client, "filterPresets", "id name accessor") if p["name"] == name
        ]

    made = await make(client, CONTENT)
    assert await listed("Mine") == [{"id": made["id"], "name": "Mine", "accessor": "MEDIA_DECK"}]
    await update(client, CONTENT, made["id"], name="Ours")
    assert (await listed("Mine"), len(await listed("Ours"))) == ([], 1)
    await done(client, "deleteContentView", CONTENT.deleted, {"id": made["id"]})
    assert await listed("Ours") == []


@pytest.mark.parametrize("kind", [CREATORS, PROFILES], ids=lambda kind: kind.single)
async def test_presets_do_not_list_views_of_people(client: Client, kind: ViewKind) -> None:
    await make(client, kind)
    assert "Mine" not in [preset["name"] for preset in await read(client, "filterPresets", "name")]


async def test_items_of_a_view_are_those_that_its_definition_asks_for(small: Client) -> None:
    window = {"from": "2026-06-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    filters = {"provider": "INSTAGRAM", "itemTypes": ["REEL", "POST"], "takenAt": window}
    conditions = [{"field": "brand_safe", "operator": "IS", "type": "BOOLEAN", "value": True}]
    sort = [{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}]
    made = await make(
        small, CONTENT, filters=filters, customAttributeConditions=conditions, sort=sort
    )
    assert made["filters"] == filters
    asked = {
        "filter": filters,
        "customAttributeConditions": conditions,
        "sorting": sort,
        "first": 100,
    }
    wanted = await read(small, "items", "nodes { id }", asked)
    assert 0 < len(wanted["nodes"]) < 100
    assert await shown(small, made["id"]) == wanted["nodes"]


async def test_each_part_of_a_content_view_decides_what_it_shows(small: Client) -> None:
    view = (await make(small, CONTENT))["id"]
    assert len(await shown(small, view)) == 300
    await update(small, CONTENT, view, filters={"provider": "TIKTOK"})
    tiktok = await shown(small, view, "id provider")
    assert {i["provider"] for i in tiktok} == {"TIKTOK"}
    await update(small, CONTENT, view, sort=[{"sortKey": "TAKEN_AT", "sortOrder": "ASC"}])
    assert await shown(small, view, "id provider") == tiktok[::-1]
    await update(small, CONTENT, view, filters={}, customAttributeConditions=CONTENT.conditions)
    assert {
        i["customAttributes"]["review_score"] for i in await shown(small, view, "customAttributes")
    } == {5}


async def test_a_deleted_view_is_no_preset_any_more(client: Client) -> None:
    queries = {
        CONTENT: ("items", "WRONG_VIEW_TYPE_FOR_ITEMS"),
        CREATORS: ("creators", "NOT_FOUND"),
        PROFILES: ("socialProfiles", "NOT_FOUND"),
    }
    for kind, (operation, code) in queries.items():
        view = (await make(client, kind))["id"]
        await done(client, f"delete{kind.name}", kind.deleted, {"id": view})
        query = f"query($id: ID) {{ {operation}(presetId: $id) {{ totalCount }} }}"
        assert (await client.error(query, {"id": view}))[1] == code


async def test_a_view_or_group_shows_nothing_where_it_does_not_belong(client: Client) -> None:
    views = {kind: (await make(client, kind))["id"] for kind in (CONTENT, CREATORS, PROFILES)}
    group = (
        await done(client, "createViewGroup", "viewGroup { id }", {"input": {"name": "Mine"}})
    )["id"]
    queries = {
        CONTENT: ("items", "WRONG_VIEW_TYPE_FOR_ITEMS", "WRONG_VIEW_TYPE_FOR_ITEMS"),
        CREATORS: ("creators", "WRONG_VIEW_TYPE", "NOT_FOUND"),
        PROFILES: ("socialProfiles", "WRONG_VIEW_TYPE", "NOT_FOUND"),
    }
    for kind, (operation, of_views, of_groups) in queries.items():
        query = f"query($id: ID) {{ {operation}(presetId: $id) {{ totalCount }} }}"
        for other in views.keys() - {kind}:
            assert (await client.error(query, {"id": views[other]}))[1] == of_views
        assert (await client.error(query, {"id": group}))[1] == of_groups


async def test_a_creator_view_applies_conditions_and_order_but_not_filters(client: Client) -> None:
    fields = "customAttributes socialProfiles { followers accountName }"
    view = (await make(client, CREATORS, filters={"locations": [{"city": "Nowhere"}]}))["id"]
    assert len(await shown(client, view, operation="creators")) == 640
    await update(client, CREATORS, view, sort=REACH, customAttributeConditions=CREATORS.conditions)
    found = await shown(client, view, fields, "creators")
    assert {person["customAttributes"]["favourite"] for person in found} == {True}
    reach = [max(profile["followers"] for profile in person["socialProfiles"]) for person in found]
    assert reach == sorted(reach, reverse=True) != sorted(reach)
    await update(client, CREATORS, view, sort=[{"sortKey": "ACCOUNT_NAME", "sortOrder": "ASC"}])
    accounts = [
        p["socialProfiles"][0]["accountName"] for p in await shown(client, view, fields, "creators")
    ]
    assert accounts == sorted(accounts)
    assert len(accounts) == len(reach) < 640


async def test_a_social_profile_view_applies_conditions_and_order_but_not_filters(
    client: Client,
) -> None:
    fields = "id followers creator { customAttributes }"
    whole = await client.every("socialProfiles", "id")
    view = (await make(client, PROFILES, filters={"platform": "TIKTOK"}))["id"]
    assert await shown(client, view, operation="socialProfiles") == whole
    await update(client, PROFILES, view, sort=REACH, customAttributeConditions=PROFILES.conditions)
    found = await shown(client, view, fields, "socialProfiles")
    assert {profile["creator"]["customAttributes"]["favourite"] for profile in found} == {True}
    assert [p["followers"] for p in found] == sorted((p["followers"] for p in found), reverse=True)
    assert 1 < len(found) < len(whole)


async def test_a_seeded_view_shows_its_definition_as_it_would_be_sent(client: Client) -> None:
    views = {view["name"]: view for view in await read(client, "contentViews", VIEW)}
    stories = views["Stories, last 30 days"]
    assert stories["filters"]["takenAt"] == {"from": "2026-10-22T06:30:00Z"}
    (vip,) = [v for v in await read(client, "creatorViews", VIEW) if v["name"] == "VIP Creators"]
    made = await make(client, CREATORS, customAttributeConditions=vip["customAttributeConditions"])
    seeded = await shown(client, vip["id"], operation="creators")
    assert await shown(client, made["id"], operation="creators") == seeded
    assert 0 < len(seeded) < 640
