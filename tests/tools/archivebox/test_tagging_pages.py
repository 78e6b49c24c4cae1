"""Tags of saved pages: two jobs at once, and names that ArchiveBox would store as other ones."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import RecordRow
from tests.support.archivebox.keeping import Json, Keeper, keeper
from tools.archivebox.cli.add import Add
from tools.archivebox.cli.schedule import Schedule
from tools.archivebox.crawls import CreateCrawl, UpdateCrawl
from tools.archivebox.jobs import change_work
from tools.archivebox.jobs.change_work import TagWork
from tools.archivebox.jobs.save import StartSave
from tools.archivebox.snapshots.snapshots import CreateSnapshot, UpdateSnapshot
from tools.archivebox.tags import CreateTag, RenameTag, TagSnapshot, UntagSnapshot

PAGE = "https://a.example/"
_PUT_ON = "POST /core/tags/add-to-snapshot/"


async def test_of_two_jobs_with_the_same_tag_each_page_is_changed_by_one() -> None:
    async with keeper("0.9.73") as one:
        await _tag_both(one, sends=3)


async def test_of_two_processes_one_counts_a_page_that_both_have_tagged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each process has locks of its own, and both look at a page before either has changed it.
    look, looks = TagWork._look_again, defaultdict[str, list[anyio.Event]](list)

    async def look_together(self: TagWork, record: RecordRow) -> Json | None:
        change = await look(self, record)
        if len(looks[record.key]) < 2:
            looks[record.key].append(anyio.Event())
        if len(looks[record.key]) == 2:
            looks[record.key][0].set()
        await looks[record.key][0].wait()
        return change

    monkeypatch.setattr(change_work, "_lock_page", lambda *_: anyio.Lock())
    monkeypatch.setattr(TagWork, "_look_again", look_together)
    async with keeper("0.9.73") as one:
        await _tag_both(one, sends=6)


async def test_of_two_changes_that_differ_each_counts_its_own() -> None:
    async with keeper("0.9.73") as one:
        order = await _mark_three(one)
        jobs = [await one.agreed(**order, tags=[name]) for name in ("One", "Two")]
        results = [await one.ended(job) for job in jobs]
    assert [result["changed"] for result in results] == [3, 3]


async def _tag_both(one: Keeper, *, sends: int) -> None:
    """Have two jobs put the same tag on the same pages at once, and undo what one of them did."""
    order = {**await _mark_three(one), "tags": ["Twice"]}
    before = one.sandbox.times(_PUT_ON)
    tokens = [await _preview_token(one, order) for _ in range(2)]
    jobs: list[Json] = []

    async def start(token: str) -> None:
        jobs.append(await one.call(**order, confirm=token))

    async with anyio.create_task_group() as group:
        for token in tokens:
            group.start_soon(start, token)
    results = [await one.ended(job) for job in jobs]
    changed = [result["changed"] for result in results]
    assert one.sandbox.times(_PUT_ON) - before == sends
    assert sum(changed) == 3
    assert [result["leftAlone"] for result in results] == [3 - count for count in changed]
    assert [sum(result["reasons"].values()) for result in results] == [3 - n for n in changed]

    # The undo of a job takes off what that job put on, and nothing else.
    loser = jobs[changed.index(min(changed))]
    if min(changed):
        await one.ended(await one.agreed(action="tag", undo=loser["jobId"]))
    else:
        await one.call(action="tag", undo=loser["jobId"])
    assert len(await one.pages(tag="Twice")) == max(changed)


async def _mark_three(one: Keeper) -> Json:
    pages = [page["id"] for page in await one.pages()][:3]
    for page in pages:
        await one.call(TagSnapshot, snapshot_id=page, tag_name="Three")
    return {"action": "tag", "query": {"tag": "Three"}}


async def _preview_token(one: Any, order: Json) -> str:
    preview = await one.refused(**order)
    return str(preview.details["confirm"])


@pytest.mark.parametrize("name", ["one,two", "one\ntwo", "one\x00", "one\u2028two", " "])
@pytest.mark.parametrize(
    ("request_type", "arguments"),
    [
        (CreateTag, {"name": "{}"}),
        (RenameTag, {"tag_id": "news", "name": "{}"}),
        (TagSnapshot, {"snapshot_id": PAGE, "tag_name": "{}"}),
        (CreateSnapshot, {"url": PAGE, "tags": ["good", "{}"]}),
        (UpdateSnapshot, {"snapshot_id": PAGE, "tags": ["{}"]}),
        (CreateCrawl, {"urls": [PAGE], "tags": ["{}"]}),
        (UpdateCrawl, {"crawl_id": "abc", "tags": ["{}"]}),
        (StartSave, {"action": "save", "urls": [PAGE], "tags": ["{}"]}),
    ],
)
async def test_a_name_that_would_be_stored_as_another_is_refused(
    request_type: type[Any], arguments: Json, name: str
) -> None:
    filled = {key: _fill(value, name) for key, value in arguments.items()}
    async with keeper("0.9.73") as one:
        with pytest.raises(Failure, match="tag") as caught:
            await one.call(request_type, **filled)
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert one.sandbox.times("(POST|PATCH)") == 0


def _fill(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [text.replace("{}", name) for text in value]
    return value.replace("{}", name)


@pytest.mark.parametrize(
    ("request_type", "arguments"),
    [
        (Add, {"urls": [PAGE], "tag": "one,t\nwo"}),
        (Add, {"urls": [PAGE], "tag": " , "}),
        (Schedule, {"import_path": PAGE, "every": "daily", "tag": "a\tb"}),
        (CreateCrawl, {"urls": [PAGE], "tags_str": "one\r,two"}),
    ],
)
async def test_a_text_of_names_may_have_commas_and_no_line_breaks(
    request_type: type[Any], arguments: Json
) -> None:
    async with keeper("0.9.73") as one:
        with pytest.raises(Failure, match="tag") as caught:
            await one.call(request_type, **arguments)
        assert caught.value.code is Code.INVALID_ARGUMENT


async def test_an_odd_name_that_is_there_already_can_be_taken_off() -> None:
    async with keeper("0.9.73") as one:
        page = (await one.pages())[0]["id"]
        with pytest.raises(Failure) as caught:
            await one.call(UntagSnapshot, snapshot_id=page, tag_name="one,two")
        # It was sent, and the server has no such tag.
        assert caught.value.code is Code.NOT_FOUND
        assert one.sandbox.times("POST /core/tags/remove-from-snapshot/") == 1
