"""The plugin: Claude Code validates it, installs it from the repository and connects."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, find_token, install_uv
from scripts.package.check.result import CheckError, Result, measure_size
from scripts.package.check.scripted_model import serve_model
from scripts.package.check.session import TOOL, describe_call
from scripts.package.hosts import MARKETPLACE
from scripts.package.product import SERVER

PLUGIN = f"{SERVER}@{MARKETPLACE}"
# It asks nobody for updates, and reports nothing.
_QUIET = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


def check_plugin(bench: Bench, result: Result) -> None:
    """Validate the plugin, install it as a user would, hand in the token and connect."""
    home = bench.make_home(result.package)
    program = programs.install_from_npm(programs.CLAUDE, "claude")
    environment = bench.environment(home, programs.install_node(), install_uv()) | _QUIET
    validate: list[str | Path] = [
        program,
        "plugin",
        "validate",
        "--strict",
        "--profile",
        "directory",
        bench.tree,
    ]
    printed = bench.run(validate, environment, home)
    result.validator = f"claude plugin validate --strict: {printed.strip().splitlines()[-1]}"
    plugin = [str(program), "plugin"]
    bench.run([*plugin, "marketplace", "add", bench.repository], environment, home)
    bench.run([*plugin, "install", PLUGIN], environment, home)
    form = json.dumps({"archive_app_token": TOKEN})
    bench.run([*plugin, "configure", PLUGIN, "--values-stdin"], environment, home, form)
    result.cold = _connect(bench, program, environment, home)
    result.warm = _connect(bench, program, environment, home)
    installed = next((home / ".claude" / "plugins" / "cache").glob(f"*/{SERVER}/*"))
    result.size = measure_size(installed)
    result.tools, result.call = _call(bench, program, environment, home)
    result.credentials = f"~/{find_token(home)}; on macOS the keychain"
    result.notes.append(
        "all by the host itself: cold and warm are `claude mcp list`; in its session a stand-in "
        "for the model saw the tools and made the call"
    )


def _connect(bench: Bench, program: Path, environment: dict[str, str], home: Path) -> float:
    start = time.perf_counter()
    printed = bench.run([program, "mcp", "list"], environment, home)
    if not re.search(rf"plugin:{SERVER}:{SERVER}: .*Connected", printed):
        raise CheckError(printed.strip())
    return time.perf_counter() - start


def _call(bench: Bench, program: Path, environment: dict[str, str], home: Path) -> tuple[int, str]:
    """Return the number of tools that a session shows the model, and what a call brought."""
    with serve_model() as seen:
        account = {"ANTHROPIC_BASE_URL": seen.address, "ANTHROPIC_API_KEY": "none"}
        # Otherwise the model would search for tools instead of being shown them.
        handed = environment | account | {"ENABLE_TOOL_SEARCH": "false"}
        allowed = f"mcp__plugin_{SERVER}_{SERVER}__{TOOL}"
        ask = [str(program), "--print", "Which workspaces are there?", "--allowedTools", allowed]
        bench.run(ask, handed, home)
        tools, answer = seen.require()
    return tools, describe_call(answer)
