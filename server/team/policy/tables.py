"""The tables of a policy file: typed values, and complaints that name the line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from server.http.urls import find_url_problem
from server.settings import SettingsError
from server.team.policy.places import Places

_MOST_MISTAKES = 20


class Checker:
    """Collects the mistakes of a file."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._places = Places(text)
        self._mistakes: list[tuple[int, str]] = []

    def root(self, content: dict[str, Any]) -> Table:
        """Return the whole file as a table."""
        return Table(self, content, "")

    def complain(self, table: str, key: str, problem: str) -> None:
        """Remember a mistake."""
        line = self._places.find(table, key)
        place = f"{self._file}" if line is None else f"{self._file}, line {line}"
        self._mistakes.append((line or 0, f"{place}: {problem}"))

    def refuse_mistakes(self) -> None:
        """Raise what was complained about.

        Raises:
            SettingsError: there was something; a line for each mistake, in the file's order.
        """
        if not self._mistakes:
            return
        lines = [text for _, text in sorted(self._mistakes, key=lambda entry: entry[0])]
        if len(lines) > _MOST_MISTAKES:
            lines[_MOST_MISTAKES:] = [f"... and {len(lines) - _MOST_MISTAKES} more."]
        raise SettingsError("\n".join(lines))


class Table:
    """One table; `name` is the last part of what it is called."""

    def __init__(self, checker: Checker, content: Mapping[str, Any], path: str) -> None:
        self.content = content
        self.name = path.rpartition(".")[2]
        self._checker = checker
        self._path = path

    def complain(self, key: str, problem: str) -> None:
        """Remember a mistake at one of its keys, or at itself."""
        self._checker.complain(self._path, key, problem)

    def allow(self, *keys: str) -> None:
        """Complain about every other key."""
        for key in self.content:
            if key in keys:
                continue
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(keys)}."
            # The line of a table that nobody knows is that of its header.
            at = key if not isinstance(self.content[key], dict | list) else ""
            place = self._path if at else _join(self._path, key)
            self._checker.complain(place, at, f"`{key}` means nothing here; {hint}")

    def named(self, key: str) -> Iterator[Table]:
        """Yield the tables `[KEY.NAME]`."""
        content = self.content.get(key, {})
        if not isinstance(content, dict):
            self.complain(key, f"write `{key}` as tables: [{key}.NAME].")
            return
        for name, value in content.items():
            if isinstance(value, dict):
                yield Table(self._checker, value, f"{key}.{name}")
            else:
                self._checker.complain(key, name, f"write [{key}.NAME] and put `{name}` under it.")

    def listed(self, key: str) -> Iterator[Table]:
        """Yield the tables `[[KEY]]`."""
        content = self.content.get(key, [])
        if not isinstance(content, list):
            self._checker.complain(
                key, "", f"write [[{key}]] with two brackets: there may be several."
            )
            return
        for number, value in enumerate(content, 1):
            if isinstance(value, dict):
                yield Table(self._checker, value, f"{key} {number}")
            else:
                self.complain(key, f"write each {key} as a table of its own: [[{key}]].")

    def single(self, key: str) -> Table | None:
        """Return the table `[KEY]`, if it is there."""
        value = self.content.get(key)
        if value is None or isinstance(value, dict):
            return None if value is None else Table(self._checker, value, key)
        self.complain(key, f"write `{key}` as a table: [{key}].")
        return None

    def text(self, key: str, *, required: bool = False) -> str | None:
        """Return a text that is not empty."""
        value = self.content.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            self.complain(key, f"`{key}` must be a text in quotation marks, and not empty.")
        elif required:
            self.complain(key, f"`{key}` is missing.")
        return None

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        value = self.content.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.complain(key, f"`{key}` must be true or false.")
        return None

    def number(self, key: str) -> int | None:
        """Return a whole number that is not negative."""
        value = self.content.get(key)
        if value is None:
            return None
        # To Python true is a number.
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.complain(key, f"`{key}` must be a whole number, 0 or more.")
        return None

    def names(self, key: str) -> tuple[str, ...] | None:
        """Return a list of texts with at least one."""
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, list) and value and all(_is_name(entry) for entry in value):
            return tuple(value)
        self.complain(key, f'`{key}` must be a list of names, such as ["core"], and not empty.')
        return None

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        """Return an inline table; anything else in its place is an empty one."""
        value = self.content.get(key)
        if value is None or isinstance(value, dict):
            return value
        return {}

    def url(self, key: str, *, allow_insecure: bool) -> str | None:
        """Return an address: https, or http to this computer."""
        value = self.text(key, required=True)
        if value is None:
            return None
        if problem := find_url_problem(f"`{key}`", value, allow_insecure=allow_insecure):
            self.complain(key, problem)
        return value.rstrip("/")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
