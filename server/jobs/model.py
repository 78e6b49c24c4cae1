"""What a job is made of: plain data, and the interface of a kind of work."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from server.errors import Failure

if TYPE_CHECKING:
    pass


class JobState(StrEnum):
    """How a job stands. A job whose owner died reads as paused."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """What a job does, in this order."""

    GATHERING = "gathering"
    SENDING = "sending"
    FINISHING = "finishing"


class RecordState(StrEnum):
    """How a record stands. `sending` is journalled before its bytes leave, the others after."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
SETTLED = (RecordState.DONE, RecordState.FAILED, RecordState.UNKNOWN, RecordState.SKIPPED)
"""States of a record with which nothing more will be done."""


@dataclass(frozen=True)
class NewJob:
    """A job to be started.

    `arguments` are the tool's as they came (JSON-ready); `account` is a fingerprint of the token,
    never the token; `total` is the number of records, None while it is not known.
    """

    tool: str
    title: str
    origin: str
    account: str
    workspace: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    total: int | None = None


@dataclass(frozen=True)
class NewRecord:
    """A record to be worked off. `key` is unique in its job; `detail` is JSON-ready."""

    key: str
    detail: Any = None


@dataclass(frozen=True)
class RecordRow:
    """A record as journalled. `sends` counts how often its bytes may have left."""

    number: int
    key: str
    state: RecordState
    code: str | None
    reason: str | None
    detail: Any
    sends: int


@dataclass(frozen=True)
class JobRow:
    """A job as journalled. Times are seconds since the epoch; `error` is `{code, message, hint,
    retryable}`.

    `owned` tells whether a live process works on it; `cancelling` whether that one was asked to
    stop.
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
    counts: dict[RecordState, int]

    @property
    def settled(self) -> int:
        """Records with which nothing more will be done."""
        return sum(self.counts.get(state, 0) for state in SETTLED)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself or by resuming it."""
        return self.state in ENDED


@dataclass(frozen=True)
class Mark:
    """What became of a record, to be journalled. `detail` is JSON text; None keeps what there
    is."""

    number: int
    state: RecordState
    code: str | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class End:
    """How a job leaves its runner; `state` None where another process owns it and nothing may be
    journalled."""

    state: JobState | None
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class LostLease(Exception):
    """Another process works on the job now: nothing more may be sent or journalled here."""


class Stopped(Exception):
    """The job is to stop: cancelled, or its server ends. A kind of work lets it pass."""


def told(failure: Failure) -> dict[str, Any]:
    """A failure as it is journalled. Its hint still names operations."""
    return {
        "code": str(failure.code),
        "message": failure.message,
        "hint": failure.hint,
        "retryable": failure.retryable,
    }
