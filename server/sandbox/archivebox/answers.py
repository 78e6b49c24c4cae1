"""The shapes in which an ArchiveBox refuses a request, each as an exception of the sandbox, and how
they look on the wire.

ArchiveBox's REST API has four of them: `detail` for deliberate refusals, a list of `detail` for
arguments of the wrong type, `succeeded: false` with a Python traceback for every exception of its
own (404 for a missing object, else 503), and pages of HTML or text from the web server in front of
the API.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any

from server.sandbox.answer import Answer

JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html; charset=utf-8"}
TEXT = {"content-type": "text/plain"}

# A traceback with paths of the server, as real ones are: a client must not hand it on.
_TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/opt/archivebox/venv/lib/python3.13/site-packages/ninja/operation.py", '
    "line 143, in run\n"
    "    result = self.view_func(request, **values)\n"
    "             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    '  File "/opt/archivebox/venv/lib/python3.13/site-packages/archivebox/api/v1_core.py", '
    "line 402, in view\n"
    '  File "/opt/archivebox/venv/lib/python3.13/site-packages/django/db/models/query.py", '
    "line 635, in get\n"
    "{kind}: {message}\n"
)
# Django stops counting there (`MAX_GET_RESULTS` of its query sets).
_MOST_COUNTED = 20


class Refusal(Exception):
    """A request that is refused; `answer` is how the refusal looks."""

    @abstractmethod
    def answer(self) -> Answer:
        """Return the refusal as it goes over the wire."""


class Detail(Refusal):
    """`{"detail": ...}`: a deliberate refusal or, with a list, arguments of a wrong type (422)."""

    def __init__(self, status: int, detail: str | list[dict[str, Any]]) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail

    def answer(self) -> Answer:
        return make_json({"detail": self.detail}, self.status)


class ServerError(Refusal):
    """An exception inside the server, named by its Python class: 404 for `DoesNotExist`, 503 for
    everything else."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message

    def answer(self) -> Answer:
        trace = _TRACEBACK.format(kind=self.kind, message=self.message)
        body = {"succeeded": False, "message": f"{self.kind}: {self.message}", "errors": [trace]}
        return make_json(body, 404 if self.kind == "DoesNotExist" else 503)


class ProcessExit(Exception):
    """A command that left with `SystemExit`, which ends the server's web process, too."""


class EndlessCommand(Exception):
    """A command that runs for ever in the foreground, so that the caller never gets an answer."""


class Closed(ConnectionError):
    """The connection ended without an answer: the web process is down."""


def make_json(payload: Any, status: int = 200) -> Answer:
    """Return a JSON answer."""
    return Answer(status, JSON, json.dumps(payload, ensure_ascii=False).encode())


def make_missing_error(kind: str) -> ServerError:
    """Return the error when no object of that kind fits."""
    return ServerError("DoesNotExist", f"{kind} matching query does not exist.")


def make_ambiguity_error(kind: str, count: int) -> ServerError:
    """Return the error when more than one object fits."""
    number = str(count) if count <= _MOST_COUNTED else f"more than {_MOST_COUNTED}"
    return ServerError(
        "MultipleObjectsReturned", f"get() returned more than one {kind} -- it returned {number}!"
    )


def make_field_error(name: str, choices: str) -> ServerError:
    """Return the error when a list is filtered or sorted by what is no field of the database."""
    return ServerError(
        "FieldError", f"Cannot resolve keyword '{name}' into field. Choices are: {choices}"
    )


def make_page(status: int, title: str, text: str) -> Answer:
    """Return a page of HTML from the web server."""
    head = f"<head><title>{title}</title></head>"
    body = f'<!doctype html>\n<html lang="en">{head}<body>{text}</body></html>\n'
    return Answer(status, HTML, body.encode())


def make_not_found_page() -> Answer:
    """Return the web server's own 404, which is HTML."""
    text = "<h1>Not Found</h1><p>The requested resource was not found on this server.</p>"
    return make_page(404, "Not Found", text)


def refuse_method(allowed: list[str]) -> Answer:
    """Return 405, which is plain text."""
    return Answer(405, {**TEXT, "allow": ", ".join(allowed)}, b"Method not allowed")


def redirect(location: str, status: int = 302) -> Answer:
    """Return a redirect with an empty page."""
    return Answer(status, {**HTML, "location": location}, b"")
