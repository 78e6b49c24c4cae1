"""Jobs that a server left behind: who goes on with them, and who does not."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from server import job_commands, recovery
from server.dispatch import Dispatcher
from server.errors import Failure
from server.http.urls import parse_origin
from server.jobs import (
    JobRow,
    Jobs,
    JobState,
    NewJob,
    Phase,
)
from server.jobs.model import End
from server.jobs.sqlite import JournalFile
from server.limiter import Pacer, state_key
from server.recovery import Recovery
from server.services import Services
from server.settings import Settings, load
from server.tool.catalog import Catalog
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.places import NO_FILES
from tests.support.sandboxed import SandboxProcess, sandbox_process, using
from tools.surface import FILE

PATIENCE = 30.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """A sandbox whose export takes a second or two."""
    with sandbox_process(items=2000, plan="enterprise", window=0.05) as running:
        yield running


@pytest.fixture
def settings(sandbox: SandboxProcess, tmp_path: Path) -> Settings:
    """Settings of a server in front of it."""
    return load(
        {},
        environment=using(sandbox, tmp_path, ARCHIVE_MCP_EXPORT_DIR=str(tmp_path / "exports")),
        folder=NO_FILES,
        home=NO_FILES,
    )


def surface() -> Catalog:
    surface = Catalog.read(FILE, importlib.import_module)
    surface.offer(backends={"archive"}, toolsets=["all"], read_only=False)
    return surface


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Services]:
    """The services of a server, at twenty times the real pace."""
    async with Services(settings, limiter=Pacer(None, window=0.05)) as services:
        yield services


async def interrupt_export(settings: Settings) -> str:
    """An export that its server did not live to finish."""
    async with serving(settings) as services, anyio.create_task_group() as group:
        calls = Dispatcher(surface(), services, settings.timezone)
        group.start_soon(
            calls.call, "archive_start_export", {"search": {}, "name": "all"}, Nobody()
        )
        jobs = await services.jobs()
        with anyio.fail_after(PATIENCE):
            # A journal has no event to wait for.
            while not any(row.cursor for row in await jobs.list()):  # noqa: ASYNC110
                await anyio.sleep(0.01)
        row = (await jobs.list())[0]
        assert not row.ended
        group.cancel_scope.cancel()
    return row.id


async def wait_for_end(services: Services, name: str) -> JobRow:
    row = await (await services.jobs()).wait(name, PATIENCE)
    assert row.ended, row
    return row


def leave_behind(
    settings: Settings,
    *,
    writes: bool = True,
    account: str = "",
    tool: str = "",
    origin: str = "",
    arguments: dict[str, Any] | None = None,
) -> str:
    """A job in the journal that nobody works on, of these settings unless an account is named."""
    assert settings.token is not None
    origin = origin or parse_origin(settings.api_url)
    account = account or state_key(parse_origin(settings.api_url), "token", settings.token.reveal())
    journal = JournalFile(settings.state_dir)
    tool = tool or "archive_start_collection_job"
    job = NewJob(tool, "Left behind", origin, account, arguments=arguments or {})
    lease = journal.create(job, "gone", writes=writes, repeatable=True, phase=Phase.SENDING)
    journal.start(lease)
    journal.end(lease, End(JobState.PAUSED))
    journal.close()
    return lease.job


async def test_a_reading_job_goes_on_by_itself_with_the_next_server(
    settings: Settings, tmp_path: Path
) -> None:
    name = await interrupt_export(settings)

    async with serving(settings) as services:
        (resumed,) = await Recovery(surface(), services).resume_reads()
        row = await wait_for_end(services, name)

    assert resumed.id == name
    assert row.state is JobState.DONE
    assert row.result is not None
    assert row.result["rows"] == 2000
    assert len((tmp_path / "exports" / "all.csv").read_text("utf-8-sig").splitlines()) > 2000


async def test_a_job_that_runs_or_has_ended_is_left_alone(settings: Settings) -> None:
    name = await interrupt_export(settings)

    async with serving(settings) as services:
        looking = Recovery(surface(), services)
        assert [row.id for row in await looking.resume_reads()] == [name]
        assert await looking.resume_reads() == []
        await wait_for_end(services, name)
        assert await looking.resume_reads() == []


@pytest.mark.parametrize(
    "left",
    [{"writes": True}, {"writes": False, "tool": "archive_gone"}],
    ids=str,
)
async def test_writes_and_jobs_of_others_wait_for_somebody_to_ask(
    settings: Settings, left: dict[str, Any]
) -> None:
    name = leave_behind(settings, **left)

    async with serving(settings) as services:
        assert await Recovery(surface(), services).resume_reads() == []
        assert (await (await services.jobs()).get(name)).state is JobState.PAUSED


@pytest.mark.parametrize(
    "place", [{"account": "somebody"}, {"origin": "https://elsewhere.example"}], ids=str
)
async def test_a_job_of_another_token_is_neither_seen_nor_stopped_nor_resumed(
    settings: Settings, place: dict[str, Any]
) -> None:
    name = leave_behind(settings, writes=False, **place)
    own = leave_behind(settings)

    async with serving(settings) as services:
        jobs = await services.jobs()
        assert [row.id for row in await jobs.list()] == [own]
        assert await jobs.count_others() == 1
        for use in (jobs.get(name), jobs.cancel(name), jobs.wait(name, 0)):
            with pytest.raises(Failure, match="belongs to another token"):
                await use
        with pytest.raises(Failure, match="belongs to another token"):
            await jobs.resume(name, None)  # type: ignore[arg-type]  # it is not reached
    assert JournalFile(settings.state_dir).job(name).state is JobState.PAUSED


async def test_a_job_that_cannot_go_on_does_not_hold_up_the_others(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings) as services:
        backend = await services.backend("archive")
        place = (await backend.open(None, Caller(Nobody(), 0.0))).scope
    broken = leave_behind(
        settings,
        writes=False,
        account=place.account,
        origin=place.origin,
        tool="archive_start_export",
        arguments={"itemIds": ["1"], "urls": ["https://a.example/1"]},
    )
    name = await interrupt_export(settings)

    async with serving(settings) as services:
        resumed = await Recovery(surface(), services).resume_reads()
        await wait_for_end(services, name)

    assert [row.id for row in resumed] == [name]
    assert f"{broken} was not resumed: Give exactly one of" in caplog.text


class LookedOften(Exception):
    """The watch has had its pauses."""


def pausing(monkeypatch: pytest.MonkeyPatch, pauses: int) -> list[float]:
    """Let the watch wait for nothing, and end it after so many looks; the list keeps the seconds it
    would have waited."""
    seconds: list[float] = []

    async def pause(length: float) -> None:
        await anyio.lowlevel.checkpoint()
        seconds.append(length)
        if len(seconds) > pauses:
            raise LookedOften

    monkeypatch.setattr(
        recovery, "anyio", SimpleNamespace(sleep=pause, current_time=anyio.current_time)
    )
    return seconds


async def test_no_journal_is_made_by_looking_for_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = pausing(monkeypatch, 3)
    async with serving(settings) as services:
        with pytest.raises(LookedOften):
            await Recovery(surface(), services).watch(settings.state_dir)

    assert seconds == [recovery.FIRST_LOOK_SECONDS] + [recovery.LOOK_SECONDS] * 3
    assert not list(settings.state_dir.glob("jobs*"))


async def test_a_fault_of_one_look_does_not_end_the_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(settings)

    async def broken(self: Recovery) -> list[JobRow]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Recovery, "resume_reads", broken)
    pausing(monkeypatch, 2)
    async with serving(settings) as services:
        with pytest.raises(LookedOften):
            await Recovery(surface(), services).watch(settings.state_dir)

    assert caplog.text.count("RuntimeError: out of order") == 2


def test_the_command_lists_what_there_is(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job_commands.run_command(settings, surface(), "list", []) == 0
    assert capsys.readouterr().out == "There are no jobs.\n"
    name = leave_behind(settings)

    assert job_commands.run_command(settings, surface(), "list", []) == 0

    assert capsys.readouterr().out == f"{name}  paused     0/?  Left behind\n"
    foreign = leave_behind(settings, account="somebody")

    assert job_commands.run_command(settings, surface(), "list", []) == 0

    printed = capsys.readouterr().out
    assert foreign not in printed
    assert "1 job of other tokens or addresses: not shown." in printed


def test_the_command_goes_on_with_reading_jobs(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    name = anyio.run(interrupt_export, settings)
    writing = leave_behind(settings)
    gone = leave_behind(settings, writes=False, tool="archive_gone")

    assert job_commands.run_command(settings, surface(), "run", []) == 0

    printed = capsys.readouterr().out
    assert f"{name}  done" in printed
    assert (
        f"It changes data, so it is not resumed by itself; `archive-mcp jobs run {writing}`"
        in printed
    )
    assert f"It was not resumed by itself; `archive-mcp jobs run {gone}`" in printed


def test_the_command_refuses_what_it_must_not_go_on_with(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    name, foreign = leave_behind(settings), leave_behind(settings, account="somebody")
    read_only = load(
        {"ARCHIVE_MCP_READ_ONLY": "on"},
        environment=dict(environment(settings)),
        folder=NO_FILES,
        home=NO_FILES,
    )

    assert job_commands.run_command(read_only, surface(), "run", [name]) == 1
    assert "changes data, and this program is read-only" in capsys.readouterr().err
    for action in ("cancel", "run"):
        assert job_commands.run_command(settings, surface(), action, [foreign]) == 1
        assert "belongs to another token or server address" in capsys.readouterr().err
    assert job_commands.run_command(read_only, surface(), "cancel", [name]) == 1
    assert "read-only, and cancelling" in capsys.readouterr().err
    assert job_commands.run_command(settings, surface(), "run", ["job_none"]) == 1
    assert (
        "There is no job 'job_none'. `archive-mcp jobs list` shows them" in capsys.readouterr().err
    )


def environment(settings: Settings) -> dict[str, str]:
    return {
        "ARCHIVE_API_URL": settings.api_url,
        "ARCHIVE_APP_TOKEN": settings.token.reveal() if settings.token else "",
        "ARCHIVE_MCP_STATE_DIR": str(settings.state_dir),
    }


def test_the_command_cancels_for_good(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    name = leave_behind(settings)

    assert job_commands.run_command(settings, surface(), "cancel", [name]) == 0
    assert job_commands.run_command(settings, surface(), "run", [name]) == 1

    printed = capsys.readouterr()
    assert f"{name}  cancelled" in printed.out
    assert "has ended" in printed.err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_pauses_its_job_when_it_is_told_to_end(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    name = anyio.run(interrupt_export, settings)

    async def end_by_signal(jobs: Jobs, job: str) -> JobRow:
        os.kill(os.getpid(), number)
        await anyio.sleep(PATIENCE)
        raise AssertionError("the signal did not end the command")

    monkeypatch.setattr(job_commands, "_follow", end_by_signal)

    assert job_commands.run_command(settings, surface(), "run", [name]) == job_commands.INTERRUPTED
    assert "paused" in capsys.readouterr().err
    monkeypatch.undo()
    assert job_commands.run_command(settings, surface(), "list", []) == 0
    assert f"{name}  paused" in capsys.readouterr().out
