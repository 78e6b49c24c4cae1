"""What a person may do, as plain data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from server.settings import Secret


@dataclass(frozen=True)
class Access:
    """One account of an API: where it is, and the secret for it.

    `name` is what the policy calls it.
    """

    name: str
    secret: Secret | None
    url: str | None = None


@dataclass(frozen=True)
class Rights:
    """What a person may do; without anything said they may do next to nothing.

    Args:
        workspaces: the ids or names of the only workspaces; None for all that the token sees.
        toolsets: the toolsets whose tools exist for them.
        may_spend: whether they may spend billing credits.
        credits_a_day: the most billing credits of a day; None for no limit.
    """

    archive: Access | None = None
    archivebox: Access | None = None
    workspaces: tuple[str, ...] | None = None
    toolsets: tuple[str, ...] = ("all",)
    read_only: bool = True
    may_spend: bool = False
    may_delete: bool = False
    credits_a_day: int | None = None

    def fingerprint(self) -> str:
        """Return a text that changes as soon as any right or secret changes."""
        content: list[Any] = [_describe(self.archive), _describe(self.archivebox)]
        content += [self.workspaces, self.toolsets, self.read_only]
        content += [self.may_spend, self.may_delete, self.credits_a_day]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _describe(access: Access | None) -> list[str | None] | None:
    if access is None:
        return None
    return [access.name, access.url, access.secret.reveal() if access.secret else None]
