"""What can be checked without asking anybody: settings, state folder, versions, tools."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from server import __version__
from server.doctor.report import Check
from server.http.urls import parse_origin
from server.limiter.health import damage
from server.settings import Secret, Settings
from server.tool.catalog import Surface

WHAT_TO_SET = (
    "Set ARCHIVE_APP_TOKEN in this server's `env` in the client's configuration, or in ~/.env.shared; a token comes "
    "from Archive, Settings > Integrations (or Settings > API). To try without one: archive-mcp --sandbox."
)

SHOWN: dict[str, Callable[[Settings], object]] = {
    "ARCHIVE_APP_TOKEN": lambda given: _masked(given.token),
    "ARCHIVE_WORKSPACE_ID": lambda given: given.workspace,
    "ARCHIVE_API_URL": lambda given: shown_url(given.api_url),
    "ARCHIVEBOX_URL": lambda given: shown_url(given.archivebox_url or ""),
    "ARCHIVEBOX_API_KEY": lambda given: _masked(given.archivebox_key),
    "ARCHIVEBOX_USERNAME": lambda given: given.archivebox_username,
    "ARCHIVEBOX_PASSWORD": lambda _: "...",  # people choose it: even its end would tell too much
    "ARCHIVEBOX_CA_BUNDLE": lambda given: given.archivebox_ca_bundle,
    "ARCHIVE_MCP_TOOLSETS": lambda given: ",".join(given.toolsets),
    "ARCHIVE_MCP_READ_ONLY": lambda given: "on" if given.read_only else "off",
    "ARCHIVE_MCP_STATE_DIR": lambda given: given.state_dir,
    "ARCHIVE_MCP_EXPORT_DIR": lambda given: given.export_dir,
    "ARCHIVE_MCP_ALLOW_INSECURE": lambda _: "given",
    "ARCHIVE_MCP_CONFIRM": lambda given: given.confirm,
    "ARCHIVE_MCP_TIMEZONE": lambda given: given.timezone,
    "ARCHIVE_MCP_LOG_LEVEL": lambda given: given.log_level,
}
"""How a variable that was given is shown."""


def local_checks(settings: Settings, surface: Surface) -> Iterator[Check]:
    """Everything that needs no network."""
    yield from _versions()
    yield from _settings(settings)
    yield _tools(settings, surface)
    yield from [_in_memory()] if settings.sandbox else _state(settings.state_dir)


def shown_url(url: str) -> str:
    """A URL without its query, where people put keys."""
    return parse_origin(url) + urlsplit(url).path


def _versions() -> Iterator[Check]:
    parts = [f"archive-mcp {__version__}", f"Python {platform.python_version()}"]
    missing = []
    for label, package in (("MCP SDK", "mcp"), ("httpx", "httpx")):
        try:
            parts.append(f"{label} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    yield Check(
        "versions", "ok", f"{', '.join(parts)} on {platform.system() or 'an unknown system'}"
    )
    for package in missing:
        yield Check(
            "versions",
            "fail",
            f"The package {package} is not installed.",
            "Install archive-mcp again.",
        )


def _settings(settings: Settings) -> Iterator[Check]:
    for name, source in settings.sources.items():
        yield Check("settings", "ok", f"{name} = {SHOWN[name](settings)} (from {source})")
    if not settings.sources:
        yield Check("settings", "note", "No variable is set: the defaults hold.")
    for warning in settings.warnings:
        yield Check("settings", "warn", warning)


def _tools(settings: Settings, surface: Surface) -> Check:
    count = len(surface.listing())
    limits = (
        f"toolsets: {', '.join(settings.toolsets)}{'; read-only' if settings.read_only else ''}"
    )
    if count == 0:
        return Check(
            "tools",
            "warn",
            f"No tool is offered ({limits}).",
            "Set ARCHIVE_APP_TOKEN, or other toolsets.",
        )
    return Check("tools", "ok", f"{count} tools are offered ({limits})")


def _in_memory() -> Check:
    return Check("state", "ok", "The sandbox keeps its state in memory")


def _state(folder: Path) -> Iterator[Check]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
    except OSError as error:
        yield Check(
            "state",
            "fail",
            f"The folder {folder} cannot be written: {error.strerror or error}.",
            "Set ARCHIVE_MCP_STATE_DIR to a folder of yours; without one each process paces requests on its own, and "
            "several together exceed the limit.",
        )
        return
    yield Check("state", "ok", f"{folder} can be written")
    yield _limiter(folder)


def _limiter(folder: Path) -> Check:
    found = damage(folder)
    if found is None:
        return Check("limiter", "ok", "No request was paced yet on this machine")
    if found:
        hint = "Nothing to do: it is replaced with the next request."
        return Check("limiter", "warn", f"Its state file is damaged: {found}.", hint)
    return Check("limiter", "ok", "Its state file can be read")


def _masked(secret: Secret | None) -> str:
    return secret.masked() if secret else "..."
