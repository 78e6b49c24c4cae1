"""The program as somebody types it into a terminal, to see what it is."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.sandboxed import LAUNCHER, clean

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
_SECONDS = 30.0


def run_in_terminal(
    folder: Path, arguments: Sequence[str], until: str, answers: Sequence[tuple[str, str]] = ()
) -> str:
    """What it shows in a terminal until a text appears; then the terminal is closed.

    Args:
        answers: what to type, each once the first of the pair is shown.
    """
    import pty

    terminal, device = pty.openpty()
    process = subprocess.Popen(
        [*LAUNCHER, *arguments],
        stdin=device,
        stdout=device,
        stderr=device,
        env={**clean(folder), "PATH": "/usr/bin:/bin"},
        cwd=folder,
        start_new_session=True,
    )
    os.close(device)
    shown = ""
    remaining = list(answers)
    deadline = time.monotonic() + _SECONDS
    try:
        while until not in shown and time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1.0)[0]:
                continue
            shown += os.read(terminal, 4096).decode("utf-8", "replace")
            # Earlier it would be lost: a hidden question throws away what was typed before it.
            if remaining and remaining[0][0] in shown:
                os.write(terminal, f"{remaining.pop(0)[1]}\n".encode())
    except OSError:  # the program has ended
        pass
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    return shown.replace("\r\n", "\n")


def test_in_a_terminal_the_server_says_what_it_waits_for(tmp_path: Path) -> None:
    shown = run_in_terminal(tmp_path, [], "Ctrl+C ends it.")

    assert "waits here for an MCP client" in shown
    for command in ("demo", "setup", "doctor"):
        assert f"archive_mcp.py {command}`" in shown


def test_a_client_reads_no_word_of_that(tmp_path: Path) -> None:
    result = subprocess.run(
        [*LAUNCHER], input=b"", capture_output=True, env=clean(tmp_path), cwd=tmp_path, timeout=60
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_the_demo_announces_its_mistake_and_ends_with_the_next_step(tmp_path: Path) -> None:
    result = subprocess.run(
        [*LAUNCHER, "demo"],
        capture_output=True,
        text=True,
        env=clean(tmp_path),
        cwd=tmp_path,
        timeout=120,
    )

    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    place = lines.index("> Show me posts on Instagramm. (Misspelt on purpose.)")
    # What is refused is what was announced, and nothing else.
    assert 'got "INSTAGRAMM". Did you mean `INSTAGRAM`?' in lines[place + 1]
    assert "setup` connects your assistant" in lines[-1]


def test_setup_in_a_terminal_asks_and_offers_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    answers = [
        ("go without):", ""),
        ("if you have none):", ""),
        ("Set that up? [y/N]", "y"),
        ("Numbers:", ""),
        ("Write this? [y/N]", "y"),
    ]
    shown = run_in_terminal(tmp_path, ["setup"], "it lists", answers)

    assert "Archive token (hidden; Enter to go without):" in shown
    assert "with made-up data. Set that up? [y/N]" in shown
    assert "1. Cursor" in shown
    assert "Started as a client does: it lists" in shown
    assert "--sandbox" in (tmp_path / ".cursor" / "mcp.json").read_text()
