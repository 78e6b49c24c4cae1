"""Settings: command line > process environment > `--env-file` > `./.env` > `~/.env.shared`."""

from server.settings.errors import SettingsError
from server.settings.settings import (
    DEFAULT_API_URL,
    ArchiveBoxVersion,
    ConfirmMode,
    EmvUnit,
    Settings,
    default_state_dir,
    load,
)
from server.settings.sources import VARIABLES, Source
from server.settings.values import Secret, StoredSecret

__all__ = [
    "DEFAULT_API_URL",
    "VARIABLES",
    "ArchiveBoxVersion",
    "ConfirmMode",
    "EmvUnit",
    "Secret",
    "Settings",
    "SettingsError",
    "Source",
    "StoredSecret",
    "default_state_dir",
    "load",
]
