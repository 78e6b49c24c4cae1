"""`archive-mcp jobs`: list, resume and cancel long-running jobs without a client."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from server.errors import Code, Failure
from server.recovery import Recovery
from server.services import Services
from server.settings import Settings
from server.signals import end_on_signal
from server.text import clean_sentence, count_noun
from server.tool.catalog import Catalog

if TYPE_CHECKING:
    from server.jobs import JobRow, Jobs

# One wait needs an end. A job may take longer, so it is waited for again.
_WAIT_SECONDS = 3600.0
# Characters of a title and the message behind it.
_LONGEST_LINE = 500
# Exit status after a signal, as shells have it for SIGINT.
INTERRUPTED = 130


def run_command(settings: Settings, catalog: Catalog, action: str, ids: list[str]) -> int:
    """Run an action, print its result and return the exit status: 0 only if all went well.

    Args:
        ids: the jobs to act on. Without any, `run` resumes every paused job that changes nothing.
    """

    async def act(services: Services) -> int:
        jobs = await services.jobs()
        if action == "list":
            return await _list(jobs)
        if action == "cancel":
            return await _cancel(jobs, settings, ids)
        return await _run(jobs, Recovery(catalog, services), settings, ids)

    async def act_until_signal() -> int:
        status = INTERRUPTED
        async with Services(settings) as services, anyio.create_task_group() as group:
            group.start_soon(end_on_signal, group.cancel_scope)
            try:
                status = await act(services)
            except Failure as failure:
                # Written for a model: at a terminal the command does what the tool would.
                hint = failure.hint.replace("{list_jobs}", "`archive-mcp jobs list`")
                text = f"{failure.message} {catalog.render_hint(hint)}".rstrip()
                print(f"archive-mcp: {text}", file=sys.stderr)
                status = 1
            # The receiver of signals would wait for ever.
            group.cancel_scope.cancel()
        if status == INTERRUPTED:
            # Leaving the services has paused it, so that the next `run` finds it in order.
            print("archive-mcp: stopped; a job that was running is paused.", file=sys.stderr)
        return status

    return anyio.run(act_until_signal)


async def _list(jobs: Jobs) -> int:
    rows = await jobs.list(limit=100)
    for row in rows:
        print(_render(row))
    if not rows:
        print("There are no jobs.")
    if others := await jobs.count_others():
        print(
            f"{count_noun(others, 'job')} of other tokens or addresses: not shown. Set the token "
            "that they were started with."
        )
    return 0


async def _cancel(jobs: Jobs, settings: Settings, ids: list[str]) -> int:
    # As the tool, which a read-only server does not offer.
    if settings.read_only:
        raise Failure(
            Code.READ_ONLY,
            "This program is read-only, and cancelling a job changes it for good.",
            "Run it without --read-only (ARCHIVE_MCP_READ_ONLY).",
        )
    for id in ids:
        print(_render(await jobs.cancel(id)))
    return 0


async def _run(jobs: Jobs, recovery: Recovery, settings: Settings, ids: list[str]) -> int:
    # All are resumed before the first is waited for, so that they run side by side.
    if ids:
        resumed = [await _resume(jobs, recovery, settings, id) for id in ids]
    else:
        resumed = await _resume_reads(jobs, recovery)
    status = 0
    for row in resumed:
        ended = await _follow(jobs, row.id)
        if ended.state != "done":
            status = 1
    return status


async def _resume_reads(jobs: Jobs, recovery: Recovery) -> list[JobRow]:
    resumed = await recovery.resume_reads()
    rows = await jobs.list(limit=100)
    paused = [row for row in rows if not row.ended and not row.owned]
    for row in paused:
        # Changes continue only when somebody asks for them.
        reason = "changes data, so it is" if row.writes else "was"
        print(_render(row))
        print(f"  It {reason} not resumed by itself; `archive-mcp jobs run {row.id}` resumes it.")
    if not resumed and not paused:
        print("There are no paused jobs.")
    return resumed


async def _resume(jobs: Jobs, recovery: Recovery, settings: Settings, id: str) -> JobRow:
    row = await jobs.get(id)
    if row.ended or row.owned:
        state = "has ended" if row.ended else "is running in another process"
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{id} {state}.",
            "`archive-mcp jobs list` shows all jobs; to retry what failed in one that has ended, "
            "call the tool that started it with `resume`.",
        )
    if row.writes and settings.read_only:
        raise Failure(
            Code.READ_ONLY,
            f"{id} changes data, and this program is read-only.",
            "Run it without --read-only (ARCHIVE_MCP_READ_ONLY).",
        )
    return await jobs.resume(id, await recovery.load_work(row))


async def _follow(jobs: Jobs, id: str) -> JobRow:
    async def report(done: int, total: int | None, message: str) -> None:
        # To stderr: stdout holds the results, for whoever pipes them on.
        print(
            f"{id}: {done} of {_render_total(total)} ({clean_sentence(message)})", file=sys.stderr
        )

    while True:
        row = await jobs.wait(id, _WAIT_SECONDS, report)
        if not row.owned:
            print(_render(row))
            return row


def _render(row: JobRow) -> str:
    progress = f"{row.finished_records}/{_render_total(row.total)}"
    # By name: the states' module is only loaded where a job runs.
    counts = {str(state): count for state, count in row.counts.items()}
    if failed := counts.get("failed", 0) + counts.get("unknown", 0):
        progress += f", {failed} with problems"
    progress += _render_forecast(row)
    title = row.title
    if row.error:
        title += f": {row.error['message']}"
    # Journals of older releases hold titles and messages as strangers wrote them.
    return f"{row.id}  {row.state:<9}  {progress}  {clean_sentence(title, _LONGEST_LINE)}"


def _render_forecast(row: JobRow) -> str:
    """Return how long a running job still takes and what it waits for, behind a comma."""
    from server.jobs.forecast import describe_left, read_forecast

    forecast = read_forecast(row.counters)
    if forecast is None or not row.owned or row.ended:
        return ""
    words = [describe_left(row)]
    if forecast.waits_for:
        words.append(f"waits for {forecast.waits_for}")
    return "".join(f", {word}" for word in words if word)


def _render_total(total: int | None) -> str:
    return "?" if total is None else str(total)
