from __future__ import annotations

from typing import Any

import pytest

from server.archive.attributes import Attribute
from server.archive.flatten import (
    Shape,
    choose_shape,
    list_columns,
    list_types,
    list_units,
    make_row,
)
from server.archive.selection import select
from server.exports.columns import Column, Kind
from server.insights.money import ASSUMED_CENTS, Money
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
    shaped = make_row(ITEM, Item, select(Item, PATHS), Shape(flat=False))

    assert shaped == {
        "caption": "x",
        "currentEngagement": {"likes": None, "earnedMediaValueCents": 126},
        "creator": {"socialProfiles": [{"provider": "TIKTOK"}, {"provider": None}]},
    }
    assert list(shaped) == ["caption", "currentEngagement", "creator"]
    assert make_row({}, Item, select(Item, PATHS)) == {
        "caption": None,
        "currentEngagement": None,
        "creator": None,
    }


def test_records_of_a_list_are_put_transpose_for_a_table() -> None:
    shaped = make_row(ITEM, Item, select(Item, PATHS))

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

    assert make_row(creator, Creator, selection) == {
        "socialProfiles": {
            "accountName": ["a", "b"],
            "creator": {"socialProfiles": {"accountName": ["c", "d", None]}},
        }
    }
    assert (
        make_row({"socialProfiles": []}, Creator, selection)["socialProfiles"]["accountName"] == []
    )


VALUE = "currentEngagement.earnedMediaValue"


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_spreadsheet_has_amounts_in_cents_and_in_dollars(file_format: str) -> None:
    selection, shape = select(Item, [VALUE]), choose_shape(file_format, ASSUMED_CENTS)

    assert list_columns(selection, Item, shape) == (f"{VALUE}Cents", f"{VALUE}Usd")
    assert list_units(selection, Item, shape) == {
        f"{VALUE}Cents": "cents",
        f"{VALUE}Usd": "USD, assumed",
    }
    assert make_row(ITEM, Item, selection, shape) == {
        "currentEngagement": {"earnedMediaValueCents": 126, "earnedMediaValueUsd": 1.26}
    }


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_data_has_the_number_of_the_api_alone(file_format: str) -> None:
    shape = choose_shape(file_format, ASSUMED_CENTS)

    assert list_columns(select(Item, [VALUE]), Item, shape) == (f"{VALUE}Cents",)


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_where_the_number_is_dollars_already_its_column_says_so(file_format: str) -> None:
    selection, shape = select(Item, [VALUE]), choose_shape(file_format, Money("dollars"))

    assert list_columns(selection, Item, shape) == (f"{VALUE}Usd",)
    assert list_units(selection, Item, shape) == {f"{VALUE}Usd": "USD"}
    assert make_row(ITEM, Item, selection, shape) == {
        "currentEngagement": {"earnedMediaValueUsd": 126}
    }


def test_whole_numbers_are_numbers_even_where_the_api_sends_large_ones_as_text() -> None:
    selection = select(Item, ["currentEngagement.likes"])
    item = {"currentEngagement": {"likes": "90071992547409929"}}

    assert make_row(item, Item, selection) == {"currentEngagement": {"likes": 90071992547409929}}


def test_the_types_of_columns_are_those_of_the_schema() -> None:
    paths = [
        "id",
        "takenAt",
        "hashtags",
        "currentEngagement.likes",
        VALUE,
        "socialProfile.verified",
        "creator.socialProfiles.followers",
        "creator.socialProfiles.phoneNumbers",
        "customAttributes",
    ]
    attributes = {
        key: Attribute(key, key, kind, ())
        for key, kind in {
            "score": "NUMBER",
            "tier": "SINGLE_SELECT_V3",
            "labels": "MULTIPLE_SELECT_V2",
            "emails": "TEXT_LIST",
            "vip": "BOOLEAN",
            "signed": "DATE",
            "home": "SHIPPING_ADDRESS",
        }.items()
    }
    shape = choose_shape("csv", ASSUMED_CENTS)
    types = list_types(select(Item, paths), Item, shape, {"ITEM": attributes})

    assert list(types.values()) == [
        Column("id", Kind.TEXT),
        Column("takenAt", Kind.TEXT | Kind.MOMENT),
        Column("hashtags", Kind.LIST, Kind.TEXT),
        Column("currentEngagement.likes", Kind.INT),
        Column(f"{VALUE}Cents", Kind.INT),
        Column(f"{VALUE}Usd", Kind.FLOAT),
        Column("socialProfile.verified", Kind.BOOL),
        Column("creator.socialProfiles.followers", Kind.LIST, Kind.INT),
        # A list inside a list is JSON.
        Column("creator.socialProfiles.phoneNumbers", Kind.LIST, Kind.NESTED),
        Column("customAttributes.score", Kind.FLOAT),
        Column("customAttributes.tier", Kind.TEXT),
        Column("customAttributes.labels", Kind.LIST, Kind.TEXT),
        Column("customAttributes.emails", Kind.LIST, Kind.TEXT),
        Column("customAttributes.vip", Kind.BOOL),
        Column("customAttributes.signed", Kind.TEXT | Kind.MOMENT),
        Column("customAttributes.home", Kind.NOTHING),
    ]
    assert list(types) == [column.name for column in types.values()]
