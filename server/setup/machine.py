"""The computer as setup sees it: its system, the user's home, and which programs there are."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.settings.sources import find_home

# What hosts hand on to the servers that they start, and nothing else.
_POSIX = ("HOME", "LOGNAME", "SHELL", "TERM", "USER")
_WINDOWS = (
    "APPDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATH",
    "PROCESSOR_ARCHITECTURE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERNAME",
    "USERPROFILE",
)
_NETWORK = frozenset(
    {
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "UV_SYSTEM_CERTS",
        "UV_NATIVE_TLS",
        "UV_DEFAULT_INDEX",
        "UV_INDEX_URL",
    }
)
# A host that was started by a click has no more of a path than this.
_POSIX_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Machine:
    """A computer and its user.

    Args:
        home: the user's home folder.
        platform: the system, as `sys.platform` names it.
        environment: the variables of this process.
        which: returns the full path of a program, or None.
    """

    home: Path
    platform: str = sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    which: Callable[[str], str | None] = shutil.which

    @classmethod
    def here(cls) -> Machine | None:
        """Return this computer; None for a user without a home, who has no clients either."""
        home = find_home()
        return cls(home) if home else None

    def small_environment(self) -> dict[str, str]:
        """Return the few variables that a host starts a server with."""
        is_windows = self.platform == "win32"
        names = _WINDOWS if is_windows else _POSIX
        variables = {name: self.environment[name] for name in self.environment.keys() & set(names)}
        if not is_windows:
            variables |= {"HOME": str(self.home), "PATH": _POSIX_PATH}
        return variables

    def list_left_out(self) -> list[str]:
        """Return the network variables (proxies, certificates) that only this terminal has."""
        return sorted(self.environment.keys() & _NETWORK)

    def folder(self, name: str, *default: str) -> Path:
        """Return the folder that a variable names, or a folder in the user's home."""
        value = self.environment.get(name)
        return Path(value) if value else self.home.joinpath(*default)

    def shorten(self, path: Path) -> str:
        """Return a path as people write it: `~` stands for the home."""
        if not path.is_relative_to(self.home):
            return str(path)
        return f"~/{path.relative_to(self.home).as_posix()}"
