"""What requests need that are more than one operation of an API: jobs, files for the user, and the
user's yes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from server.tool.confirmation import Confirmations, Preview
from server.tool.elicitation import Asker

if TYPE_CHECKING:
    from server.exports import ExportFolder
    from server.jobs import Jobs


class Shared(Protocol):
    """What all calls of this process share."""

    @property
    def read_only(self) -> bool:
        """Whether this server changes nothing."""

    async def jobs(self) -> Jobs:
        """The long work in the background of this process."""

    def exports(self) -> ExportFolder:
        """Where files for the user go."""


@dataclass(frozen=True)
class Place:
    """Where work is done: an API's origin, a fingerprint of the account, and a workspace's id if
    there are any."""

    origin: str
    account: str
    workspace: str | None = None


@dataclass(frozen=True)
class Desk(ABC):
    """What one call of a workflow works with. `deadline` is on the clock of `now`, in seconds."""

    place: Place
    shared: Shared
    confirmations: Confirmations
    asker: Asker
    deadline: float

    @abstractmethod
    def now(self) -> float:
        """Monotonic seconds."""

    @abstractmethod
    async def seconds(self, requests: int, credits: float) -> float:
        """About how long so many requests of so many rate credits in all take at this account's
        pace."""

    async def agreed(self, preview: Preview, call: Sequence[Any], token: str | None) -> None:
        """Return only after the user's yes to the preview.

        Args:
            call: what the yes is for: tool and arguments.

        Raises:
            Failure: `DECLINED` or `CONFIRMATION_REQUIRED`.
        """
        what = [*call, self.place.workspace]
        await self.confirmations.require(preview, call=what, token=token, asker=self.asker)
