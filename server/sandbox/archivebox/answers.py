"""The shapes in which an ArchiveBox says no, each as an exception of the sandbox, and how they look
on the wire.

ArchiveBox's REST API has four of them: `detail` for deliberate refusals, a list of `detail` for
arguments of the wrong type, `succeeded: false` with a Python traceback for every exception of its
own (404 for a missing object, else 503), and pages of HTML or text from the web server in front of
the API.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from server.sandbox.answer import Answer

JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html; charset=utf-8"}
TEXT = {"content-type": "text/plain"}

_TRACEBACK = """Traceback (most recent call last):
  File "/opt/archivebox/venv/lib/python3.13/site-packages/ninja/operation.py", line 143, in run
    result = self.view_func(request, **values)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/archivebox/venv/lib/python3.13/site-packages/archivebox/api/v1_core.py", line 402, in view
  File "/opt/archivebox/venv/lib/python3.13/site-packages/django/db/models/query.py", line 635, in get
{kind}: {message}
"""


class Refused(Exception):
    """A request that is answered with a refusal; `answer` is how it looks."""

    @abstractmethod
    def answer(self) -> Answer:
        """The refusal on the wire."""


class Detail(Refused):
    """`{"detail": ...}`: a deliberate refusal or, with a list, arguments of a wrong type (422)."""

    def __init__(self, status: int, detail: str | list[dict[str, Any]]) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail

    def answer(self) -> Answer:
        return as_json({"detail": self.detail}, self.status)


class Raised(Refused):
    """An exception inside the server, named by its Python class: 404 for `DoesNotExist`, 503 for
    everything else."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message

    def answer(self) -> Answer:
        trace = _TRACEBACK.format(kind=self.kind, message=self.message)
        body = {"succeeded": False, "message": f"{self.kind}: {self.message}", "errors": [trace]}
        return as_json(body, 404 if self.kind == "DoesNotExist" else 503)


class Ended(Exception):
    """A command that left with `SystemExit`, which takes the server's web process with it."""


class Hung(Exception):
    """A command that runs for ever in the foreground, so that the caller never gets an answer."""


class Closed(ConnectionError):
    """The connection ended without an answer: the web process is down."""


def as_json(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return Answer(
        status, {**JSON, **(headers or {})}, json.dumps(payload, ensure_ascii=False).encode()
    )


def missing(kind: str) -> Raised:
    """No object of that kind fits."""
    return Raised("DoesNotExist", f"{kind} matching query does not exist.")


def ambiguous(kind: str, count: int) -> Raised:
    """More than one object fits."""
    shown = str(count) if count <= 20 else "more than 20"
    return Raised(
        "MultipleObjectsReturned", f"get() returned more than one {kind} -- it returned {shown}!"
    )


def page(status: int, title: str, text: str) -> Answer:
    """A page of HTML from the web server."""
    body = f'<!doctype html>\n<html lang="en"><head><title>{title}</title></head><body>{text}</body></html>\n'
    return Answer(status, HTML, body.encode())


def not_found_page() -> Answer:
    """The web server's own 404, which is HTML."""
    return page(
        404,
        "Not Found",
        "<h1>Not Found</h1><p>The requested resource was not found on this server.</p>",
    )


def not_allowed(allowed: list[str]) -> Answer:
    """405, which is plain text."""
    return Answer(405, {**TEXT, "allow": ", ".join(allowed)}, b"Method not allowed")


def redirect(location: str, status: int = 302) -> Answer:
    """A redirect with an empty page."""
    return Answer(status, {**HTML, "location": location}, b"")
