"""What batches cost by the headers of their answers, and what failures inside them lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

from server.archive.api import Api
from server.archive.batching import BatchReader, answers
from server.archive.client import BatchResult, Call
from server.archive.failures import Answer
from server.errors import Code, Failure
from server.http.retry import Transient
from server.limiter import Snapshot
from server.limiter.budget import Policy, Reading
from tests.support.doubles import ScriptedArchive
from tools.archive.content.lookups import GetEngagementHistory

POLICY = Policy("growth", 15000, 250)
PAGE = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}, "totalCount": 0}

UNANSWERED = object()
"""What an alias is answered that is missing in the answer of its batch."""


def standing(credits: float | None) -> Snapshot:
    """What the limiter knows of the workspace before a batch."""
    return Snapshot(0.25, 0.0, None, "growth", 15000, 250, credits)


class Metered(ScriptedArchive):
    """An Archive whose batches take a time and tell what is left.

    Args:
        before: what the limiter knows before each batch.
        reading: what result answer says.
        seconds: how long each batch takes.
        answer: what each alias of a batch is answered.
    """

    def __init__(
        self,
        *,
        before: Snapshot | None = None,
        reading: Reading | None = None,
        seconds: float = 0.0,
        answer: Callable[[int], Any] = lambda _: PAGE,
    ) -> None:
        super().__init__(lambda _: self.alone())
        self.before = before
        self.reading = reading or Reading()
        self.seconds = seconds
        self.answer = answer
        self.alone: Callable[[], Any] = lambda: PAGE
        self.sizes: list[int] = []
        self.costs: list[float] = []
        self.asked = 0

    async def budget(self, workspace: str) -> Snapshot | None:
        assert workspace == "a workspace"
        self.asked += 1
        return self.before

    async def execute(self, call: Call) -> Answer:
        self.sizes.append(0)
        return await super().execute(call)

    async def execute_batch(self, call: Call, aliases: Sequence[str]) -> BatchResult:
        self.sizes.append(len(aliases))
        self.costs.append(call.cost)
        self.clock.now += self.seconds
        answers = {alias: self.answer(number) for number, alias in enumerate(aliases)}
        return BatchResult(
            {
                alias: result if isinstance(result, Failure) else Answer(result, partial=False)
                for alias, result in answers.items()
                if result is not UNANSWERED
            },
            self.reading,
        )


def reader_of(archive: ScriptedArchive) -> BatchReader:
    return BatchReader(Api(archive, "a workspace", "job"), GetEngagementHistory)


async def read(reader: BatchReader, count: int) -> list[Answer | Failure]:
    """What is answered of that many items, in their order."""
    requests = [
        GetEngagementHistory.model_validate({"itemId": f"item-{number}"}) for number in range(count)
    ]
    results = {place: answer async for place, answer in reader.read(requests)}
    return [results[place] for place in range(count)]


def codes(answers: Sequence[Answer | Failure]) -> list[Code | None]:
    return [answer.code if isinstance(answer, Failure) else None for answer in answers]


@pytest.mark.parametrize(
    ("before", "left", "seconds", "price"),
    [
        pytest.param(1000.0, 960.0, 0.0, 8.0, id="what is missing afterwards"),
        pytest.param(1000.0, 1005.0, 0.2, 9.0, id="with what came back meanwhile"),
        pytest.param(15000.0, 14955.0, 1.0, 9.0, id="but for what a full bucket cannot take"),
        pytest.param(1000.0, 1200.0, 0.0, 1.0, id="five credits a request at least"),
    ],
)
async def test_the_price_of_a_read_is_its_share_of_what_its_pack_took(
    before: float, left: float, seconds: float, price: float
) -> None:
    archive = Metered(before=standing(before), reading=Reading(POLICY, left), seconds=seconds)
    reader = reader_of(archive)
    await read(reader, 5)

    assert reader.batch_size.cost == pytest.approx(price)
    assert reader.size == 10


@pytest.mark.parametrize(
    ("before", "reading", "size"),
    [
        pytest.param(None, Reading(), 10, id="nothing is metered"),
        pytest.param(None, Reading(POLICY, 900), 10, id="nothing was known before"),
        pytest.param(standing(1000), Reading(POLICY), 10, id="nothing is said to be left"),
        pytest.param(standing(1000), Reading(None, 900), 10, id="no plan is named"),
        pytest.param(standing(None), Reading(POLICY, 900), 5, id="the price is told next time"),
    ],
)
async def test_packs_grow_without_a_price_only_where_none_is_to_be_had(
    before: Snapshot | None, reading: Reading, size: int
) -> None:
    reader = reader_of(Metered(before=before, reading=reading))
    await read(reader, 5)

    assert (reader.size, reader.batch_size.cost) == (size, 6)


async def test_a_pack_is_booked_with_the_price_of_its_reads_and_five_credits_at_least() -> None:
    archive = Metered()
    reader = reader_of(archive)
    await read(reader, 7)
    reader.batch_size.cost = 0.1
    await read(reader, 3)

    assert (archive.sizes, archive.costs) == ([5, 2, 3], [30, 12, 5.0])


async def test_the_budget_is_asked_for_only_while_sizes_are_tried() -> None:
    archive = Metered()
    reader = reader_of(archive)
    await read(reader, 5 + 10 + 20)
    assert (reader.size, archive.asked) == (40, 3)

    await read(reader, 80)
    assert (archive.sizes, archive.asked) == ([5, 10, 20, 40, 40], 3)


async def test_a_plan_too_small_for_larger_packs_keeps_them_small() -> None:
    poor = Policy("startup", 500, 10)
    archive = Metered(before=standing(500), reading=Reading(poor, 470))
    reader = reader_of(archive)
    await read(reader, 20)

    assert archive.sizes == [5, 5, 5, 5]


async def test_slow_packs_grow_no_more() -> None:
    archive = Metered(seconds=5.0)
    reader = reader_of(archive)
    await read(reader, 20)

    assert archive.sizes == [5, 5, 5, 5]


async def test_a_pack_of_unknown_items_is_answered_and_not_taken_apart() -> None:
    archive = Metered(answer=lambda _: Failure(Code.NOT_FOUND, "gone"))

    assert codes(await read(reader_of(archive), 5)) == [Code.NOT_FOUND] * 5
    assert archive.sizes == [5]


async def test_a_pack_whose_reads_all_failed_in_one_way_is_taken_apart() -> None:
    archive = Metered(answer=lambda _: Failure(Code.REJECTED, "too complex"))

    assert codes(await read(reader_of(archive), 5)) == [None] * 5
    assert archive.sizes == [5, 2, 0, 0, 0, 0, 0]


async def test_a_pack_that_leaves_every_read_unanswered_is_read_one_by_one() -> None:
    archive = Metered(answer=lambda _: UNANSWERED)

    assert codes(await read(reader_of(archive), 7)) == [None] * 7
    assert archive.sizes == [5, *[0] * 7]


async def test_what_a_pack_leaves_unanswered_is_asked_for_again() -> None:
    archive = Metered(answer=lambda number: PAGE if number < 2 else UNANSWERED)

    assert codes(await read(reader_of(archive), 5)) == [None] * 5
    assert archive.sizes == [5, 3, 0]


async def test_a_read_by_itself_says_nothing_about_packs_of_two() -> None:
    reader = reader_of(Metered())
    reader.batch_size.record_failure(5, passing=True)
    await read(reader, 1)
    assert reader.size == 2

    await read(reader, 2)
    assert reader.size == 4


async def test_one_read_that_failed_leaves_the_answers_of_the_others() -> None:
    archive = Metered(answer=lambda number: Failure(Code.REJECTED, "no") if number == 2 else PAGE)

    assert codes(await read(reader_of(archive), 5)) == [None, None, Code.REJECTED, None, None]
    assert archive.sizes == [5]


@pytest.mark.parametrize(
    "code", [Code.RATE_LIMITED, Code.BUDGET_EXHAUSTED, Code.UNAUTHENTICATED, Code.FORBIDDEN]
)
async def test_a_failure_that_any_pack_would_meet_is_that_of_every_read(code: Code) -> None:
    archive = Metered(answer=lambda number: Failure(code, "no") if number == 1 else PAGE)

    assert codes(await read(reader_of(archive), 9)) == [code] * 9
    assert archive.sizes == [5]


@pytest.mark.parametrize(
    ("failure", "sends"),
    [
        pytest.param(Failure(Code.REJECTED, "no"), 5, id="its own"),
        pytest.param(Failure(Code.NOT_FOUND, "no shop", unknown_workspace=True), 1, id="of all"),
        pytest.param(Failure(Code.FORBIDDEN, "no"), 1, id="of the token"),
        pytest.param(Transient(Code.UNAVAILABLE, "down"), 1, id="of the API"),
    ],
)
async def test_a_failure_of_a_read_by_itself_ends_the_others_only_if_they_would_meet_it_too(
    failure: Failure, sends: int
) -> None:
    archive = Metered(answer=lambda _: Failure(Code.REJECTED, "too complex"))
    archive.alone = lambda: failure

    assert codes(await read(reader_of(archive), 5)) == [failure.code] * 5
    assert archive.sizes == [5, 2, *[0] * sends]


async def test_a_list_answered_with_nothing_is_a_failure_that_may_pass() -> None:
    (results, *_) = await read(reader_of(Metered(answer=lambda _: None)), 2)

    assert isinstance(results, Failure)
    assert (results.code, results.retryable) == (Code.BAD_RESPONSE, True)


@pytest.mark.parametrize(("learned", "most"), [(False, 1), (True, 2)])
async def test_packs_are_sent_one_at_a_time_only_while_sizes_are_tried(
    learned: bool, most: int
) -> None:
    under_way: list[int] = []
    highest = 0

    class Slow(Metered):
        async def execute_batch(self, call: Call, aliases: Sequence[str]) -> BatchResult:
            nonlocal highest
            under_way.append(1)
            highest = max(highest, len(under_way))
            await anyio.wait_all_tasks_blocked()
            under_way.pop()
            return await super().execute_batch(call, aliases)

    reader = reader_of(Slow())
    if learned:
        await read(reader, 35)
    highest = 0
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(read, reader, 3)

    assert highest == most


async def test_answers_come_in_the_order_of_their_requests_or_not_at_all() -> None:
    archive = Metered(answer=lambda number: {**PAGE, "totalCount": number})
    api = Api(archive, "a workspace", "job")
    requests = [GetEngagementHistory.model_validate({"itemId": name}) for name in "abc"]

    results = await answers(api, requests, ["at"])
    assert [result["totalCount"] for result in results] == [0, 1, 2]

    archive.alone = lambda: {**PAGE, "totalCount": 7}
    assert [result["totalCount"] for result in await answers(api, requests[:1], ["at"])] == [7]

    archive.answer = lambda number: Failure(Code.NOT_FOUND, "gone") if number == 1 else PAGE
    with pytest.raises(Failure, match="gone"):
        await answers(api, requests, ["at"])
