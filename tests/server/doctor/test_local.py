"""What the doctor finds out by itself: settings, folders, versions, tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.doctor.local import RENDERERS
from server.doctor.report import Check
from server.limiter import (
    Pacer,
)
from server.limiter.store import FILE
from server.settings import VARIABLES, load
from tests.support.doctored import (
    HOME,
    check,
    examined,
    given,
    tools,
    workspaces,
)

NOWHERE = "http://127.0.0.1:9/api/v2"  # the discard port: nothing listens there
ONE = workspaces((HOME, "Home"))


async def test_each_variable_is_told_with_its_source_and_secrets_are_masked(tmp_path: Path) -> None:
    (tmp_path / ".env.shared").write_text(
        "ARCHIVEBOX_API_KEY=box_key_unmistakable_1234\nARCHIVEBOX_PASSWORD=hunter2000"
    )
    settings = load(
        {"ARCHIVE_MCP_TOOLSETS": "core"},
        environment={
            "ARCHIVE_MCP_READ_ONLY": "on",
            "ARCHIVE_API_URL": "http://127.0.0.1:9/graph?key=hidden",
        },
        folder=tmp_path,
        home=tmp_path,
    )
    report = await examined(settings)
    assert [line.detail for line in report.checks if line.name == "settings"] == [
        "ARCHIVE_MCP_TOOLSETS = core (from command line)",
        "ARCHIVE_API_URL = http://127.0.0.1:9/graph (from environment)",
        "ARCHIVE_MCP_READ_ONLY = on (from environment)",
        "ARCHIVEBOX_API_KEY = ...1234 (from ~/.env.shared)",
        "ARCHIVEBOX_PASSWORD = <hidden> (from ~/.env.shared)",
    ]


async def test_a_short_secret_does_not_look_like_an_empty_one(tmp_path: Path) -> None:
    report = await examined(given(tmp_path, sandbox=True, ARCHIVE_APP_TOKEN="short"))
    details = [line.detail for line in report.checks if line.name == "settings"]
    assert "ARCHIVE_APP_TOKEN = <hidden> (from environment)" in details


def test_every_variable_that_can_be_set_can_be_shown() -> None:
    assert set(RENDERERS) == set(VARIABLES)


async def test_a_warning_about_the_settings_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ARCHIVE_MCP_CONFIRM=never")
    report = await examined(given(tmp_path, sandbox=True))
    assert any(
        line.status == "warn" and "ARCHIVE_MCP_CONFIRM (./.env, line 1) is ignored" in line.detail
        for line in report.checks
    )
    assert report.ok


async def test_versions_and_the_number_of_tools_are_told(tmp_path: Path) -> None:
    report = await examined(given(tmp_path, sandbox=True))
    for part in ("archive-mcp ", "Python 3.", "MCP SDK 2.", "httpx 0."):
        assert part in check(report, "versions").detail
    assert check(report, "tools").detail.startswith(
        f"{len(tools().list_tools())} tools are offered"
    )


async def test_a_state_folder_that_cannot_be_written_fails_and_names_the_variable(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    report = await examined(given(tmp_path, ARCHIVE_MCP_STATE_DIR=str(tmp_path / "file" / "state")))
    assert check(report, "state").status == "fail"
    assert "ARCHIVE_MCP_STATE_DIR" in check(report, "state").hint
    assert not any(line.name == "limiter" for line in report.checks)


async def test_the_state_of_the_limiter_is_read_and_a_damaged_one_is_a_warning(
    tmp_path: Path,
) -> None:
    settings = given(tmp_path)
    assert (
        check(await examined(settings), "limiter").detail
        == "no requests made from this computer yet"
    )
    pacer = Pacer(settings.state_dir)
    async with pacer.slot("key"):
        pass
    pacer.close()
    assert check(await examined(settings), "limiter") == Check(
        "limiter", "ok", "its state file is intact"
    )
    (settings.state_dir / FILE).write_bytes(b"this is no database" * 100)
    assert check(await examined(settings), "limiter").status == "warn"


async def test_without_a_tool_to_offer_it_warns(tmp_path: Path) -> None:
    from server.doctor.local import check_locally

    surface = tools()
    surface.offer(backends=set(), toolsets=["all"], read_only=False)
    (line,) = (line for line in check_locally(given(tmp_path), surface) if line.name == "tools")
    assert line.status == "warn"


async def test_a_broken_variable_of_the_machine_is_a_line_and_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    settings = given(tmp_path, ARCHIVE_APP_TOKEN="token-0123", ARCHIVEBOX_URL="https://box.example")

    report = await examined(settings)

    for name in ("api", "archivebox"):
        assert check(report, name).status == "fail"
        assert "SSL_CERT_FILE names /nowhere" in check(report, name).detail


async def test_a_folder_that_takes_no_exports_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    report = await examined(given(tmp_path, ARCHIVE_MCP_EXPORT_DIR=str(tmp_path / "file")))

    assert check(report, "exports").status == "warn"
    assert "ARCHIVE_MCP_EXPORT_DIR" in check(report, "exports").hint
