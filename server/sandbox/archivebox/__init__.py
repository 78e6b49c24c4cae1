"""An ArchiveBox in this process, with made-up pages and the behaviour of three releases.

ArchiveBoxSandbox: the server; `handle` takes a request and returns an `Answer`, without any
transport. Answer: status, headers, body. KEY: opens everything; USERNAME and PASSWORD are exchanged
for it. KEY_READER: valid, but its owner is no superuser. KEY_EXPIRED: no longer valid. Closed:
raised where a real server would close the connection without an answer.
"""

from __future__ import annotations

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Closed
from server.sandbox.archivebox.app import OUTAGE, ArchiveBoxSandbox
from server.sandbox.archivebox.dialect import Version
from server.sandbox.archivebox.endpoints.auth import (
    COOKIE,
    KEY,
    KEY_EXPIRED,
    KEY_READER,
    PASSWORD,
    SESSION,
    USERNAME,
)

__all__ = [
    "COOKIE",
    "KEY",
    "KEY_EXPIRED",
    "KEY_READER",
    "OUTAGE",
    "PASSWORD",
    "SESSION",
    "USERNAME",
    "Answer",
    "ArchiveBoxSandbox",
    "Closed",
    "Version",
]
