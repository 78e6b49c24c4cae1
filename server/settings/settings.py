"""Settings: command line > process environment > `--env-file` > `./.env` > `~/.env.shared`.

An empty value counts as unset. `./.env` is the least trusted source, because hosts start servers in
whatever folder is open: it may name a workspace, and it may bring its own URL with its own secret,
but a secret from elsewhere is never sent to a URL that it chose.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal, get_args

from server.http.urls import find_url_problem
from server.settings.errors import SettingsError
from server.settings.sources import Source, collect, find_home, find_working_folder, may_send
from server.settings.values import Reader, Secret, StoredSecret

DEFAULT_API_URL = "https://app.archive.com/api/v2"

SchemaForm = Literal["open", "closed"]
ConfirmMode = Literal["ask", "token", "never"]
EmvUnit = Literal["cents", "dollars"]
# The versions that the ArchiveBox sandbox can imitate; the first is the default.
ArchiveBoxVersion = Literal["0.9.73", "0.9.74", "0.9.31", "0.8.5"]
# A username is missing on purpose: without its password it opens nothing.
_SECRETS_OF = {
    "ARCHIVE_API_URL": ("ARCHIVE_APP_TOKEN",),
    "ARCHIVEBOX_URL": ("ARCHIVEBOX_API_KEY", "ARCHIVEBOX_PASSWORD"),
}
_SCHEMA_FORMS: tuple[SchemaForm, ...] = get_args(SchemaForm)
_CONFIRM_MODES: tuple[ConfirmMode, ...] = get_args(ConfirmMode)
_EMV_UNITS: tuple[EmvUnit, ...] = get_args(EmvUnit)
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# macOS has no variable for it.
_STATE_VARIABLES = {"win32": "LOCALAPPDATA", "darwin": ""}
_STATE_FOLDERS = {
    "win32": ("AppData", "Local"),
    "darwin": ("Library", "Application Support"),
}
_NO_HOME = (
    "This user has no home folder, so state and exports are kept among the temporary files. Set "
    "HOME, or ARCHIVE_MCP_STATE_DIR and ARCHIVE_MCP_EXPORT_DIR."
)


@dataclass(frozen=True)
class Settings:
    """Holds everything that the server runs with; `sources` says where each variable came from."""

    api_url: str = DEFAULT_API_URL
    token: Secret | None = None
    workspace: str | None = None
    archivebox_url: str | None = None
    archivebox_key: Secret | None = None
    archivebox_username: str | None = None
    archivebox_password: Secret | None = None
    archivebox_ca_bundle: Path | None = None
    ca_bundle: Path | None = None
    toolsets: tuple[str, ...] = ("all",)
    # None: the name of the client decides.
    schema: SchemaForm | None = None
    quick_start: bool = True
    read_only: bool = False
    state_dir: Path = field(default_factory=lambda: default_state_dir(os.environ))
    export_dir: Path = field(default_factory=lambda: _default_export_dir(find_home()))
    audit_log: Path | None = None
    confirm: ConfirmMode = "ask"
    timezone: tzinfo = UTC
    # None: nobody said in which unit Archive gives the value of a post.
    emv_unit: EmvUnit | None = None
    log_level: str = "WARNING"
    sandbox: bool = False
    archivebox_version: ArchiveBoxVersion = "0.9.73"
    sources: Mapping[str, Source] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def shortens_listing(self) -> bool:
        """Whether hosts that cannot take all tools get fewer: of both APIs together, unless the
        user chose toolsets."""
        both = self.archive_configured == self.archivebox_configured
        return both and self.toolsets == ("all",) and "ARCHIVE_MCP_TOOLSETS" not in self.sources

    @property
    def archive_configured(self) -> bool:
        """Whether Archive can be called at all."""
        return self.sandbox or self.token is not None

    @property
    def archivebox_configured(self) -> bool:
        """Whether ArchiveBox can be called at all."""
        # The address is enough: a server may show its public pages without a key.
        return self.sandbox or self.archivebox_url is not None

    def describe_source(self, name: str) -> str:
        """Return where the value of a variable that is set comes from, in words."""
        secrets = {
            "ARCHIVE_APP_TOKEN": self.token,
            "ARCHIVEBOX_API_KEY": self.archivebox_key,
            "ARCHIVEBOX_PASSWORD": self.archivebox_password,
        }
        if isinstance(secrets.get(name), StoredSecret):
            return "from the keychain, which ~/.env.shared names"
        return f"from {self.sources[name]}"

    def list_secrets(self) -> list[str]:
        """Return the values that no outgoing text may hold; those of the keychain once they were
        read."""
        secrets = filter(None, (self.token, self.archivebox_key, self.archivebox_password))
        values = [secret.peek() for secret in secrets]
        password = self.archivebox_password
        # Together they are long enough even where the password alone is a common word.
        if self.archivebox_username and password and password.peek():
            values.append(f"{self.archivebox_username}:{password.peek()}")
        return list(filter(None, values))


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
    home = home or find_home()
    collection = collect(flags, env_file, environment, folder or find_working_folder(), home)
    values, warnings = collection.values, list(collection.warnings)
    if home is None:
        warnings.append(_NO_HOME)
    read = Reader(values, collection.places)
    # The sandbox sends nothing anywhere, so a bad URL must not keep anybody from trying it.
    if not sandbox:
        _check_urls(
            values, collection.sources, allow_insecure=read.flag("ARCHIVE_MCP_ALLOW_INSECURE")
        )
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
        ca_bundle=read.path("ARCHIVE_MCP_CA_BUNDLE"),
        toolsets=read.names("ARCHIVE_MCP_TOOLSETS") or ("all",),
        schema=read.optional_choice("ARCHIVE_MCP_SCHEMA", _SCHEMA_FORMS),
        quick_start=read.flag("ARCHIVE_MCP_QUICK_START", "on"),
        read_only=read.flag("ARCHIVE_MCP_READ_ONLY"),
        state_dir=read.path("ARCHIVE_MCP_STATE_DIR") or default_state_dir(environment),
        export_dir=read.path("ARCHIVE_MCP_EXPORT_DIR") or _default_export_dir(home),
        audit_log=read.path("ARCHIVE_MCP_AUDIT_LOG"),
        confirm=read.choice("ARCHIVE_MCP_CONFIRM", _CONFIRM_MODES, "ask"),
        timezone=read.timezone("ARCHIVE_MCP_TIMEZONE"),
        emv_unit=read.optional_choice("ARCHIVE_MCP_EMV_UNIT", _EMV_UNITS),
        log_level=read.choice("ARCHIVE_MCP_LOG_LEVEL", _LOG_LEVELS, "WARNING"),
        sandbox=sandbox,
        archivebox_version=archivebox_version,
        sources=collection.sources,
        warnings=tuple(warnings),
    )


def default_state_dir(environment: Mapping[str, str]) -> Path:
    """Return the platform's folder for state: limiter and journal, nothing secret."""
    # Local, not roaming: the limiter's clock and the jobs belong to this machine alone.
    if base := environment.get(_STATE_VARIABLES.get(sys.platform, "XDG_STATE_HOME")):
        return Path(base) / "archive-mcp"
    home = find_home()
    if home is None:
        return _homeless_folder()
    folders = _STATE_FOLDERS.get(sys.platform, (".local", "state"))
    return home.joinpath(*folders, "archive-mcp")


def _default_export_dir(home: Path | None) -> Path:
    return (home or _homeless_folder()) / "archive-mcp-exports"


def _homeless_folder() -> Path:
    """Return the folder of a user without a home: one of their own among the temporary ones."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"archive-mcp-{user}"


def _check_urls(
    values: Mapping[str, str], sources: Mapping[str, Source], *, allow_insecure: bool
) -> None:
    for variable, secrets in _SECRETS_OF.items():
        if variable not in values:
            continue
        if why := find_url_problem(variable, values[variable], allow_insecure=allow_insecure):
            raise SettingsError(why)
        for secret in secrets:
            if secret not in values:
                continue
            url_source, secret_source = sources[variable], sources[secret]
            if may_send(secret_source, url_source):
                continue
            raise SettingsError(
                f"{variable} comes from {url_source} but {secret} from {secret_source}: "
                "a secret is only sent to a URL from the same source or from one with a "
                "higher rank. Set both in the same place, or remove "
                f"{variable} from {url_source}."
            )
