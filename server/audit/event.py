"""What an audit record says: who, what, where, how it was confirmed, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["change", "export", "job", "refused", "sign-in"]
# `begins` stands before the send. A change without a later record of the same call was cut off:
# its outcome is unknown.
Outcome = Literal["begins", "done", "failed", "unknown", "refused"]
Confirmed = Literal["asked", "token", "not needed"]

# Of one call; a job's records are in its journal.
MOST_IDS = 1_000
_LONGEST_ID = 200
# Arguments and results that name records: `id`, `itemId`, `collection_ids`. Their other texts are
# what people wrote, which no audit needs.
_ID = re.compile(r"ids?|\w+(Ids?|_ids?)")


@dataclass(frozen=True)
class Event:
    """One record of the audit log.

    Args:
        at: the instant in UTC, as ISO 8601.
        call: the same in all records of one call.
        principal: the id of who called; `person` is the name to show.
        workspace: the id of the workspace, where there is one.
        ids: the records that the call named, and those that it made.
        preview: a digest of what was shown before the confirmation.
        code: the error's code, where the outcome is a failure.
        credits: the billing credits that it may spend.
        request: the id of the HTTP request, as in the log.
    """

    at: str
    kind: Kind
    call: str
    principal: str
    person: str
    tool: str
    outcome: Outcome
    workspace: str | None = None
    ids: tuple[str, ...] = ()
    preview: str | None = None
    confirmed: Confirmed | None = None
    code: str | None = None
    credits: int = 0
    job: str | None = None
    request: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready data, without what is empty."""
        content = {**asdict(self), "ids": list(self.ids)}
        return {name: value for name, value in content.items() if value not in (None, [], 0)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Event:
        """Return the record that `to_dict` made.

        Raises:
            TypeError: it lacks something.
        """
        # A later version may say more than this one can show.
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in content.items() if name in names}
        return cls(**{**values, "ids": tuple(values.get("ids", ()))})


def list_ids(*contents: Any) -> tuple[str, ...]:
    """Return the ids in arguments or results, each once, at most `MOST_IDS`."""
    ids: dict[str, None] = {}
    for content in contents:
        for value in _walk(content):
            if len(ids) >= MOST_IDS:
                return tuple(ids)
            ids[value[:_LONGEST_ID]] = None
    return tuple(ids)


def _walk(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            if _ID.fullmatch(str(name)):
                yield from _list_texts(value)
            else:
                yield from _walk(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _walk(value)


def _list_texts(value: Any) -> Iterator[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    for item in values:
        if isinstance(item, (str, int)):
            yield str(item)
