"""The one file that a job ends with: built from what is journalled, and published once however
often that is tried.

`JobFile` is for jobs whose rows are in the journal; those that gather into a spool
(`server.exports.spooled`) use the functions below it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from anyio import CancelScope, to_thread

from server.errors import Code, Failure
from server.exports import (
    Draft,
    Export,
    ExportFolder,
    Format,
    Layout,
    Spool,
    Target,
    build,
    discard,
    find_published,
    list_leftovers,
    publish,
    withdraw,
)
from server.exports.links import MIME_TYPES, make_uri
from server.jobs import Handle, Jobs, Stopped

T = TypeVar("T")

KEPT_SECONDS = 24 * 3600.0
"""Seconds for which working files of a job that this server does not know are left alone: another
server may know it."""


class JobFile:
    """The file of a job; which one it will be is journalled in the counters `file`, `draft` and
    `summary`."""

    def __init__(self, folder: ExportFolder, job: Handle, file_format: Format) -> None:
        self._folder = folder
        self._job = job
        self._format: Format = file_format

    async def choose(self, name: str | None, what: str) -> None:
        """Journal the name, once: the user's, or one from `what` and the time.

        Raises:
            Failure: as `ExportFolder.choose_target`.
        """
        # A job that resumes keeps its file, though the clock would give it another name now.
        if not self._job.counters.get("file"):
            target = await on_disk(
                lambda: self._folder.choose_target(name, self._format, what=what)
            )
            await self._job.checkpoint(file=target.name)

    async def forget(self) -> None:
        """Forget a file that was built before, because the rows are about to change."""
        if self._job.counters.get("draft"):
            await self._job.checkpoint(draft=None, summary=None)

    async def find_finished(self) -> Export | None:
        """Return the file of an earlier try that got as far as its draft; None where there is
        none."""
        data = self._job.counters.get("draft")
        if data is None:
            return None
        export = await finish_draft(self._folder, Draft.from_dict(data))
        await self._tidy()
        return export

    async def write(
        self,
        layout: Layout,
        pieces: AsyncIterable[list[dict[str, Any]]],
        summary: Callable[[], dict[str, Any]],
    ) -> Export:
        """Build the file from the rows and publish it.

        Args:
            pieces: the rows, some at a time.
            summary: what is known of them after the last, to be journalled with the file.

        Raises:
            Failure: trouble with the disk, with a code that pauses the job.
        """
        target = Target(self._job.counters["file"], self._format)
        # Always from the beginning: the journal has the rows, so a half-written spool is worth
        # nothing.
        async with open_spool(self._folder, self._job, target.name) as spool:
            async for rows in pieces:
                await on_disk(partial(spool.append, rows))
            draft = await on_disk(lambda: build(self._folder, spool, target, layout, self._tick))
        # Not awaited here: the draft is removed where the journal refuses it.
        journalled = self._job.checkpoint(draft=draft.to_dict(), summary=summary())
        export = await publish_once(self._folder, draft, journalled)
        await self._tidy()
        return export

    def to_dict(self, export: Export) -> dict[str, Any]:
        """Return the file as a result has it: path, name, format, rows, columns, bytes, and the
        resource that it is."""
        return {**export.to_dict(), "resource": resource(export)}

    def notes(self, export: Export) -> list[str]:
        """Return what the user does not expect of the file."""
        return describe_name(export, self._job.counters["file"])

    def _tick(self) -> None:
        # Building runs in a thread that cannot be cancelled: it asks between pieces.
        if self._job.stopping:
            raise Stopped(self._job.row.id)

    async def _tidy(self) -> None:
        await on_disk(lambda: discard(self._folder, self._job.row.id))


@asynccontextmanager
async def open_spool(
    folder: ExportFolder, job: Handle, name: str, offset: int = 0
) -> AsyncIterator[Spool]:
    """Open the job's spool for the file `name`, cut at `offset` bytes; remove it at the end of a
    job that was cancelled."""
    opened = Spool.open(folder, name, job.row.id, offset)
    # Opened in a thread: a slow disk must not hold up the other calls of the server.
    spool = await on_disk(opened.__enter__)
    try:
        yield spool
    finally:
        with CancelScope(shield=True):
            # Only a cancelled job ends for good; a paused one resumes with what it has.
            if job.cancelled:
                await on_disk(spool.remove)
            opened.__exit__(None, None, None)


async def publish_once(folder: ExportFolder, draft: Draft, journalled: Awaitable[None]) -> Export:
    """Give a draft its name once it is journalled; remove one that may not be journalled."""
    try:
        await journalled
    # Cancellation too: it is no Exception, and the draft would stay behind.
    except BaseException:  # a cancelled job leaves nothing behind either
        with CancelScope(shield=True):
            await on_disk(lambda: withdraw(folder, draft))
        raise
    return await on_disk(lambda: publish(folder, draft))


async def finish_draft(folder: ExportFolder, draft: Draft) -> Export | None:
    """Return the file of a draft that was journalled before an interruption; None where it has to
    be built again."""

    def settle() -> Export | None:
        try:
            # Looked for first: the crash may have come after the file got its name.
            return find_published(folder, draft) or publish(folder, draft)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            # Whoever took the job over meanwhile may have given the name.
            return find_published(folder, draft)

    return await on_disk(settle)


async def remove_abandoned(folder: ExportFolder, jobs: Jobs, job: str) -> None:
    """Remove the working files of jobs that nobody will resume; those of `job` stay."""
    for name, modified in (await on_disk(lambda: _list_abandoned(folder))).items():
        try:
            over = (await jobs.get(name)).ended
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            over = time.time() - modified > KEPT_SECONDS
        # A job that still may resume needs its spool.
        if over and name != job:
            await on_disk(partial(discard, folder, name))


def describe_name(export: Export, name: str) -> list[str]:
    """Return what is to be said where a file is not called as its job said at the start."""
    # Another job may have taken the name since this one chose it; files are never overwritten.
    return [] if export.name == name else [f"{name} was taken: the file is {export.name}."]


def resource(export: Export) -> dict[str, Any]:
    """Return the resource that describes a file."""
    return {
        "uri": make_uri(export.name),
        "name": export.name,
        "mimeType": MIME_TYPES[export.format],
        "size": export.bytes,
    }


async def on_disk(act: Callable[[], T]) -> T:
    """Do something that blocks on the disk. Only the user can end trouble with it, and a retry
    would read everything again.

    Raises:
        Failure: with a code that pauses the job.
    """
    try:
        return await to_thread.run_sync(act)
    except Failure as failure:
        if failure.code not in (Code.UNAVAILABLE, Code.NOT_FOUND):
            raise
        # UNAVAILABLE would be tried again by the job; a full disk does not mend itself.
        raise Failure(Code.FORBIDDEN, failure.message, failure.hint) from failure


def _list_abandoned(folder: ExportFolder) -> dict[str, float]:
    """Return the jobs that left working files, with the last change of each."""
    result: dict[str, float] = {}
    for leftover in list_leftovers(folder):
        result[leftover.job] = max(leftover.modified, result.get(leftover.job, 0.0))
    return result
