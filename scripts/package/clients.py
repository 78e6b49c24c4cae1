"""Configurations and install links for clients without a package of their own.

None carries a secret: hosts that keep secrets ask for them, in the others the server reads them
from the keychain or from `~/.env.shared`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from scripts.package.hosts import UV_ENVIRONMENT
from scripts.package.product import SERVER, SHORT, TITLE, Product, render_json


def build_command(product: Product, source: str = "") -> list[str]:
    """Return the command that fetches and starts the server.

    Args:
        source: a git address or a wheel; the repository's own by default.
    """
    return ["uvx", "--from", source or product.source, product.distribution]


def render_snippets(product: Product, source: str = "") -> dict[str, str]:
    """Return file name -> text, a configuration for each client."""
    command, *arguments = build_command(product, source)
    plain = {"command": command, "args": arguments, "env": UV_ENVIRONMENT}
    return {
        "claude_desktop_config.json": render_json({"mcpServers": {SERVER: plain}}),
        "codex.toml": _render_codex(product, command, arguments),
        "cursor.json": render_json({"mcpServers": {SERVER: {"type": "stdio", **plain}}}),
        "goose.yaml": _render_goose(product, command, arguments),
        "lmstudio.json": render_json({"mcpServers": {SERVER: plain}}),
        "vscode.json": render_json(_describe_vscode(product, plain)),
        "windsurf.json": render_json({"mcpServers": {SERVER: plain}}),
        "zed.json": render_json({"context_servers": {SERVER: {"source": "custom", **plain}}}),
    }


def render_links(product: Product, source: str = "") -> dict[str, str]:
    """Return client -> the link that installs the server there."""
    command, *arguments = build_command(product, source)
    plain = {"command": command, "args": arguments, "env": UV_ENVIRONMENT}
    vscode = {"name": SERVER, **_describe_vscode(product, plain)["servers"][SERVER]}
    vscode["inputs"] = _describe_vscode(product, plain)["inputs"]
    goose = [
        ("cmd", command),
        *(("arg", argument) for argument in arguments),
        ("id", SERVER),
        ("name", TITLE),
        ("description", SHORT),
        *(("env", f"{setting.name}={setting.title}") for setting in _secrets(product)),
    ]
    return {
        "Cursor": "cursor://anysphere.cursor-deeplink/mcp/install?"
        + urlencode({"name": SERVER, "config": _encode(plain)}),
        "VS Code": f"vscode:mcp/install?{quote(json.dumps(vscode), safe='')}",
        "VS Code Insiders": f"vscode-insiders:mcp/install?{quote(json.dumps(vscode), safe='')}",
        "Goose": f"goose://extension?{urlencode(goose, quote_via=quote)}",
        "LM Studio": "lmstudio://add_mcp?" + urlencode({"name": SERVER, "config": _encode(plain)}),
    }


def _secrets(product: Product) -> list[Any]:
    return [setting for setting in product.asked_settings if setting.is_secret]


def _describe_vscode(product: Product, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return VS Code's form: its inputs ask once and go into its own store of secrets."""
    inputs = [
        {
            "type": "promptString",
            "id": setting.name.lower(),
            "description": setting.prompt,
            "password": setting.is_secret,
        }
        for setting in _secrets(product)
    ]
    fields = {entry.name: f"${{input:{entry.name.lower()}}}" for entry in _secrets(product)}
    server = {"type": "stdio", **plain, "env": {**UV_ENVIRONMENT, **fields}}
    return {"inputs": inputs, "servers": {SERVER: server}}


def _render_codex(product: Product, command: str, arguments: Sequence[str]) -> str:
    """Return Codex's form: it hands on the variables that it lists, out of its own environment."""
    names = [setting.name for setting in product.settings]
    environment = ", ".join(f"{name} = {json.dumps(value)}" for name, value in _sorted_uv())
    return (
        f"[mcp_servers.{SERVER}]\n"
        f"command = {json.dumps(command)}\n"
        f"args = {json.dumps(list(arguments))}\n"
        f"env = {{ {environment} }}\n"
        f"env_vars = {json.dumps(names)}\n"
        # The first start fetches the packages.
        "startup_timeout_sec = 60\n"
    )


def _render_goose(product: Product, command: str, arguments: Sequence[str]) -> str:
    """Return Goose's form: it asks for the `env_keys` and keeps them in the keychain."""
    keys = [setting.name for setting in _secrets(product)]
    # JSON is YAML as well, and quotes for us.
    lines = [
        "extensions:",
        f"  {SERVER}:",
        "    enabled: true",
        "    type: stdio",
        f"    name: {json.dumps(SERVER)}",
        f"    description: {json.dumps(SHORT)}",
        f"    cmd: {json.dumps(command)}",
        f"    args: {json.dumps(list(arguments))}",
        f"    envs: {json.dumps(UV_ENVIRONMENT)}",
        f"    env_keys: {json.dumps(keys)}",
        "    timeout: 300",
    ]
    return "\n".join(lines) + "\n"


def _sorted_uv() -> list[tuple[str, str]]:
    return sorted(UV_ENVIRONMENT.items())


def _encode(config: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(config).encode()).decode()
