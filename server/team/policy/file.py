"""Reads the policy file, and says of each mistake in which line it is.

Everything is checked before anything holds: a policy with a mistake is refused whole.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from server.settings import Secret, SettingsError
from server.settings.values import YES
from server.team.policy.policy import Machine, Person, Policy
from server.team.policy.rights import Access, Rights
from server.team.policy.tables import Checker, Table

MOST_BYTES = 4 * 2**20
_RIGHTS = tuple(field.name for field in fields(Rights))
_WHO = "say who it is: either `id` (the `sub` of their token) or `email`."
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_policy(
    file: Path, toolsets: frozenset[str], environment: Mapping[str, str] | None = None
) -> Policy:
    """Return the policy that a file holds, with the secrets that it refers to.

    Args:
        toolsets: the toolsets that there are, presets included.
        environment: where secrets are that are named by a variable; by default that of the process.

    Raises:
        SettingsError: it cannot be read or used; the message has a line for each mistake.
    """
    text = _read_text(file)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The message ends with the line and the column.
        raise SettingsError(f"{file}: {error}.") from None
    checker = Checker(file, text)
    policy = _Reader(checker, toolsets, os.environ if environment is None else environment).read(
        checker.root(content)
    )
    checker.refuse_mistakes()
    return policy


def _read_text(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{file} is larger than {MOST_BYTES // 2**20} MB.")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text.") from None


class _Reader:
    """Makes a policy of the tables of a file."""

    def __init__(
        self, checker: Checker, toolsets: frozenset[str], environment: Mapping[str, str]
    ) -> None:
        self._checker = checker
        self._toolsets = toolsets
        self._environment = environment
        self._archive: dict[str, Access] = {}
        self._archivebox: dict[str, Access] = {}
        self._groups: dict[str, Rights] = {}
        self._claims: dict[str, Rights] = {}

    def read(self, root: Table) -> Policy:
        root.allow("archive", "archivebox", "group", "person", "machine", "own_tokens")
        for table in root.named("archive"):
            self._read_archive(table)
        for table in root.named("archivebox"):
            self._read_archivebox(table)
        for table in root.listed("group"):
            self._read_group(table)
        own = root.single("own_tokens")
        return Policy(
            people=self._read_people(root),
            machines=self._read_machines(root),
            claims=self._claims,
            own_tokens=self._read_own_tokens(own) if own else None,
        )

    def _read_archive(self, table: Table) -> None:
        table.allow("token")
        token = self._read_secret(table, "token", required=True)
        self._archive[table.name] = Access(table.name, token)

    def _read_archivebox(self, table: Table) -> None:
        table.allow("url", "key")
        insecure = self._environment.get("ARCHIVE_MCP_ALLOW_INSECURE", "").strip().lower()
        url = table.url("url", allow_insecure=insecure in YES)
        key = self._read_secret(table, "key", required=False)
        self._archivebox[table.name] = Access(table.name, key, url)

    def _read_secret(self, table: Table, key: str, *, required: bool) -> Secret | None:
        reference = table.mapping(key)
        if reference is None:
            if required:
                table.complain(key, f"`{key}` is missing: {_how_to_refer(key)}")
            return None
        if len(reference) != 1 or not reference.keys() <= {"env", "file"}:
            table.complain(key, _how_to_refer(key))
            return None
        (kind, place), *_ = reference.items()
        return self._find_secret(table, key, kind, str(place))

    def _find_secret(self, table: Table, key: str, kind: str, place: str) -> Secret | None:
        if kind == "env":
            value = self._environment.get(place, "").strip()
            problem = f"the variable {place} is not set"
        else:
            value, problem = _read_secret_file(place)
        if not value:
            table.complain(key, f"`{key}`: {problem}.")
            return None
        if not re.fullmatch(r"[!-~]+", value):
            table.complain(key, f"`{key}`: {place} holds characters that no key has.")
            return None
        return Secret(value)

    def _read_group(self, table: Table) -> None:
        table.allow("name", "claim", *_RIGHTS)
        name = table.text("name", required=True)
        if name is None:
            return
        if name in self._groups:
            table.complain("name", f"there are two groups called {name!r}.")
        rights = self._groups[name] = self._read_rights(table, Rights())
        if claim := table.text("claim"):
            if claim in self._claims:
                table.complain("claim", f"two groups have the claim {claim!r}.")
            self._claims[claim] = rights

    def _read_people(self, root: Table) -> list[Person]:
        people: list[Person] = []
        seen: set[str] = set()
        for table in root.listed("person"):
            table.allow("id", "email", "name", "group", *_RIGHTS)
            subject, email = table.text("id"), table.text("email")
            if (subject is None) == (email is None):
                table.complain("", _WHO)
            email = email.strip().casefold() if email else None
            identity = subject or email or ""
            if identity in seen:
                table.complain("id" if subject else "email", f"{identity!r} is there twice.")
            seen.add(identity)
            rights = self._read_rights(table, self._find_group(table))
            people.append(Person(rights, subject, email, table.text("name") or ""))
        return people

    def _read_machines(self, root: Table) -> list[Machine]:
        machines: dict[str, Machine] = {}
        for table in root.listed("machine"):
            table.allow("name", "key_sha256", "group", *_RIGHTS)
            name = table.text("name", required=True)
            digest = (table.text("key_sha256", required=True) or "").lower()
            if digest and not _DIGEST.fullmatch(digest):
                table.complain(
                    "key_sha256",
                    "`key_sha256` must be the SHA-256 of the key in 64 hexadecimal digits, as "
                    "`archive-mcp team key` prints it.",
                )
            rights = self._read_rights(table, self._find_group(table))
            if name is None:
                continue
            if name in machines:
                table.complain("name", f"there are two machines called {name!r}.")
            machines[name] = Machine(name, digest, rights)
        return list(machines.values())

    def _read_own_tokens(self, table: Table) -> Rights:
        table.allow("group", *_RIGHTS)
        rights = self._read_rights(table, self._find_group(table))
        if "archive" in table.content:
            table.complain("archive", "those who bring their own token work with that one.")
        return rights

    def _find_group(self, table: Table) -> Rights:
        name = table.text("group")
        if name is None:
            return Rights()
        if name not in self._groups:
            table.complain("group", f"there is no group {name!r}{_list(self._groups)}.")
        return self._groups.get(name, Rights())

    def _read_rights(self, table: Table, base: Rights) -> Rights:
        changes: dict[str, Any] = {}
        for key, accounts in (("archive", self._archive), ("archivebox", self._archivebox)):
            name = table.text(key)
            if name is not None:
                changes[key] = self._find_access(table, key, name, accounts)
        for key in ("read_only", "may_spend", "may_delete"):
            flag = table.flag(key)
            if flag is not None:
                changes[key] = flag
        for key in ("workspaces", "toolsets"):
            names = table.names(key)
            if names is not None:
                changes[key] = names
        self._check_toolsets(table, changes.get("toolsets", ()))
        credits = table.number("credits_a_day")
        if credits is not None:
            changes["credits_a_day"] = credits
        return replace(base, **changes)

    def _check_toolsets(self, table: Table, names: tuple[str, ...]) -> None:
        unknown = sorted(set(names) - self._toolsets)
        if unknown:
            problem = f"there is no toolset {', '.join(unknown)}{_list(self._toolsets)}."
            table.complain("toolsets", problem)

    def _find_access(
        self, table: Table, key: str, name: str, accounts: Mapping[str, Access]
    ) -> Access | None:
        if name not in accounts:
            table.complain(key, f"there is no table [{key}.{name}]{_list(accounts)}.")
        return accounts.get(name)


def _read_secret_file(place: str) -> tuple[str, str]:
    """Return the content of a file with a secret, and what is wrong where there is none."""
    try:
        return Path(place).read_text(encoding="utf-8").strip(), f"the file {place} is empty"
    except (OSError, ValueError) as error:
        return "", f"the file {place} cannot be read: {getattr(error, 'strerror', None) or error}"


def _how_to_refer(key: str) -> str:
    return (
        f'write `{key} = {{ env = "NAME" }}` or `{key} = {{ file = "/path" }}`: the policy says '
        "where a secret is, and never holds it."
    )


def _list(names: Mapping[str, Any] | frozenset[str]) -> str:
    return f"; there are {', '.join(sorted(names))}" if names else "; there are none"
