"""`archive-mcp jobs`: long work without a client: list it, go on with it, stop it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from server.errors import Code, Failure
from server.recovery import Recovery
from server.services import Services
from server.settings import Settings
from server.signals import end_on_signal
from server.tool.catalog import Surface

if TYPE_CHECKING:
    from server.jobs import JobRow, Jobs

_TELL_SECONDS = 3600.0
"""How long one wait for the end of a job lasts; then it is waited for again."""
INTERRUPTED = 130
"""Exit status after a signal, as shells have it for SIGINT."""


def command(settings: Settings, surface: Surface, action: str, names: list[str]) -> int:
    """Do it, print what there is to tell, and return the exit status: 0 only if all went well.

    Args: names: ids of jobs. `run` without any goes on with every interrupted job that changes
        nothing.
    """

    async def act(services: Services) -> int:
        jobs = await services.jobs()
        if action == "list":
            return await _list(jobs)
        if action == "cancel":
            return await _cancel(jobs, names)
        return await _run(jobs, Recovery(surface, services), settings, names)

    async def session() -> int:
        status = INTERRUPTED
        async with Services(settings) as services, anyio.create_task_group() as group:
            group.start_soon(end_on_signal, group.cancel_scope)
            try:
                status = await act(services)
            except Failure as failure:
                print(
                    f"archive-mcp: {failure.message} {surface.render_hint(failure.hint)}".rstrip(),
                    file=sys.stderr,
                )
                status = 1
            group.cancel_scope.cancel()
        if status == INTERRUPTED:
            print("archive-mcp: stopped; a job that was under way is paused.", file=sys.stderr)
        return status

    return anyio.run(session)


async def _list(jobs: Jobs) -> int:
    rows = await jobs.list(limit=100)
    for row in rows:
        print(_line(row))
    if not rows:
        print("There are no jobs.")
    return 0


async def _cancel(jobs: Jobs, names: list[str]) -> int:
    for name in names:
        print(_line(await jobs.cancel(name)))
    return 0


async def _run(jobs: Jobs, recovery: Recovery, settings: Settings, names: list[str]) -> int:
    started = [await _taken_up(jobs, recovery, settings, name) for name in names]
    if not names:
        started = await recovery.resume_reads()
        for row in [
            each for each in await jobs.list(limit=100) if not each.ended and not each.owned
        ]:
            why = "It changes data" if row.writes else "It does not go on by itself"
            print(f"{_line(row)}\n  {why}: `archive-mcp jobs run {row.id}` goes on with it.")
    if not started:
        print("There is nothing to go on with.")
    ended = [await _followed(jobs, row.id) for row in started]
    return 0 if all(row.state == "done" for row in ended) else 1


async def _taken_up(jobs: Jobs, recovery: Recovery, settings: Settings, name: str) -> JobRow:
    row = await jobs.get(name)
    if row.ended or row.owned:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name} has ended." if row.ended else f"{name} is worked on by another process.",
            "`archive-mcp jobs list` shows all jobs; the tool that started one retries its failures (`resume`).",
        )
    if row.writes and settings.read_only:
        raise Failure(
            Code.READ_ONLY,
            f"{name} changes data, and this is read-only.",
            "Run it without --read-only.",
        )
    return await jobs.resume(name, await recovery.work(row))


async def _followed(jobs: Jobs, name: str) -> JobRow:
    async def tell(done: int, total: int | None, message: str) -> None:
        print(
            f"{name}: {done} of {total if total is not None else '?'} ({message})", file=sys.stderr
        )

    while True:
        row = await jobs.wait(name, _TELL_SECONDS, tell)
        if not row.owned:
            print(_line(row))
            return row


def _line(row: JobRow) -> str:
    total = "?" if row.total is None else row.total
    failed = sum(count for state, count in row.counts.items() if state in ("failed", "unknown"))
    problems = f", {failed} with problems" if failed else ""
    why = f": {row.error['message']}" if row.error else ""
    return f"{row.id}  {row.state:<9}  {row.settled}/{total}{problems}  {row.title}{why}"
