"""The file of JSON lines: complete, private, and written by several processes at once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.audit.event import Event
from server.audit.lines import JsonLines, read_lines
from server.errors import Code, Failure
from tests.support.paths import ROOT

WRITER = """
import sys, anyio
from pathlib import Path
from server.audit.event import Event
from server.audit.lines import JsonLines

async def main():
    log = JsonLines(Path(sys.argv[1]))
    for number in range(100):
        ids = (f"{sys.argv[2]}-{number}", "x" * 3000)
        await log.record(Event("now", "change", "c", "p", "P", "tool", "done", ids=ids))

anyio.run(main)
"""


def make(call: str = "c1") -> Event:
    return Event("2026-01-31T12:00:00Z", "change", call, "local", "Ann", "tool", "done")


async def test_each_record_is_a_line_that_only_this_user_can_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.jsonl"
    log = JsonLines(path)
    await log.record(make("c1"))
    await log.record(make("c2"))
    assert [json.loads(line)["call"] for line in path.read_text().splitlines()] == ["c1", "c2"]
    assert [event.call for event in read_lines(path)] == ["c1", "c2"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


async def test_a_renamed_file_is_followed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = JsonLines(path)
    await log.record(make("c1"))
    path.rename(tmp_path / "audit.jsonl.1")
    await log.record(make("c2"))
    assert [event.call for event in read_lines(path)] == ["c2"]


async def test_a_place_that_takes_no_file_is_a_clear_failure(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        await JsonLines(tmp_path).record(make())
    assert caught.value.code is Code.UNAVAILABLE
    assert "ARCHIVE_MCP_AUDIT_LOG" in caught.value.hint


def test_a_line_that_is_no_record_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.jsonl"
    good = json.dumps(make("c1").to_dict())
    path.write_text(f'{good[:30]}\n[]\n{{"at": "now"}}\n\n{good}\n')
    with caplog.at_level(logging.WARNING):
        assert [event.call for event in read_lines(path)] == ["c1"]
    assert [record.args for record in caplog.records] == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)], cwd=ROOT)
        for number in range(4)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    first_ids = {event.ids[0] for event in read_lines(path)}
    assert len(first_ids) == len(path.read_text().splitlines()) == 400
