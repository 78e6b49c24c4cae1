from __future__ import annotations

from typing import Any

from server.archive.flatten import list_columns, list_units, make_row
from server.archive.selection import select
from tools.archive.schema.objects import Creator, Item

PATHS = [
    "caption",
    "currentEngagement.likes",
    "currentEngagement.earnedMediaValue",
    "creator.socialProfiles.provider",
]
ITEM: dict[str, Any] = {
    "currentEngagement": {"earnedMediaValue": 126, "likes": None},
    "caption": "x",
    "creator": {"socialProfiles": [{"provider": "TIKTOK"}, {"provider": None}]},
    "__typename": "Item",
}


def test_columns_are_dotted_and_tell_the_unit() -> None:
    selection = select(Item, PATHS)

    assert list_columns(selection, Item) == (
        "caption",
        "currentEngagement.likes",
        "currentEngagement.earnedMediaValueCents",
        "creator.socialProfiles.provider",
    )
    assert list_units(selection, Item) == {"currentEngagement.earnedMediaValueCents": "cents"}


def test_a_row_has_the_selected_fields_in_their_order_and_null_stays_null() -> None:
    shaped = make_row(ITEM, Item, select(Item, PATHS), flat=False)

    assert shaped == {
        "caption": "x",
        "currentEngagement": {"likes": None, "earnedMediaValueCents": 126},
        "creator": {"socialProfiles": [{"provider": "TIKTOK"}, {"provider": None}]},
    }
    assert list(shaped) == ["caption", "currentEngagement", "creator"]
    assert make_row({}, Item, select(Item, PATHS), flat=True) == {
        "caption": None,
        "currentEngagement": None,
        "creator": None,
    }


def test_records_of_a_list_are_put_transpose_for_a_table() -> None:
    shaped = make_row(ITEM, Item, select(Item, PATHS), flat=True)

    assert shaped["creator"] == {"socialProfiles": {"provider": ["TIKTOK", None]}}


def test_a_list_inside_a_list_loses_nothing() -> None:
    selection = select(
        Creator, ["socialProfiles.accountName", "socialProfiles.creator.socialProfiles.accountName"]
    )
    inner = {"socialProfiles": [{"accountName": "c"}, {"accountName": "d"}]}
    creator = {
        "socialProfiles": [
            {"accountName": "a", "creator": inner},
            {"accountName": "b", "creator": None},
        ]
    }

    assert make_row(creator, Creator, selection, flat=True) == {
        "socialProfiles": {
            "accountName": ["a", "b"],
            "creator": {"socialProfiles": {"accountName": ["c", "d", None]}},
        }
    }
    assert (
        make_row({"socialProfiles": []}, Creator, selection, flat=True)["socialProfiles"][
            "accountName"
        ]
        == []
    )
