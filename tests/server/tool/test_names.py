"""One rule for everything that has a name: what a text means among ids and names."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from server.errors import Code, Failure
from server.tool.names import closest_match, find_matches, match_one, normalise, suggest


@dataclass(frozen=True)
class Thing:
    id: str
    name: str


THINGS = [
    Thing("1", "Summer Shoot"),
    Thing("2", "summer shoot"),
    Thing("3", "Café  Crème"),
    Thing("4", "Summer"),
    Thing("5", "4"),
    Thing("6", "Winter Wear"),
]


def fits(text: str, *, partial: bool = True) -> list[str]:
    matches = find_matches(
        text,
        THINGS,
        name=lambda thing: thing.name,
        identity=lambda thing: thing.id,
        partial=partial,
    )
    return [thing.id for thing in matches]


def pick(text: str) -> Thing:
    return match_one(
        text,
        THINGS,
        kind="thing",
        name=lambda thing: thing.name,
        identity=lambda thing: thing.id,
        remedy="List the things.",
        choices=["all"],
    )


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("6", ["6"]),
        ("Summer Shoot", ["1"]),
        ("summer shoot", ["2"]),
        (" Summer ", ["4"]),
        ("SUMMER SHOOT", ["1", "2"]),
        ("cafe creme", ["3"]),
        ("Cafe\u0301 Cre\u0300me", ["3"]),
        ("\uff37\uff29\uff2e\uff34\uff25\uff32 wear", ["6"]),
        ("wint", ["6"]),
        ("shoot", ["1", "2"]),
        ("4", ["4", "5"]),
        ("autumn", []),
        ("", []),
    ],
)
def test_the_best_kind_of_match_decides(text: str, ids: list[str]) -> None:
    assert fits(text) == ids


@pytest.mark.parametrize(("text", "ids"), [("wint", []), ("winter  WEAR", ["6"]), ("6", ["6"])])
def test_a_part_of_a_name_is_not_enough_for_what_deletes(text: str, ids: list[str]) -> None:
    assert fits(text, partial=False) == ids


def test_one_match_is_returned() -> None:
    assert pick("winter").id == "6"


def test_no_match_names_the_closest_and_never_uses_it() -> None:
    with pytest.raises(Failure) as caught:
        pick("Wintre Wear")

    assert caught.value.code is Code.NOT_FOUND
    assert caught.value.message == "There is no thing 'Wintre Wear'. Did you mean `Winter Wear`?"
    assert caught.value.hint == "List the things."
    assert caught.value.details == {"choices": ["all"]}


def test_several_matches_are_candidates() -> None:
    with pytest.raises(Failure) as caught:
        pick("SUMMER shoot")

    assert caught.value.code is Code.AMBIGUOUS
    assert caught.value.details["candidates"] == [
        {"id": "1", "name": "Summer Shoot"},
        {"id": "2", "name": "summer shoot"},
    ]


@pytest.mark.parametrize(
    ("text", "same"), [("İstanbul", "istanbul"), ("Straße", "STRASSE"), ("a\u00a0b", "A  b")]
)
def test_names_that_people_take_for_the_same_are_the_same(text: str, same: str) -> None:
    assert normalise(text) == normalise(same)


def test_only_a_close_name_is_suggested() -> None:
    assert closest_match("Wintr Wear", ["Winter Wear", "Summer"]) == "Winter Wear"
    assert closest_match("xyz", ["Winter Wear", "Summer"]) is None
    assert suggest("dai", ["day", "week"]) == " Did you mean `day`?"
    assert suggest("xyz", ["day", "week"]) == ""
