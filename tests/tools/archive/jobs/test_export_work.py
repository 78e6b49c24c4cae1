"""The work of an export at its seams: interrupted between two steps, taken over, out of disk."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.exports import Spool
from server.exports.spooled import LOST_ROWS
from server.jobs import LostLease, Stopped
from server.sandbox import MAIN
from server.tool.arguments import parse
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.tools.exporting_shop import (
    ITEMS,
    Json,
    Shop,
    lines,
    shop,
    table,
)
from tools.archive.jobs.export import StartExport
from tools.archive.jobs.export_work import ExportWork

DAY = 24 * 3600


class Handle:
    """A job of one process, whose checkpoints can be made to fail: `fails` maps their number to an
    error."""

    def __init__(self, cursor: Any = None, **fails: BaseException) -> None:
        self.row = SimpleNamespace(id="job_0f9c2a11", total=ITEMS)
        self.cursor = cursor
        self.stopping = False
        self.cancelled = False
        self.checkpoints = 0
        self.on_draft: BaseException | None = fails.get("on_draft")
        self.after_draft: BaseException | None = fails.get("after_draft")

    async def checkpoint(self, cursor: Any = None, **_: Any) -> None:
        self.checkpoints += 1
        has_draft = bool(cursor and cursor["draft"])
        if has_draft and self.on_draft:
            raise self.on_draft
        self.cursor = cursor or self.cursor
        if has_draft and self.after_draft:
            raise self.after_draft

    def set_message(self, message: str) -> None:
        self.message = message


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server over a sandbox, with an export folder that does not exist yet."""
    async with shop(tmp_path) as found:
        yield found


async def working(there: Shop, **arguments: Any) -> ExportWork:
    """The work of these arguments; a new one each time, as after a crash."""
    request = parse(StartExport, {"search": {}, **arguments}, {"timezone": UTC, "instants": []})
    archive = await there.services.archive()
    return request.work(await archive.open(MAIN, Caller(Nobody(), archive.archive.now() + 45)))


async def gathered(there: Shop, **arguments: Any) -> Any:
    """The cursor of an export whose rows are all gathered."""
    job: Any = Handle()
    await (await working(there, **arguments)).gather(job)
    return job.cursor


def spools(there: Shop) -> list[str]:
    return [name for name in there.left() if name.endswith(".part")]


async def test_finishing_twice_gives_one_file_and_the_same_result(there: Shop) -> None:
    job: Any = Handle(await gathered(there))
    first = await (await working(there)).finish(job)
    again: Any = Handle(job.cursor)
    second = await (await working(there)).finish(again)

    assert first == second
    assert there.left() == [first["name"]]


async def test_an_interruption_between_the_journal_and_the_name_gives_one_file(
    there: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: Any = Handle(await gathered(there))
    work = await working(there)
    with monkeypatch.context() as patched:
        patched.setattr("server.exports.job_file.publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            await work.finish(job)
    drafts = [name for name in there.left() if name.endswith(".tmp")]
    again: Any = Handle(job.cursor)
    result = await (await working(there)).finish(again)

    assert [job.cursor["draft"]["temporary"]] == drafts
    assert there.left() == [result["name"]]
    assert len(table(result)) == result["rows"] == ITEMS


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.skipif(os.name == "nt", reason="a name is given by a link only on POSIX systems")
async def test_an_interruption_between_the_two_names_of_a_file_gives_one_file(
    there: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: Any = Handle(await gathered(there))
    work = await working(there)
    with monkeypatch.context() as patched:
        patched.setattr("server.exports.directory.Directory.remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            await work.finish(job)
    names = len(there.left())
    again: Any = Handle(job.cursor)
    result = await (await working(there)).finish(again)

    assert names == 3
    assert there.left() == [result["name"]]


async def test_a_draft_that_is_gone_is_built_again(there: Shop) -> None:
    job: Any = Handle(await gathered(there), after_draft=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        await (await working(there)).finish(job)
    again: Any = Handle(job.cursor)
    result = await (await working(there)).finish(again)

    assert there.left() == [result["name"]]
    assert result["rows"] == ITEMS


@pytest.mark.parametrize(
    "error", [LostLease("job"), Stopped("job"), Failure(Code.UNAVAILABLE, "journal")]
)
async def test_a_file_that_may_not_be_journalled_gets_no_name(
    there: Shop, error: Exception
) -> None:
    job: Any = Handle(await gathered(there), on_draft=error)
    with pytest.raises(type(error)):
        await (await working(there)).finish(job)

    assert there.left() == spools(there)


async def test_rows_that_were_lost_are_gathered_again(there: Shop) -> None:
    cursor = await gathered(there, format="jsonl")
    (there.out / there.left()[0]).unlink()
    job: Any = Handle(cursor)
    result = await (await working(there, format="jsonl")).finish(job)

    ids = [each["id"] for each in lines(result)]
    assert len(ids) == len(set(ids)) == ITEMS
    assert there.sandbox.pages == 6
    assert there.left() == [result["name"]]


@pytest.mark.parametrize("cut", [1, 1000, 40_000])
async def test_a_spool_that_is_shorter_than_journalled_is_begun_anew(there: Shop, cut: int) -> None:
    cursor = {**await gathered(there, format="jsonl"), "over": False}
    file = there.out / there.left()[0]
    os.truncate(file, file.stat().st_size - cut)
    job: Any = Handle(cursor)
    work = await working(there, format="jsonl")
    await work.gather(job)
    result = await work.finish(job)

    ids = [each["id"] for each in lines(result)]
    assert len(ids) == len(set(ids)) == ITEMS
    assert LOST_ROWS in result["notes"]
    assert there.left() == [result["name"]]


async def test_rows_of_another_run_are_never_taken_for_those_of_this_one(there: Shop) -> None:
    cursor = {**await gathered(there, format="jsonl"), "over": False}
    (spool,) = there.left()
    rows = (there.out / spool).read_bytes()
    # Another machine goes on: there is no spool.
    (there.out / spool).unlink()
    job: Any = Handle(cursor)
    await (await working(there, format="jsonl")).gather(job)
    # Back on the first, where the older rows still are.
    (other,) = there.left()
    (there.out / other).unlink()
    (there.out / spool).write_bytes(rows)
    again: Any = Handle(job.cursor)
    result = await (await working(there, format="jsonl")).finish(again)

    ids = [each["id"] for each in lines(result)]
    assert len(ids) == len(set(ids)) == ITEMS
    assert there.sandbox.pages == 9
    assert result["notes"].count(LOST_ROWS) == 1
    assert there.left() == [result["name"]]


async def test_what_was_written_behind_the_last_checkpoint_is_not_written_twice(
    there: Shop,
) -> None:
    job: Any = Handle()
    checkpoint = job.checkpoint

    async def dying(cursor: Any = None, **more: Any) -> None:
        if cursor["rows"] == 200:
            raise KeyboardInterrupt
        await checkpoint(cursor, **more)

    job.checkpoint = dying
    with pytest.raises(KeyboardInterrupt):
        await (await working(there, format="jsonl")).gather(job)
    again: Any = Handle(job.cursor)
    work = await working(there, format="jsonl")
    await work.gather(again)
    result = await work.finish(again)

    ids = [each["id"] for each in lines(result)]
    assert job.cursor["rows"] == 100
    assert len(ids) == len(set(ids)) == ITEMS
    assert there.sandbox.pages == 4


async def test_a_cursor_that_archive_has_forgotten_does_not_end_the_export_early(
    there: Shop,
) -> None:
    def meddle(page: int, body: Json) -> Json:
        if page == 4:
            body["data"]["items"] |= {
                "nodes": [],
                "pageInfo": {"endCursor": None, "hasNextPage": False},
            }
        return body

    job: Any = Handle()
    checkpoint = job.checkpoint

    async def dying(cursor: Any = None, **more: Any) -> None:
        await checkpoint(cursor, **more)
        if cursor["rows"] == 200:
            raise KeyboardInterrupt

    job.checkpoint = dying
    with pytest.raises(KeyboardInterrupt):
        await (await working(there, format="jsonl")).gather(job)
    there.sandbox.pages, there.sandbox.meddle = 3, meddle
    again: Any = Handle(job.cursor)
    work = await working(there, format="jsonl")
    await work.gather(again)
    result = await work.finish(again)

    ids = [each["id"] for each in lines(result)]
    assert there.sandbox.pages == 7
    assert len(ids) == len(set(ids)) == ITEMS


async def test_fewer_rows_than_archive_counted_are_told(there: Shop) -> None:
    job: Any = Handle({**await gathered(there), "expected": ITEMS + 5})
    result = await (await working(there)).finish(job)

    assert result["notes"][0] == "Archive counted 255 at the start but returned 250."


async def test_gathering_that_had_just_ended_is_not_begun_again(there: Shop) -> None:
    cursor = await gathered(there)
    job: Any = Handle(cursor)
    await (await working(there)).gather(job)

    assert (job.checkpoints, there.sandbox.pages) == (0, 3)


async def test_a_job_that_is_to_stop_leaves_no_unfinished_file(there: Shop) -> None:
    job: Any = Handle(await gathered(there))
    job.stopping = True
    with pytest.raises(Stopped):
        await (await working(there)).finish(job)

    assert there.left() == spools(there) != []


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_full_disk_pauses_the_job_at_once_and_leaves_nothing(
    there: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Spool, "_write", full)
        told = await there.call("archive_start_export", search={})
    left, pages = there.left(), there.sandbox.pages
    resumed = await there.call("archive_start_export", resume=told["jobId"])

    assert told["state"] == "paused"
    assert "is full" in told["error"]["message"]
    assert "Free some space" in told["error"]["hint"]
    # One page, and not one for each of the attempts that a failing API gets.
    assert (left, pages) == ([], 1)
    assert (resumed["state"], resumed["result"]["rows"]) == ("done", ITEMS)


async def test_a_disk_that_fills_up_while_the_file_is_written_leaves_nothing(
    there: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("server.exports.writers.CsvFile.add", full)
        told = await there.call("archive_start_export", search={})
    left = there.left()
    resumed = await there.call("archive_start_export", resume=told["jobId"])

    assert (told["state"], left) == ("paused", [])
    assert "is full" in told["error"]["message"]
    assert (resumed["state"], resumed["result"]["rows"]) == ("done", ITEMS)


async def test_working_files_that_nobody_will_go_on_with_are_removed_by_the_next_export(
    there: Shop,
) -> None:
    there.out.mkdir()

    def meddle(page: int, body: Json) -> Json:
        return (
            {"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}
            if page == 2
            else body
        )

    there.sandbox.meddle = meddle
    failed = await there.call("archive_start_export", search={})
    there.sandbox.meddle = None
    kept = [name for name in there.left() if failed["jobId"] in name]
    ages = {
        ".old.csv.job_a.part": 2 * DAY,
        ".old.csv.job_a.00ff.tmp": 2 * DAY,
        ".new.csv.job_b.part": 60,
    }
    for name, age in ages.items():
        (there.out / name).write_text("{}\n")
        os.utime(there.out / name, (time.time() - age,) * 2)
    (there.out / "mine.csv").write_text("a\n")
    result = await there.export(search={}, fields=["id"])

    assert (failed["state"], len(kept)) == ("failed", 1)
    assert there.left() == sorted([".new.csv.job_b.part", "mine.csv", result["name"]])


async def test_an_export_removes_no_file_of_one_that_still_runs(there: Shop) -> None:
    async with anyio.create_task_group() as group:
        for name in ("a", "b", "c"):
            # A default argument binds the value of this round.
            group.start_soon(lambda name=name: there.export(search={}, name=name))  # type: ignore[misc]

    assert there.left() == ["a.csv", "b.csv", "c.csv"]
