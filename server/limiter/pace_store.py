"""Where a pacer keeps what its processes share: two texts for each key, changed one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

# State and evidence, as `State` and `Evidence` encode them.
Record = tuple[str, str]
T = TypeVar("T")


class Busy(Exception):
    """A change could not be made for as long as the caller was ready to wait."""


class PaceStore(Protocol):
    """The records of all keys, shared by every process that sends within the same limits."""

    @property
    def keeps_history(self) -> bool:
        """Whether a key without a record was never used; else its record may have been lost."""

    @property
    def offset(self) -> float:
        """Seconds that the clock of the records is ahead of this process's monotonic clock."""

    @property
    def safe_from(self) -> float:
        """Moment of this process's monotonic clock before which it must not send: until then the
        records may lack, or misdate, what was sent before."""

    @property
    def lead(self) -> float:
        """Seconds that a change takes until it holds for all: a turn is claimed so long before it
        is due, so that what the change takes does not delay the send."""

    async def transact(
        self,
        key: str,
        change: Callable[[Record | None], tuple[T, Record]],
        *,
        patience: float | None = None,
    ) -> T:
        """Replace the record of a key in one transaction.

        Args:
            key: The key of the record.
            change: Gets the record (None for a new key), returns a result and the new record. It
                may be called again if its transaction could not be finished, so it must not have
                effects of its own. What it raises is passed on, and nothing is changed.
            patience: Seconds to wait; None waits as long as the store finds useful.

        Raises:
            Busy: After `patience` seconds.
            Failure: `UNAVAILABLE` where the store is lost, and no patience was named.
        """

    def close(self) -> None:
        """Close what the store opened by itself; the next transaction opens it again."""
