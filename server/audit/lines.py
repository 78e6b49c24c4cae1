"""An audit log as a file of JSON lines, which several processes may write at once."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from anyio import to_thread

from server.audit.event import Event
from server.errors import Code, Failure
from server.private_folder import make_private

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
# Whom callers work on is nobody else's business on this machine.
_PRIVATE = 0o600

log = logging.getLogger("archive_mcp.audit")


class JsonLines:
    """Appends each record as a line.

    The file is opened for every record, so that a program which rotates logs may rename it at any
    time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def record(self, event: Event) -> None:
        """Append a record and wait until the disk has it. Raises as `AuditLog.record`."""
        line = json.dumps(event.to_dict(), ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            await to_thread.run_sync(self._append, line.encode())
        except OSError as error:
            raise Failure(
                Code.UNAVAILABLE,
                f"The audit log cannot be written ({error.strerror}).",
                "Tell the user: changes are refused until ARCHIVE_MCP_AUDIT_LOG names a file that "
                "this server can write to, on a disk with space.",
            ) from None

    def _append(self, line: bytes) -> None:
        if not self._path.parent.exists():
            make_private(self._path.parent)
        file = os.open(self._path, _APPEND, _PRIVATE)
        try:
            # In one write: lines of several processes must not mix.
            if os.write(file, line) != len(line):
                raise OSError(0, "the disk is full")
            os.fsync(file)
        finally:
            os.close(file)


def read_lines(path: Path) -> Iterator[Event]:
    """Yield the records of a file, oldest first; a line that is none is left out, with a warning.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield Event.from_dict(json.loads(line))
            except (ValueError, TypeError, AttributeError):
                # A full disk leaves half a line behind.
                log.warning("line %d of the audit log is no record and is left out", number)
