from __future__ import annotations

from typing import Any

import pytest

from tools.archive.content.fitting import (
    describe_ignored,
    describe_misfits,
    drop_misfits,
    find_members,
    list_unseen,
)

Json = dict[str, Any]
ONE: Json = {
    "id": "A-1",
    "provider": "TIKTOK",
    "type": "POST",
    "takenAt": "2026-08-31T23:59:59Z",
    "socialProfile": {"accountName": "Maya"},
}


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"ids": ["a-1", "b"]},
        {"provider": "TIKTOK"},
        {"itemTypes": ["TIKTOK"]},
        {"itemTypes": ["REEL", "POST"]},
        {"itemTypes": ["SOMETHING_NEW"]},
        {"takenAt": {"from": "2026-08-01T00:00:00Z", "to": "2026-08-31T23:59:59Z"}},
        {"takenAt": {"from": "2026-08-31T23:59:59Z"}},
        {"accountNames": ["@maya"]},
        {"collectionsIds": ["c"], "verified": [True]},
    ],
)
def test_what_fits_stays(parts: Json) -> None:
    assert drop_misfits(parts, [ONE]) == ([ONE], [])


@pytest.mark.parametrize(
    ("parts", "broken"),
    [
        ({"ids": ["b"]}, ["ids"]),
        ({"provider": "YOUTUBE"}, ["provider"]),
        ({"itemTypes": ["REEL"]}, ["itemTypes"]),
        ({"itemTypes": ["YOUTUBE", "TIKTOK_STORY"]}, ["itemTypes"]),
        ({"takenAt": {"to": "2026-08-31T23:59:58Z"}}, ["takenAt"]),
        ({"takenAt": {"from": "2026-09-01T00:00:00Z"}}, ["takenAt"]),
        ({"accountNames": ["may"]}, ["accountNames"]),
        ({"ids": ["a-1"], "provider": "YOUTUBE"}, ["provider"]),
    ],
)
def test_what_does_not_fit_is_left_out_with_the_reason(parts: Json, broken: list[str]) -> None:
    assert drop_misfits(parts, [ONE]) == ([], broken)


def test_what_was_not_asked_for_proves_nothing() -> None:
    parts: Json = {"provider": "YOUTUBE", "itemTypes": ["REEL"], "accountNames": ["x"]}
    parts |= {"takenAt": {"to": "2020-01-01T00:00:00Z"}}

    assert drop_misfits(parts, [{"id": "A"}]) == ([{"id": "A"}], [])


def test_only_parts_that_no_record_shows_are_unseen() -> None:
    parts: Json = {
        "ids": ["a"],
        "takenAt": {},
        "collectionsIds": ["c"],
    }

    assert list_unseen(parts) == ["collectionsIds"]


def test_misfits_are_counted_with_what_to_do() -> None:
    assert describe_misfits(0, []) == []
    (note,) = describe_misfits(3, ["provider"])
    assert note.startswith(
        "Archive did not apply filter.provider: 3 items that do not fit are left"
    )
    assert "presetId" in note


class Archive:
    """What a filter finds, and what a collection holds."""

    def __init__(self, total: int | None = 350, members: set[str] | None = None) -> None:
        self.total, self.members = total, members
        self.asked: list[Any] = []

    async def count(self, parts: Json) -> int | None:
        self.asked.append(parts)
        return self.total

    async def read_members(self, collection: str) -> set[str] | None:
        self.asked.append(collection)
        return self.members


async def test_as_many_items_as_without_a_condition_is_said() -> None:
    archive, parts = Archive(), {"provider": "TIKTOK", "campaignsIds": ["c"]}

    (note,) = await describe_ignored(parts, ["filter.campaignsIds"], 350, archive.count)

    assert note.startswith("As many (350) came as without filter.campaignsIds")
    assert archive.asked == [{"provider": "TIKTOK"}]


@pytest.mark.parametrize(
    ("parts", "unseen", "total"),
    [({}, ["x"], 349), ({}, ["x"], 20), ({}, [], 350), ({"ids": ["a"]}, ["x"], 350)],
)
async def test_fewer_items_are_no_reason_for_doubt(
    parts: Json, unseen: list[str], total: int
) -> None:
    assert await describe_ignored(parts, unseen, total, Archive().count) == []


BOTH: Json = {"ids": ["a", "b"], "collectionsIds": ["c"]}
A, B = {"id": "a"}, {"id": "b"}


async def test_items_of_a_collection_are_compared_with_it_where_all_came_back() -> None:
    found, (note,) = await find_members(BOTH, [A, B], Archive(members={"b"}).read_members)

    assert found == [B]
    assert "did not apply `collectionsIds`" in note


async def test_items_that_are_all_in_the_collection_need_no_word() -> None:
    assert await find_members(BOTH, [A, B], Archive(members={"a", "b"}).read_members) == (
        [A, B],
        [],
    )


async def test_a_collection_that_is_too_large_to_compare_with_is_said() -> None:
    found, (note,) = await find_members(BOTH, [A, B], Archive().read_members)

    assert found == [A, B]
    assert "too large" in note


@pytest.mark.parametrize(
    ("parts", "records"),
    [
        (BOTH, [A]),
        (BOTH, []),
        ({"ids": ["a"]}, [A]),
        ({"collectionsIds": ["c"]}, [A]),
        ({"ids": ["a"], "collectionsIds": ["c", "d"]}, [A]),
    ],
)
async def test_a_collection_is_read_only_where_there_is_doubt(
    parts: Json, records: list[Json]
) -> None:
    archive = Archive(members=set())

    assert await find_members(parts, records, archive.read_members) == (records, [])
    assert archive.asked == []
