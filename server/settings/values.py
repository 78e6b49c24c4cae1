"""Turns the text of settings into values; every complaint names the variable and its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TypeVar

from server.redaction import learn
from server.settings.errors import SettingsError

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
Choice = TypeVar("Choice", bound=str)

_KEY = re.compile(r"[!-~]+")
# What a client leaves where it has no value for a variable of its own configuration.
_UNEXPANDED = re.compile(r"\$\{[^}]*\}|\$[A-Z_]+|%[A-Z_]+%|\{\{.*\}\}")
# What manuals write where the reader's own key belongs.
_PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|x{3,}|\.{3,}|\*{3,}|change[-_ ]?me|replace[-_ ]?me|null|none|undefined|todo|tbd"
    r"|(?:paste|your|my|insert|put|enter|add)[-_ ].*(?:token|key|secret|here).*",
    re.IGNORECASE,
)
# What stands before the key in a line or header that was copied whole.
_COPIED = re.compile(
    r"\A(?:(?:export\s+)?ARCHIVE(?:BOX)?_[A-Z_]+\s*=\s*|(?:Authorization:\s*)?Bearer\s+)",
    re.IGNORECASE,
)
# Blanks, and characters of no width that web pages and chats put around words.
_INVISIBLE = " \t\r\n\xa0\xad\u200b\u200c\u200d\u2060\ufeff"
_QUOTES = ('""', "''", "``", "\u201c\u201d", "\u2018\u2019", "\u201e\u201c", "\xab\xbb")


KEYCHAIN = "keychain:archive-mcp"
"""What stands in `~/.env.shared` where the value itself is in the keychain."""


class Secret:
    """Holds a value that no log line, error or repr shows."""

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

    def peek(self) -> str:
        """Return the value if it is in memory already, and otherwise an empty text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"


class StoredSecret(Secret):
    """Holds a secret of the keychain, which is read with the first use: a start pays nothing."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__("")
        self._name = name

    def reveal(self) -> str:
        """Return the value.

        Raises:
            SettingsError: The keychain does not have it, or does not answer.
        """
        if not self._value:
            from server.settings.keychain import read_secret

            self._value = read_secret(self._name)
            learn(self._value)
        return self._value


def is_unexpanded(value: str) -> bool:
    """Return whether a client left the name of a variable where its value belongs."""
    return _UNEXPANDED.fullmatch(value) is not None


def is_placeholder(value: str) -> bool:
    """Return whether the value of a key is the one that a manual shows."""
    return _PLACEHOLDER.fullmatch(value) is not None


def clean_key(value: str) -> str:
    """Return a key without what was copied with it: the name before it, quotes, a comma or
    semicolon, invisible characters."""
    bare = _COPIED.sub("", value.strip(_INVISIBLE), count=1)
    bare = bare.rstrip(";,").strip(_INVISIBLE)
    if len(bare) >= 2 and f"{bare[0]}{bare[-1]}" in _QUOTES:
        bare = bare[1:-1].strip(_INVISIBLE)
    return bare


class Reader:
    """Reads typed values.

    Args:
        values: the text of each variable that is set.
        places: where each came from, in words.
    """

    def __init__(self, values: Mapping[str, str], places: Mapping[str, str]) -> None:
        self._values = values
        self._places = places

    def secret(self, name: str) -> Secret | None:
        """Return a key.

        Raises:
            SettingsError: It has characters that no HTTP header takes.
        """
        value = self._values.get(name)
        if value is None:
            return None
        if value == KEYCHAIN:
            return StoredSecret(name)
        # HTTP headers take nothing else; other characters come from copying too much or too little.
        # The message does not quote the value: it is a secret all the same.
        if not _KEY.fullmatch(value):
            raise SettingsError(
                f"{name} ({self._places[name]}) contains a space or a character that keys never "
                "have: copy it again."
            )
        return Secret(value)

    def password(self, name: str) -> Secret | None:
        """Return a password: any text, because no header carries it."""
        value = self._values.get(name)
        if value == KEYCHAIN:
            return StoredSecret(name)
        return Secret(value) if value else None

    def path(self, name: str) -> Path | None:
        """Return an absolute path, because hosts start the server in whatever folder is open.

        Raises:
            SettingsError: It begins with `~`, and this user has no home.
        """
        value = self._values.get(name)
        if not value:
            return None
        try:
            return Path(value).expanduser().absolute()
        except (RuntimeError, OSError):
            raise self._make_error(
                name, "cannot be found from here; write the whole path"
            ) from None

    def names(self, name: str) -> tuple[str, ...]:
        """Return the entries of a list with commas."""
        parts = self._values.get(name, "").split(",")
        return tuple(filter(None, map(str.strip, parts)))

    def flag(self, name: str, default: str = "off") -> bool:
        """Return whether a switch is on.

        Raises:
            SettingsError: It is neither on nor off.
        """
        value = self._values.get(name, default).lower()
        if value not in YES | NO:
            raise self._make_error(name, "must be on or off")
        return value in YES

    def choice(self, name: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """Return one of the choices, whatever its case.

        Raises:
            SettingsError: It is none of them.
        """
        value = self._values.get(name, default)
        for choice in choices:
            if choice.casefold() == value.casefold():
                return choice
        raise self._make_error(name, f"must be one of {', '.join(choices)}")

    def optional_choice(self, name: str, choices: tuple[Choice, ...]) -> Choice | None:
        """Return one of the choices, whatever its case; None where nothing is set.

        Raises:
            SettingsError: It is none of them.
        """
        return self.choice(name, choices, choices[0]) if name in self._values else None

    def timezone(self, name: str) -> tzinfo:
        """Return a time zone by its IANA name.

        Raises:
            SettingsError: There is no such zone.
        """
        zone = self._values.get(name, "UTC")
        if zone.upper() in ("UTC", "Z"):
            return UTC
        # Imported late: most people keep UTC, and the start should not pay for the zones.
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"{name}: unknown time zone {zone!r}; use a name like Europe/Berlin."
            ) from None

    def _make_error(self, name: str, problem: str) -> SettingsError:
        return SettingsError(f"{name} {problem}; got {self._values[name]!r}.")
