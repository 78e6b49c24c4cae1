"""The plugin: Claude Code validates it, installs it from the repository and connects."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, find_token, install_uv
from scripts.package.check.result import CheckError, Result, measure_size
from scripts.package.check.session import talk
from scripts.package.hosts import MARKETPLACE, describe_plugin
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
    session = talk(*_expand(bench, installed, environment), home)
    result.tools, result.call = session.tools, session.call
    result.credentials = f"~/{find_token(home)}; on macOS the keychain"
    result.notes.append(
        "cold and warm are the host's own `claude mcp list`; tools and call by the command and "
        "the environment that the manifest resolves to"
    )


def _connect(bench: Bench, program: Path, environment: dict[str, str], home: Path) -> float:
    start = time.perf_counter()
    printed = bench.run([program, "mcp", "list"], environment, home)
    if not re.search(rf"plugin:{SERVER}:{SERVER}: .*Connected", printed):
        raise CheckError(printed.strip())
    return time.perf_counter() - start


def _expand(
    bench: Bench, installed: Path, environment: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return command and environment as Claude Code makes them out of the manifest."""
    server = describe_plugin(bench.product)["mcpServers"][SERVER]
    data = next((installed.parents[3] / "data").iterdir())
    values = {
        "CLAUDE_PLUGIN_ROOT": str(installed),
        "CLAUDE_PLUGIN_DATA": str(data),
        "user_config.archive_app_token": TOKEN,
    }

    def fill(text: str) -> str:
        # Options that nobody set arrive as empty texts.
        return re.sub(r"\$\{([^}]+)\}", lambda match: values.get(match[1], ""), text)

    command = [server["command"], *map(fill, server["args"])]
    return command, environment | {name: fill(text) for name, text in server["env"].items()}
