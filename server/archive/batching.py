"""Several reads of one operation in one request, as aliases: a request is what the API counts five
of a second.

How many travel together is learned: a small batch first, and twice as many as long as its price,
which the answers' headers tell, and its time allow it. What the API objects to travels in smaller
batches, in the end one by one.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from server.archive.api import PAGE, Api
from server.archive.client import BatchResult
from server.archive.failures import Answer
from server.archive.operations import Read, ReadPages, graphql_arguments, join_arguments
from server.archive.records import Selection
from server.archive.selection import render, select
from server.errors import Code, Failure
from server.http.retry import Transient
from server.limiter import Admit, Snapshot

FIRST, MOST = 5, 40
"""Reads in the first batch, and in the largest."""
LONGEST_TRIP = 8.0
"""Seconds that a batch may take: twice as many reads are expected to take twice as long."""
LARGEST_SHARE = 0.1
"""Part of the plan's credits that one batch may take: it takes them at once."""
OVERPRICED = 2.0
"""A larger batch does not pay where a read in it costs more than this many times as much."""

# The least that Archive counts for a request, however small (Archive docs, rate limiting).
_CHEAPEST = 5.0
# One overpriced answer may be another program's spending; two in a row are a price.
_DOUBTS = 2
# Failures that a smaller batch would meet too: taking the batch apart for these would only send
# more requests that fail alike.
_NOT_THE_BATCH = (
    Code.RATE_LIMITED,
    Code.BUDGET_EXHAUSTED,
    Code.UNAUTHENTICATED,
    Code.FORBIDDEN,
    Code.OUTCOME_UNKNOWN,
)


@dataclass
class BatchSize:
    """The number of reads in a batch, and what one of them costs in rate credits, as far as it is
    known."""

    cost: float
    size: int = FIRST
    most: int = MOST
    _most_accepted: int = MOST
    _smallest_failed: float = math.inf
    _overpriced: int = 0

    @property
    def learning(self) -> bool:
        """Whether larger batches are still tried."""
        return self.size < self.most

    def record_answer(
        self, reads: int, seconds: float, spent: float | None, burst: float | None, *, metered: bool
    ) -> None:
        """Record that a batch was answered.

        Args:
            spent: rate credits that it took, None if that could not be told.
            burst: the plan's credits.
            metered: whether a price can be told: then none is made larger without one.
        """
        # The last batch of a list is often smaller, and says nothing about the size that is tried.
        if reads < self.size or not self.learning:
            return
        if spent is not None:
            self._compare_price(reads, spent)
        affordable = burst is None or 2 * reads * self.cost <= LARGEST_SHARE * burst
        is_slow, is_priced = 2 * seconds > LONGEST_TRIP, self._overpriced >= _DOUBTS
        if any((is_slow, is_priced, not affordable)):
            self.most = self._most_accepted = self.size
        # Where prices are metered, an answer whose price could not be read does not justify more.
        elif not self._overpriced and (spent is not None or not metered):
            self.size = min(2 * self.size, self.most)

    def record_failure(self, reads: int, *, passing: bool) -> None:
        """Record a failure that may be because of the batch's size; if it may pass, it has to come
        twice to count."""
        half = max(1, reads // 2)
        if not passing:
            self._most_accepted = min(self._most_accepted, half)
        # The first passing failure may be chance; a second one at that size or above is not.
        if not passing or reads >= self._smallest_failed:
            self.most = min(self.most, half)
        self._smallest_failed = min(self._smallest_failed, reads)
        # The next batch is smaller even if the failure does not count yet: that is the cheap test.
        self.size = min(self.size, half)

    def reset(self) -> None:
        """Forget the failures that may pass: a read by itself met one too, so the batches before it
        did not fail because of their size."""
        self.most, self._smallest_failed = self._most_accepted, math.inf

    def _compare_price(self, reads: int, spent: float) -> None:
        # A level that refills meanwhile may make a batch look free; none costs less than the floor.
        price = max(_CHEAPEST, spent) / reads
        self._overpriced = self._overpriced + 1 if price > OVERPRICED * self.cost else 0
        # After one overpriced batch the cost stays: the second is judged by the same measure.
        if not self._overpriced or self._overpriced >= _DOUBTS:
            self.cost = price


class BatchReader:
    """Reads many records of one operation of a workspace, several with each request.

    Args:
        kind: the class of the requests.
        fields: paths to read of each record, whatever the requests say; None reads the defaults.
    """

    def __init__(self, api: Api, kind: type[Read[Any]], fields: list[str] | None = None) -> None:
        self.batch_size = BatchSize(kind.cost)
        self._api = api
        self._selection = select(kind.record(), fields)
        self._alone = anyio.Lock()

    @property
    def size(self) -> int:
        """Return how many requests to pass to `read` at once."""
        return self.batch_size.size

    async def read(
        self, requests: Sequence[Read[Any]], admit: Admit | None = None
    ) -> AsyncIterator[tuple[int, Answer | Failure]]:
        """Yield the place of each request with its answer (of a list a page) or its failure, as
        they come.

        A failure of the API itself is that of every request that it left unanswered.

        Args:
            admit: awaited just before each send; what it raises keeps the request from leaving, and
                is passed on.
        """
        waiting = list(range(len(requests)))
        singly = False
        while waiting:
            places = waiting[: 1 if singly else self.batch_size.size]
            batch = [requests[place] for place in places]
            try:
                if len(batch) > 1:
                    answers = await self._read_batch(batch, admit)
                else:
                    answers = await self._read_one(batch[0], admit)
            except Failure as failure:
                if len(batch) > 1 and _may_be_the_batch(failure):
                    self.batch_size.record_failure(
                        len(batch), passing=isinstance(failure, Transient)
                    )
                    continue
                # The rest would meet the same failure: reporting it for all saves their requests.
                for place in waiting:
                    yield place, failure
                return
            for number, answer in answers.items():
                yield places[number], answer
            # A batch without any answer would be repeated for ever; alone, each read gets one.
            singly = singly or not answers
            answered = {places[number] for number in answers}
            # One alias may null the data of others (GraphQL): those left unanswered are sent again.
            waiting = [place for place in waiting if place not in answered]

    async def _read_one(
        self, request: Read[Any], admit: Admit | None
    ) -> dict[int, Answer | Failure]:
        """Send one read without an alias, as any other call does."""
        start = self._api.archive.now()
        variables = {**request.variables(), **_paging(request)}
        # No alias: alone, a read has the document of an ordinary call, and its error shapes.
        document = request.document(self._selection)
        try:
            answer = await self._api.execute(
                request.operation, document, variables, request.credits(), admit
            )
        except Transient:
            self.batch_size.reset()
            raise
        except Failure as failure:
            if not _may_be_the_batch(failure):
                raise
            # The record's own failure, such as NOT_FOUND: the other reads go on.
            return {0: failure}
        self.batch_size.record_answer(1, self._api.archive.now() - start, None, None, metered=False)
        return {0: self._convert(request, answer)}

    async def _read_batch(
        self, requests: Sequence[Read[Any]], admit: Admit | None
    ) -> dict[int, Answer | Failure]:
        """Send several reads in one request, and return their answers by place."""
        document, variables = build_document(requests, self._selection)
        numbers = {f"a{number}": number for number in range(len(requests))}
        async with self._learning():
            cost = max(_CHEAPEST, self.batch_size.cost * len(requests))
            call = self._api.call(requests[0].operation, document, variables, cost, admit)
            before = None
            # Reading the level is a transaction of the shared file: only while sizes are tried.
            if self.batch_size.learning:
                before = await self._api.archive.budget(call.workspace or "")
            start = self._api.archive.now()
            result = await self._api.archive.execute_batch(call, list(numbers))
            self._learn(len(requests), before, self._api.archive.now() - start, result)
        failures = [answer for answer in result.answers.values() if isinstance(answer, Failure)]
        for failure in failures:
            if failure.code in _NOT_THE_BATCH:
                raise failure
        # Every alias refused points at the batch; every record missing is an ordinary answer.
        codes = {failure.code for failure in failures}
        if len(failures) == len(requests) and Code.NOT_FOUND not in codes:
            raise failures[0]
        return {
            numbers[alias]: self._convert(requests[numbers[alias]], answer)
            for alias, answer in result.answers.items()
        }

    @asynccontextmanager
    async def _learning(self) -> AsyncIterator[None]:
        """Let one batch go at a time while sizes are tried: the price of another one in between
        would be added to its own."""
        if not self.batch_size.learning:
            yield
            return
        async with self._alone:
            yield

    def _learn(
        self, reads: int, before: Snapshot | None, seconds: float, result: BatchResult
    ) -> None:
        left, policy = result.reading.left, result.reading.policy
        burst = policy.burst if policy else None
        if before is None or policy is None or left is None:
            self.batch_size.record_answer(reads, seconds, None, burst, metered=False)
            return
        spent = None
        if before.credits is not None:
            # The bucket refills while the answer is awaited, which would hide a part of the price.
            refilled = before.credits + (before.refill or policy.refill) * seconds
            spent = max(0.0, min(policy.burst, refilled) - left)
        self.batch_size.record_answer(reads, seconds, spent, burst, metered=True)

    def _convert(self, request: Read[Any], answer: Answer | Failure) -> Answer | Failure:
        if isinstance(answer, Failure):
            return answer
        if answer.data is None and isinstance(request, ReadPages):
            return Failure(
                Code.BAD_RESPONSE,
                f"Archive answered {request.operation} with nothing.",
                retryable=True,
            )
        try:
            return Answer(request.convert(answer.data, self._selection), answer.partial)
        except Failure as failure:
            # This read's own: the others of the batch may be as they should.
            return failure


def build_document(
    requests: Sequence[Read[Any]], selection: Selection
) -> tuple[str, dict[str, Any]]:
    """Return the document that asks for all of them, under the aliases a0, a1 and so on, and its
    variables.

    Arguments that are the same for all are one variable; the others have the alias' number behind
    their name.
    """
    first = requests[0]
    rows = [{**request.variables(), **_paging(request)} for request in requests]
    # Only arguments that some read uses: an unused variable makes a document invalid.
    used = set().union(*rows)
    kinds = {name: kind for name, kind in graphql_arguments(type(first)).items() if name in used}
    pairs = rows[0].items()
    common = dict(pair for pair in pairs if all(pair in row.items() for row in rows))
    declared = {name: kind for name, kind in kinds.items() if name in common}
    variables = dict(common)
    body = first.body(render(selection, first.record()))
    calls = []
    for number, row in enumerate(rows):
        own = {name: name if name in common else f"{name}{number}" for name in kinds}
        declared |= {own[name]: kind for name, kind in kinds.items()}
        variables |= {own[name]: value for name, value in row.items()}
        passed = join_arguments(f"{name}: ${variable}" for name, variable in own.items())
        calls.append(f"a{number}: {first.operation}{passed} {{ {body} }}")
    head = join_arguments(f"${name}: {kind}" for name, kind in declared.items())
    return f"query {type(first).__name__}s{head} {{ {' '.join(calls)} }}", variables


def _paging(request: Read[Any]) -> dict[str, Any]:
    return {"first": PAGE} if isinstance(request, ReadPages) else {}


def _may_be_the_batch(failure: Failure) -> bool:
    return failure.code not in _NOT_THE_BATCH and not failure.details.get("unknown_workspace")


async def answers(api: Api, requests: Sequence[Read[Any]], fields: list[str]) -> list[Any]:
    """Return the answers to requests of one class, in their order; of a paged list its first page.

    Raises:
        Failure: that of the first request that met one.
    """
    result: list[Any] = [None] * len(requests)
    async for place, answer in BatchReader(api, type(requests[0]), fields).read(requests):
        if isinstance(answer, Failure):
            raise answer
        result[place] = answer.data
    return result
