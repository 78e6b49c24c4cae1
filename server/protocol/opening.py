"""The opening of a connection: a host's first requests are answered while the SDK is imported.

Half of a start is the SDK building its models, and hosts on slow machines give up on slow servers.
So one thread imports it, and this one answers what hosts ask first. With the first message that is
not theirs to answer, or once the import is done, the connection is handed over: the SDK hears the
messages that open it once more, its answers to those are dropped, and then reads on.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, NoReturn

from server.protocol.descriptors import Descriptors, are_open, claim, is_pipe
from server.protocol.first_answers import FirstAnswers
from server.redaction import redact_message

# Bytes read at once; a pipe holds as many.
_CHUNK = 65_536


@dataclass
class Opening:
    """A connection that has begun.

    Args:
        wire: its descriptors.
        unread: the bytes that the SDK reads first: messages to hear again, then what came since.
        answered: the ids whose answers the host has.
        version: the protocol version of the connection; empty before it is agreed.
    """

    wire: Descriptors
    unread: bytes = b""
    answered: set[str | int | None] = field(default_factory=set)
    version: str = ""


def open_connection(answers: FirstAnswers, load: Callable[[], object]) -> Opening | None:
    """Answer the host's first messages while `load` runs, and return the connection to serve.

    None where stdin or stdout is no pipe: nothing was read then, and `load` did not run. Where the
    host leaves meanwhile, the process ends.

    Raises:
        BaseException: what `load` raised.
    """
    if not (are_open() and is_pipe(0) and is_pipe(1)):
        return None
    # Before the import: what it prints must not get between the messages.
    wire = claim()
    for descriptor in (wire.incoming, wire.outgoing):
        os.set_blocking(descriptor, True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    loader = _Loader(load)
    opening = _Greeter(wire, answers).greet(loader)
    loader.finish()
    return opening


class _Loader:
    """A function that runs in a thread of its own; `wake` can be read from once it is over."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = load
        self._error: BaseException | None = None
        self.wake, self._over = os.pipe()
        # Not waited for at the end of the process: an import cannot be interrupted.
        self._thread = Thread(target=self._run, name="loader", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._load()
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            self._error = error
        os.close(self._over)

    def finish(self) -> None:
        """Wait for the function, and raise what it raised."""
        self._thread.join()
        os.close(self.wake)
        if self._error is not None:
            raise self._error


class _Greeter:
    """Reads and answers messages until one has no answer here, or the loader is done."""

    def __init__(self, wire: Descriptors, answers: FirstAnswers) -> None:
        self._wire = wire
        self._answers = answers
        self._buffer = bytearray()
        self._replayed: list[bytes] = []
        self._answered: set[str | int | None] = set()

    def greet(self, loader: _Loader) -> Opening:
        while self._answer_lines() and self._read(loader.wake):
            pass
        unread = b"".join([*self._replayed, bytes(self._buffer)])
        return Opening(self._wire, unread, self._answered, self._answers.version)

    def _answer_lines(self) -> bool:
        """Answer the whole lines of the buffer; return whether all had an answer."""
        while (end := self._buffer.find(b"\n") + 1) > 0:
            line = bytes(self._buffer[:end])
            answer = self._answers.answer(line)
            if answer is None:
                return False
            del self._buffer[:end]
            if answer.opens:
                self._replayed.append(line)
                self._answered.add(answer.id)
            self._write(answer.line)
        return len(self._buffer) <= _CHUNK

    def _read(self, wake: int) -> bool:
        """Read more; return whether there is more to answer before the SDK takes over."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wire.incoming, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            ready = {key.fd for key, _ in selector.select()}
        if wake in ready:
            return False
        chunk = b""
        # A socket may be reset where a pipe just ends.
        with suppress(ConnectionError):
            chunk = os.read(self._wire.incoming, _CHUNK)
        if chunk:
            self._buffer += chunk
            return True
        # A last line without an end is the SDK's to read.
        if not self._buffer:
            _leave()
        return False

    def _write(self, line: bytes) -> None:
        view = memoryview(redact_message(line.decode()).encode())
        while view:
            try:
                view = view[os.write(self._wire.outgoing, view) :]
            except ConnectionError:
                _leave()


def _leave(*_: Any) -> NoReturn:
    """End the process: the host is gone or wants it so, and nothing has begun yet.

    At once, because the interpreter's own end would wait for the import in the other thread.
    """
    os._exit(0)
