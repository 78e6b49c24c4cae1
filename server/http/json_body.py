"""Reads JSON that strangers wrote: no number in it is infinite or none."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# A number that may be infinite: reading each by a function would take seconds.
_HUGE = re.compile(r"[eE]\+?[0-9]{3}")


def load_json(text: str) -> Any:
    """Return what JSON says; NaN and the infinities, which are no JSON and no metric, are null.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    read_float = _read_float if _HUGE.search(text) else None
    return json.loads(text, parse_constant=_read_constant, parse_float=read_float)


def _read_constant(_: str) -> None:
    """Return null for NaN and Infinity."""


def _read_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
