"""The clock of a server that several replicas share, as one of them knows it.

The records of the pace are dated by the clock of the server that holds them, which no replica can
read without asking. Each answer bounds how far that clock is ahead of the own one: by no less than
the time in the answer minus the moment it came, by no more than that time minus the moment it was
asked for. The bounds of several answers together are narrower than those of one.

A bound that contradicts the ones before means that the clock was set. What was sent before that is
misdated in the records by an unknown time, so nothing may be sent until all of it has left the
window. The same holds for a process that has just started, which cannot know whether the clock was
set, and after a lost connection, which may have led to another server.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

_log = logging.getLogger("archive_mcp.limiter")
# Clocks of machines drift apart, and are corrected, by less than this share of the time.
_DRIFT = 0.001
# Seconds that the clock may miss its bounds by without having been set.
_TOLERANCE = 0.01
# Seconds by which better bounds may correct the clock, less than what two sends are apart by for
# safety. Corrected by more, it has misdated what this process has just sent.
_BLUR = 0.04
# Seconds after a reading in which the clocks cannot have drifted apart by what matters.
_FRESH = 5.0


class StoreClock:
    """How far a server's clock is ahead of this process's, and from when on it can be relied on.

    Args:
        pause: Seconds after which whatever was sent has left the window.
        clock: Monotonic clock of this process in seconds.
    """

    def __init__(self, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._pause = pause
        self._low, self._high = -math.inf, math.inf
        self._at = 0.0
        self._offset = 0.0
        self._safe_from: float | None = None

    @property
    def offset(self) -> float:
        """Seconds that the server's clock is ahead; 0 before it was read."""
        return self._offset

    @property
    def safe_from(self) -> float:
        """Moment of this process's clock from which on the records can be relied on."""
        return math.inf if self._safe_from is None else self._safe_from

    @property
    def is_trusted(self) -> bool:
        """Whether the server's clock was read since it was last distrusted."""
        return self._safe_from is not None

    @property
    def is_fresh(self) -> bool:
        """Whether the server's clock was read so lately that it is still known well."""
        return self.is_trusted and self.now() - self._at < _FRESH

    def distrust(self) -> None:
        """Rely on the records only after a pause that begins with the next reading."""
        self._safe_from = None
        self._low, self._high = -math.inf, math.inf

    def observe(self, asked: float, answered: float, server_time: float) -> None:
        """Take in a reading of the server's clock.

        Args:
            asked: Moment of this process's clock before the server read its own.
            answered: Moment of this process's clock after that.
            server_time: What the server read, in seconds.
        """
        drift = _DRIFT * (answered - self._at)
        low, high = server_time - answered, server_time - asked
        earliest, latest = self._low - drift, self._high + drift
        if low > latest + _TOLERANCE or high < earliest - _TOLERANCE:
            _log.warning(
                "The clock of the team's store was set by about %.2f s: sends pause for a moment.",
                (low + high) / 2 - self._offset,
            )
            self.distrust()
            earliest, latest = low, high
        self._low, self._high = _intersect((low, high), (earliest, latest))
        offset = (self._low + self._high) / 2
        is_blurred = answered - self._at < self._pause and abs(offset - self._offset) > _BLUR
        if self._safe_from is None or is_blurred:
            self._safe_from = answered + self._pause
        self._offset, self._at = offset, answered


def _intersect(new: tuple[float, float], old: tuple[float, float]) -> tuple[float, float]:
    low, high = max(new[0], old[0]), min(new[1], old[1])
    # Apart by less than the tolerance: the new reading is right.
    return (low, high) if low <= high else new
