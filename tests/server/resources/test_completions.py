from __future__ import annotations

import anyio
import pytest

from server.errors import Code, Failure
from server.resources import names, workspace
from server.resources.names import FRESH_SECONDS, REST_SECONDS
from server.resources.workspace import MOST_VALUES, Resources
from tests.support.doubles import Clock
from tests.support.shop import (
    ALL,
    KINDS,
    ONE,
    OPERATION,
    Shop,
    served,
)


async def values(
    found: Resources, uri: str, variable: str, typed: str = "", **known: str
) -> list[str]:
    return (await found.complete(uri, variable, typed, known)).values


async def test_completions_begin_with_what_begins_so() -> None:
    found = served(Shop(["Midsummer", "summer B", "Summer A", "Winter", "Winter"]))

    assert await values(found, ALL, "workspace", "SUMMER") == ["Summer A", "summer B", "Midsummer"]
    assert await values(found, ALL, "workspace", "") == [
        "Midsummer",
        "Summer A",
        "summer B",
        "Winter",
    ]
    assert await values(found, ALL, "workspace", "zzz") == []


async def test_completions_end_at_a_hundred_and_count_the_rest() -> None:
    all_names = [f"Name {number:04}" for number in range(1500)]
    found = await served(Shop(all_names, page=300)).complete(ALL, "workspace", "name", {})

    assert found.values == all_names[:MOST_VALUES]
    assert found.total == workspace.MOST_ROWS


async def test_names_are_completed_in_the_workspace_that_is_known() -> None:
    shop = Shop()
    found = served(shop)

    assert await values(found, ONE, "thing", "win", workspace="w") == ["Winter"]
    assert await values(found, ONE, "thing", "win", workspace=" ") == ["Winter"]
    assert [each.get("workspace") for each in shop.asked] == ["w", None]


async def test_closed_sets_and_operations_are_completed_without_asking() -> None:
    shop = Shop()
    found = served(shop)

    assert await values(found, KINDS, "kind", "") == ["thing", "part"]
    assert await values(found, KINDS, "kind", "P") == ["part"]
    assert await values(found, OPERATION, "name", "thing") == ["things", "thing", "dropThing"]
    assert shop.asked == []


async def test_typing_asks_once_and_again_when_the_names_are_stale() -> None:
    shop, clock = Shop(), Clock()
    found = served(shop, clock=clock)
    for typed in ("", "s", "su"):
        await values(found, ONE, "thing", typed, workspace="w")
    assert len(shop.asked) == 1
    clock.now += FRESH_SECONDS
    await values(found, ONE, "thing", "sum", workspace="w")
    assert len(shop.asked) == 2


async def test_keystrokes_at_once_ask_once() -> None:
    shop = Shop(before=anyio.lowlevel.checkpoint)
    found = served(shop)
    async with anyio.create_task_group() as group:
        for typed in ("s", "su", "sum"):
            group.start_soon(values, found, ALL, "workspace", typed)

    assert len(shop.asked) == 1


@pytest.mark.parametrize("error", [Failure(Code.UNAVAILABLE, "Down."), KeyError("bug")])
async def test_names_that_cannot_be_read_complete_nothing(error: Exception) -> None:
    assert await values(served(Shop(broken=error)), ALL, "workspace", "s") == []


async def test_a_dead_network_is_left_alone_for_a_while() -> None:
    shop, clock = Shop(broken=Failure(Code.UNAVAILABLE, "Down.")), Clock()
    found = served(shop, clock=clock)
    await values(found, ALL, "workspace", "s")
    assert await values(found, ALL, "workspace", "su") == []
    assert len(shop.asked) == 1
    shop.broken, clock.now = None, clock.now + REST_SECONDS
    assert await values(found, ALL, "workspace", "su") == ["Summer"]


async def test_a_completion_does_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "PATIENCE_SECONDS", 0.01)

    assert await values(served(Shop(before=anyio.sleep_forever)), ALL, "workspace", "s") == []


async def test_a_wrong_neighbour_completes_nothing() -> None:
    found = served(Shop())

    assert await values(found, KINDS, "workspace", "", kind="nonsense") == []


@pytest.mark.parametrize(
    ("uri", "variable"), [("shop://nothing/{x}", "x"), (ALL, "thing"), ("bank://{x}", "x")]
)
async def test_an_unknown_template_or_variable_is_an_error(uri: str, variable: str) -> None:
    with pytest.raises(Failure) as caught:
        await served(Shop()).complete(uri, variable, "", {})
    assert caught.value.code is Code.NOT_FOUND


async def test_only_the_last_sources_of_names_are_kept() -> None:
    shop = Shop()
    found = served(shop)
    for number in range(40):
        await values(found, ONE, "thing", "", workspace=f"w{number}")
    await values(found, ONE, "thing", "", workspace="w39")
    assert len(shop.asked) == 40
    await values(found, ONE, "thing", "", workspace="w0")
    assert len(shop.asked) == 41
