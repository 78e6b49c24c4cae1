"""The configuration for Codex: Codex reads it, starts the server, lists its tools and calls one."""

from __future__ import annotations

import time
from pathlib import Path

from scripts.package import clients
from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, find_token, install_uv
from scripts.package.check.result import CheckError, Result, measure_size
from scripts.package.check.session import TOOL, LineClient, describe_call
from scripts.package.product import SERVER


def check_codex(bench: Bench, result: Result) -> None:
    """Put the configuration in place, and let Codex's own server of its interface use it."""
    home = bench.make_home(result.package)
    (home / ".codex").mkdir()
    snippets = clients.render_snippets(bench.product, f"git+{bench.repository}")
    (home / ".codex" / "config.toml").write_text(snippets["codex.toml"], encoding="utf-8")
    program = programs.install_from_npm(programs.CODEX, "codex")
    # The user's shell has the token; the configuration hands it on by name.
    environment = bench.environment(home, programs.install_node(), install_uv())
    environment["ARCHIVE_APP_TOKEN"] = TOKEN
    printed = bench.run([program, "mcp", "get", SERVER], environment, home)
    if "enabled: true" not in printed:
        raise CheckError(printed)
    result.validator = "codex mcp get: enabled: true"
    result.cold = _use(program, environment, home, result)
    result.warm = _use(program, environment, home, result)
    result.size = measure_size(bench.built.wheel)
    result.credentials = f"the shell's environment, handed on by name; {find_token(home)}"


def _use(program: Path, environment: dict[str, str], home: Path, result: Result) -> float:
    """Return the seconds until Codex has the list of tools; note the list and a call."""
    with LineClient([str(program), "app-server"], environment, home) as client:
        client.request("initialize", {"clientInfo": {"name": "package-check", "version": "1"}})
        client.notify("initialized")
        start = time.perf_counter()
        servers = client.request("mcpServerStatus/list", {})["data"]
        seconds = time.perf_counter() - start
        ours = next(server for server in servers if server["name"] == SERVER)
        result.tools = len(ours["tools"])
        thread = client.request("thread/start", {"cwd": str(home)})["thread"]["id"]
        call = {"threadId": thread, "server": SERVER, "tool": TOOL, "arguments": {}}
        result.call = describe_call(client.request("mcpServer/tool/call", call))
    return seconds
