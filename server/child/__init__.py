"""Work on strangers' bytes, and charts, in a process of its own, which is ended when it takes too
long.

A thread will not do: regular expressions hold the interpreter's lock, and a decoder cannot be
stopped. The process is started with the first such work, used again, and ended when it was idle
for a while, or with the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from server.child.worker import LENGTHS
from server.errors import Code, Failure

SECONDS = 5.0
"""The most that one piece of work may take."""
IDLE_SECONDS = 30.0
# Of an answer: the pixels of the largest picture that is asked for, a long screenshot.
_MOST_BYTES = 128 << 20
_COMMAND = (sys.executable, "-I", "-B", str(Path(__file__).with_name("worker.py")))
# Nothing else is needed there, and the others hold secrets.
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR", "HOME")
# A thread for each core would take the memory that one chart may have.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class TookTooLong(Failure):
    """The work was given up."""


class Child:
    """The process, of which there is one; work waits for its turn."""

    def __init__(self, seconds: float = SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None

    def ask(self, header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return what the process answers. It blocks, and belongs into a thread.

        Raises:
            Failure: `BAD_RESPONSE`, with a clause as message: it took too long, or more memory than
                it may have; `UNAVAILABLE` where no process can be started.
        """
        with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            process = self._process = self._process or _start()
            timer = threading.Timer(self._seconds, process.kill)
            timer.start()
            try:
                return _exchange(process, header, data)
            except (OSError, EOFError, ValueError):
                self._stop()
                seconds = f"{self._seconds:g} s"
                raise TookTooLong(
                    Code.BAD_RESPONSE, f"it takes more than {seconds} or too much memory to read"
                ) from None
            finally:
                timer.cancel()
                self._idle = threading.Timer(self._idle_seconds, self.close)
                self._idle.daemon = True
                self._idle.start()

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        _close(process.stdin)
        _close(process.stdout)


def _start() -> subprocess.Popen[bytes]:
    # An empty entry is the working folder, which anybody may write to.
    folders = [str(Path(entry).absolute()) for entry in sys.path if entry]
    variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        # Its complaints are no messages of this server.
        return subprocess.Popen(  # noqa: S603 - this interpreter with a file of this server
            (*_COMMAND, *folders),
            cwd=Path(sys.executable).anchor,
            env=variables | _ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise Failure(
            Code.UNAVAILABLE,
            f"no process could be started to read it ({error.strerror})",
            "The user looks at the limits of processes on this machine.",
        ) from None


def _exchange(
    process: subprocess.Popen[bytes], header: dict[str, Any], data: bytes
) -> tuple[dict[str, Any], bytes]:
    requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    text = json.dumps(header).encode()
    requests.write(LENGTHS.pack(len(text), len(data)) + text)
    requests.write(data)
    requests.flush()
    header_size, data_size = LENGTHS.unpack(_read(answers, LENGTHS.size))
    answer: dict[str, Any] = json.loads(_read(answers, header_size))
    return answer, _read(answers, data_size)


def _read(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(min(size, _MOST_BYTES))
    if len(data) < size:
        raise EOFError
    return data


def _close(pipe: Any) -> None:
    # It fails for what the process did not read any more.
    with suppress(OSError):
        pipe.close()


shared = Child()
"""The process of this server."""
