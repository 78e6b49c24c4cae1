"""Looking into a journal that other processes write to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from server.jobs.sqlite.database import Busy

T = TypeVar("T")

_PATIENCE = 30.0
_PAUSE = 0.01


def unlocked(look: Callable[[], T]) -> T:
    """Return what a look into a journal finds, as soon as nobody else holds its lock.

    Raises:
        Busy: somebody still held it after half a minute.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return look()
        except Busy:
            if time.monotonic() > end:
                raise
        time.sleep(_PAUSE)
