"""What no program validates: the registry's entry, and the snippets for other clients."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft7Validator

from scripts.package import clients
from scripts.package.check.bench import TOKEN, Bench, install_uv
from scripts.package.check.result import CheckError, Result, measure_size
from scripts.package.product import ROOT, SERVER

SCHEMA = ROOT / "tests" / "data" / "packages" / "server.schema.json"
# Where each client's file has its servers, and what it calls the command.
_SHAPES: Mapping[str, tuple[str, str]] = {
    "claude_desktop_config.json": ("mcpServers", "command"),
    "cursor.json": ("mcpServers", "command"),
    "lmstudio.json": ("mcpServers", "command"),
    "vscode.json": ("servers", "command"),
    "windsurf.json": ("mcpServers", "command"),
    "zed.json": ("context_servers", "command"),
    "goose.yaml": ("extensions", "cmd"),
    "codex.toml": ("mcp_servers", "command"),
}


def check_registry_entry(bench: Bench, result: Result) -> None:
    """Validate the entry of the MCP registry, with the digest of the bundle in it."""
    entry = json.loads(bench.built.registry_entry.read_text(encoding="utf-8"))
    if problems := find_schema_problems(entry):
        raise CheckError("; ".join(problems))
    result.size = measure_size(bench.built.registry_entry)
    result.validator = "published schema 2025-12-11: 0 errors"
    result.credentials = "none in it; secrets are marked isSecret"
    result.skipped = "an entry starts nothing; the registry's own publisher needs a login there"


def check_snippets(bench: Bench, result: Result) -> None:
    """Parse every snippet, find the same command in each, and start it."""
    source = f"git+{bench.repository}"
    expected = clients.build_command(bench.product, source)
    for name, text in clients.render_snippets(bench.product, source).items():
        command = read_command(name, text)
        if command != expected:
            raise CheckError(f"{name} starts {command}")
    home = bench.make_home(result.package)
    environment = bench.environment(home, install_uv()) | {"ARCHIVE_APP_TOKEN": TOKEN}
    snippet = json.loads(clients.render_snippets(bench.product, source)["cursor.json"])
    bench.start_twice(result, expected, environment | snippet["mcpServers"][SERVER]["env"], home)
    result.size = measure_size(bench.built.clients)
    result.validator = f"documented shape: {len(_SHAPES)} files, 5 links"
    result.credentials = "none in a file or a link; VS Code and Goose ask and keep it"
    result.notes.append(
        "Cursor, VS Code, Goose, LM Studio, Windsurf, Zed: not started themselves, since each "
        "needs a window or a download from elsewhere; the command of their files was"
    )


def find_schema_problems(entry: Any) -> list[str]:
    """Return what the registry's published schema objects to."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = Draft7Validator(schema).iter_errors(entry)
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in errors]


def read_command(name: str, text: str) -> list[str]:
    """Return the command of a snippet."""
    servers, command = _SHAPES[name]
    server = _parse(name, text)[servers][SERVER]
    return [server[command], *server["args"]]


def _parse(name: str, text: str) -> Any:
    if name.endswith(".json"):
        return json.loads(text)
    if name.endswith(".toml"):
        return tomllib.loads(text)
    # Of YAML our snippet uses a line for each key, with JSON behind it.
    lines = [line.strip().partition(": ") for line in text.splitlines()]
    values = {key: value for key, _, value in lines if value}
    parsed = {key: _parse_scalar(value) for key, value in values.items()}
    return {"extensions": {SERVER: parsed}}


def _parse_scalar(value: str) -> Any:
    return json.loads(value) if value[0] in '"[{' else value
