"""`archive-mcp audit`: what it shows, and what it says where there is nothing."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from server.audit.command import render, run_audit
from server.audit.event import Event
from server.settings import Settings, SettingsError

FIRST = Event(
    "2026-01-30T23:59:59.000Z",
    "change",
    "c1",
    "key:ci",
    "Robot",
    "archive_delete_collection",
    "done",
    ids=("a", "b", "c", "d", "e"),
    confirmed="token",
    credits=2,
)
SECOND = replace(
    FIRST, at="2026-01-31T00:00:00.000Z", call="c2", person="Ann", tool="archivebox_archive_urls"
)


def options(**values: object) -> Namespace:
    choices = {"since": None, "person": None, "tool": None, "limit": 100, "json": True}
    return Namespace(**{**choices, **values})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(json.dumps(event.to_dict()) + "\n" for event in (FIRST, SECOND)))
    return Settings(audit_log=path)


@pytest.mark.parametrize(
    ("choice", "calls"),
    [
        ({}, ["c1", "c2"]),
        ({"since": "2026-01-31"}, ["c2"]),
        ({"since": "2026-01-30T23:59:59Z"}, ["c1", "c2"]),
        ({"person": "ANN"}, ["c2"]),
        ({"person": "key:ci"}, ["c1", "c2"]),
        ({"tool": "collection"}, ["c1"]),
        ({"limit": 1}, ["c2"]),
    ],
)
def test_the_newest_that_fit_are_shown(
    settings: Settings,
    choice: dict[str, object],
    calls: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_audit(settings, options(**choice)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["call"] for line in lines] == calls


def test_a_line_says_it_all() -> None:
    assert render(FIRST) == (
        "2026-01-30T23:59:59.000Z  Robot  change  done  archive_delete_collection  "
        "confirmed by token  2 credits  a, b, c and 2 more"
    )


def test_a_name_cannot_look_like_another_record() -> None:
    assert "\n" not in render(replace(FIRST, person="Ann\n2026 Bob  change"))


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="Set ARCHIVE_MCP_AUDIT_LOG"):
        run_audit(Settings(), options())
    assert run_audit(Settings(audit_log=tmp_path / "none"), options()) == 0
    assert "nothing was recorded" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="cannot be read"):
        run_audit(Settings(audit_log=tmp_path), options())
    with pytest.raises(SettingsError, match="neither a day nor an instant"):
        run_audit(Settings(audit_log=tmp_path / "none"), options(since="yesterday"))
