"""A long call tells how far it is, to a client that asked to be told."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from mcp import Client

import prompts
from server.dispatch import Dispatcher
from server.limiter import Pacer
from server.protocol.handlers import build_server
from server.sandbox import MAIN
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from tests.support.clocks import fixed_sandbox
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

WINDOW = 0.4
"""Seconds for five requests: thirty pages take about two and a half seconds, and progress is told
once a second."""


async def test_a_job_that_is_waited_for_reports_its_progress(era: str, tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    settings = load(
        {},
        sandbox=True,
        environment={"ARCHIVE_MCP_EXPORT_DIR": str(tmp_path)},
        folder=NO_FILES,
        home=NO_FILES,
    )
    surface = Catalog.read(SURFACE, importlib.import_module)
    surface.offer(backends={"archive"}, toolsets=["jobs"], read_only=False)
    sandbox = fixed_sandbox(items=3000)
    async with Services(settings, limiter=Pacer(None, window=WINDOW), sandbox=sandbox) as services:
        server = build_server(
            surface,
            Dispatcher(surface, services, settings.timezone),
            prompts.DOCUMENTS,
            prompts.instructions(),
        )
        async with Client(server, mode=era) as client:
            arguments = {"workspace": MAIN, "search": {}, "fields": ["id"], "name": "all"}
            result = await client.call_tool(
                "archive_start_export", arguments, progress_callback=progress
            )

    assert result.structured_content["state"] == "done"
    assert result.structured_content["result"]["rows"] == 3000
    assert told
    assert {total for _, total, _ in told} == {3000}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert all(message for _, _, message in told)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_read_only_server_starts_no_job_that_writes_anything(read_only: bool) -> None:
    surface = Catalog.read(SURFACE, importlib.import_module)
    surface.offer(backends={"archive", "archivebox"}, toolsets=["jobs"], read_only=read_only)
    starting = {tool["name"] for tool in surface.list_tools() if "_start_" in tool["name"]}

    # Looking whether pages are saved is a job that only reads; its other actions are refused.
    reading = {"archivebox_start_save"}
    assert (starting == reading) is read_only
    assert starting >= reading
