"""The sandbox: an Archive in this process, with made-up data and the real API's rules.

    Sandbox       the API; `handle` takes a request and returns an `Answer`, without any transport
    Answer        status, headers, body
    TOKEN         sees all three workspaces
    TOKEN_SINGLE  sees only MAIN
    MAIN, OUTDOOR, COFFEE   the workspaces' ids

The GraphQL library and the HTTP server are imported here and nowhere else in the program.
"""

from __future__ import annotations

from server.sandbox.answer import Answer
from server.sandbox.archive.app import PATH, TOKEN, TOKEN_SINGLE, Sandbox
from server.sandbox.archive.data.brands import COFFEE, MAIN, OUTDOOR

__all__ = ["COFFEE", "MAIN", "OUTDOOR", "PATH", "TOKEN", "TOKEN_SINGLE", "Answer", "Sandbox"]
