"""Setup where a client has a command of its own for changing its configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.server.setup.conftest import House
from tests.support.clients import read_json

_CLAUDE = '''#!{python}
"""Stands in for a client with a command of its own: mcp add NAME ... -- LINE, mcp remove NAME."""
import json, pathlib, sys
FILE = pathlib.Path.home() / ".claude.json"
content = json.loads(FILE.read_text()) if FILE.exists() else {{}}
servers = content.setdefault("mcpServers", {{}})
_, action, name, *rest = sys.argv[1:]
if "refuse" in servers:
    sys.exit("this client refuses")
if action == "remove":
    del servers[name]
elif name in servers:
    sys.exit("MCP server " + name + " already exists")
else:
    command, *args = rest[rest.index("--") + 1:]
    servers[name] = {{"type": "stdio", "command": command, "args": args, "env": {{}}}}
FILE.write_text(json.dumps(content))
'''


@pytest.fixture
def claude(house: House) -> Path:
    """Claude Code by a stand-in for its command; the file that it writes."""
    program = house.home.parent / "claude"
    program.write_text(_CLAUDE.format(python=sys.executable))
    program.chmod(0o755)
    house.programs["claude"] = str(program)
    return house.home / ".claude.json"


def test_a_client_with_a_command_of_its_own_is_asked_to_write(
    house: House, quick: list[str], claude: Path
) -> None:
    claude.write_text(json.dumps({"mine": 1, "mcpServers": {"other": {"url": "x"}}}))

    assert house.run("--yes") == house.run("--yes") == 0
    assert house.run("--yes", "--read-only") == 0

    content = read_json(claude)
    assert content["mcpServers"].keys() == {"other", "archive"}
    assert content["mcpServers"]["archive"]["args"][-1] == "--read-only"
    assert len([name for name in house.list_files() if "before-archive-mcp" in name]) == 2
    assert house.run("--yes", "--remove") == 0
    assert read_json(claude) == {"mine": 1, "mcpServers": {"other": {"url": "x"}}}


def test_a_command_that_fails_is_quoted_and_ends_in_a_status(
    house: House, quick: list[str], claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claude.write_text(json.dumps({"mcpServers": {"refuse": {}}}))

    assert house.run("--yes") == 1

    assert "failed: this client refuses" in capsys.readouterr().out
    assert read_json(claude) == {"mcpServers": {"refuse": {}}}


def test_a_client_whose_command_is_gone_is_left_out(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (house.home / ".claude.json").write_text("{}")

    assert house.run("--yes") == 1

    assert "`claude` is not on the PATH" in capsys.readouterr().out
