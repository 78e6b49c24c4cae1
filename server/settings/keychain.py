"""Secrets in the system's keychain, by the programs that each system has for it.

A program of its own for each question, so that a server that asks for nothing pays for nothing,
and a keychain that hangs or crashes takes nobody with it. macOS has `security`: asked by Python
itself, its keychain would demand the password again for every new environment. Elsewhere it is the
command line of the library `keyring`, which the extra of that name installs.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.settings.errors import SettingsError
from server.settings.extras import install_command

SERVICE = "archive-mcp"
SECRETS = ("ARCHIVE_APP_TOKEN", "ARCHIVEBOX_API_KEY", "ARCHIVEBOX_PASSWORD")
"""The variables whose values may be there."""

# The system may show a dialog first, and people need time to answer it.
_SECONDS = 60.0
_SECURITY = "/usr/bin/security"
# What `security` answers where there is no such entry (errSecItemNotFound).
_NOT_FOUND = 44


class KeychainError(Exception):
    """The keychain cannot be used; the message says why."""


@dataclass(frozen=True)
class Keychain:
    """The keychain of this user.

    Args:
        platform: the system, as `sys.platform` names it.
        environment: what the programs are started with.
        security: the program of macOS.
        python: the interpreter that has the library `keyring`.
    """

    platform: str = sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    security: str = _SECURITY
    python: str = sys.executable

    def read(self, name: str) -> str | None:
        """Return the value of a variable; None where there is none.

        Raises:
            KeychainError: The keychain does not answer.
        """
        if self.platform == "darwin":
            result = self._run([self.security, "find-generic-password", *_entry(name), "-w"])
            missing = result.returncode == _NOT_FOUND
        else:
            result = self._run([*self._keyring(), "get", SERVICE, name])
            # Without a word it means that there is no such entry.
            missing = (result.returncode, result.stderr.strip()) == (1, "")
        if missing:
            return None
        _check(result)
        return result.stdout.removesuffix("\n").removesuffix("\r") or None

    def write(self, name: str, value: str) -> None:
        """Store the value of a variable, never as an argument: others can see those.

        Raises:
            KeychainError: It cannot be stored.
        """
        if self.platform != "darwin":
            _check(self._run([*self._keyring(), "set", SERVICE, name], value))
            return
        words = ["add-generic-password", "-U", *_entry(name), "-w", value]
        result = self._run([self.security, "-i"], shlex.join(words) + "\n")
        _check(result)
        # With `-i` it ends well whatever became of the command.
        if result.stderr.strip():
            raise KeychainError(_last_line(result.stderr))

    def delete(self, name: str) -> None:
        """Remove a variable, if it is there.

        Raises:
            KeychainError: The keychain does not answer.
        """
        if self.read(name) is None:
            return
        if self.platform == "darwin":
            result = self._run([self.security, "delete-generic-password", *_entry(name)])
        else:
            result = self._run([*self._keyring(), "del", SERVICE, name])
        _check(result)

    def _keyring(self) -> list[str]:
        # Safe from the working folder, which may hold a module of that name.
        return [self.python, "-P", "-m", "keyring"]

    def _run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603  # programs of this system, no shell
                command,
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env=_with_bus(self.platform, self.environment),
                timeout=_SECONDS,
                # Windows would open a window for a moment.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KeychainError(f"it did not answer within {_SECONDS:.0f} s") from None
        except OSError as error:
            raise KeychainError(f"{command[0]}: {error.strerror or error}") from None


def read_secret(name: str) -> str:
    """Return the value of a variable that `~/.env.shared` says is in the keychain.

    Raises:
        SettingsError: It cannot be had.
    """
    try:
        value = Keychain().read(name)
    except KeychainError as error:
        raise SettingsError(
            f"{name} is in the keychain of this computer, which cannot be read: {error}. "
            "`archive-mcp setup` stores it anew."
        ) from None
    if value is None:
        raise SettingsError(
            f"{name} should be in the keychain of this computer but is not there. "
            "`archive-mcp setup` stores it anew."
        )
    return value


def _entry(name: str) -> list[str]:
    return ["-s", SERVICE, "-a", name]


def _check(result: subprocess.CompletedProcess[str]) -> None:
    """Raise a KeychainError with the last line of what a program that failed has said."""
    if result.returncode:
        raise KeychainError(_last_line(result.stderr) or f"exit status {result.returncode}")


def _last_line(text: str) -> str:
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    line = next(filter(None, reversed(lines)), "")
    if line.endswith("No module named keyring"):
        return f"the package keyring is not installed ({install_command('keyring')})"
    if "NoKeyringError" in line:
        return "there is none that this system offers to programs"
    return line


def _with_bus(platform: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the address of the user's bus, which hosts leave out."""
    variables = dict(environment)
    if platform != "linux" or "DBUS_SESSION_BUS_ADDRESS" in variables:
        return variables
    bus = Path(f"/run/user/{os.getuid()}/bus")
    if bus.exists():
        variables["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
    return variables
