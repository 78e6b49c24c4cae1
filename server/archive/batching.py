"""Several reads of one operation in one request, as aliases: a request is what the API counts five
of a second.

How many travel together is learned: a small pack first, and twice as many as long as its price,
which the answers' headers tell, and its time allow it. What the API objects to travels in smaller
packs, in the end one by one.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from server.archive.api import PAGE, Api
from server.archive.client import Answer, Packed
from server.archive.operations import Read, ReadPages, graphql_arguments
from server.archive.records import Selection
from server.archive.selection import render, select
from server.errors import Code, Failure
from server.http.retry import Transient

if TYPE_CHECKING:
    from server.limiter import Snapshot

FIRST, MOST = 5, 40
"""Reads in the first pack, and in the largest."""
LONGEST_TRIP = 8.0
"""Seconds that a pack may take: twice as many reads are expected to take twice as long."""
LARGEST_SHARE = 0.1
"""Part of the plan's credits that one pack may take: it takes them at once."""
DEAR = 2.0
"""Times what a read cost so far, from which on a larger pack does not pay."""

# The least that Archive counts for a request, however small (Archive docs, rate limiting).
_CHEAPEST = 5.0
# One overpriced answer may be another program's spending; two in a row are a price.
_DOUBTS = 2
# Taking the pack apart for these would only send more requests that fail alike.
_NOT_THE_PACK = (
    Code.RATE_LIMITED,
    Code.BUDGET_EXHAUSTED,
    Code.UNAUTHENTICATED,
    Code.FORBIDDEN,
    Code.OUTCOME_UNKNOWN,
)
"""Failures that a smaller pack would meet too."""


@dataclass
class Pace:
    """How many reads travel together, and what one of them costs in rate credits, as far as it is
    known."""

    cost: float
    size: int = FIRST
    most: int = MOST
    _granted: int = MOST
    _tripped: float = math.inf
    _dear: int = 0

    @property
    def learning(self) -> bool:
        """Whether larger packs are still tried."""
        return self.size < self.most

    def taken(
        self, reads: int, seconds: float, spent: float | None, burst: float | None, *, metered: bool
    ) -> None:
        """A pack was answered.

        Args:
            spent: rate credits that it took, None if that could not be told.
            burst: the plan's credits.
            metered: whether a price can be told: then none is packed larger without one.
        """
        # The last pack of a list is often smaller, and says nothing about the size that is tried.
        if reads < self.size or not self.learning:
            return
        if spent is not None:
            self._rises_in_price(reads, spent)
        affordable = burst is None or 2 * reads * self.cost <= LARGEST_SHARE * burst
        if 2 * seconds > LONGEST_TRIP or not affordable or self._dear >= _DOUBTS:
            self.most = self._granted = self.size
        # Where prices are metered, an answer whose price could not be read does not justify more.
        elif not self._dear and (spent is not None or not metered):
            self.size = min(2 * self.size, self.most)

    def refused(self, reads: int, *, passing: bool) -> None:
        """A pack met a failure that may be because of its size; if it may pass, it has to come
        twice to count."""
        half = max(1, reads // 2)
        if not passing:
            self._granted = min(self._granted, half)
        # The first passing failure may be chance; a second one at that size or above is not.
        if not passing or reads >= self._tripped:
            self.most = min(self.most, half)
        self._tripped = min(self._tripped, reads)
        # The next pack is smaller even when the failure does not count yet: that is the cheap test.
        self.size = min(self.size, half)

    def reset(self) -> None:
        """A read by itself met a failure that may pass: those of the packs before it were not
        because of their size."""
        self.most, self._tripped = self._granted, math.inf

    def _rises_in_price(self, reads: int, spent: float) -> None:
        # A level that refills meanwhile may make a pack look free; none costs less than the floor.
        each = max(_CHEAPEST, spent) / reads
        self._dear = self._dear + 1 if each > DEAR * self.cost else 0
        # After one overpriced pack the cost stays: the second is judged by the same measure.
        if not self._dear or self._dear >= _DOUBTS:
            self.cost = each


class Packer:
    """Reads many records of one operation of a workspace, several with each request.

    Args:
        kind: the class of the requests.
        fields: paths to read of each record, whatever the requests say; None reads the defaults.
    """

    def __init__(self, api: Api, kind: type[Read[Any]], fields: list[str] | None = None) -> None:
        self.pace = Pace(kind.cost)
        self._api = api
        self._selection = select(kind.record(), fields)
        self._alone = anyio.Lock()

    @property
    def size(self) -> int:
        """Return how many requests to pass to `read` at once."""
        return self.pace.size

    async def read(
        self, requests: Sequence[Read[Any]], admit: Callable[[], None] | None = None
    ) -> AsyncIterator[tuple[int, Answer | Failure]]:
        """The place of each request with what it was answered, or with its failure, as they come;
        of a list a page.

        A failure of the API itself is that of every request that it left unanswered.

        Args:
            admit: called just before each send; what it raises keeps the request from leaving, and
                is passed on.
        """
        waiting = list(range(len(requests)))
        singly = False
        while waiting:
            places = waiting[: 1 if singly else self.pace.size]
            some = [requests[place] for place in places]
            try:
                result = await (
                    self._pack(some, admit) if len(some) > 1 else self._single(some[0], admit)
                )
            except Failure as failure:
                if len(some) > 1 and _may_be_the_pack(failure):
                    self.pace.refused(len(some), passing=isinstance(failure, Transient))
                    continue
                # The rest would meet the same failure: reporting it for all saves their requests.
                for place in waiting:
                    yield place, failure
                return
            for number, answer in result.items():
                yield places[number], answer
            # A pack without any answer would be repeated for ever; alone, each read gets one.
            singly = singly or not result
            answered = {places[number] for number in result}
            # One alias may null the data of others (GraphQL): those left unanswered are sent again.
            waiting = [place for place in waiting if place not in answered]

    async def _single(
        self, request: Read[Any], admit: Callable[[], None] | None
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
            self.pace.reset()
            raise
        except Failure as failure:
            if failure.code in _NOT_THE_PACK or failure.details.get("unknown_workspace"):
                raise
            # The record's own failure, such as NOT_FOUND: the other reads go on.
            return {0: failure}
        self.pace.taken(1, self._api.archive.now() - start, None, None, metered=False)
        return {0: self._convert(request, answer)}

    async def _pack(
        self, requests: Sequence[Read[Any]], admit: Callable[[], None] | None
    ) -> dict[int, Answer | Failure]:
        """Send several reads in one request, and return their answers by place."""
        document, variables = packed(requests, self._selection)
        aliases = [f"a{number}" for number in range(len(requests))]
        async with self._learning():
            cost = max(_CHEAPEST, self.pace.cost * len(requests))
            call = self._api.call(requests[0].operation, document, variables, cost, admit)
            # Reading the level is a transaction of the shared file: only while sizes are tried.
            before = (
                await self._api.archive.budget(call.workspace or "") if self.pace.learning else None
            )
            start = self._api.archive.now()
            result = await self._api.archive.execute_packed(call, aliases)
            self._learn(len(requests), before, self._api.archive.now() - start, result)
        answers = {
            number: result.answers[alias]
            for number, alias in enumerate(aliases)
            if alias in result.answers
        }
        failures = [answer for answer in answers.values() if isinstance(answer, Failure)]
        if general := next(
            (failure for failure in failures if failure.code in _NOT_THE_PACK), None
        ):
            raise general
        # Every alias refused points at the pack; every record missing is an ordinary answer.
        if len(failures) == len(requests) and all(
            failure.code is not Code.NOT_FOUND for failure in failures
        ):
            raise failures[0]
        return {
            number: self._convert(requests[number], answer) for number, answer in answers.items()
        }

    @asynccontextmanager
    async def _learning(self) -> AsyncIterator[None]:
        """While sizes are tried, one pack at a time: what another takes meanwhile would count as
        its price."""
        if not self.pace.learning:
            yield
            return
        async with self._alone:
            yield

    def _learn(self, reads: int, before: Snapshot | None, seconds: float, result: Packed) -> None:
        left, policy = result.reading.left, result.reading.policy
        spent = None
        if (
            before is not None
            and before.credits is not None
            and policy is not None
            and left is not None
        ):
            # The bucket refills while the answer is awaited, which would hide a part of the price.
            spent = max(0.0, min(policy.burst, before.credits + policy.refill * seconds) - left)
        metered = before is not None and policy is not None and left is not None
        self.pace.taken(reads, seconds, spent, policy.burst if policy else None, metered=metered)

    def _convert(self, request: Read[Any], answer: Answer | Failure) -> Answer | Failure:
        if isinstance(answer, Failure):
            return answer
        if answer.data is None and isinstance(request, ReadPages):
            return Failure(
                Code.BAD_RESPONSE,
                f"Archive answered {request.operation} with nothing.",
                retryable=True,
            )
        return Answer(request.convert(answer.data, self._selection), answer.partial)


def packed(requests: Sequence[Read[Any]], selection: Selection) -> tuple[str, dict[str, Any]]:
    """The document that asks for all of them, under the aliases a0, a1 and so on, and its
    variables.

    Arguments that are the same for all are one variable; the others have the alias' number behind
    their name.
    """
    first = requests[0]
    rows = [{**request.variables(), **_paging(request)} for request in requests]
    # Only arguments that some read uses: an unused variable makes a document invalid.
    requested = {
        name: kind
        for name, kind in graphql_arguments(type(first)).items()
        if any(name in row for row in rows)
    }
    common = {
        name
        for name in requested
        if all(name in row and row[name] == rows[0][name] for row in rows)
    }
    declared = {name: kind for name, kind in requested.items() if name in common}
    variables = {name: rows[0][name] for name in common}
    body = first.body(render(selection, first.record()))
    calls = []
    for number, row in enumerate(rows):
        own = {name: name if name in common else f"{name}{number}" for name in requested}
        declared |= {own[name]: requested[name] for name in requested if name not in common}
        variables |= {own[name]: row[name] for name in row if name not in common}
        passed = ", ".join(f"{name}: ${variable}" for name, variable in own.items())
        calls.append(
            f"a{number}: {first.operation}" + (f"({passed})" if passed else "") + f" {{ {body} }}"
        )
    head = ", ".join(f"${name}: {kind}" for name, kind in declared.items())
    return f"query {type(first).__name__}s" + (
        f"({head})" if head else ""
    ) + f" {{ {' '.join(calls)} }}", variables


def _paging(request: Read[Any]) -> dict[str, Any]:
    return {"first": PAGE} if isinstance(request, ReadPages) else {}


def _may_be_the_pack(failure: Failure) -> bool:
    return failure.code not in _NOT_THE_PACK and not failure.details.get("unknown_workspace")


async def answers(api: Api, requests: Sequence[Read[Any]], fields: list[str]) -> list[Any]:
    """Return the answers to requests of one class, in their order; of a paged list its first page.

    Raises:
        Failure: that of the first request that met one.
    """
    result: list[Any] = [None] * len(requests)
    async for place, answer in Packer(api, type(requests[0]), fields).read(requests):
        if isinstance(answer, Failure):
            raise answer
        result[place] = answer.data
    return result
