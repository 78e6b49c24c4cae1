"""What becomes of a job and its records when an owner dies or somebody takes it: the rules that
every journal keeps."""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import Code, Failure
from server.jobs.model import JobState, Phase, RecordState

INTERRUPTED = "The server stopped while this was being sent: it may or may not have been done."
CANCELLED = "The job was cancelled before this was sent."


@dataclass(frozen=True)
class Standing:
    """A job that a process wants to take: where it stands, and whether another one works on it."""

    job: str
    state: JobState
    phase: Phase
    repeatable: bool
    cancel: bool
    live: bool

    def check_free(self, *, again: bool) -> None:
        """Return only if the job may be taken.

        Args:
            again: failed records are to be sent once more; then the job may have ended.

        Raises:
            Failure: A process works on it, or it has ended.
        """
        if self.live:
            raise Failure(
                Code.UNAVAILABLE,
                f"Another server of this user works on {self.job}.",
                "There is nothing to resume: the job goes on by itself.",
                retryable=True,
            )
        if again:
            return
        if self.cancel or self.state not in (JobState.RUNNING, JobState.PAUSED):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.job} has ended already; nothing is left to resume.",
                "Start a new job.",
            )

    @property
    def sent_again(self) -> tuple[RecordState, ...]:
        """Return the states of records that may be sent once more."""
        # An unknown record of other work may have been done, and would be done twice.
        if self.repeatable:
            return (RecordState.FAILED, RecordState.UNKNOWN)
        return (RecordState.FAILED,)

    @property
    def phase_again(self) -> Phase:
        """Return the phase of a job whose failed records are pending again."""
        # A finished job goes back to sending, because some records are pending again.
        return Phase.GATHERING if self.phase is Phase.GATHERING else Phase.SENDING


def make_nothing_to_send(name: str) -> Failure:
    """Return the failure of a job without records that may be sent again."""
    return Failure(
        Code.INVALID_ARGUMENT,
        f"No record of {name} can be sent again.",
        "Only failed records can; check first what became of one of unknown outcome, unless "
        "sending it twice is harmless.",
    )
