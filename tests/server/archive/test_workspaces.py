from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from server.archive.workspaces import Workspace, Workspaces
from server.errors import Code, Failure
from server.tool.elicitation import Nobody, Reply
from tests.support.doubles import Clock, Person

NORTH = Workspace("11111111-1111-4111-8111-111111111111", "Northwind Skincare")
SOUTH = Workspace("22222222-2222-4222-8222-222222222222", "Southwind Outdoor")
TWIN = Workspace("33333333-3333-4333-8333-333333333333", "Northwind Skincare")
SMALL = Workspace("44444444-4444-4444-8444-444444444444", "northwind skincare")
ALL = [NORTH, SOUTH]


class Listing:
    """Gives the workspaces and counts how often it was asked."""

    def __init__(self, *known: Workspace) -> None:
        self.known = list(known)
        self.count = 0
        self.deadlines: list[float] = []
        self.failing = False

    async def __call__(self, deadline: float) -> list[Workspace]:
        self.count += 1
        self.deadlines.append(deadline)
        await anyio.lowlevel.checkpoint()
        if self.failing:
            raise Failure(Code.UNAVAILABLE, "Down.")
        return list(self.known)


def resolver(
    known: Sequence[Workspace] = ALL, default: str | None = None
) -> tuple[Workspaces, Listing, Clock]:
    listing, clock = Listing(*known), Clock()
    return Workspaces(listing, default, clock), listing, clock


async def refused(
    workspaces: Workspaces, wanted: str | None, asker: Person | None = None
) -> Failure:
    with pytest.raises(Failure) as caught:
        await workspaces.resolve(wanted, asker or Nobody(), 99.0)
    return caught.value


async def test_an_id_is_taken_at_its_word_without_a_request() -> None:
    workspaces, listing, _ = resolver()

    assert await workspaces.resolve("ABCDEF00-0000-4000-8000-00000000000A", Nobody(), 99.0) == (
        "abcdef00-0000-4000-8000-00000000000a"
    )
    assert listing.count == 0


@pytest.mark.parametrize("wanted", [f" {NORTH.id}\n", " ", None])
async def test_blanks_around_an_id_are_no_part_of_it_and_blanks_alone_name_nothing(
    wanted: str | None,
) -> None:
    assert await resolver(default=NORTH.id)[0].resolve(wanted, Nobody(), 99.0) == NORTH.id


@pytest.mark.parametrize(
    ("known", "wanted", "found"),
    [
        (ALL, "Northwind Skincare", NORTH),
        (ALL, "southWIND outdoor", SOUTH),
        (ALL, "outdoor", SOUTH),
        (ALL, " Outdoor ", SOUTH),
        ([NORTH, SMALL], "northwind skincare", SMALL),
        ([NORTH, SMALL], "Northwind Skincare", NORTH),
        ([Workspace("1", "Wind"), SOUTH], "wind", Workspace("1", "Wind")),
        ([Workspace("1", "STRASSE")], "straße", Workspace("1", "STRASSE")),
    ],
)
async def test_a_name_is_found_exactly_else_without_case_else_in_part(
    known: list[Workspace], wanted: str, found: Workspace
) -> None:
    assert await resolver(known)[0].resolve(wanted, Nobody(), 99.0) == found.id


@pytest.mark.parametrize(
    ("known", "wanted", "candidates"),
    [
        (ALL, "wind", ALL),
        ([NORTH, TWIN, SOUTH], "Northwind Skincare", [NORTH, TWIN]),
        ([NORTH, SMALL], "NORTHWIND SKINCARE", [NORTH, SMALL]),
    ],
)
async def test_a_name_that_fits_several_is_not_guessed(
    known: list[Workspace], wanted: str, candidates: list[Workspace]
) -> None:
    failure = await refused(resolver(known)[0], wanted)

    assert failure.code is Code.AMBIGUOUS
    assert failure.details == {
        "candidates": [{"id": each.id, "name": each.name} for each in candidates]
    }


async def test_an_unknown_name_gets_a_suggestion_and_the_choices() -> None:
    failure = await refused(resolver()[0], "Northwind Skinkare")

    assert failure.code is Code.NOT_FOUND
    assert "Did you mean `Northwind Skincare`?" in failure.message
    assert failure.details["choices"] == [{"id": each.id, "name": each.name} for each in ALL]
    assert failure.hint == "Use one of these names or ids."


async def test_a_configured_name_that_nothing_has_is_for_the_user_to_correct() -> None:
    failure = await refused(resolver(default="Old name")[0], None)

    assert "the user should correct ARCHIVE_WORKSPACE_ID" in failure.hint


async def test_the_call_goes_before_the_configured_default() -> None:
    workspaces, _, _ = resolver(default="Northwind Skincare")

    assert await workspaces.resolve("outdoor", Nobody(), 99.0) == SOUTH.id
    assert await workspaces.resolve(None, Nobody(), 99.0) == NORTH.id


async def test_a_configured_id_costs_no_request() -> None:
    workspaces, listing, _ = resolver(default=NORTH.id.upper())

    assert await workspaces.resolve(None, Nobody(), 99.0) == NORTH.id
    assert listing.count == 0


async def test_the_only_workspace_needs_no_name() -> None:
    assert await resolver([SOUTH])[0].resolve(None, Nobody(), 99.0) == SOUTH.id


async def test_a_token_that_sees_nothing_is_told_apart() -> None:
    failure = await refused(resolver([])[0], None)

    assert failure.code is Code.FORBIDDEN
    assert "sees no workspace" in failure.message


async def test_the_person_is_asked_once_and_the_answer_is_remembered() -> None:
    workspaces, _, _ = resolver()
    person = Person([Reply("accept", {"workspace": SOUTH.name})])

    assert await workspaces.resolve(None, person, 99.0) == SOUTH.id
    assert await workspaces.resolve(None, person, 99.0) == SOUTH.id
    assert await workspaces.resolve("northwind", person, 99.0) == NORTH.id
    (question,) = person.questions
    assert question.key == "workspace"
    assert question.properties["workspace"]["enum"] == [NORTH.name, SOUTH.name]


async def test_workspaces_of_the_same_name_are_told_apart_by_their_id() -> None:
    workspaces, _, _ = resolver([NORTH, TWIN])
    person = Person([Reply("accept", {"workspace": f"{TWIN.name} ({TWIN.id})"})])

    assert await workspaces.resolve(None, person, 99.0) == TWIN.id


async def test_a_no_is_final_and_nothing_is_remembered() -> None:
    workspaces, _, _ = resolver()
    person = Person([Reply("decline"), Reply("accept", {"workspace": NORTH.name})])

    assert (await refused(workspaces, None, person)).code is Code.DECLINED
    assert await workspaces.resolve(None, person, 99.0) == NORTH.id


@pytest.mark.parametrize(
    "reply",
    [
        Reply("cancel"),
        Reply("unavailable"),
        Reply("accept", {}),
        Reply("accept", {"workspace": "Elsewhere"}),
        Reply("accept", {"workspace": None}),
        Reply("cancel", {"workspace": NORTH.name}),
    ],
)
async def test_without_an_answer_the_choices_are_listed(reply: Reply) -> None:
    failure = await refused(resolver()[0], None, Person([reply]))

    assert failure.code is Code.WORKSPACE_REQUIRED
    assert failure.details["choices"] == [{"id": each.id, "name": each.name} for each in ALL]
    assert "`workspace`" in failure.hint


async def test_a_client_that_cannot_ask_gets_the_choices() -> None:
    assert (await refused(resolver()[0], None)).code is Code.WORKSPACE_REQUIRED


async def test_calls_at_the_same_time_share_one_listing() -> None:
    workspaces, listing, _ = resolver()
    found: list[str] = []

    async def look(name: str) -> None:
        found.append(await workspaces.resolve(name, Nobody(), 77.0))

    async with anyio.create_task_group() as tasks:
        for name in ["north", "south"] * 5:
            tasks.start_soon(look, name)

    assert sorted(found) == [NORTH.id] * 5 + [SOUTH.id] * 5
    assert listing.count == 1
    assert listing.deadlines == [77.0]


async def test_a_name_that_is_not_found_is_looked_up_again_but_not_at_once() -> None:
    workspaces, listing, clock = resolver()
    assert (await refused(workspaces, "Brand new")).code is Code.NOT_FOUND
    listing.known.append(Workspace("5", "Brand new"))

    clock.now += 30.0
    assert (await refused(workspaces, "Brand new")).code is Code.NOT_FOUND
    assert listing.count == 1

    clock.now += 0.1
    assert await workspaces.resolve("Brand new", Nobody(), 99.0) == "5"
    assert listing.count == 2


async def test_a_name_that_is_found_is_not_looked_up_again() -> None:
    workspaces, listing, clock = resolver()
    await workspaces.list_all(99.0)
    clock.now += 3600.0

    assert await workspaces.resolve("north", Nobody(), 99.0) == NORTH.id
    assert listing.count == 1


async def test_many_misses_at_the_same_time_read_the_list_once_more() -> None:
    workspaces, listing, clock = resolver()
    await workspaces.list_all(99.0)
    clock.now += 31.0

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(refused, workspaces, "Elsewhere")

    assert listing.count == 2


async def test_a_listing_that_failed_is_tried_again_by_the_next_call() -> None:
    workspaces, listing, _ = resolver()
    listing.failing = True
    assert (await refused(workspaces, "north")).code is Code.UNAVAILABLE

    listing.failing = False
    assert await workspaces.resolve("north", Nobody(), 99.0) == NORTH.id
