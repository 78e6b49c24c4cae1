"""Groups of views and collections: what lies in them, in which order, and what stays when they
go."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox import COFFEE, OUTDOOR
from server.sandbox.archive.scalars import utc
from tests.server.sandbox.archive.conftest import NOW, Client, Json
from tests.support.sandbox.calls import (
    GROUP,
    VIEW,
    change,
    done,
    everything,
    id_of,
    read,
    refusal,
)

WRAPPED = f"viewGroup {{ {GROUP} }}"
MOVED = "deletedViewGroupId movedViewIds"
MEMBERS = ("collections", "contentViews", "creatorViews", "socialProfileViews")


async def make(client: Client, name: str = "Mine") -> Json:
    found: Json = await done(client, "createViewGroup", WRAPPED, {"input": {"name": name}})
    return found


async def group_named(client: Client, name: str) -> Json:
    (found,) = [group for group in await read(client, "viewGroups", GROUP) if group["name"] == name]
    return dict(found)


async def put(client: Client, kind: str, name: str, group: str | None) -> Any:
    """Move the view with that name; `kind` as in `moveContentViewToGroup`."""
    single = kind[0].lower() + kind[1:]
    given = {"viewId": await id_of(client, f"{single}s", name), "groupId": group}
    return await done(client, f"move{kind}ToGroup", f"{single} {{ {VIEW} }}", given)


async def reorder(client: Client, group: Json, *ids: str) -> Json:
    found: Json = await done(
        client, "reorderViewsInGroup", WRAPPED, {"groupId": group["id"], "viewIds": list(ids)}
    )
    return found


def names(group: Json, kind: str) -> list[str]:
    return [member["name"] for member in group[kind]]


async def test_the_seeded_groups_hold_views_and_collections_of_every_kind(shared: Client) -> None:
    groups = await read(shared, "viewGroups", GROUP)
    assert [group["name"] for group in groups] == ["Reporting", "Community", "Website"]
    assert all(any(group[kind] for group in groups) for kind in MEMBERS)
    (outdoor,) = await read(shared, "viewGroups", GROUP, workspace=OUTDOOR)
    assert (outdoor["name"], names(outdoor, "contentViews")) == ("Trail Team", ["YouTube"])
    assert await read(shared, "viewGroups", GROUP, workspace=COFFEE) == []


async def test_groups_come_oldest_first_whatever_is_changed(client: Client) -> None:
    before = await read(client, "viewGroups", "name createdAt")
    assert [g["createdAt"] for g in before] == sorted(g["createdAt"] for g in before)
    await make(client)
    first = await group_named(client, "Reporting")
    await done(
        client, "updateViewGroup", WRAPPED, {"id": first["id"], "input": {"name": "Reports"}}
    )
    listed = [group["name"] for group in await read(client, "viewGroups", "name")]
    assert listed == ["Reports", "Community", "Website", "Mine"]


async def test_a_list_ends_after_a_thousand_rows_without_a_word(client: Client) -> None:
    groups = client.sandbox.world.workspaces[0].library.groups
    for number in range(1_000):
        groups.create(name=str(number))
    found = await read(client, "viewGroups", "name")
    assert (len(found), found[0]["name"], found[-1]["name"]) == (1_000, "Reporting", "996")


async def test_a_new_group_is_empty_and_dated_now(client: Client) -> None:
    made = await make(client)
    assert [made[kind] for kind in MEMBERS] == [[], [], [], []]
    assert made["createdAt"] == made["updatedAt"] > utc(NOW)
    assert await read(client, "viewGroup", GROUP, {"id": made["id"]}) == made


async def test_groups_need_no_name_of_their_own(client: Client) -> None:
    assert (await make(client))["id"] != (await make(client))["id"]


@pytest.mark.parametrize("name", ["", "  "])
async def test_a_blank_name_is_refused(client: Client, name: str) -> None:
    known = await id_of(client, "viewGroups", "Reporting")
    assert await refusal(client, "createViewGroup", WRAPPED, {"input": {"name": name}}) == "name"
    assert (
        await refusal(client, "updateViewGroup", WRAPPED, {"id": known, "input": {"name": name}})
        == "name"
    )


async def test_renaming_a_group_changes_its_name_and_its_date_alone(client: Client) -> None:
    before = await group_named(client, "Reporting")
    given = {"id": before["id"], "input": {"name": "Reports"}}
    after = await done(client, "updateViewGroup", WRAPPED, given)
    assert after == {**before, "name": "Reports", "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > utc(NOW) > before["updatedAt"]


async def test_an_unknown_or_foreign_group_is_not_there(client: Client) -> None:
    foreign = client.sandbox.world.workspaces[1].library.groups.oldest_first()[0].id
    view = await id_of(client, "contentViews", "All Reels")
    for text in ("unknown", foreign, view):
        assert await read(client, "viewGroup", GROUP, {"id": text}) is None
        given: Json = {"id": text, "input": {"name": "Mine"}}
        assert await refusal(client, "updateViewGroup", WRAPPED, given) == "id"
        assert (
            await refusal(client, "reorderViewsInGroup", WRAPPED, {"groupId": text, "viewIds": []})
            == "groupId"
        )
        moving = {"viewId": view, "groupId": text}
        assert (
            await refusal(client, "moveContentViewToGroup", f"contentView {{ {VIEW} }}", moving)
            == "groupId"
        )
        payload = await change(client, "deleteViewGroup", MOVED, {"id": text})
        assert payload == {"deletedViewGroupId": None, "movedViewIds": [], "userErrors": []}
    assert await read(client, "viewGroup", "id", {"id": foreign}, workspace=OUTDOOR) == {
        "id": foreign
    }


@pytest.mark.parametrize(
    ("kind", "name", "where"),
    [
        ("ContentView", "All Reels", "contentViews"),
        ("CreatorView", "VIP Creators", "creatorViews"),
        ("SocialProfileView", "Verified on TikTok", "socialProfileViews"),
    ],
)
async def test_a_view_lies_in_the_group_that_it_was_moved_to_last(
    client: Client, kind: str, name: str, where: str
) -> None:
    for group in (await make(client, "First"), await make(client, "Second")):
        moved = await put(client, kind, name, group["id"])
        assert moved["group"] == {"id": group["id"], "name": group["name"]}
        assert moved["updatedAt"] > utc(NOW)
        listed = await read(client, where, "name", {"filter": {"groupId": group["id"]}})
        assert listed == [{"name": name}]
    held = [
        group["name"]
        for group in await read(client, "viewGroups", GROUP)
        if name in names(group, where)
    ]
    assert held == ["Second"]
    assert (await put(client, kind, name, None))["group"] is None
    assert all(name not in names(group, where) for group in await read(client, "viewGroups", GROUP))


@pytest.mark.parametrize("where", MEMBERS[1:])
async def test_views_of_a_group_are_listed_by_its_id_alone(shared: Client, where: str) -> None:
    everybody = await read(shared, where, "name group { id }")
    for group in await read(shared, "viewGroups", GROUP):
        found = await read(shared, where, "name group { id }", {"filter": {"groupId": group["id"]}})
        assert found == [view for view in everybody if view["group"] == {"id": group["id"]}]
        assert {view["name"] for view in found} == set(names(group, where))
    for nothing in ({}, {"groupId": None}):
        assert await read(shared, where, "name group { id }", {"filter": nothing}) == everybody
    assert await read(shared, where, "name", {"filter": {"groupId": "unknown"}}) == []


async def test_what_is_moved_in_comes_last_and_keeps_its_place_when_it_is_moved_there_again(
    client: Client,
) -> None:
    group = await group_named(client, "Website")
    assert names(group, "contentViews") == ["Rights Approved", "Five-Star Posts"]
    await put(client, "ContentView", "High Virality", group["id"])
    before = await everything(client)
    await put(client, "ContentView", "Rights Approved", group["id"])
    assert await everything(client) == before
    order = names(await group_named(client, "Website"), "contentViews")
    assert order == ["Rights Approved", "Five-Star Posts", "High Virality"]


async def test_the_members_of_a_deleted_group_stay_ungrouped(client: Client) -> None:
    group = await group_named(client, "Community")
    ids = {member["id"] for kind in MEMBERS for member in group[kind]}
    payload = await change(client, "deleteViewGroup", MOVED, {"id": group["id"]})
    assert (payload["deletedViewGroupId"], payload["userErrors"]) == (group["id"], [])
    assert set(payload["movedViewIds"]) == ids
    assert len(payload["movedViewIds"]) == len(ids) == 4
    assert await read(client, "viewGroup", "id", {"id": group["id"]}) is None
    left = await everything(client)
    held = {r["id"]: r["group"] for kind in MEMBERS for r in left[kind]}
    assert {held[text] for text in ids} == {None}
    assert [g["name"] for g in left["viewGroups"]] == ["Reporting", "Website"]


async def test_deleting_a_group_names_its_collections_too(client: Client) -> None:
    group = await group_named(client, "Reporting")
    payload = await change(client, "deleteViewGroup", MOVED, {"id": group["id"]})
    assert {member["id"] for member in group["collections"]} < set(payload["movedViewIds"])
    assert (await make(client))["id"] != group["id"]


async def test_members_not_named_keep_their_order_after_the_named_ones(client: Client) -> None:
    group = await group_named(client, "Reporting")
    third = await put(client, "ContentView", "All Reels", group["id"])
    after = await reorder(client, group, third["id"])
    assert names(after, "contentViews") == ["All Reels", "TikTok Top Earners", "High Virality"]
    assert names(after, "collections") == ["Q3 Report", "Q2 Report"]
    assert after["updatedAt"] > utc(NOW) > group["updatedAt"]
    again = await reorder(
        client, group, *(member["id"] for member in reversed(after["contentViews"]))
    )
    assert names(again, "contentViews") == ["High Virality", "TikTok Top Earners", "All Reels"]
    assert again == await group_named(client, "Reporting")
    assert names(await reorder(client, group), "contentViews") == names(again, "contentViews")


async def test_views_of_all_kinds_are_ordered_in_one_call(client: Client) -> None:
    group = await group_named(client, "Community")
    await put(client, "ContentView", "All Reels", group["id"])
    wanted = [
        await id_of(client, "creatorViews", "Berlin Crew"),
        await id_of(client, "contentViews", "All Reels"),
    ]
    after = await reorder(client, group, *wanted)
    assert names(after, "creatorViews") == ["Berlin Crew", "VIP Creators"]
    assert names(after, "contentViews") == ["All Reels", "Berlin Creators"]
    assert names(after, "socialProfileViews") == ["Verified on TikTok"]


@pytest.mark.parametrize("wrong", ["ungrouped", "elsewhere", "unknown", "collection", "twice"])
async def test_only_views_that_are_members_are_ordered(client: Client, wrong: str) -> None:
    group = await group_named(client, "Reporting")
    first, second = (member["id"] for member in group["contentViews"])
    ids = {
        "ungrouped": await id_of(client, "contentViews", "All Reels"),
        "elsewhere": await id_of(client, "contentViews", "Rights Approved"),
        "unknown": "unknown",
        "collection": group["collections"][0]["id"],
        "twice": second,
    }
    given = {"groupId": group["id"], "viewIds": [second, first, ids[wrong]]}
    assert await refusal(client, "reorderViewsInGroup", WRAPPED, given) == "viewIds"


async def test_a_deleted_view_leaves_its_group(client: Client) -> None:
    view = await id_of(client, "contentViews", "High Virality")
    await done(client, "deleteContentView", "deletedContentViewId", {"id": view})
    group = await group_named(client, "Reporting")
    assert names(group, "contentViews") == ["TikTok Top Earners"]
    given = {"groupId": group["id"], "viewIds": [view]}
    assert await refusal(client, "reorderViewsInGroup", WRAPPED, given) == "viewIds"


async def test_a_reset_forgets_every_change(client: Client) -> None:
    before = await everything(client)
    group = await group_named(client, "Reporting")
    await reorder(client, group, group["contentViews"][1]["id"])
    await change(
        client, "deleteViewGroup", MOVED, {"id": (await group_named(client, "Website"))["id"]}
    )
    await make(client)
    client.sandbox.reset()
    assert await everything(client) == before
