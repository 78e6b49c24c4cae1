"""Records are computed, reproducible and believable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox import Sandbox
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.ids import Ids, Kind
from tests.server.sandbox.archive.conftest import NOW

FIELDS = (
    "id",
    "kind",
    "caption",
    "external_id",
    "hashtags",
    "media_contents",
    "transcriptions",
    "measures",
    "ratio",
)


def home_of(seed: int = 7, items: int = 4000) -> Workspace:
    return Sandbox(items=items, seed=seed, now=lambda: NOW).world.workspaces[0]


def facts(item: Item) -> list[Any]:
    return [getattr(item, name) for name in FIELDS] + [
        item.social_profile.id,
        item.custom_attributes["themes"],
    ]


@pytest.fixture(scope="module")
def home() -> Workspace:
    return home_of()


@pytest.fixture(scope="module")
def everything(home: Workspace) -> list[Item]:
    return [home.item(number) for number in range(home.item_count)]


def test_a_record_depends_on_nothing_but_seed_and_number() -> None:
    large, small = home_of(items=100_000), home_of(items=50)
    large.item(99_999)
    assert facts(large.item(17)) == facts(small.item(17))


def test_another_seed_gives_other_records() -> None:
    assert facts(home_of(seed=7).item(17)) != facts(home_of(seed=8).item(17))


def test_ids_lead_back_to_their_record(home: Workspace) -> None:
    for number in (0, 1, 37, 3999):
        found = home.item_by_id(home.item(number).id)
        assert found is not None
        assert found.number == number


def test_ids_look_like_version_4_uuids_and_are_unique(everything: list[Item]) -> None:
    ids = {item.id for item in everything}
    assert len(ids) == len(everything)
    assert all(text[14] == "4" and text[19] in "89ab" and len(text) == 36 for text in ids)


def test_ids_of_another_kind_workspace_or_sandbox_are_not_recognised(home: Workspace) -> None:
    ids = Ids(7)
    assert home.item_by_id(home.id_of(Kind.CREATOR, 3)) is None
    assert home.item_by_id(ids.encode(1, Kind.ITEM, 3)) is None
    assert home.item_by_id(Ids(8).encode(0, Kind.ITEM, 3)) is None
    assert home.item_by_id(home.id_of(Kind.ITEM, home.item_count)) is None
    assert ids.decode("not-a-uuid") is None
    assert ids.decode("7c1f6a52-3d0e-4b8a-9a41-52e0c6d9b117") is None


def test_items_are_numbered_from_the_newest(everything: list[Item]) -> None:
    moments = [item.taken_at for item in everything]
    assert moments == sorted(moments, reverse=True)


def test_the_newest_item_is_minutes_old_and_posts_grow_denser_towards_today(
    everything: list[Item],
) -> None:
    assert timedelta(0) < NOW - everything[0].taken_at < timedelta(minutes=30)
    recent = sum(NOW - item.taken_at < timedelta(days=30) for item in everything)
    earlier = sum(
        timedelta(days=300) <= NOW - item.taken_at < timedelta(days=330) for item in everything
    )
    assert recent > 1.5 * earlier > 0


def test_metrics_are_available_as_documented_for_each_kind(everything: list[Item]) -> None:
    names = ("likes", "comments", "shares", "views", "impressions", "earned_media_value")
    shown: dict[str, set[tuple[str, ...]]] = {}
    for item in everything:
        known = item.current_engagement
        if known:
            shown.setdefault(item.kind, set()).add(
                tuple(n for n in names if getattr(known, n) is not None)
            )
    video = ("likes", "comments", "views", "impressions", "earned_media_value")
    assert shown == {
        "STORY": {("impressions", "earned_media_value")},
        "POST": {("likes", "comments", "impressions", "earned_media_value")},
        "REEL": {video},
        "YOUTUBE": {video},
        "YOUTUBE_SHORT": {video},
        "TIKTOK": {names},
        "TIKTOK_STORY": {("likes", "views", "impressions", "earned_media_value")},
    }


def test_virality_means_something_for_reels_and_tiktoks_only(everything: list[Item]) -> None:
    known = [
        (item.kind, e.linear_virality_score)
        for item in everything
        if (e := item.current_engagement)
    ]
    assert {score for _, score in known} == {"HIGH", "MEDIUM", "LOW", "NOT_VIRAL"}
    assert {kind for kind, score in known if score != "NOT_VIRAL"} == {"REEL", "TIKTOK"}


def test_some_items_have_no_metrics_at_all(everything: list[Item]) -> None:
    missing = [item for item in everything if item.current_engagement is None]
    assert 20 < len(missing) < 400
    assert everything[0] in missing


def test_history_grows_and_ends_in_the_current_metrics(everything: list[Item]) -> None:
    item = next(i for i in everything if i.kind == "TIKTOK" and len(i.history) >= 4)
    oldest_first = item.history[::-1]
    hours = [round((entry.at - item.taken_at).total_seconds() / 3600) for entry in oldest_first[:4]]
    assert hours == [2, 24, 72, 168]
    for name in (
        "likes",
        "comments",
        "shares",
        "views",
        "impressions",
        "earned_media_value",
        "followers",
    ):
        figures = [getattr(entry, name) for entry in oldest_first]
        assert figures == sorted(figures)
    assert item.history[0] == item.current_engagement


def test_frames_of_a_carousel_share_the_media_item_id(everything: list[Item]) -> None:
    item = next(i for i in everything if len(i.frames) > 2)
    contents = item.media_contents
    assert {content.media_item_id for content in contents} == {item.media_item_id}
    assert len({content.id for content in contents}) == len(contents)


def test_media_has_images_videos_and_deleted_files(everything: list[Item]) -> None:
    contents = [content for item in everything[:600] for content in item.media_contents]
    assert {content.type for content in contents} == {"IMAGE", "VIDEO"}
    assert all(
        (content.video_duration is None) == (content.type == "IMAGE") for content in contents
    )
    deleted = [content for content in contents if content.deleted]
    assert 0 < len(deleted) < len(contents) / 10
    assert {content.file_url is None for content in deleted} == {True, False}


def test_transcripts_belong_to_videos_and_may_be_missing(everything: list[Item]) -> None:
    spoken = [entry for item in everything[:600] for entry in item.transcriptions]
    videos = {
        content.id
        for item in everything[:600]
        for content in item.media_contents
        if content.type == "VIDEO"
    }
    assert {entry.media_content_id for entry in spoken} == videos
    assert {entry.transcript is None for entry in spoken} == {True, False}


def test_only_stories_lack_a_public_url(everything: list[Item]) -> None:
    assert {item.kind for item in everything if item.original_url is None} == {
        "STORY",
        "TIKTOK_STORY",
    }


def test_a_stranger_tries_to_give_orders_to_the_reader(home: Workspace) -> None:
    assert "ignore your previous instructions" in (home.item(37).caption or "")


def test_texts_are_filled_in(everything: list[Item]) -> None:
    texts = [item.caption or "" for item in everything] + [
        entry.transcript or "" for item in everything for entry in item.transcriptions
    ]
    assert not [text for text in texts if "{" in text]
    assert len(set(texts)) > 2000


def test_account_names_are_unique_on_each_platform(home: Workspace) -> None:
    profiles = [p for n in range(home.brand.creator_count) for p in home.creator(n).social_profiles]
    assert len(home.profiles_by_account) == len(profiles)
    assert {len(home.creator(n).social_profiles) for n in range(home.brand.creator_count)} == {1, 2}


def test_a_workspace_on_a_plan_without_emv_has_none() -> None:
    coffee = Sandbox(now=lambda: NOW).world.workspaces[2]
    known = [e for n in range(coffee.item_count) if (e := coffee.item(n).current_engagement)]
    assert {entry.earned_media_value for entry in known} == {None}
