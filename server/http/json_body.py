"""Reads untrusted JSON: no number in it is infinite or NaN."""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_VALUES = 1_000_000
"""The most values of an answer, about; the largest that either API sends have a tenth of it."""
# A number that may be infinite: reading each by a function would take seconds.
_HUGE = re.compile(r"[eE]\+?[0-9]{3}")


def load_json(text: str) -> Any:
    """Return what JSON says; NaN and the infinities, which are no JSON and no metric, are null.

    Raises:
        ValueError: it is no JSON, or has too many values.
        RecursionError: it is nested too deeply.
    """
    # Counted first, which takes a hundredth of the time: nobody waits for millions of empty lists.
    if text.count(",") > MOST_VALUES:
        raise ValueError("too many values")
    read_float = _read_float if _HUGE.search(text) else None
    with _without_collections():
        return json.loads(text, parse_constant=_read_constant, parse_float=read_float)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Pause garbage collection: each new object may start one that goes through all the others, and
    8 MB of empty lists are millions of objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_constant(_: str) -> None:
    """Return null for NaN and Infinity."""


def _read_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
