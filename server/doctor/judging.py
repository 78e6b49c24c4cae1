"""What a verdict is: a judge says whether an assumption holds, or that nothing can be decided.

Here are also the readers of answers whose shape nobody can rely on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from server.doctor.probe import read_field
from server.doctor.report import Finding
from server.errors import Failure

REPORT_IT = (
    "The API behaves differently than assumed: please report this line to the makers of "
    "archive-mcp."
)

Record = Mapping[str, Any]
# Whether the assumption holds, and by which evidence.
Verdict = tuple[bool, str]
P = ParamSpec("P")
Value = TypeVar("Value")


class Undecided(Exception):
    """The answer shows neither that an assumption holds nor that it does not; the text says why."""


def require(value: Value | None, reason: str) -> Value:
    """Return a value; without it, or where it is empty, nothing can be decided.

    Raises:
        Undecided: with that reason.
    """
    if not value:
        raise Undecided(reason)
    return value


def leave_open(id: str, reason: str) -> Finding:
    """Return a finding that leaves the assumption open."""
    return Finding(id, "unknown", reason)


def judges(id: str) -> Callable[[Callable[P, Verdict]], Callable[P, Finding]]:
    """Make a function that judges an assumption return its finding."""

    def decorate(judge: Callable[P, Verdict]) -> Callable[P, Finding]:
        @wraps(judge)
        def find(*args: P.args, **kwargs: P.kwargs) -> Finding:
            try:
                holds, evidence = judge(*args, **kwargs)
            except Undecided as undecided:
                return leave_open(id, str(undecided))
            if holds:
                return Finding(id, "confirmed", evidence)
            return Finding(id, "contradicted", evidence, REPORT_IT)

        return find

    return decorate


async def conclude(id: str, question: Awaitable[Finding]) -> Finding:
    """Return the finding of a question; unknown where it was not answered."""
    try:
        return await question
    except (Failure, Undecided) as reason:
        return leave_open(id, str(reason))


def list_objects(rows: Any) -> list[Record]:
    """Return the objects in a list; none where it is no list."""
    if not isinstance(rows, list):
        return []
    return [row for row in rows if isinstance(row, dict)]


def list_records(connection: Any) -> list[Record]:
    """Return the records of a connection; none where there is no connection."""
    return list_objects(read_field(connection, "nodes"))


def read_total(connection: Any) -> int | None:
    """Return the `totalCount` of a connection; None where it has none."""
    total = read_field(connection, "totalCount")
    return total if isinstance(total, int) else None


def read_error(payload: Mapping[str, Any]) -> str | None:
    """Return the first error's message, with its code; None where there is no error."""
    # A list of objects is GraphQL's shape; one text is Archive's for a bad token or workspace.
    errors = payload.get("errors")
    if isinstance(errors, list) and errors:
        errors = errors[0]
    if not isinstance(errors, dict):
        return errors if isinstance(errors, str) else None
    code = read_field(errors.get("extensions"), "code")
    message = str(errors.get("message", ""))
    return f"{message} ({code})" if code else message
