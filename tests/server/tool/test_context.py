"""What a call works with: a confirmation that came late is checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from server.errors import Code, Failure
from server.tool.confirmation import Confirmations, Preview
from server.tool.context import DELIBERATION_SECONDS, LOCAL_USER, Caller, Context, Scope
from server.tool.elicitation import Nobody, Question, Reply
from server.tool.permissions import EVERYTHING
from tests.support.doubles import Clock, IdleProcess

PREVIEW = Preview("Delete 1 page?", {"pages": 1})
OTHER = Preview("Delete 21 pages?", {"pages": 21})


@dataclass(frozen=True)
class Timed(Context):
    """A context on the clock of the test."""

    clock: Clock = field(default_factory=Clock)

    def now(self) -> float:
        return self.clock()

    async def estimate_seconds(self, requests: int, credits: float) -> float:
        raise AssertionError("no work is planned here")


@dataclass
class Slow:
    """A person who takes their time over an answer."""

    clock: Clock
    seconds: float
    content: Mapping[str, Any] = field(default_factory=lambda: {"confirm": True})
    can_ask: bool = True

    async def ask(self, question: Question) -> Reply:
        self.clock.now += self.seconds
        return Reply("accept", self.content)

    async def report(self, done: float, total: float | None, message: str) -> None:
        raise AssertionError("nothing is reported here")


@dataclass
class Review:
    """Makes the preview again, and counts how often."""

    preview: Preview | None
    times: int = 0

    async def __call__(self) -> Preview | None:
        self.times += 1
        return self.preview


def made(seconds: float) -> Timed:
    clock = Clock()
    return Timed(
        Scope("https://api.test", "account", "workspace"),
        IdleProcess(),
        Confirmations("ask"),
        Caller(Slow(clock, seconds), deadline=60.0),
        clock,
    )


@pytest.mark.parametrize("seconds", [0.0, 0.999])
async def test_a_quick_yes_counts_without_another_look(seconds: float) -> None:
    review = Review(OTHER)

    assert await made(seconds).confirm(PREVIEW, call=["tool"], review=review) == "asked"
    assert review.times == 0
    assert DELIBERATION_SECONDS == 1.0


@pytest.mark.parametrize("seconds", [1.0, 1.5, 3600.0])
async def test_a_late_yes_counts_where_nothing_has_changed(seconds: float) -> None:
    review = Review(Preview("Delete 1 page?", {"pages": 1}))

    assert await made(seconds).confirm(PREVIEW, call=["tool"], review=review) == "asked"
    assert review.times == 1


async def test_figures_that_change_all_the_time_do_not_undo_a_yes() -> None:
    preview = replace(PREVIEW, outlook="About 4 minutes.")
    review = Review(replace(PREVIEW, outlook="About 5 minutes."))

    assert await made(1.0).confirm(preview, call=["tool"], review=review) == "asked"


@pytest.mark.parametrize("preview", [OTHER, None])
async def test_a_late_yes_to_something_else_changes_nothing(preview: Preview | None) -> None:
    with pytest.raises(Failure, match="confirmed has changed meanwhile") as caught:
        await made(1.0).confirm(PREVIEW, call=["tool"], review=Review(preview))

    assert caught.value.code is Code.CONFIRMATION_REQUIRED


async def test_a_token_of_one_workspace_confirms_nothing_in_another() -> None:
    confirmations = Confirmations("ask")
    here, there = (
        Timed(
            Scope("https://api.test", "account", workspace),
            IdleProcess(),
            confirmations,
            Caller(Nobody(), deadline=60.0),
        )
        for workspace in ("here", "there")
    )
    with pytest.raises(Failure) as caught:
        await here.confirm(PREVIEW, call=["tool"], review=Review(PREVIEW))
    token = caught.value.details["confirm"]

    with pytest.raises(Failure, match="for another state or call"):
        await there.confirm(PREVIEW, call=["tool"], token=token, review=Review(PREVIEW))
    how = await here.confirm(PREVIEW, call=["tool"], token=token, review=Review(PREVIEW))
    assert how == "token"


def test_a_context_hands_out_what_belongs_to_its_caller_and_its_process() -> None:
    context = made(0.0)
    caller, process = context.caller, context.process

    assert (context.person, context.deadline) == (caller.person, 60.0)
    assert (context.principal, context.permissions) == (LOCAL_USER, EVERYTHING)
    assert context.spending is process.spending
