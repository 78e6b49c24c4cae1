"""Where secrets are kept: in the system's keychain where that works, else in `~/.env.shared`.

Never in a client's file: those are synchronised, shared and read by other programs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from server.settings.env_files import EnvFileError, change_variables, read_env_file
from server.settings.keychain import SECRETS, Keychain, KeychainError
from server.settings.sources import VARIABLES
from server.settings.values import KEYCHAIN
from server.setup.files import FileError, read_text_file
from server.setup.machine import Machine

SHARED = ".env.shared"
_PROBE = "PROBE"


@dataclass(frozen=True)
class Vault:
    """Keeps the settings of this user.

    Args:
        keychain: the keychain to use; None where there is none that works.
        is_decided: whether a keychain would be used, if it worked.
    """

    machine: Machine
    keychain: Keychain | None
    is_decided: bool = True

    @property
    def file(self) -> Path:
        """The file with the settings."""
        return self.machine.home / SHARED

    def describe(self, values: Mapping[str, str]) -> list[str]:
        """Return a line for each value that would be stored, without the secrets."""
        return [self._describe(name, value) for name, value in values.items()]

    def _describe(self, name: str, value: str) -> str:
        place = self.machine.shorten(self.file)
        if name not in SECRETS:
            return f"{place}: {name}={value}"
        if self.keychain:
            return f"keychain of this computer: {name} ({place} names it)"
        if self.is_decided:
            return f"{place}: {name}=(hidden), readable by you alone"
        return f"keychain of this computer where it works, else {place}: {name}"

    def store(self, values: Mapping[str, str]) -> None:
        """Store the values, the secrets among them in the keychain.

        Raises:
            KeychainError: The keychain lost what it was given.
            FileError: The file cannot be written.
        """
        changes: dict[str, str | None] = dict(values)
        if self.keychain:
            for name in values.keys() & set(SECRETS):
                self._put(self.keychain, name, values[name])
                changes[name] = KEYCHAIN
        self._change(changes)

    def forget(self, names: Iterable[str]) -> None:
        """Remove variables from the file, and from the keychain.

        Raises:
            KeychainError: The keychain does not answer.
            FileError: The file cannot be written.
        """
        values = self.read()
        present = values.keys() & set(names)
        keychain = self.keychain or Keychain()
        for name in present:
            # What the file holds itself was never in the keychain.
            if values[name] == KEYCHAIN:
                keychain.delete(name)
        self._change(dict.fromkeys(present))

    def read(self) -> Mapping[str, str]:
        """Return what the file says about this server's settings.

        Raises:
            FileError: The file cannot be read.
        """
        try:
            return read_env_file(self.file, VARIABLES).values
        except EnvFileError as error:
            raise FileError(str(error)) from None

    def _put(self, keychain: Keychain, name: str, value: str) -> None:
        keychain.write(name, value)
        if keychain.read(name) != value:
            raise KeychainError(f"{name} came back from the keychain as something else")

    def _change(self, changes: Mapping[str, str | None]) -> None:
        file = read_text_file(self.file)
        text = change_variables(file.text, changes)
        if text == file.text:
            return
        # A file that nothing is left in was ours from the beginning.
        if text:
            file.replace(text, is_secret=True)
        else:
            file.delete()


def find_trouble(keychain: Keychain, environment: Mapping[str, str]) -> str | None:
    """Return why the keychain cannot be used; None where a value makes the round trip.

    Args:
        environment: what a server reads it with; hosts leave out what a keychain may need.
    """
    value = secrets.token_urlsafe(24)
    try:
        keychain.write(_PROBE, value)
        # As a server reads it, and not as this terminal could.
        answer = replace(keychain, environment=environment).read(_PROBE)
    except KeychainError as error:
        return str(error)
    finally:
        with suppress(KeychainError):
            keychain.delete(_PROBE)
    return None if answer == value else "it does not give back what was stored"
