"""The interfaces of long work: what a kind of work implements, and what tools and commands see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from server.jobs.model import JobRow, NewJob, NewRecord, RecordRow, RecordState

if TYPE_CHECKING:
    from server.jobs.handle import Handle

# A function that gets the number of finished records, of all (None: unknown), and a message.
Progress = Callable[[int, int | None, str], Awaitable[None]]


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


class Jobs(Protocol):
    """Long work that is started, waited for, looked at, stopped and resumed.

    Every method raises `Failure` where the journal cannot be used, and `NOT_FOUND` for a job that
    does not exist.
    """

    @property
    def is_busy(self) -> bool:
        """Whether this process works on a job, which its end would interrupt."""

    async def start(
        self, job: NewJob, work: Work, records: Sequence[NewRecord] | None = None
    ) -> JobRow:
        """Journal a job and have it run.

        Args:
            records: the records, where they are known already; then the work gathers nothing.
        """

    async def wait(
        self, job_id: str, seconds: float, on_progress: Progress | None = None
    ) -> JobRow:
        """Return the job once it ended or paused, or after that many seconds at the latest."""

    async def get(self, job_id: str) -> JobRow:
        """Return the job as it stands.

        Raises:
            Failure: It belongs to somebody else.
        """

    async def list(
        self, account: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[JobRow]:
        """Return the jobs of one token or of all that may be seen here, newest first."""

    async def count_others(self) -> int:
        """Return how many jobs belong to other tokens or addresses."""

    async def records(
        self, job_id: str, states: Sequence[RecordState] = (), *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordRow]:
        """Return the records of these states (or all) with a number above `after`, in order."""

    def record_pages(
        self, job_id: str, states: Sequence[RecordState] = (), *, after: int = 0, size: int = 1000
    ) -> AsyncIterator[Sequence[RecordRow]]:
        """Yield all records of these states (or all) with a number above `after`, in order, at most
        `size` at a time."""

    async def failures(
        self, job_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordRow]:
        """Return the failed records and those of unknown outcome, with their reasons."""

    async def orphans(self, origin: str, account: str) -> Sequence[JobRow]:
        """Return the interrupted jobs that nobody works on, oldest first: those that only read may
        simply be resumed."""

    async def cancel(self, job_id: str) -> JobRow:
        """Stop a job for good, wherever it runs; it stops at its next record."""

    async def resume(self, job_id: str, work: Work) -> JobRow:
        """Resume an interrupted job.

        Raises:
            Failure: a process works on it, or it has ended.
        """

    async def retry_failed(self, job_id: str, work: Work) -> JobRow:
        """Send the failed records of a job once more, and those of unknown outcome where that is
        harmless.

        Raises:
            Failure: a process works on it, or there is no such record.
        """
