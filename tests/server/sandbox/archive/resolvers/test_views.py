"""Saved views of content, creators and social profiles: one behaviour, three kinds."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox import COFFEE
from server.sandbox.archive.scalars import utc
from tests.server.sandbox.archive.conftest import NOW, Client, Json
from tests.support.sandbox.calls import (
    VIEW,
    change,
    done,
    everything,
    id_of,
    read,
    refusal,
)
from tests.support.sandbox.views import (
    CONTENT,
    CREATORS,
    KINDS,
    PROFILES,
    REACH,
    ViewKind,
    make,
    one,
    update,
)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.single)


async def names(client: Client, kind: ViewKind, **given: Any) -> list[str]:
    return [view["name"] for view in await read(client, kind.plural, "name", given)]


@every_kind
async def test_a_new_view_is_kept_as_it_was_given(client: Client, kind: ViewKind) -> None:
    parts: Json = {"filters": {"provider": "TIKTOK"}, "sort": REACH, "showReportingStats": False}
    made = await make(client, kind, customAttributeConditions=kind.conditions, **parts)
    assert made == {
        "id": made["id"],
        "name": "Mine",
        "customAttributeConditions": kind.conditions,
        "group": None,
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        **parts,
    }
    assert made["createdAt"] > utc(NOW)
    assert await one(client, kind, made["id"]) == made


@every_kind
async def test_what_a_new_view_leaves_out_is_empty_and_reporting_is_on(
    client: Client, kind: ViewKind
) -> None:
    nothing: Json = {"sort": None, "customAttributeConditions": None, "showReportingStats": None}
    for made in (await make(client, kind), await make(client, kind, **nothing)):
        assert (made["customAttributeConditions"], made["sort"], made["showReportingStats"]) == (
            [],
            [],
            True,
        )


@every_kind
async def test_views_need_no_name_of_their_own(client: Client, kind: ViewKind) -> None:
    first, second = await make(client, kind), await make(client, kind)
    assert first["id"] != second["id"]


@every_kind
async def test_an_update_replaces_what_is_given_and_nothing_else(
    client: Client, kind: ViewKind
) -> None:
    filters = {"provider": "TIKTOK", "verified": [True]}
    made = await make(
        client, kind, filters=filters, sort=REACH, customAttributeConditions=kind.conditions
    )
    replaced: Json = made
    for part, value in {
        "name": "Renamed",
        "filters": {"provider": "YOUTUBE"},
        "customAttributeConditions": [],
        "sort": [],
        "showReportingStats": False,
    }.items():
        after = await update(client, kind, made["id"], **{part: value})
        assert after["updatedAt"] > replaced["updatedAt"]
        replaced = {**replaced, part: value, "updatedAt": after["updatedAt"]}
        assert after == replaced == await one(client, kind, made["id"])


@every_kind
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("filters", "REEL"),
        ("filters", [{}]),
        ("sort", {"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DESC"}),
        ("sort", {}),
        ("sort", ["FOLLOWERS_COUNT"]),
        ("sort", [{"sortKey": "FOLLOWERS_COUNT"}]),
        ("sort", [{"sortKey": "FOLLOWERS_COUNT", "sortOrder": None}]),
        ("sort", [{"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DOWN"}]),
        ("sort", [{"sortKey": "PUBLISHED_AT", "sortOrder": "DESC"}]),
        ("sort", [{"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DESC", "nulls": "LAST"}]),
        (
            "customAttributeConditions",
            [{"field": "no_such", "operator": "IS", "type": "TEXT", "value": "x"}],
        ),
    ],
)
async def test_a_part_that_does_not_fit_is_refused(
    client: Client, kind: ViewKind, part: str, value: object
) -> None:
    new: Json = {"name": "Mine", "filters": {}, part: value}
    assert await refusal(client, f"create{kind.name}", kind.wrapped, {"input": new}) == part
    known = client.sandbox.world.workspaces[0].id_of(kind.kind, 0)
    given = {"id": known, "input": {"showReportingStats": False, part: value}}
    assert await refusal(client, f"update{kind.name}", kind.wrapped, given) == part


@every_kind
@pytest.mark.parametrize(
    "part", ["name", "filters", "sort", "customAttributeConditions", "showReportingStats"]
)
async def test_an_update_to_null_is_refused(client: Client, kind: ViewKind, part: str) -> None:
    given = {"id": client.sandbox.world.workspaces[0].id_of(kind.kind, 0), "input": {part: None}}
    assert await refusal(client, f"update{kind.name}", kind.wrapped, given) == part


@pytest.mark.parametrize(
    "filters",
    [
        {"platform": "TIKTOK"},
        {"itemTypes": ["CAROUSEL"]},
        {"takenAt": {"from": "2026-01-01"}},
        {"takenAt": {"since": "2026-01-01T00:00:00Z"}},
        {"creatorLocations": "Berlin"},
        {"engagement": [{"field": "LIKE_COUNT"}]},
        {"viralityScore": ["NOT_VIRAL"]},
        {"superSearch": {"searchQuery": "serum"}},
    ],
)
async def test_filters_that_items_would_not_take_are_refused(client: Client, filters: Json) -> None:
    given = {"input": {"name": "Mine", "filters": filters}}
    assert await refusal(client, "createContentView", CONTENT.wrapped, given) == "filters"


@pytest.mark.parametrize("kind", [CREATORS, PROFILES], ids=lambda kind: kind.single)
async def test_filters_of_people_are_kept_whatever_they_are(client: Client, kind: ViewKind) -> None:
    filters = {"anything": [{"at": "all"}]}
    assert (await make(client, kind, filters=filters))["filters"] == filters


@pytest.mark.parametrize("kind", [CREATORS, PROFILES], ids=lambda kind: kind.single)
async def test_people_are_not_sorted_by_what_only_items_have(
    client: Client, kind: ViewKind
) -> None:
    sort = [{"sortKey": "TAKEN_AT", "sortOrder": "DESC"}]
    given = {"input": {"name": "Mine", "filters": {}, "sort": sort}}
    assert await refusal(client, f"create{kind.name}", kind.wrapped, given) == "sort"
    assert (await make(client, CONTENT, sort=sort))["sort"] == sort


@every_kind
async def test_conditions_ask_for_attributes_of_what_the_view_shows(
    client: Client, kind: ViewKind
) -> None:
    (other,) = {CONTENT.condition, CREATORS.condition} - {kind.condition}
    conditions = ViewKind("", kind.kind, other).conditions
    given = {"input": {"name": "Mine", "filters": {}, "customAttributeConditions": conditions}}
    assert (
        await refusal(client, f"create{kind.name}", kind.wrapped, given)
        == "customAttributeConditions"
    )


@every_kind
async def test_the_view_changed_last_comes_first(client: Client, kind: ViewKind) -> None:
    seeded = await read(client, kind.plural, "name updatedAt")
    assert [v["updatedAt"] for v in seeded] == sorted(
        (v["updatedAt"] for v in seeded), reverse=True
    )
    before = [view["name"] for view in seeded]
    await make(client, kind)
    assert await names(client, kind) == ["Mine", *before]
    await update(
        client, kind, await id_of(client, kind.plural, before[-1]), showReportingStats=False
    )
    assert await names(client, kind) == [before[-1], "Mine", *before[:-1]]


@every_kind
async def test_changes_of_the_same_moment_are_listed_newest_first(
    client: Client, kind: ViewKind
) -> None:
    call = f'create{kind.name}(input: {{name: "%s", filters: {{}}}}) {{ userErrors {{ message }} }}'
    body = await client.body(f"mutation {{ a: {call % 'First'} b: {call % 'Second'} }}")
    assert "errors" not in body
    assert (await names(client, kind))[:2] == ["Second", "First"]


@every_kind
async def test_seeded_views_were_made_before_they_were_changed_and_before_today(
    shared: Client, kind: ViewKind
) -> None:
    for view in await read(shared, kind.plural, VIEW):
        assert "2025-01-01" < view["createdAt"] <= view["updatedAt"] < utc(NOW)


@every_kind
async def test_a_deleted_view_is_gone_and_its_id_is_never_given_out_again(
    client: Client, kind: ViewKind
) -> None:
    first = (await make(client, kind))["id"]
    assert await done(client, f"delete{kind.name}", kind.deleted, {"id": first}) == first
    assert await one(client, kind, first) is None
    assert "Mine" not in await names(client, kind)
    second = (await make(client, kind))["id"]
    assert second != first
    payload = await change(client, f"delete{kind.name}", kind.deleted, {"id": first})
    assert payload == {kind.deleted: None, "userErrors": []}
    assert await one(client, kind, second)


@every_kind
async def test_views_of_other_kinds_and_workspaces_are_unknown(
    client: Client, kind: ViewKind
) -> None:
    main, outdoor = client.sandbox.world.workspaces[:2]
    others = [main.id_of(other.kind, 0) for other in KINDS if other is not kind]
    foreign = outdoor.library.views[kind.kind].create(
        name="Theirs", filters={}, custom_attribute_conditions=[], sort=[]
    )
    before = await everything(client)
    for text in (*others, foreign.id, main.collections[0].id, "unknown"):
        assert await one(client, kind, text) is None
        given: Json = {"id": text, "input": {"name": "Mine"}}
        assert await refusal(client, f"update{kind.name}", kind.wrapped, given) == "id"
        moving = {"viewId": text, "groupId": None}
        assert await refusal(client, f"move{kind.name}ToGroup", kind.wrapped, moving) == "viewId"
        payload = await change(client, f"delete{kind.name}", kind.deleted, {"id": text})
        assert payload == {kind.deleted: None, "userErrors": []}
    assert await everything(client) == before


@every_kind
async def test_a_list_ends_after_a_thousand_rows_without_a_word(
    client: Client, kind: ViewKind
) -> None:
    views = client.sandbox.world.workspaces[0].library.views[kind.kind]
    for number in range(1_001):
        views.create(name=str(number), filters={}, custom_attribute_conditions=[], sort=[])
    found = await names(client, kind)
    assert (len(found), found[0], found[-1]) == (1_000, "1000", "1")


async def test_collections_of_the_older_format_do_not_keep_views_from_being_saved(
    client: Client,
) -> None:
    given = {"input": {"name": "Mine", "filters": {}}}
    made = await done(client, "createContentView", CONTENT.wrapped, given, workspace=COFFEE)
    assert await one(client, CONTENT, made["id"], workspace=COFFEE) == made


@every_kind
async def test_a_reset_forgets_every_change(client: Client, kind: ViewKind) -> None:
    before = await everything(client)
    known = client.sandbox.world.workspaces[0].id_of(kind.kind, 0)
    await make(client, kind)
    await update(client, kind, known, name="Renamed")
    await done(client, f"move{kind.name}ToGroup", kind.wrapped, {"viewId": known, "groupId": None})
    client.sandbox.reset()
    assert await everything(client) == before
