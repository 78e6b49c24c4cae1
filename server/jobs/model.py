"""The data of a job and its records, and the exceptions that end the work on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from server.errors import Failure

# The origin of an API and the fingerprint of a token: whose a job is.
Account = tuple[str, str]


class JobState(StrEnum):
    """The state of a job; one whose owner died reads as paused."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """The phases of a job, in their order."""

    GATHERING = "gathering"
    SENDING = "sending"
    # A phase of its own, so that a crash while a file is written does not send anything again.
    FINISHING = "finishing"


class RecordState(StrEnum):
    """The state of a record; `sending` is journalled before its bytes leave, the others after."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    # A state of its own: sent again it might happen twice, called failed it might be missed.
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


RECORDS = "records"
"""The name of a job's records unless it has one of its own."""
# Paused is not among them: a paused job still waits to be resumed.
ENDED_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
# The states of a record that needs no further work.
FINISHED_STATES = (RecordState.DONE, RecordState.FAILED, RecordState.UNKNOWN, RecordState.SKIPPED)


@dataclass(frozen=True)
class Estimate:
    """What a job was planned to take: `credits` are rate credits, `records` is None where their
    number was not known."""

    requests: int
    credits: float
    seconds: float
    records: int | None = None

    def share_of(self, records: int) -> float | None:
        """Return which part of the plan so many records are; None where nobody can tell."""
        return records / self.records if self.records else None


@dataclass(frozen=True)
class NewJob:
    """A job to be started.

    `arguments` are the tool's as they came (JSON-ready); `account` is a fingerprint of the token,
    never the token; `total` is the number of records, None while it is not known; `estimate` is the
    plan that the user saw; `unit` is what people call its records.
    """

    tool: str
    title: str
    origin: str
    account: str
    workspace: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    total: int | None = None
    estimate: Estimate | None = None
    unit: str = RECORDS

    @property
    def counters(self) -> dict[str, Any]:
        """Return the counters that the job begins with."""
        counters: dict[str, Any] = {}
        if self.estimate is not None:
            counters["estimate"] = asdict(self.estimate)
        if self.unit != RECORDS:
            counters["unit"] = self.unit
        return counters


@dataclass(frozen=True)
class NewRecord:
    """A record to be processed; `key` is unique in its job, `detail` is JSON-ready."""

    key: str
    detail: Any = None


@dataclass(frozen=True)
class RecordRow:
    """A record as journalled; `sends` counts how often its bytes may have left."""

    number: int
    key: str
    state: RecordState
    code: str | None
    reason: str | None
    detail: Any
    sends: int


@dataclass(frozen=True)
class JobRow:
    """A job as journalled.

    Times are seconds since the epoch; `error` is `{code, message, hint, retryable}`. `owned` says
    whether a live process works on the job, `cancelling` whether that process was asked to stop.
    """

    id: str
    tool: str
    title: str
    origin: str
    account: str
    workspace: str | None
    arguments: dict[str, Any]
    writes: bool
    repeatable: bool
    phase: Phase
    state: JobState
    created: float
    updated: float
    finished: float | None
    total: int | None
    cursor: Any
    counters: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    owned: bool
    cancelling: bool
    # From the tallies, because counting the rows of a large job takes too long for every look.
    counts: dict[RecordState, int]

    @property
    def finished_records(self) -> int:
        """Return the number of records that need no more work."""
        return sum(self.counts.get(state, 0) for state in FINISHED_STATES)

    @property
    def unit(self) -> str:
        """Return what people call the records."""
        unit: str = self.counters.get("unit", RECORDS)
        return unit

    @property
    def ended(self) -> bool:
        """Whether the job is over: resuming it would do nothing."""
        return self.state in ENDED_STATES


@dataclass(frozen=True)
class Mark:
    """The new state of a record, to be journalled; a `detail` (JSON text) of None keeps the old."""

    number: int
    state: RecordState
    code: str | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class End:
    """The end of a run; `state` is None where another process owns the job: then nothing may be
    journalled."""

    state: JobState | None
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


# No `Failure`: the handlers of passing failures would catch it and try again.
class LostLease(Exception):
    """Another process took the job: this one may not send or journal anything more."""


class Stopped(Exception):
    """The job must stop, cancelled or because its server ends. A kind of work must not catch it."""


def to_dict(failure: Failure) -> dict[str, Any]:
    """Return a failure as it is journalled."""
    # The hint keeps its `{operation}` marks: the tools offered when it is read may be others.
    return {
        "code": str(failure.code),
        "message": failure.message,
        "hint": failure.hint,
        "retryable": failure.retryable,
    }
