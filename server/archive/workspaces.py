"""The workspace of a call: an argument, the configured one, the only one, or the user's choice."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import anyio

from server.errors import Code, Failure
from server.tool.elicitation import Asker, Question
from server.tool.names import find_matches, suggest

# Workspaces are UUIDs; the short number in the app's address is another id (help centre).
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_SHOWN = 50
_STALE_SECONDS = 30.0
"""A name that is not found makes the list be read again, unless it is younger than this."""


@dataclass(frozen=True)
class Workspace:
    """A workspace that the token sees."""

    id: str
    name: str


class Workspaces:
    """Resolves ids and names against the token's workspaces, listed once per session.

    Args:
        list_all: reads the whole list from the API before the given deadline.
        default: the configured id or name.
    """

    def __init__(
        self,
        list_all: Callable[[float], Awaitable[list[Workspace]]],
        default: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._list_all = list_all
        self._default = default
        self._clock = clock
        self._lock = anyio.Lock()
        self._known: list[Workspace] | None = None
        self._read_at = 0.0
        self._chosen: str | None = None

    async def resolve(self, requested: str | None, asker: Asker, deadline: float) -> str:
        """Return the id of the workspace to use.

        Raises:
            Failure: `NOT_FOUND`, `AMBIGUOUS`, `WORKSPACE_REQUIRED` or `DECLINED`, each with what to
                do.
        """
        # Models send an empty text where they mean to leave an argument out.
        matching = (requested or "").strip() or self._default
        if matching is None:
            return self._chosen or await self._only_or_asked(asker, deadline)
        if _ID.match(matching):
            # Not looked up: a wrong id is refused by Archive itself, and the list would cost a
            # request.
            return matching.lower()
        return (await self._by_name(matching, self.remedy(requested), deadline)).id

    def remedy(self, requested: str | None) -> str:
        """Return what to do about a workspace that does not exist, by who named it."""
        if (requested or "").strip() or self._default is None:
            return "Use one of these names or ids."
        return (
            "Set `workspace` to one of these names or ids; "
            "the user should correct ARCHIVE_WORKSPACE_ID."
        )

    async def name_of(self, identity: str, deadline: float) -> str:
        """Return the name of a workspace, or its id where the list cannot be read or lacks it."""
        try:
            existing = await self.all(deadline)
        except Failure:
            return identity
        return next((entry.name for entry in existing if entry.id == identity), identity)

    async def all(self, deadline: float) -> list[Workspace]:
        """Return every workspace that the token sees, from one request per session."""
        # The lock keeps parallel first calls from all paging through the list.
        async with self._lock:
            if self._known is None:
                self._known = await self._list_all(deadline)
                self._read_at = self._clock()
            return self._known

    async def _by_name(self, name: str, remedy: str, deadline: float) -> Workspace:
        existing = await self.all(deadline)
        # Somebody may have made or renamed the workspace since; the age limit keeps typos cheap.
        if not _matches(existing, name) and self._clock() - self._read_at > _STALE_SECONDS:
            self._known = None
            existing = await self.all(deadline)
        result = _matches(existing, name)
        if len(result) == 1:
            return result[0]
        # Never the first of several: a change in the wrong workspace cannot be told from the right
        # one.
        if result:
            raise Failure(
                Code.AMBIGUOUS,
                f"{len(result)} workspaces fit {name!r}.",
                "Repeat the call with one of these names in full, or with its id.",
                candidates=choices(result),
            )
        raise Failure(
            Code.NOT_FOUND,
            f"No workspace is called {name!r}.{suggest(name, [entry.name for entry in existing])}",
            remedy,
            choices=choices(existing),
        )

    async def _only_or_asked(self, asker: Asker, deadline: float) -> str:
        existing = await self.all(deadline)
        if not existing:
            raise Failure(
                Code.FORBIDDEN,
                "The token is valid but sees no workspace.",
                "The user needs a token of the workspace (or agency) they mean.",
            )
        if len(existing) == 1:
            return existing[0].id
        labels = _labels(existing)
        form = {"workspace": {"type": "string", "title": "Workspace", "enum": list(labels)}}
        reply = await asker.ask(
            Question("workspace", "Which Archive workspace should be used?", form)
        )
        # A person's no is final; a client that cannot ask gets the list of choices below.
        if reply.action == "decline":
            raise Failure(
                Code.DECLINED,
                "The user did not choose a workspace.",
                "Ask them which one they mean.",
            )
        picked = (
            labels.get(str(reply.content.get("workspace"))) if reply.action == "accept" else None
        )
        if picked is None:
            self._require(existing)
        # For the session: being asked before every call would make the tools unusable.
        self._chosen = picked.id
        return picked.id

    def _require(self, workspaces: list[Workspace]) -> NoReturn:
        raise Failure(
            Code.WORKSPACE_REQUIRED,
            f"The token sees {len(workspaces)} workspaces and none was chosen.",
            "Ask the user which one they mean, "
            "then repeat the call with `workspace` set to its name or id.",
            choices=choices(workspaces),
        )


def _matches(workspaces: list[Workspace], text: str) -> list[Workspace]:
    return find_matches(
        text, workspaces, name=lambda entry: entry.name, identity=lambda entry: entry.id
    )


def choices(workspaces: list[Workspace]) -> list[dict[str, str]]:
    """Return the first fifty workspaces as choices for the assistant."""
    # An agency's token may see hundreds.
    return [{"id": workspace.id, "name": workspace.name} for workspace in workspaces[:_SHOWN]]


def _labels(workspaces: list[Workspace]) -> dict[str, Workspace]:
    # Names may repeat: two equal entries of a form could not be told apart.
    names = [workspace.name for workspace in workspaces]
    return {
        (
            workspace.name
            if names.count(workspace.name) == 1
            else f"{workspace.name} ({workspace.id})"
        ): workspace
        for workspace in workspaces
    }
