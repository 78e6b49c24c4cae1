"""Ending in order when the system or the user asks for it."""

from __future__ import annotations

import signal
import sys

import anyio


async def end_on_signal(scope: anyio.CancelScope) -> None:
    """Cancel the scope at the first SIGINT or SIGTERM; returns at once where there are no such
    signals (Windows)."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return
