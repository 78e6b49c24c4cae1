"""The interface of a kind of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from server.jobs.model import RecordRow

if TYPE_CHECKING:
    from server.jobs.handle import Handle


class Work(Protocol):
    """A kind of work. Its instances keep no state that a crash must not lose: that is in the
    handle.

    Failures: `OUTCOME_UNKNOWN` from `send` means that the records may have been changed; any other
    code that they were not. `LostLease` and `Stopped`, which come from the handle, are let pass.
    """

    @property
    def writes(self) -> bool:
        """Whether it changes anything for others: then it is resumed on request only."""

    @property
    def repeatable(self) -> bool:
        """Whether sending a record twice is the same as once."""

    @property
    def batch(self) -> int:
        """Records handed to `send` at once; 1 for writes."""

    @property
    def width(self) -> int:
        """Sends under way at a time."""

    async def gather(self, job: Handle) -> None:
        """Find the records (`job.add`), going on from `job.cursor`.

        It is called anew after a failure that may pass and after an interruption, which may have
        come when it had just ended.
        """

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Send one request: `job.admit` right before the bytes leave, then mark each record."""

    async def finish(self, job: Handle) -> dict[str, Any]:
        """The result, JSON-ready. Called again if it was interrupted."""
