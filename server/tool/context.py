"""What a tool works with: who calls, the person to ask, the time left, jobs and files.

The context is all that a tool gets. Each backend derives its own, bound to what it serves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from server.audit.auditor import Auditor
from server.audit.event import Confirmed
from server.errors import Code, Failure
from server.shared_state.spending import Spending
from server.tool.confirmation import Confirmations, Preview
from server.tool.elicitation import Asker
from server.tool.permissions import EVERYTHING, Permissions

if TYPE_CHECKING:
    from server.exports import ExportFolder
    from server.jobs import Jobs
    from server.tool.result import Result

# A confirmation that took longer came from a person, while others may have changed what was shown.
DELIBERATION_SECONDS = 1.0


@dataclass(frozen=True)
class Principal:
    """Who is calling; over stdio always the user who started the server.

    Args:
        id: what tells people apart in what is stored; it never changes.
        name: what people read.
    """

    id: str
    name: str


LOCAL_USER = Principal("local", "local user")


@dataclass(frozen=True)
class Caller:
    """One call from outside: the person behind it, and its deadline in seconds on the monotonic
    clock."""

    person: Asker
    deadline: float
    principal: Principal = LOCAL_USER
    permissions: Permissions = EVERYTHING


class Process(Protocol):
    """What all calls of this process share."""

    @property
    def read_only(self) -> bool:
        """Whether this server changes nothing."""

    @property
    def auditor(self) -> Auditor:
        """What records the changes of the calls."""

    async def jobs(self) -> Jobs:
        """Return the jobs that run in the background of this process."""

    def exports(self) -> ExportFolder:
        """Return the folder for the user's files."""

    @property
    def spending(self) -> Spending:
        """The billing credits that the user may still spend."""


@dataclass(frozen=True)
class Scope:
    """Where work is done: the origin of an API, a fingerprint of the account, and a workspace's id
    if there are any."""

    origin: str
    account: str
    workspace: str | None = None


@dataclass(frozen=True)
class Context(ABC):
    """What one call of a tool works with."""

    scope: Scope
    process: Process
    confirmations: Confirmations
    caller: Caller

    @property
    def person(self) -> Asker:
        """The person to ask."""
        return self.caller.person

    @property
    def principal(self) -> Principal:
        """Who is calling."""
        return self.caller.principal

    @property
    def permissions(self) -> Permissions:
        """What the caller may do."""
        return self.caller.permissions

    @property
    def deadline(self) -> float:
        """When the call has to be answered, in seconds on the clock of `now`."""
        return self.caller.deadline

    @abstractmethod
    def now(self) -> float:
        """Return monotonic seconds."""

    @abstractmethod
    async def estimate_seconds(self, requests: int, credits: float) -> float:
        """Return about how long so many requests of so many rate credits in all take at this
        account's pace."""

    async def jobs(self) -> Jobs:
        """Return the jobs that run in the background of this process."""
        return await self.process.jobs()

    def exports(self) -> ExportFolder:
        """Return the folder for the user's files."""
        return self.process.exports()

    @property
    def spending(self) -> Spending:
        """The billing credits that the user may still spend."""
        return self.process.spending

    async def report(self, done: float, total: float | None, message: str) -> None:
        """Report the progress of a long call to the client, if it asked for that."""
        await self.person.report(done, total, message)

    async def present(self, preview: Preview) -> Preview:
        """Return the preview as the person reads it, with what only the backend knows."""
        return preview

    async def confirm(
        self,
        preview: Preview,
        *,
        call: Sequence[Any],
        token: str | None = None,
        review: Callable[[], Awaitable[Preview | None]],
    ) -> Confirmed:
        """Return how the user confirmed a preview that still holds.

        Args:
            call: tool and arguments: what the confirmation is for.
            token: the token of an earlier preview.
            review: makes the preview again, for a confirmation that came late.

        Raises:
            Failure: `DECLINED`, or `CONFIRMATION_REQUIRED` with the preview.
        """
        # The backend may add to it for the person; what is compared later is the bare preview.
        visible = await self.present(preview)
        asked_at = self.now()
        # The same arguments mean other records in another workspace.
        how = await self.confirmations.require(
            visible, call=[*call, self.scope.workspace], token=token, asker=self.person
        )
        # Within a second the preview, made right before, still holds.
        if self.now() - asked_at < DELIBERATION_SECONDS:
            return how
        if await review() != preview:
            raise Failure(
                Code.CONFIRMATION_REQUIRED,
                "Nothing was changed: what the user confirmed has changed meanwhile.",
                "Call again: the user is asked about what there is now.",
            )
        return how


Q_contra = TypeVar("Q_contra", contravariant=True)


class Backend(Protocol[Q_contra]):
    """What serves the tools of one prefix: it resolves the workspace or server, builds the context,
    runs the request, and translates failures into the caller's words."""

    async def run(self, request: Q_contra, caller: Caller) -> Result:
        """Return what the tool answers before the caller's deadline.

        Raises:
            Failure: whatever kept it from answering.
        """

    async def open(self, workspace: str | None, caller: Caller) -> Context:
        """Return the context of a workspace by its id, if there are any."""
