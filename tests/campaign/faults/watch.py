"""What a campaign watches besides answers: how long the event loop stands still, and what is
logged."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LONGEST_STALL = 0.25
"""Seconds."""
# Of a machine that others use as well, only what this thread itself computed counts in full: a
# stall is one of the loop where most of it was its own work.
_OWN_SHARE = 0.8


@dataclass
class Watch:
    """What was seen; `stalls` are seconds with the callback that took them."""

    stalls: list[tuple[float, str]] = field(default_factory=list)
    longest: float = 0.0
    began: float | None = None
    place: str = ""
    lines: list[str] = field(default_factory=list)

    def take_stalls(self) -> list[tuple[float, str]]:
        """Return the stalls since the last call."""
        stalls, self.stalls = self.stalls, []
        return stalls

    def take_lines(self) -> list[str]:
        """Return what was logged since the last call."""
        lines, self.lines = self.lines, []
        return lines


class _Lines(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.lines.append(self.format(record))


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch the event loop that runs in this thread, and the product's log."""
    watch = Watch()
    loop = asyncio.get_running_loop()
    run = asyncio.Handle._run

    def run_timed(handle: Any) -> None:
        if handle._loop is not loop:
            run(handle)
            return
        wall, own = time.perf_counter(), time.thread_time()
        watch.began, watch.place = wall, ""
        run(handle)
        watch.began = None
        seconds = time.perf_counter() - wall
        own = time.thread_time() - own
        if own >= LONGEST_STALL * _OWN_SHARE:
            watch.longest = max(watch.longest, seconds)
            if seconds >= LONGEST_STALL:
                watch.stalls.append((seconds, watch.place or repr(handle)[:160]))

    handler = _Lines(watch)
    logger = logging.getLogger("archive_mcp")
    logger.addHandler(handler)
    asyncio.Handle._run = run_timed  # type: ignore[method-assign, assignment]
    # All that the tests have loaded would be gone through again and again, inside some callback.
    gc.collect()
    gc.freeze()
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(watch, over, threading.get_ident()))
    looking.start()
    try:
        yield watch
    finally:
        over.set()
        gc.unfreeze()
        looking.join()
        asyncio.Handle._run = run  # type: ignore[method-assign]
        logger.removeHandler(handler)


def _look(watch: Watch, over: threading.Event, thread: int) -> None:
    """Note where the watched thread is whenever a callback takes long."""
    while not over.wait(0.03):
        began = watch.began
        if began is None or watch.place or time.perf_counter() - began < LONGEST_STALL / 2:
            continue
        frames = traceback.extract_stack(sys._current_frames().get(thread))
        watch.place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in frames[:-12:-1])
