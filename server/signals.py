"""End the process in order when the system or the user asks for it."""

from __future__ import annotations

import signal
import sys

import anyio


async def end_on_signal(scope: anyio.CancelScope) -> None:
    """Cancel the scope at the first SIGINT or SIGTERM.

    Returns at once on Windows, where an event loop cannot wait for these signals.
    """
    # Spelled this way for mypy, which then skips the rest on Windows.
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            # A second signal finds the default handler again, and ends what hangs.
            return
