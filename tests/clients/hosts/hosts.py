"""Hosts as people run them, without a person: each is told its server and its model by the files
and variables that it documents."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.hosts.model import scripted_model
from tests.clients.hosts.script import Scripted

PROMPT = "Do what you are asked to."
KEY = "no-key"
CLINE_PROVIDER = "openai-compatible"
_SECONDS = 240


@dataclass(frozen=True)
class Setting:
    """What a host is started with: the server's command and variables, the model's address, and the
    folder that is its home."""

    command: Sequence[str]
    server_env: Mapping[str, str]
    model: str
    home: Path

    def write(self, path: str, content: object) -> None:
        """Write a file of settings into the home."""
        place = self.home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        place.write_text(text, encoding="utf-8")

    def describe_server(self, **more: object) -> dict[str, object]:
        """Return the server as most files have it."""
        command, *args = self.command
        return {"command": command, "args": args, "env": dict(self.server_env), **more}


Start = tuple[list[str], dict[str, str]]


@dataclass(frozen=True)
class Host:
    """A host: its package and program on npm, and how it is started once; `after` is the script
    that its installation ends with."""

    name: str
    package: str
    program: str
    start: Callable[[Setting], Start]
    after: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The version of the package."""
        return self.package.rpartition("@")[2]


def start_codex(setting: Setting) -> Start:
    """`codex exec`."""
    command, *args = setting.command
    lines = [
        'model = "gpt-5"',
        'model_provider = "scripted"',
        "[model_providers.scripted]",
        'name = "scripted"',
        f'base_url = "{setting.model}/v1"',
        'wire_api = "responses"',
        'env_key = "SCRIPTED_KEY"',
        "[mcp_servers.archive]",
        f"command = {json.dumps(command)}",
        f"args = {json.dumps(args)}",
        "[mcp_servers.archive.env]",
        *(f"{name} = {json.dumps(value)}" for name, value in setting.server_env.items()),
    ]
    setting.write(".codex/config.toml", "\n".join(lines))
    options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    return ["exec", *options, PROMPT], {"SCRIPTED_KEY": KEY}


def start_gemini(setting: Setting) -> Start:
    """`gemini -p`."""
    settings = {
        "mcpServers": {"archive": setting.describe_server(trust=True)},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False},
    }
    setting.write(".gemini/settings.json", settings)
    env = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": setting.model}
    return ["--yolo", "--skip-trust", "-m", "gemini-2.5-pro", "-p", PROMPT], env


def start_claude_code(setting: Setting) -> Start:
    """`claude -p`."""
    setting.write("servers.json", {"mcpServers": {"archive": setting.describe_server()}})
    options = ["--mcp-config", str(setting.home / "servers.json"), "--strict-mcp-config"]
    env = {
        "ANTHROPIC_BASE_URL": setting.model,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return ["-p", *options, "--allowedTools", "mcp__archive", "--", PROMPT], env


def start_copilot(setting: Setting) -> Start:
    """`copilot -p`."""
    server = setting.describe_server(type="local", tools=["*"])
    setting.write(".copilot/mcp-config.json", {"mcpServers": {"archive": server}})
    env = {
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_PROVIDER_BASE_URL": f"{setting.model}/v1",
        "COPILOT_PROVIDER_API_KEY": KEY,
        "COPILOT_MODEL": "gpt-4.1",
    }
    return ["--allow-all", "-p", PROMPT], env


def start_cline(setting: Setting) -> Start:
    """`cline`, with any provider of OpenAI's API."""
    server = setting.describe_server(disabled=False)
    setting.write(
        ".cline/data/settings/cline_mcp_settings.json", {"mcpServers": {"archive": server}}
    )
    settings = {"provider": CLINE_PROVIDER, "apiKey": KEY, "model": "scripted"}
    providers = {
        "version": 1,
        "lastUsedProvider": CLINE_PROVIDER,
        "providers": {
            CLINE_PROVIDER: {
                "settings": {**settings, "baseUrl": f"{setting.model}/v1"},
                "updatedAt": "2026-01-01T00:00:00.000Z",
                "tokenSource": "manual",
            }
        },
    }
    setting.write(".cline/data/settings/providers.json", providers)
    return [PROMPT], {}


def start_opencode(setting: Setting) -> Start:
    """`opencode run`."""
    command = list(setting.command)
    config = {
        "mcp": {
            "archive": {
                "type": "local",
                "command": command,
                "environment": dict(setting.server_env),
                "timeout": 60_000,
            }
        },
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{setting.model}/v1", "apiKey": KEY},
                "models": {
                    "scripted": {
                        "attachment": True,
                        "tool_call": True,
                        "modalities": {"input": ["text", "image"], "output": ["text"]},
                    }
                },
            }
        },
        "model": "scripted/scripted",
        "permission": "allow",
        "autoupdate": False,
        "share": "disabled",
    }
    setting.write(".config/opencode/opencode.json", config)
    return ["run", PROMPT], {"OPENCODE_DISABLE_MODELS_FETCH": "1"}


HOSTS = (
    Host("Codex", "@openai/codex@0.171.0", "codex", start_codex),
    Host("Gemini CLI", "@google/gemini-cli@0.61.0", "gemini", start_gemini),
    Host(
        "Claude Code",
        "@anthropic-ai/claude-code@2.1.332",
        "claude",
        start_claude_code,
        ("install.cjs",),
    ),
    Host("Copilot CLI", "@github/copilot@1.0.102", "copilot", start_copilot),
    Host("Cline", "cline@3.0.65", "cline", start_cline),
    Host("opencode", "opencode-ai@1.18.33", "opencode", start_opencode),
)


def run_host(
    host: Host,
    program: Path,
    node: Path,
    command: Sequence[str],
    env: Mapping[str, str],
    home: Path,
) -> tuple[Scripted, str]:
    """Run a host to its end; return the model that it had, and what it printed."""
    with scripted_model() as (address, model):
        arguments, more = host.start(Setting(command, env, address, home))
        # Nothing of the environment around the tests: it may say how to reach a real model.
        base = {"HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "TERM": "dumb", "CI": "1"}
        path = os.pathsep.join((str(node.parent), os.environ["PATH"]))
        done = subprocess.run(
            [str(program), *arguments],
            env={**base, "PATH": path, **more},
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    return model, done.stdout + done.stderr
