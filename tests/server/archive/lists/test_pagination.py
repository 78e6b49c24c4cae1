from __future__ import annotations

from typing import Any

import pytest

from server.archive.client import Call
from server.archive.operations import ReadMany
from server.archive.pagination import Lists
from server.errors import Code, Failure
from server.tool.result import BUDGET, compact
from tests.support.archive.rows import (
    WORKSPACE,
    Api,
    Ordered,
    Rows,
    Whole,
    everything,
    ids,
    rows,
)
from tests.support.doubles import ScriptedArchive


async def test_one_page_is_enough_for_a_short_list() -> None:
    api = Api(3)

    assert await api.read(rows()) == {
        "nodes": [{"id": str(n), "text": "x"} for n in range(3)],
        "totalCount": 3,
        "nextCursor": None,
    }
    assert api.asked == [(20, None)]
    assert (
        api.archive.calls[0].cost,
        api.archive.calls[0].repeatable,
        api.archive.calls[0].verify,
    ) == (7, True, "")


async def test_an_empty_list_is_an_answer() -> None:
    assert await Api(0).read(rows()) == {"nodes": [], "totalCount": 0, "nextCursor": None}


@pytest.mark.parametrize(
    ("limit", "asked"),
    [
        (1, [(1, None)]),
        (100, [(100, None)]),
        (101, [(100, None), (1, "end-of-100")]),
        (250, [(100, None), (100, "end-of-100"), (50, "end-of-200")]),
        (300, [(100, None), (100, "end-of-100"), (100, "end-of-200")]),
    ],
)
async def test_as_many_pages_are_read_as_the_limit_takes_and_no_record_more(
    limit: int, asked: list[tuple[int, str | None]]
) -> None:
    api = Api(300)

    assert ids(await api.read(rows(limit=limit))) == list(range(limit))
    assert api.asked == asked


@pytest.mark.parametrize("count", [100, 300])
async def test_a_list_that_ends_with_the_limit_has_no_cursor(count: int) -> None:
    assert (await Api(count).read(rows(limit=count)))["nextCursor"] is None


@pytest.mark.parametrize("kind", [Rows, Whole, Ordered])
@pytest.mark.parametrize("limit", [1, 20, 100, 1000])
@pytest.mark.parametrize("text", ["x", "y" * 900])
async def test_no_record_is_given_twice_or_left_out(
    kind: type[ReadMany[Any]], limit: int, text: str
) -> None:
    api = Api(2000 if limit > 1 else 130, text=text)

    assert sorted(await everything(api, kind, limit)) == list(range(len(api.rows)))


@pytest.mark.parametrize("limit", [7, 100, 1000])
async def test_pages_come_in_the_apis_order_whatever_the_cut(limit: int) -> None:
    assert await everything(Api(555, text="y" * 700), Rows, limit) == list(range(555))


async def test_an_answer_over_the_budget_is_cut_and_says_how_to_go_on() -> None:
    answer = await Api(100, text="y" * 1000).read(rows(limit=100))

    assert 30 < len(answer["nodes"]) < 40
    assert len(compact(answer)) < BUDGET + 500
    assert answer["nextCursor"]
    assert answer["notes"] == [
        f"Cut after {len(answer['nodes'])} records to fit: go on with `nextCursor` (fewer "
        "`fields` make more fit)."
    ]


async def test_a_page_that_was_cut_is_not_fetched_again() -> None:
    api = Api(100, text="y" * 1000)

    assert await everything(api, Rows, 100) == list(range(100))
    assert api.asked == [(100, None)]


async def test_a_page_that_is_kept_no_more_is_fetched_again_and_what_was_given_is_skipped() -> None:
    api = Api(150, text="y" * 1000)
    first = await api.read(rows(limit=60))
    for number in range(4):
        await api.read(rows(limit=60, query=f"another {number}"))
    api.archive.calls.clear()

    rest = await api.read(rows(limit=1000, after=first["nextCursor"]))

    assert ids(first) + ids(rest) == list(range(len(first["nodes"]) + len(rest["nodes"])))
    assert api.asked[0] == (100, None)


async def test_a_change_of_data_by_this_server_drops_the_kept_pages() -> None:
    api = Api(100, text="y" * 1000)
    first = await api.read(rows(limit=100))
    api.lists.forget()

    await api.read(rows(limit=100, after=first["nextCursor"]))

    assert len(api.asked) == 2


async def test_a_fresh_start_always_asks_the_api() -> None:
    api = Api(100, text="y" * 1000)
    await api.read(rows(limit=100))
    api.rows[0]["text"] = "new"

    assert (await api.read(rows(limit=100)))["nodes"][0]["text"] == "new"


async def test_a_record_larger_than_the_budget_is_given_alone() -> None:
    api = Api(3, text="y" * (BUDGET + 1))

    assert await everything(api, Rows, 20) == [0, 1, 2]


async def test_reading_stops_in_time_and_says_so() -> None:
    answer = await Api(1000, seconds=10.0).read(rows(limit=1000), seconds=45.0)

    assert ids(answer) == list(range(400))
    assert answer["nextCursor"]
    assert "Cut after 400 records to answer in time" in answer["notes"][0]


@pytest.mark.parametrize(
    "other",
    [
        rows(limit=5, query="other"),
        rows(limit=5, fields=["id"]),
        rows(Whole, limit=5),
        rows(Ordered, limit=5),
    ],
)
async def test_a_cursor_of_another_call_is_refused_before_anything_is_sent(
    other: ReadMany[Any],
) -> None:
    api = Api(50)
    cursor = (await api.read(rows(limit=5)))["nextCursor"]

    with pytest.raises(Failure, match="other arguments") as refused:
        await api.read(other.model_copy(update={"after": cursor}))

    assert refused.value.code is Code.INVALID_ARGUMENT
    assert len(api.asked) == 1


async def test_a_cursor_is_bound_to_its_workspace() -> None:
    api = Api(50)
    cursor = (await api.read(rows(limit=5)))["nextCursor"]

    with pytest.raises(Failure, match="another workspace"):
        await api.lists.read(rows(after=cursor), "workspace-2", 99999.0)


async def test_the_limit_may_change_from_call_to_call() -> None:
    api = Api(50)
    cursor = (await api.read(rows(limit=5)))["nextCursor"]

    assert ids(await api.read(rows(limit=10, after=cursor))) == list(range(5, 15))


async def test_a_failure_of_the_api_is_the_failure_of_the_call() -> None:
    lists = Lists(ScriptedArchive(lambda call: Failure(Code.FORBIDDEN, "No.")))

    with pytest.raises(Failure, match="No"):
        await lists.read(rows(), WORKSPACE, 99999.0)


async def test_values_that_could_not_be_computed_make_the_answer_partial() -> None:
    answer = await Api(150, partial_from=120).read(rows(limit=150))

    assert answer["partial"] is True
    assert "could not compute some values" in answer["notes"][0]
    assert "partial" not in await Api(150).read(rows(limit=150))


async def test_numbers_and_units_are_told() -> None:
    answer = await Api(2).read(rows(fields=["likes", "value"]))

    assert answer["nodes"] == [{"likes": 0, "value": None}, {"likes": 7, "value": None}]
    assert answer["units"] == {"value": "cents, assumed"}


async def test_an_unknown_field_is_refused_before_anything_is_sent() -> None:
    api = Api(2)

    with pytest.raises(Failure, match="'like' does not exist"):
        await api.read(rows(fields=["like"]))

    assert api.asked == []


@pytest.mark.parametrize("cursor", ["here", None])
async def test_a_cursor_that_does_not_lead_on_is_no_end_of_the_list(cursor: str | None) -> None:
    stuck = {"nodes": [], "pageInfo": {"endCursor": cursor, "hasNextPage": True}, "totalCount": 9}
    archive = ScriptedArchive(lambda call: stuck)

    with pytest.raises(Failure, match="does not lead on") as caught:
        await Lists(archive).read(rows(limit=50), WORKSPACE, archive.now() + 45)

    assert caught.value.code is Code.BAD_RESPONSE
    assert len(archive.calls) <= 2


class Moving(Api):
    """A list onto whose later pages a record of the first has moved."""

    def answer(self, call: Call) -> Any:
        answer = super().answer(call)
        if "after" in call.variables:
            answer.data["nodes"].insert(0, {"id": "99", "text": "x"})
        return answer


async def test_records_that_moved_onto_the_next_page_come_once_and_are_told() -> None:
    answer = await Moving(150).read(rows(limit=150))

    assert ids(answer) == list(range(150))
    assert "1 record came twice" in " ".join(answer["notes"])
