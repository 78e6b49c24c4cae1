"""Where settings come from, which source wins, and how far each is trusted.

An empty value counts as unset, and so does what a client or a manual left in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from server.settings.env_files import EnvFile, EnvFileError, NotTextError, read_env_file
from server.settings.errors import SettingsError
from server.settings.values import (
    KEYCHAIN,
    NO,
    clean_key,
    is_placeholder,
    is_unexpanded,
)

# The order is the precedence: the first source with a value wins.
Source = Literal["command line", "environment", "--env-file", "./.env", "~/.env.shared"]

# A stranger's repository may be the open folder, and its `./.env` is read unasked: it must neither
# choose where files go, nor switch off a protection, nor make amounts of money a hundred times too
# large.
_NOT_FROM_WORKING_FOLDER = frozenset(
    {
        "ARCHIVE_MCP_STATE_DIR",
        "ARCHIVE_MCP_EXPORT_DIR",
        "ARCHIVE_MCP_AUDIT_LOG",
        "ARCHIVE_MCP_ALLOW_INSECURE",
        "ARCHIVE_MCP_CONFIRM",
        "ARCHIVE_MCP_EMV_UNIT",
        "ARCHIVEBOX_CA_BUNDLE",
        "ARCHIVE_MCP_CA_BUNDLE",
    }
)
VARIABLES = (
    "ARCHIVE_APP_TOKEN",
    "ARCHIVE_WORKSPACE_ID",
    "ARCHIVE_API_URL",
    "ARCHIVEBOX_URL",
    "ARCHIVEBOX_API_KEY",
    "ARCHIVEBOX_USERNAME",
    "ARCHIVEBOX_PASSWORD",
    "ARCHIVEBOX_CA_BUNDLE",
    "ARCHIVE_MCP_TOOLSETS",
    "ARCHIVE_MCP_SCHEMA",
    "ARCHIVE_MCP_QUICK_START",
    "ARCHIVE_MCP_READ_ONLY",
    "ARCHIVE_MCP_STATE_DIR",
    "ARCHIVE_MCP_EXPORT_DIR",
    "ARCHIVE_MCP_AUDIT_LOG",
    "ARCHIVE_MCP_ALLOW_INSECURE",
    "ARCHIVE_MCP_CONFIRM",
    "ARCHIVE_MCP_CA_BUNDLE",
    "ARCHIVE_MCP_TIMEZONE",
    "ARCHIVE_MCP_EMV_UNIT",
    "ARCHIVE_MCP_LOG_LEVEL",
)
KEYS = ("ARCHIVE_APP_TOKEN", "ARCHIVEBOX_API_KEY")


@dataclass
class Collection:
    """The text of each variable, its source and its place in words, and what was left out."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def find_home() -> Path | None:
    """Return the user's home, or None for a user without one, as containers have."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def find_working_folder() -> Path | None:
    """Return the working folder, or None where it has been deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None


def collect(
    flags: Mapping[str, str],
    env_file: Path | None,
    environment: Mapping[str, str],
    folder: Path | None,
    home: Path | None,
) -> Collection:
    """Return each variable from the first source that has it.

    Args:
        folder: where `./.env` is, if anywhere.
        home: where `~/.env.shared` is, if anywhere.

    Raises:
        SettingsError: A file that the user named or made for this server cannot be read.
    """
    collection = Collection()
    _add(collection, "command line", EnvFile(flags))
    _add(collection, "environment", EnvFile(environment))
    if env_file is not None:
        _add(collection, "--env-file", _read_named(env_file))
    if folder is not None:
        _add(collection, "./.env", _read_open_folder(folder / ".env", collection.warnings))
    if home is not None:
        _add(collection, "~/.env.shared", _read_shared(home / ".env.shared", collection.warnings))
    return collection


def may_send(secret: Source, url: Source) -> bool:
    """Return whether a secret of one source may go to a URL of another."""
    if url == secret:
        return True
    # For precedence `./.env` ranks above `~/.env.shared`; for trust it ranks last.
    order = get_args(Source)
    return url != "./.env" and order.index(url) < order.index(secret)


def _read_named(path: Path) -> EnvFile:
    if not path.exists():
        raise SettingsError(f"--env-file: there is no file {path}.")
    try:
        return read_env_file(path, VARIABLES)
    except EnvFileError as error:
        raise SettingsError(f"--env-file: {error}") from None


def _read_open_folder(path: Path, warnings: list[str]) -> EnvFile:
    # Hosts start servers in whatever folder is open: none may keep this one from starting.
    try:
        return read_env_file(path, VARIABLES)
    except EnvFileError as error:
        warnings.append(f"./.env is ignored: {error}")
        return EnvFile()


def _read_shared(path: Path, warnings: list[str]) -> EnvFile:
    try:
        return read_env_file(path, VARIABLES)
    # Without its settings the server would run as something else than the user set up.
    except NotTextError as error:
        raise SettingsError(str(error)) from None
    except EnvFileError as error:
        warnings.append(f"~/.env.shared is ignored: {error}")
        return EnvFile()


def _add(collection: Collection, source: Source, file: EnvFile) -> None:
    """Add what a source says about variables that no source before it has set."""
    collection.warnings += file.warnings
    for name in VARIABLES:
        value = _read_value(file, name)
        if not value or name in collection.values:
            continue
        place = _describe_place(source, file, name)
        if problem := _find_problem(source, name, value):
            collection.warnings.append(f"{name} ({place}) is ignored: {problem}")
        elif not _loosens(source, name, value):
            collection.values[name] = value
            collection.sources[name] = source
            collection.places[name] = place


def _read_value(file: EnvFile, name: str) -> str:
    value = file.values.get(name, "").strip()
    return clean_key(value) if name in KEYS else value


def _describe_place(source: Source, file: EnvFile, name: str) -> str:
    line = file.lines.get(name)
    return source if line is None else f"{source}, line {line}"


def _loosens(source: Source, name: str, value: str) -> bool:
    # `./.env` may make the server safer, never less safe.
    is_read_only = (source, name) == ("./.env", "ARCHIVE_MCP_READ_ONLY")
    return is_read_only and value.lower() in NO


def _find_problem(source: Source, name: str, value: str) -> str:
    """Return why a value is not used; empty if it is."""
    return _find_wrong_place(source, name, value) or _find_wrong_value(name, value)


def _find_wrong_place(source: Source, name: str, value: str) -> str:
    if source == "./.env" and name in _NOT_FROM_WORKING_FOLDER:
        return "set it in the environment or in ~/.env.shared."
    # Elsewhere a stranger could have the user's own token sent to an address of theirs.
    if value == KEYCHAIN and source != "~/.env.shared":
        return "the keychain is read only where ~/.env.shared says so; `archive-mcp setup` does."
    return ""


def _find_wrong_value(name: str, value: str) -> str:
    if is_unexpanded(value):
        return (
            f"{value} is the name of a variable that the client left as it stands; "
            f"${{{name}:-}} is empty where it is not set."
        )
    if name in KEYS and is_placeholder(value):
        return "it is the placeholder of an example; put your own key in its place."
    return ""
