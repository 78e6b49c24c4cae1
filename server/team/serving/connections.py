"""Connections that do not wait for ever: one whose client sends a header too slowly, or does not
take its answer, is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0
"""How long a client may take to send the lines before a body, from the first connection on."""

ANSWER_SECONDS = 120.0
"""How long a client may take none of an answer that is ready for it."""


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, which by itself waits for a request for ever."""

    _waiting: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; the lines before a body end the waiting."""
        super().data_received(data)
        # Between two requests uvicorn's own limit holds, until the first byte of the next one.
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._stop_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start to wait until the client takes what was sent to it."""
        super().pause_writing()
        if self._writing is None:
            # Not closed in order: that would wait for the same.
            self._writing = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer: the client took what there was."""
        self._stop_writing()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Go on with the next request, which may have begun already."""
        super().on_response_complete()
        if self._has_begun():
            self._wait()

    def _has_begun(self) -> bool:
        return self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _give_up(self) -> Any:
        self._waiting = None
        self.transport.close()
