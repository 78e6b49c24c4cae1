from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from server.archive.client import Call
from server.errors import Code, Failure
from server.services import USER_AGENT, Services
from server.settings import Secret, Settings
from tests.support.doubles import OpenLimiter
from tests.support.paths import ROOT

WORKSPACES = "query Q { workspaces(first: 100) { nodes { id name } } }"


def call() -> Call:
    return Call("workspaces", WORKSPACES, {}, None, 5, anyio.current_time() + 40)


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_without_a_token_a_call_is_told_what_to_set_and_where(tmp_path: Path) -> None:
    async with Services(Settings(state_dir=tmp_path)) as services:
        with pytest.raises(Failure) as refused:
            await services.backend("archive")

    assert refused.value.code is Code.NOT_CONFIGURED
    for words in ("ARCHIVE_APP_TOKEN", "~/.env.shared", "Settings > Integrations", "--sandbox"):
        assert words in refused.value.hint


async def test_an_unknown_backend_is_not_configured() -> None:
    async with Services(Settings(sandbox=True)) as services:
        with pytest.raises(Failure, match="no backend 'other'"):
            await services.backend("other")


async def test_a_backend_is_built_once_however_many_calls_need_it() -> None:
    found: list[object] = []
    async with Services(Settings(sandbox=True), limiter=OpenLimiter()) as services:

        async def take() -> None:
            found.append(await services.backend("archive"))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(take)

    assert len(found) == 5
    assert len({id(each) for each in found}) == 1


@pytest.mark.parametrize(
    "url", ["https://app.archive.com/api/v2", "https://elsewhere.example/other", "not a url"]
)
async def test_the_sandbox_answers_whatever_url_and_token_are_configured(url: str) -> None:
    settings = Settings(sandbox=True, api_url=url, token=Secret("a-real-token"))
    async with Services(settings, limiter=OpenLimiter()) as services:
        answer = await (await services.archive()).archive.execute(call())

    assert len(answer.data["nodes"]) == 3


async def test_a_sandbox_leaves_nothing_in_the_state_folder(tmp_path: Path) -> None:
    async with Services(Settings(sandbox=True, state_dir=tmp_path)) as services:
        await (await services.archive()).archive.execute(call())

    assert files(tmp_path) == []


async def test_the_pace_is_shared_through_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.retry.ATTEMPTS", 1)
    settings = Settings(token=Secret("token"), api_url="http://127.0.0.1:9/api", state_dir=tmp_path)
    async with Services(settings) as services:
        with pytest.raises(Failure, match="could not be reached"):
            await (await services.archive()).archive.execute(call())

    assert files(tmp_path)


def test_the_program_introduces_itself_by_name_and_version() -> None:
    from server import __version__

    assert f"archive-mcp/{__version__}" == USER_AGENT


def test_services_import_no_client_before_they_are_used() -> None:
    import subprocess

    code = (
        "import sys, server.services, server.tool.catalog, server.dispatch;"
        "print([m for m in ('httpx', 'pydantic', 'graphql', 'sqlite3', 'tools') if m in "
        "sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
