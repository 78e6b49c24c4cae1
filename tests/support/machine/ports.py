"""Ports of this machine, held so that no other process gets them meanwhile."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a loopback port where connections are refused as long as the context lives."""
    with socket.socket() as held:
        # Linux then lets a server that sets the same option listen there, and nobody else.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a loopback port for a server of another program that is about to start; on Linux nobody
    else gets it before that."""
    with closed_port() as port:
        if sys.platform == "linux":
            yield port
            return
    yield port
