"""Every command of the documents is one that the program takes; those that stand alone are run."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.package.host_pages import READING, read_words
from server.command_line import build_parser
from server.setup.clients import CLIENTS
from tests.support.paths import ROOT, SURFACE

FILES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Of other programs; tests/packages and tests/process start these.
OTHERS = (
    "git clone",
    "git pull",
    "python3 -m venv",
    "claude mcp add archive",
    "codex mcp add archive",
    "gemini extensions install",
    "npx @modelcontextprotocol/inspector",
    ".venv/bin/pip install",
    ".venv/bin/python -m pytest",
    ".venv/bin/python -m scripts.package bundle",
)
INLINE = re.compile(r"`((?:\.venv/bin/)?archive-mcp(?: [^`\n]*)?)`")
# It holds a real token, asks for one, or waits for a client: parsed, not run.
RUN = ("doctor --sandbox", "demo", "jobs list", "--version")


def list_blocks(*languages: str) -> Iterator[str]:
    for path in FILES:
        for language, text in BLOCK.findall(path.read_text(encoding="utf-8")):
            if language in languages:
                yield text


def list_commands() -> Iterator[str]:
    """Yield each command of the shell blocks, without its comment."""
    for block in list_blocks("sh"):
        for line in block.strip().splitlines():
            yield from re.split(r"\s+&&\s+", line.partition(" #")[0].strip())


def list_own_commands() -> set[str]:
    """Return what follows the program's name, of blocks and of running text."""
    inline = [text for path in FILES for text in INLINE.findall(path.read_text(encoding="utf-8"))]
    commands = [text for text in (*list_commands(), *inline) if "archive-mcp" in text.split()[0]]
    return {re.sub(r"<\w+>", "12", text.partition("archive-mcp")[2]).strip() for text in commands}


def test_every_command_of_a_block_is_known() -> None:
    own = (".venv/bin/archive-mcp",)
    unknown = [text for text in list_commands() if not text.startswith((*OTHERS, *own, "cd "))]
    assert unknown == []


@pytest.mark.parametrize("command", sorted(list_own_commands()))
def test_the_program_takes_every_command_of_its_own(command: str) -> None:
    words = [re.sub(r"^NAME$", "cursor", word) for word in shlex.split(command)]
    assert build_parser().parse_args(words) is not None


def test_every_piece_of_json_is_json_and_starts_this_server() -> None:
    contents = [json.loads(block) for block in list_blocks("json")]
    # Rules of Claude Code start nothing.
    for content in filter(lambda content: "permissions" not in content, contents):
        (servers,) = content.values()
        assert servers["archive"]["command"].endswith("/.venv/bin/archive-mcp")
        build_parser().parse_args(servers["archive"].get("args", []))


def test_each_client_that_setup_knows_has_a_page() -> None:
    described = {words.get("client") for words in read_words().values()}
    assert {client.id for client in CLIENTS} == described - {None}


def test_the_rules_for_reading_match_nothing_that_changes_anything() -> None:
    surface = json.loads(SURFACE.read_text(encoding="utf-8"))
    tools = [row["tool"] for row in surface["tools"]]
    reading = {tool["name"] for tool in tools if tool["annotations"].get("readOnlyHint")}
    allowed = {
        name for rule in READING for name in fnmatch.filter([t["name"] for t in tools], rule)
    }
    assert allowed - reading == set()
    assert len(allowed) > 0.75 * len(reading)
    assert [rule for rule in READING if not fnmatch.filter(allowed, rule)] == []


def test_what_nobody_runs_is_marked_in_the_source() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in FILES}
    unrun = re.compile(r"^ *git (?:clone|pull)|\.venv\\Scripts", re.MULTILINE)
    hosts = [path for path in FILES if path.parent.name == "hosts"]
    needing = {*hosts, *(path for path, text in texts.items() if unrun.search(text))}
    assert [path for path in needing if "Not run: " not in texts[path]] == []


@pytest.mark.parametrize("command", RUN)
def test_what_needs_no_token_runs_as_written(command: str, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "archive_mcp.py"), *command.split()],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
