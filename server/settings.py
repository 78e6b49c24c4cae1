"""Settings: command line > process environment > `--env-file` > `./.env` > `~/.env.shared`.

An empty value counts as unset. `./.env` is the least trusted source, because hosts start servers in
whatever folder is open: it may name a workspace, and it may bring its own URL with its own secret,
but a secret from elsewhere is never sent to a URL that it chose.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal, TypeVar, get_args

from server.http.urls import find_url_problem

DEFAULT_API_URL = "https://app.archive.com/api/v2"

ConfirmMode = Literal["ask", "token", "never"]
# The versions that the ArchiveBox sandbox can imitate; the first is the default.
ArchiveBoxVersion = Literal["0.9.73", "0.9.74", "0.9.31", "0.8.5"]
# The order is the precedence: the first source with a value wins.
Source = Literal["command line", "environment", "--env-file", "./.env", "~/.env.shared"]

# A username is missing on purpose: without its password it opens nothing.
_SECRETS_OF = {
    "ARCHIVE_API_URL": ("ARCHIVE_APP_TOKEN",),
    "ARCHIVEBOX_URL": ("ARCHIVEBOX_API_KEY", "ARCHIVEBOX_PASSWORD"),
}
# A stranger's repository may be the open folder, and its `./.env` is read unasked: it must neither
# choose where files go nor switch off a protection.
_NOT_FROM_WORKING_FOLDER = frozenset(
    {
        "ARCHIVE_MCP_STATE_DIR",
        "ARCHIVE_MCP_EXPORT_DIR",
        "ARCHIVE_MCP_ALLOW_INSECURE",
        "ARCHIVE_MCP_CONFIRM",
        "ARCHIVEBOX_CA_BUNDLE",
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
    "ARCHIVE_MCP_READ_ONLY",
    "ARCHIVE_MCP_STATE_DIR",
    "ARCHIVE_MCP_EXPORT_DIR",
    "ARCHIVE_MCP_ALLOW_INSECURE",
    "ARCHIVE_MCP_CONFIRM",
    "ARCHIVE_MCP_TIMEZONE",
    "ARCHIVE_MCP_LOG_LEVEL",
)
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_CONFIRM_MODES: tuple[ConfirmMode, ...] = get_args(ConfirmMode)
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_KEY = re.compile(r"[!-~]+")
Choice = TypeVar("Choice", bound=str)


class SettingsError(Exception):
    """A setting cannot be used; the message says which one, why, and what to do."""


class Secret:
    """Hold a value that no log line, error or repr shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the header that carries it."""
        return self._value

    def mask(self) -> str:
        """Return enough to tell two secrets apart: the last four characters of a long one."""
        # Four characters of a short secret would be a large part of it.
        return f"...{self._value[-4:]}" if len(self._value) >= 16 else "..."

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Settings:
    """Hold everything that the server runs with; `sources` says where each variable came from."""

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
        """Whether Archive can be called at all."""
        return self.sandbox or self.token is not None

    @property
    def archivebox_configured(self) -> bool:
        """Whether ArchiveBox can be called at all."""
        # The address is enough: a server may show its public pages without a key.
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
    """Read all sources and return the settings that result from them.

    Args:
        flags: variables from the command line, under their environment names.
        folder: where `./.env` is; the working folder by default.
        home: where `~/.env.shared` is; the user's home by default.

    Raises:
        SettingsError: A value cannot be used, or a secret would go to a URL that its source did
            not choose.
    """
    home = home or Path.home()
    values, sources, ignored = _gather(flags, env_file, environment, folder or Path.cwd(), home)
    read = _Reader(values)
    # The sandbox sends nothing anywhere, so a bad URL must not keep anybody from trying it.
    if not sandbox:
        _check_urls(values, sources, allow_insecure=read.flag("ARCHIVE_MCP_ALLOW_INSECURE"))
    return Settings(
        # URL and workspace belong to the real Archive: the sandbox has workspaces of its own.
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
        export_dir=read.path("ARCHIVE_MCP_EXPORT_DIR") or home / "archive-mcp-exports",
        confirm=read.choice("ARCHIVE_MCP_CONFIRM", _CONFIRM_MODES, "ask"),
        timezone=read.timezone(),
        log_level=read.choice("ARCHIVE_MCP_LOG_LEVEL", _LOG_LEVELS, "WARNING"),
        sandbox=sandbox,
        archivebox_version=archivebox_version,
        sources=sources,
        warnings=tuple(ignored),
    )


def default_state_dir(environment: Mapping[str, str]) -> Path:
    """Return the platform's folder for state: limiter and journal, nothing secret."""
    if sys.platform == "win32":
        # Local, not roaming: the limiter's clock and the jobs belong to this machine alone.
        base = environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "archive-mcp"


def _gather(
    flags: Mapping[str, str],
    env_file: Path | None,
    environment: Mapping[str, str],
    folder: Path,
    home: Path,
) -> tuple[dict[str, str], dict[str, Source], list[str]]:
    """Return the values, the source of each, and a warning for each that was ignored."""
    if env_file is not None and not env_file.is_file():
        raise SettingsError(f"--env-file: there is no file {env_file}.")
    layers: dict[Source, Mapping[str, str | None]] = {
        "command line": flags,
        "environment": environment,
        "--env-file": _dotenv(env_file) if env_file else {},
        "./.env": _dotenv(folder / ".env"),
        "~/.env.shared": _dotenv(home / ".env.shared"),
    }
    values: dict[str, str] = {}
    sources: dict[str, Source] = {}
    warnings: list[str] = []
    for source, layer in layers.items():
        for name in VARIABLES:
            value = (layer.get(name) or "").strip()
            if not value or name in values:
                continue
            if source == "./.env" and name in _NOT_FROM_WORKING_FOLDER:
                warnings.append(
                    f"{name} in ./.env is ignored: set it in the environment or in ~/.env.shared."
                )
            elif source != "./.env" or not _lifts_read_only(name, value):
                values[name], sources[name] = value, source
    return values, sources, warnings


def _lifts_read_only(name: str, value: str) -> bool:
    # `./.env` may make the server safer, never less safe.
    return name == "ARCHIVE_MCP_READ_ONLY" and value.lower() in _NO


def _dotenv(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    # Imported only where there is a file: the start of a server should not pay for it.
    from dotenv import dotenv_values

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
                url_source, secret_source = sources[variable], sources[secret]
                raise SettingsError(
                    f"{variable} comes from {url_source} but {secret} from {secret_source}: "
                    "a secret is only sent to a URL from the same source or from one with a "
                    "higher rank. Set both in the same place, or remove "
                    f"{variable} from {url_source}."
                )


def _may_send(secret: Source, url: Source) -> bool:
    if url == secret:
        return True
    # For precedence `./.env` ranks above `~/.env.shared`; for trust it ranks last.
    order = get_args(Source)
    return url != "./.env" and order.index(url) < order.index(secret)


class _Reader:
    """Read typed values; every complaint names the variable."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def secret(self, name: str) -> Secret | None:
        value = self._values.get(name)
        if value is None:
            return None
        # HTTP headers take nothing else; other characters come from copying too much or too little.
        # The message does not quote the value: it is a secret all the same.
        if not _KEY.fullmatch(value):
            raise SettingsError(
                f"{name} contains a space or a character that keys never have: copy it again."
            )
        return Secret(value)

    def password(self, name: str) -> Secret | None:
        # People choose passwords, and may use blanks and any letters; no header carries them.
        value = self._values.get(name)
        return Secret(value) if value else None

    def path(self, name: str) -> Path | None:
        value = self._values.get(name)
        # Absolute, because hosts start the server in whatever folder is open.
        return Path(value).expanduser().absolute() if value else None

    def names(self, name: str) -> tuple[str, ...]:
        parts = self._values.get(name, "").split(",")
        return tuple(filter(None, map(str.strip, parts)))

    def flag(self, name: str) -> bool:
        value = self._values.get(name, "off").lower()
        if value not in _YES | _NO:
            raise SettingsError(f"{name} must be on or off; got {value!r}.")
        return value in _YES

    def choice(self, name: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        value = self._values.get(name, default)
        for choice in choices:
            if choice.casefold() == value.casefold():
                return choice
        raise SettingsError(f"{name} must be one of {', '.join(choices)}; got {value!r}.")

    def timezone(self) -> tzinfo:
        name = self._values.get("ARCHIVE_MCP_TIMEZONE", "UTC")
        if name.upper() in ("UTC", "Z"):
            return UTC
        # Imported late: most people keep UTC, and the start should not pay for the zones.
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"ARCHIVE_MCP_TIMEZONE: unknown time zone {name!r}; use a name like Europe/Berlin."
            ) from None
