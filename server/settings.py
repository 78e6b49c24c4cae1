"""Settings: command line > process environment > `--env-file` > `./.env` > `~/.env.shared`.

An empty value counts as unset. `./.env` is the least trusted source, because hosts start servers in
whatever folder is open: it may name a workspace, and it may bring its own URL with its own secret,
but a secret from elsewhere is never sent to a URL that it chose.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal, get_args

from server.http.urls import find_url_problem

DEFAULT_API_URL = "https://app.archive.com/api/v2"

ConfirmMode = Literal["ask", "token", "never"]
ArchiveBoxVersion = Literal["0.9.73", "0.9.31", "0.8.5"]
"""Versions that the sandbox can be."""
Source = Literal["command line", "environment", "--env-file", "./.env", "~/.env.shared"]

_SECRETS_OF = {
    "ARCHIVE_API_URL": ("ARCHIVE_APP_TOKEN",),
    "ARCHIVEBOX_URL": ("ARCHIVEBOX_API_KEY", "ARCHIVEBOX_PASSWORD"),
}
_NOT_FROM_WORKING_FOLDER = frozenset(
    {
        "ARCHIVE_MCP_STATE_DIR",
        "ARCHIVE_MCP_EXPORT_DIR",
        "ARCHIVE_MCP_ALLOW_INSECURE",
        "ARCHIVE_MCP_CONFIRM",
        "ARCHIVEBOX_CA_BUNDLE",
    }
)
_KNOWN = (
    "ARCHIVE_APP_TOKEN",
    "ARCHIVE_WORKSPACE_ID",
    "ARCHIVE_API_URL",
    "ARCHIVEBOX_URL",
    "ARCHIVEBOX_API_KEY",
    "ARCHIVEBOX_USERNAME",
    "ARCHIVEBOX_PASSWORD",
    "ARCHIVEBOX_CA_BUNDLE",
    "ARCHIVE_MCP_TOOLSETS",
    "ARCHIVE_MCP_READ_ONLY",
    "ARCHIVE_MCP_STATE_DIR",
    "ARCHIVE_MCP_EXPORT_DIR",
    "ARCHIVE_MCP_ALLOW_INSECURE",
    "ARCHIVE_MCP_CONFIRM",
    "ARCHIVE_MCP_TIMEZONE",
    "ARCHIVE_MCP_LOG_LEVEL",
)
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """A setting that cannot be used; the message says which one, why, and what to do."""


class Secret:
    """A value that shows itself only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the header that carries it."""
        return self._value

    def masked(self) -> str:
        """Enough to tell two secrets apart: the last four characters of a long one."""
        return f"...{self._value[-4:]}" if len(self._value) >= 16 else "..."

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Settings:
    """What the server runs with; `sources` tells where each given variable came from."""

    api_url: str = DEFAULT_API_URL
    token: Secret | None = None
    workspace: str | None = None
    archivebox_url: str | None = None
    archivebox_key: Secret | None = None
    archivebox_username: str | None = None
    archivebox_password: Secret | None = None
    archivebox_ca_bundle: Path | None = None
    toolsets: tuple[str, ...] = ("all",)
    read_only: bool = False
    state_dir: Path = field(default_factory=lambda: default_state_dir(os.environ))
    export_dir: Path = field(default_factory=lambda: Path.home() / "archive-mcp-exports")
    confirm: ConfirmMode = "ask"
    timezone: tzinfo = UTC
    log_level: str = "WARNING"
    sandbox: bool = False
    archivebox_version: ArchiveBoxVersion = "0.9.73"
    sources: Mapping[str, Source] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def archive_configured(self) -> bool:
        """Whether calls to Archive can be made at all."""
        return self.sandbox or self.token is not None

    @property
    def archivebox_configured(self) -> bool:
        """Whether calls to ArchiveBox can be made at all."""
        return self.sandbox or self.archivebox_url is not None


def load(
    flags: Mapping[str, str],
    *,
    sandbox: bool = False,
    archivebox_version: ArchiveBoxVersion = "0.9.73",
    env_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    folder: Path | None = None,
    home: Path | None = None,
) -> Settings:
    """Read all sources and check what they say together.

    Args:
        flags: variables given on the command line, under their environment names.
        folder, home: where `./.env` and `~/.env.shared` are looked for.

    Raises: SettingsError: a value that cannot be used, or a secret that would go to a URL its
        source did not choose.
    """
    values, sources, ignored = _gather(
        flags, env_file, environment, folder or Path.cwd(), home or Path.home()
    )
    read = _Reader(values)
    if not sandbox:
        _check_urls(values, sources, allow_insecure=read.flag("ARCHIVE_MCP_ALLOW_INSECURE"))
    return Settings(
        # What is configured belongs to the real Archive: the sandbox has workspaces of its own.
        api_url=DEFAULT_API_URL if sandbox else values.get("ARCHIVE_API_URL", DEFAULT_API_URL),
        token=read.secret("ARCHIVE_APP_TOKEN"),
        workspace=None if sandbox else values.get("ARCHIVE_WORKSPACE_ID"),
        archivebox_url=values.get("ARCHIVEBOX_URL"),
        archivebox_key=read.secret("ARCHIVEBOX_API_KEY"),
        archivebox_username=values.get("ARCHIVEBOX_USERNAME"),
        archivebox_password=read.password("ARCHIVEBOX_PASSWORD"),
        archivebox_ca_bundle=read.path("ARCHIVEBOX_CA_BUNDLE"),
        toolsets=read.names("ARCHIVE_MCP_TOOLSETS") or ("all",),
        read_only=read.flag("ARCHIVE_MCP_READ_ONLY"),
        state_dir=read.path("ARCHIVE_MCP_STATE_DIR") or default_state_dir(environment),
        export_dir=read.path("ARCHIVE_MCP_EXPORT_DIR")
        or (home or Path.home()) / "archive-mcp-exports",
        confirm=read.confirm(),
        timezone=read.timezone(),
        log_level=read.one_of("ARCHIVE_MCP_LOG_LEVEL", _LOG_LEVELS) or "WARNING",
        sandbox=sandbox,
        archivebox_version=archivebox_version,
        sources=sources,
        warnings=tuple(ignored),
    )


def default_state_dir(environment: Mapping[str, str]) -> Path:
    """The platform's folder for state: limiter and journal, nothing secret."""
    if sys.platform == "win32":
        return (
            Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
            / "archive-mcp"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "archive-mcp"
    return (
        Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "archive-mcp"
    )


def _gather(
    flags: Mapping[str, str],
    env_file: Path | None,
    environment: Mapping[str, str],
    folder: Path,
    home: Path,
) -> tuple[dict[str, str], dict[str, Source], list[str]]:
    if env_file is not None and not env_file.is_file():
        raise SettingsError(f"--env-file: there is no file {env_file}.")
    layers: tuple[tuple[Source, Callable[[], Mapping[str, str | None]]], ...] = (
        ("command line", lambda: flags),
        ("environment", lambda: environment),
        ("--env-file", lambda: _dotenv(env_file) if env_file else {}),
        ("./.env", lambda: _dotenv(folder / ".env")),
        ("~/.env.shared", lambda: _dotenv(home / ".env.shared")),
    )
    values: dict[str, str] = {}
    sources: dict[str, Source] = {}
    ignored: list[str] = []
    for source, read in layers:
        found = read()
        for name in _KNOWN:
            value = (found.get(name) or "").strip()
            if not value or name in values:
                continue
            if source == "./.env" and name in _NOT_FROM_WORKING_FOLDER:
                ignored.append(
                    f"{name} in ./.env is ignored: set it in the environment or in ~/.env.shared."
                )
                continue
            if source == "./.env" and name == "ARCHIVE_MCP_READ_ONLY" and value.lower() in _NO:
                continue  # it may make the server safer, never less safe
            values[name], sources[name] = value, source
    return values, sources, ignored


def _dotenv(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # only where there is a file: start-up should not pay for it

    try:
        # No interpolation: a `$` in a token is a `$`. Windows editors put a byte order mark first.
        return dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read as UTF-8 text.") from None


def _check_urls(
    values: Mapping[str, str], sources: Mapping[str, Source], *, allow_insecure: bool
) -> None:
    for variable, secrets in _SECRETS_OF.items():
        if variable not in values:
            continue
        if why := find_url_problem(variable, values[variable], allow_insecure=allow_insecure):
            raise SettingsError(why)
        for secret in secrets:
            if secret in values and not _may_send(sources[secret], sources[variable]):
                raise SettingsError(
                    f"{variable} comes from {sources[variable]} but {secret} from {sources[secret]}: a secret is only "
                    f"sent to a URL that its own source, or one above it, chose. Set both in the same place, or remove "
                    f"{variable} from {sources[variable]}."
                )


def _may_send(secret: Source, url: Source) -> bool:
    if url == secret:
        return True
    order = get_args(Source)
    return url != "./.env" and order.index(url) < order.index(secret)


class _Reader:
    """Reads typed values, naming the variable in every complaint."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def secret(self, name: str) -> Secret | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not value.isascii() or not value.isprintable() or " " in value:
            raise SettingsError(
                f"{name} contains a space or a character that no key has: copy it again."
            )
        return Secret(value)

    def password(self, name: str) -> Secret | None:
        """People choose passwords: blanks and any letters are theirs to use."""
        value = self._values.get(name)
        return Secret(value) if value else None

    def path(self, name: str) -> Path | None:
        value = self._values.get(name)
        return Path(value).expanduser().absolute() if value else None

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._values.get(name, "").split(",") if part.strip())

    def flag(self, name: str) -> bool:
        value = self._values.get(name, "off").lower()
        if value not in _YES | _NO:
            raise SettingsError(f"{name} must be on or off; got {value!r}.")
        return value in _YES

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if value.upper() not in allowed:
            raise SettingsError(f"{name} must be one of {', '.join(allowed)}; got {value!r}.")
        return value.upper()

    def confirm(self) -> ConfirmMode:
        value = self._values.get("ARCHIVE_MCP_CONFIRM", "ask").lower()
        for mode in get_args(ConfirmMode):
            if value == mode:
                return mode  # type: ignore[no-any-return]  # get_args is untyped
        raise SettingsError(f"ARCHIVE_MCP_CONFIRM must be one of ask, token, never; got {value!r}.")

    def timezone(self) -> tzinfo:
        name = self._values.get("ARCHIVE_MCP_TIMEZONE", "UTC")
        if name.upper() in ("UTC", "Z"):
            return UTC
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"ARCHIVE_MCP_TIMEZONE: no zone {name!r} is known here; write one like Europe/Berlin."
            ) from None
