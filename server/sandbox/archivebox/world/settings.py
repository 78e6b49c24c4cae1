"""The configuration that ArchiveBox 0.9.73 copies into every crawl: 195 keys, about 10 kB, secrets
among them. The values of a fresh installation stand in `settings.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

MASK = "********"
SECRET_KEYS = ("TWOCAPTCHA_API_KEY", "S3_SECRET_ACCESS_KEY")
SECRET_ENDINGS = ("_TOKEN", "_PASSWORD", "_SECRET", "_API_KEY")
_COMMANDS = {"WGET": "wget", "GIT": "git", "YTDLP": "yt-dlp"}
_DISABLED_PLUGINS = ("ARCHIVEDOTORG", "GALLERYDL", "PAPERSDL")


@cache
def load_defaults() -> dict[str, Any]:
    """Return the configuration of a server on which nothing was set."""
    text = files(__package__).joinpath("settings.json").read_text(encoding="utf-8")
    document = json.loads(text)
    config: dict[str, Any] = document["general"]
    agent = config["USER_AGENT"]
    for name in document["plugins"]:
        command = _COMMANDS.get(name, "node")
        config[f"{name}_ENABLED"] = name not in _DISABLED_PLUGINS
        config[f"{name}_TIMEOUT"] = 60
        config[f"{name}_BINARY"] = f"/opt/archivebox/lib/bin/{command}"
        # Lists make the configuration as large as on a real server, which a client has to cut.
        config[f"{name}_ARGS"] = [
            "--no-progress",
            f"--user-agent={agent[:24]}",
            "--timeout=60",
            "--retries=2",
        ]
        config[f"{name}_MAX_SIZE"] = "750m"
    return config


def complete_config(overrides: dict[str, Any]) -> dict[str, Any]:
    """Return the whole configuration of a crawl, with what was overridden for it."""
    return {**load_defaults(), **overrides}


def mask_secrets(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration without its secrets; an empty secret stays visibly empty."""
    masked = dict(config)
    for key, value in config.items():
        if value and _is_secret(key):
            masked[key] = MASK
    return masked


def _is_secret(key: str) -> bool:
    return key in SECRET_KEYS or key.endswith(SECRET_ENDINGS)
