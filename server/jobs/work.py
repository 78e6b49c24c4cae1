"""The interface of a kind of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from server.jobs.model import RecordRow

if TYPE_CHECKING:
    from server.jobs.handle import Handle


class Work(Protocol):
    """A kind of work. State that must survive a crash belongs into the handle, not the instance.

    A failure `OUTCOME_UNKNOWN` of `send` means that the records may have been changed, any other
    code that they were not. `LostLease` and `Stopped`, which the handle raises, must not be caught.
    """

    @property
    def writes(self) -> bool:
        """Whether the work changes anything for others; it is then resumed on request only."""

    @property
    def repeatable(self) -> bool:
        """Whether sending a record twice is the same as once."""

    @property
    def batch(self) -> int:
        """Return the number of records for each `send`; 1 for writes."""

    @property
    def width(self) -> int:
        """Return how many sends may be under way at once."""

    async def gather(self, job: Handle) -> None:
        """Find the records from `job.cursor` on and journal them with `job.add`.

        It is called again after a failure that may pass, and after an interruption, which may come
        when everything was found already.
        """

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Send one request: `job.admit` right before the bytes leave, then mark each record."""

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Return the result, JSON-ready; it is called again after an interruption."""
