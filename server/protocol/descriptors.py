"""The descriptors of the wire: this process's stdin and stdout, moved out of everybody's reach."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Descriptors:
    """The two ends of the wire, as private descriptors."""

    incoming: int
    outgoing: int


def are_open() -> bool:
    """Return whether standard input and output exist at all."""
    return _is_open(sys.__stdin__, 0) and _is_open(sys.__stdout__, 1)


def claim() -> Descriptors:
    """Move the wire to private descriptors, so that no print of a library gets into it.

    Standard input becomes the null device and standard output becomes stderr.
    """
    incoming = _replace(0, os.open(os.devnull, os.O_RDONLY))
    return Descriptors(incoming, _replace(1, _copy_stderr()))


def is_pipe(descriptor: int) -> bool:
    """Return whether asyncio can wait for the descriptor: a pipe or a socket, and not on Windows,
    where it cannot use inherited ones."""
    if sys.platform == "win32":
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_open(stream: TextIO | None, descriptor: int) -> bool:
    # Python has no such stream where it was closed; the number may be another file's by now.
    if stream is None:
        return False
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _copy_stderr() -> int:
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _replace(descriptor: int, instead: int) -> int:
    """Put another file in the place of a descriptor and return a new one of the old file."""
    wire = os.dup(descriptor)
    os.dup2(instead, descriptor)
    os.close(instead)
    return wire
