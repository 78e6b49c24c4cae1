"""`setup` with the real Claude Code and the real Codex, in a home of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.sandbox import TOKEN
from tests.support.machine.node import program_or_skip
from tests.support.sandboxed import LAUNCHER, clean, sandbox_process

_SECONDS = 120


@pytest.fixture(scope="module")
def programs() -> str:
    """The folders of both programs, as a PATH begins with them."""
    codex = program_or_skip("@openai/codex@0.171.0", "codex")
    claude = program_or_skip("@anthropic-ai/claude-code@2.1.197", "claude", "install.cjs")
    return os.pathsep.join(str(program.parent) for program in (claude, codex))


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with sandbox_process(items=50) as sandbox:
        yield sandbox.url


def test_both_start_what_setup_adds_and_forget_it_again(
    tmp_path: Path, programs: str, api: str
) -> None:
    environment = clean(tmp_path) | {"ARCHIVE_API_URL": api}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"

    def run(*command: str, text: str = "") -> str:
        result = subprocess.run(
            command,
            input=text,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    shown = run(*LAUNCHER, "setup", "--stdin", "--yes", "--no-keychain", text=TOKEN)
    assert "Claude Code: done." in shown
    assert "Codex: done." in shown
    environment.pop("ARCHIVE_API_URL")
    assert "Connected" in run("claude", "mcp", "list")
    assert "archive" in run("codex", "mcp", "list")
    doctor = run(*LAUNCHER, "doctor", "--client", "codex")
    assert doctor.count("starts with the Archive token from ~/.env.shared") == 2
    # Both ran meanwhile, and write down much of what they see.
    holders = [
        path.name
        for path in tmp_path.rglob("*")
        if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert holders == [".env.shared"]

    run(*LAUNCHER, "setup", "--remove", "--forget", "--yes")
    assert "No MCP servers configured" in run("claude", "mcp", "list")
    assert "archive" not in run("codex", "mcp", "list")
    assert not (tmp_path / ".env.shared").exists()
