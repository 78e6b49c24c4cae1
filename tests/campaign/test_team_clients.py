"""Real clients at the server for a team: the SDKs of TypeScript, Claude Code and Codex."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine.node import node_program_or_skip, program_or_skip
from tests.support.sandboxed import clean
from tests.support.team.processes import serve

pytestmark = pytest.mark.campaign

_SECONDS = 120
_SCRIPT = """
import { Client, StreamableHTTPClientTransport } from "PACKAGE";
const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]), {
  requestInit: { headers: { authorization: "Bearer anna" } },
});
const client = new Client({ name: "test", version: "1" }, OPTIONS);
await client.connect(transport);
const { tools } = await client.listTools();
const workspaces = await client.callTool({ name: "archive_get_workspaces", arguments: {} });
const refused = await client.callTool({ name: "archive_get_workspace", arguments: {} });
console.log(JSON.stringify({
  tools: tools.length,
  workspaces: workspaces.structuredContent.nodes.length,
  code: refused._meta["archive-mcp/error"].code,
}));
await client.close();
"""
_OLD = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serve(tmp_path) as (url, _):
        yield f"{url}/mcp"


@pytest.mark.parametrize(
    ("package", "imports", "options"),
    [
        ("@modelcontextprotocol/sdk@1.32.2", _OLD, "{}"),
        ("@modelcontextprotocol/client@2.4.0", "", "{}"),
        (
            "@modelcontextprotocol/client@2.4.0",
            "",
            '{ versionNegotiation: { mode: { pin: "2026-07-28" } } }',
        ),
    ],
    ids=["1.32", "2.4", "2.4-modern"],
)
def test_the_sdk_of_typescript_works_with_it(
    package: str, imports: str, options: str, url: str
) -> None:
    node, program = node_program_or_skip(package, "")
    script = _SCRIPT.replace("PACKAGE", package.rpartition("@")[0]).replace("OPTIONS", options)
    if imports:
        _, _, rest = script.lstrip().partition("\n")
        script = imports + rest
    file = program.parents[1] / f"team-{os.getpid()}.mjs"
    file.write_text(script, encoding="utf-8")
    try:
        done = subprocess.run(
            [str(node), str(file), url],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    finally:
        file.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    assert answer["tools"] > 100
    assert answer["workspaces"] == 3
    assert answer["code"] == "WORKSPACE_REQUIRED"


def test_claude_code_and_codex_connect(tmp_path: Path, url: str) -> None:
    claude = program_or_skip("@anthropic-ai/claude-code@2.1.332", "claude", "install.cjs")
    codex = program_or_skip("@openai/codex@0.171.0", "codex")
    environment = clean(tmp_path) | {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "TEAM_TOKEN": "anna",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    header = "Authorization: Bearer anna"
    add = ("mcp", "add", "--scope", "user", "--transport", "http", "archive", url)
    run(str(claude), *add, "--header", header)
    assert "Connected" in run(str(claude), "mcp", "list")
    run(str(codex), "mcp", "add", "archive", "--url", url, "--bearer-token-env-var", "TEAM_TOKEN")
    assert url in run(str(codex), "mcp", "list")
