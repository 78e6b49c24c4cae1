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
from server.limiter.health import find_damage
from server.private_folder import is_open_to_others, make_private
from server.settings import Secret, Settings
from server.tool.catalog import Catalog
from server.tool.hosts import FEW, MOST_TOOLS, hosts_with_few_tools

WHAT_TO_SET = (
    "Run `archive-mcp setup`: it stores your token for all clients (or put ARCHIVE_APP_TOKEN into "
    "~/.env.shared yourself). You get a token in Archive under Settings > Integrations (or "
    "Settings > API). To try it without a token: `archive-mcp setup --sandbox`, or "
    "`archive-mcp doctor --sandbox` for this check."
)

# Variable -> what the report shows of its value.
RENDERERS: dict[str, Callable[[Settings], object]] = {
    "ARCHIVE_APP_TOKEN": lambda settings: _render_secret(settings.token),
    "ARCHIVE_WORKSPACE_ID": lambda settings: settings.workspace,
    "ARCHIVE_API_URL": lambda settings: render_url(settings.api_url),
    "ARCHIVEBOX_URL": lambda settings: render_url(settings.archivebox_url or ""),
    "ARCHIVEBOX_API_KEY": lambda settings: _render_secret(settings.archivebox_key),
    "ARCHIVEBOX_USERNAME": lambda settings: settings.archivebox_username,
    # People choose it: even its last characters would tell too much.
    "ARCHIVEBOX_PASSWORD": lambda _: _HIDDEN,
    "ARCHIVEBOX_CA_BUNDLE": lambda settings: settings.archivebox_ca_bundle,
    "ARCHIVE_MCP_TOOLSETS": lambda settings: ",".join(settings.toolsets),
    "ARCHIVE_MCP_SCHEMA": lambda settings: settings.schema,
    "ARCHIVE_MCP_QUICK_START": lambda settings: "on" if settings.quick_start else "off",
    "ARCHIVE_MCP_READ_ONLY": lambda settings: "on" if settings.read_only else "off",
    "ARCHIVE_MCP_STATE_DIR": lambda settings: settings.state_dir,
    "ARCHIVE_MCP_EXPORT_DIR": lambda settings: settings.export_dir,
    "ARCHIVE_MCP_AUDIT_LOG": lambda settings: settings.audit_log,
    # Only the check of the URLs reads it: the settings do not keep the value.
    "ARCHIVE_MCP_ALLOW_INSECURE": lambda _: "set",
    "ARCHIVE_MCP_CONFIRM": lambda settings: settings.confirm,
    "ARCHIVE_MCP_CA_BUNDLE": lambda settings: settings.ca_bundle,
    "ARCHIVE_MCP_TIMEZONE": lambda settings: settings.timezone,
    "ARCHIVE_MCP_EMV_UNIT": lambda settings: settings.emv_unit,
    "ARCHIVE_MCP_LOG_LEVEL": lambda settings: settings.log_level,
}
_HIDDEN = "<hidden>"


def check_locally(settings: Settings, surface: Catalog) -> Iterator[Check]:
    """Yield every check that needs no network."""
    yield from _check_versions()
    yield from _check_settings(settings)
    yield _check_tools(settings, surface)
    if settings.shortens_listing:
        yield Check("hosts", "note", _describe_short_listing(surface))
    if settings.sandbox:
        yield Check("state", "ok", "the sandbox keeps its state in memory")
    else:
        yield from _check_state(settings.state_dir)
    yield _check_exports(settings.export_dir)


def render_url(url: str) -> str:
    """Return a URL without its query, where people put keys."""
    return parse_origin(url) + urlsplit(url).path


def _check_versions() -> Iterator[Check]:
    parts = [f"archive-mcp {__version__}", f"Python {platform.python_version()}"]
    missing: list[str] = []
    for label, package in (("MCP SDK", "mcp"), ("httpx", "httpx")):
        try:
            parts.append(f"{label} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    system = platform.system() or "an unknown system"
    yield Check("versions", "ok", f"{', '.join(parts)} on {system}")
    for package in missing:
        problem = f"The package {package} is not installed."
        yield Check("versions", "fail", problem, "Install archive-mcp again.")


def _check_settings(settings: Settings) -> Iterator[Check]:
    for name in settings.sources:
        value = RENDERERS[name](settings)
        yield Check("settings", "ok", f"{name} = {value} ({settings.describe_source(name)})")
    if not settings.sources:
        yield Check("settings", "note", "Nothing is configured yet; using defaults.")
    for warning in settings.warnings:
        yield Check("settings", "warn", warning)


def _check_tools(settings: Settings, surface: Catalog) -> Check:
    count = len(surface.list_tools())
    limits = f"toolsets: {', '.join(settings.toolsets)}"
    if settings.read_only:
        limits += "; read-only"
    if count == 0:
        hint = "Set ARCHIVE_APP_TOKEN, or choose other toolsets."
        return Check("tools", "warn", f"No tool is offered ({limits}).", hint)
    return Check("tools", "ok", f"{count} tools are offered ({limits})")


def _describe_short_listing(surface: Catalog) -> str:
    count = len(surface.list_tools(FEW))
    return (
        f"{', '.join(hosts_with_few_tools())} send every tool to models that take {MOST_TOOLS} at "
        f"most: they are listed {count}, which reach all others. --toolsets all lists all there too"
    )


def _check_exports(folder: Path) -> Check:
    # It is made with the first export: until then its parent decides.
    place = folder if folder.exists() else folder.parent
    if problem := _find_folder_problem(place):
        return Check(
            "exports",
            "warn",
            f"No export can be written to {folder}: {problem}.",
            "Set ARCHIVE_MCP_EXPORT_DIR to a folder of yours.",
        )
    if is_open_to_others(place) and place == folder:
        return Check(
            "exports",
            "warn",
            f"Other users can write to {folder}.",
            f"Take that right from them (chmod go-w {folder}), or set ARCHIVE_MCP_EXPORT_DIR to "
            "a folder of yours. The next export does so where it can, and is refused otherwise.",
        )
    return Check("exports", "ok", f"{folder} is writable")


def _find_folder_problem(folder: Path) -> str:
    """Return why no file can be written to a folder; empty if one can."""
    try:
        # Permissions alone do not show a full disk or a read-only mount.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _make_private(folder: Path) -> str:
    """Make a folder for this user alone, as the limiter and the journal do; return why it could not
    be made."""
    try:
        make_private(folder)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _check_state(folder: Path) -> Iterator[Check]:
    was_open = folder.is_dir() and is_open_to_others(folder)
    if problem := _make_private(folder) or _find_folder_problem(folder):
        yield Check(
            "state",
            "fail",
            f"The folder {folder} is not writable: {problem}.",
            "Set ARCHIVE_MCP_STATE_DIR to a folder of yours. Without one each process paces its "
            "requests alone, and several together exceed Archive's limit.",
        )
        return
    if was_open:
        result = "still can" if is_open_to_others(folder) else "can no longer"
        yield Check("state", "warn", f"Other users could write to {folder}; they {result}.")
    yield Check("state", "ok", f"{folder} is writable")
    yield _check_limiter(folder)


def _check_limiter(folder: Path) -> Check:
    problem = find_damage(folder)
    if problem is None:
        return Check("limiter", "ok", "no requests made from this computer yet")
    if problem:
        hint = "There is nothing to do: the next request replaces it."
        return Check("limiter", "warn", f"Its state file is damaged: {problem}.", hint)
    return Check("limiter", "ok", "its state file is intact")


def _render_secret(secret: Secret | None) -> str:
    mask = secret.mask() if secret else "..."
    # Dots alone would read as an empty value.
    return _HIDDEN if mask == "..." else mask
