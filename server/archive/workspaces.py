"""The workspace of a call: an argument, the configured one, the only one, or the user's choice."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio

from server.archive.client import Call
from server.archive.failures import Answer
from server.archive.walk import Walk
from server.errors import Code, Failure
from server.shared_state.choice import Choice, MemoryChoice
from server.tool.elicitation import Asker, Question
from server.tool.names import find_matches, suggest

# Archive's ids are UUIDs; the short number of a workspace in the app's address is another id (help
# centre).
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_MOST_CHOICES = 50
OPERATION = "workspaces"
# A document of its own: `server` knows no tool, and names and ids are all that is needed.
_DOCUMENT = (
    "query Workspaces($first: Int, $after: String) { workspaces(first: $first, after: $after) "
    "{ nodes { id name } pageInfo { endCursor hasNextPage } } }"
)
_PAGE, _COST = 100, 5
# A name that is not found makes the list be read again, unless it is younger than this.
_STALE_SECONDS = 30.0


@dataclass(frozen=True)
class Workspace:
    """A workspace that the token sees."""

    id: str
    name: str


async def list_workspaces(
    execute: Callable[[Call], Awaitable[Answer]], deadline: float
) -> list[Workspace]:
    """Return the workspaces that a token sees, their ids in lower case.

    Args:
        execute: sends a request.

    Raises:
        Failure: as `Archive.execute`.
    """
    workspaces: list[Workspace] = []
    variables: dict[str, Any] = {"first": _PAGE}
    walk = Walk()
    while True:
        # No workspace: it is the one query that takes no header, and has a limit of its own per
        # token.
        answer = await execute(Call(OPERATION, _DOCUMENT, variables, None, _COST, deadline))
        try:
            page, info = answer.data["nodes"], answer.data["pageInfo"]
            for node in filter(walk.take, page):
                workspaces.append(Workspace(str(node["id"]).lower(), str(node["name"])))
            after = info["endCursor"] if info["hasNextPage"] else None
        except (KeyError, TypeError, AttributeError):
            raise make_unreadable() from None
        if after is None:
            return workspaces
        variables = {**variables, "after": after}
        walk.step(str(after), None)


def make_unreadable() -> Failure:
    """Return the failure of a list of workspaces that is none."""
    return Failure(
        Code.BAD_RESPONSE,
        "Archive sent a list of workspaces that cannot be read.",
        "Try again later.",
    )


class Workspaces:
    """Resolves ids and names against the token's workspaces, listed once per session.

    Args:
        list_all: reads the whole list from the API before the given deadline.
        default: the configured id or name.
        choice: the workspace that the user chose, by default for as long as this process runs.
    """

    def __init__(
        self,
        list_all: Callable[[float], Awaitable[list[Workspace]]],
        default: str | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        choice: Choice | None = None,
    ) -> None:
        self._list_all = list_all
        self._default = default
        self._clock = clock
        self._lock = anyio.Lock()
        self._workspaces: list[Workspace] | None = None
        self._read_at = 0.0
        self._choice = choice or MemoryChoice()

    async def resolve(self, requested: str | None, asker: Asker, deadline: float) -> str:
        """Return the id of the workspace to use.

        Raises:
            Failure: `NOT_FOUND`, `AMBIGUOUS`, `WORKSPACE_REQUIRED` or `DECLINED`, each with what to
                do.
        """
        # Models send an empty text where they mean to leave an argument out.
        name = (requested or "").strip() or self._default
        if name is None:
            return await self._choice.read() or await self._choose(asker, deadline)
        if ID.match(name):
            # Not looked up: a wrong id is refused by Archive itself, and the list would cost a
            # request.
            return name.lower()
        return (await self._by_name(name, self.remedy(requested), deadline)).id

    def remedy(self, requested: str | None) -> str:
        """Return the hint about a workspace that does not exist, for whoever named it."""
        if (requested or "").strip() or self._default is None:
            return "Use one of these names or ids."
        return (
            "Set `workspace` to one of these names or ids; "
            "the user should correct ARCHIVE_WORKSPACE_ID."
        )

    async def name_of(self, identity: str, deadline: float) -> str:
        """Return the name of a workspace, or its id where the list cannot be read or lacks it."""
        try:
            workspaces = await self.list_all(deadline)
        except Failure:
            return identity
        return {workspace.id: workspace.name for workspace in workspaces}.get(identity, identity)

    async def list_all(self, deadline: float) -> list[Workspace]:
        """Return every workspace that the token sees, from one request per session."""
        # The lock keeps parallel first calls from all paging through the list.
        async with self._lock:
            if self._workspaces is None:
                self._workspaces = await self._list_all(deadline)
                self._read_at = self._clock()
            return self._workspaces

    async def _by_name(self, name: str, remedy: str, deadline: float) -> Workspace:
        workspaces = await self.list_all(deadline)
        # Somebody may have made or renamed the workspace since; the age limit keeps typos cheap.
        if not _find_matches(workspaces, name) and self._clock() - self._read_at > _STALE_SECONDS:
            self._workspaces = None
            workspaces = await self.list_all(deadline)
        matches = _find_matches(workspaces, name)
        if len(matches) == 1:
            return matches[0]
        # Never the first of several: a change in the wrong workspace cannot be told from the right
        # one.
        if matches:
            raise Failure(
                Code.AMBIGUOUS,
                f"{len(matches)} workspaces fit {name!r}.",
                "Repeat the call with one of these names in full, or with its id.",
                candidates=choices(matches),
            )
        suggestion = suggest(name, [workspace.name for workspace in workspaces])
        raise Failure(
            Code.NOT_FOUND,
            f"No workspace is called {name!r}.{suggestion}",
            remedy,
            choices=choices(workspaces),
        )

    async def _choose(self, asker: Asker, deadline: float) -> str:
        workspaces = await self.list_all(deadline)
        if not workspaces:
            raise Failure(
                Code.FORBIDDEN,
                "The token is valid but sees no workspace.",
                "The user needs a token of the workspace (or agency) they mean.",
            )
        if len(workspaces) == 1:
            return workspaces[0].id
        labels = _labels(workspaces)
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
        label = str(reply.content.get("workspace"))
        if reply.action != "accept" or label not in labels:
            raise Failure(
                Code.WORKSPACE_REQUIRED,
                f"The token sees {len(workspaces)} workspaces and none was chosen.",
                "Ask the user which one they mean, "
                "then repeat the call with `workspace` set to its name or id.",
                choices=choices(workspaces),
            )
        # For the session: being asked before every call would make the tools unusable.
        workspace = labels[label].id
        await self._choice.write(workspace)
        return workspace


def _find_matches(workspaces: list[Workspace], text: str) -> list[Workspace]:
    return find_matches(
        text,
        workspaces,
        name=lambda workspace: workspace.name,
        identity=lambda workspace: workspace.id,
    )


def choices(workspaces: list[Workspace]) -> list[dict[str, str]]:
    """Return the first fifty workspaces as choices for the assistant."""
    # An agency's token may see hundreds.
    return [
        {"id": workspace.id, "name": workspace.name} for workspace in workspaces[:_MOST_CHOICES]
    ]


def _labels(workspaces: list[Workspace]) -> dict[str, Workspace]:
    # Names may repeat: two equal entries of a form could not be told apart.
    counts = Counter(workspace.name for workspace in workspaces)
    labels = {}
    for workspace in workspaces:
        label = workspace.name
        if counts[label] > 1:
            label = f"{label} ({workspace.id})"
        labels[label] = workspace
    return labels
