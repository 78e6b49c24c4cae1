"""A person thinks about a preview while others change what it showed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.errors import Code, Failure
from server.tool.elicitation import Question, Reply
from tests.support.archivebox.keeping import Keeper, keeper
from tools.archivebox.cli.remove import Remove
from tools.archivebox.jobs.save import StartSave
from tools.archivebox.tags import CreateTag, DeleteTag, ListTags, TagSnapshot

Json = dict[str, Any]


@dataclass
class Thinker:
    """A person who says yes after a while in which something happens."""

    one: Keeper
    seconds: float
    meanwhile: Callable[[], Awaitable[Any]]
    can_ask: bool = True
    question: str = ""

    async def ask(self, question: Question) -> Reply:
        self.question = question.message
        await self.meanwhile()
        self.one.time.now += self.seconds
        return Reply("accept", {"confirm": True})

    async def report(self, done: float, total: float | None, message: str) -> None:
        pass


async def nothing() -> None:
    pass


async def tag(one: Keeper, count: int, *, start: int = 0) -> None:
    for page in (await one.pages())[start : start + count]:
        await one.call(TagSnapshot, snapshot_id=page["id"], tag_name="press")


async def tags(one: Keeper) -> dict[str, int]:
    rows = (await one.call(ListTags, limit=1000))["nodes"]
    return {row["name"]: row["num_snapshots"] for row in rows}


async def refused(one: Keeper, request: type[Any], person: Thinker, **raw: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await one.call(request, person=person, **raw)
    return caught.value


async def test_a_tag_that_got_more_pages_meanwhile_is_not_deleted() -> None:
    async with keeper("0.9.73") as one:
        await one.call(CreateTag, name="press")
        await tag(one, 1)
        person = Thinker(one, 1.5, lambda: tag(one, 20, start=1))
        failure = await refused(one, DeleteTag, person, tag_id="press")
        left = (await tags(one))["press"]

    assert "from 1 saved page" in person.question
    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.message.startswith("Nothing was changed")
    assert left == 21


async def test_a_tag_that_stayed_as_it_was_is_deleted_however_long_it_took() -> None:
    async with keeper("0.9.73") as one:
        await one.call(CreateTag, name="press")
        await tag(one, 1)
        await one.call(DeleteTag, person=Thinker(one, 30.0, nothing), tag_id="press")
        names = await tags(one)

    assert "press" not in names


async def test_pages_that_came_meanwhile_are_not_removed_with_the_others() -> None:
    async with keeper("0.9.73") as one:
        url = (await one.pages())[0]["url"]

        async def save_again() -> None:
            started = await one.call(
                StartSave, action="save", urls=[url], only_new=False, wait_minutes=0
            )
            await one.ended(started)

        before = len(await one.pages(url=url))
        person = Thinker(one, 1.5, save_again)
        failure = await refused(one, Remove, person, filter_patterns=[url], filter_type="exact")
        after = len(await one.pages(url=url))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert after == before + 1


async def test_a_job_that_would_do_more_than_was_shown_is_not_started() -> None:
    async with keeper("0.9.73") as one:
        await tag(one, 2)
        person = Thinker(one, 1.5, lambda: tag(one, 3, start=2))
        failure = await refused(
            one, StartSave, person, action="tag", tags=["kept"], query={"tag": "press"}
        )
        jobs = await one.running.list()
        names = await tags(one)

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert jobs == []
    assert "kept" not in names
