"""`archive-mcp audit`: shows who changed what."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from server.audit.event import Event
from server.audit.lines import read_lines
from server.settings import Settings, SettingsError
from server.text import clean_sentence

_LONGEST_LINE = 300
# Enough to recognise what it was about; `--json` shows all of them.
_SHOWN_IDS = 3


@dataclass(frozen=True)
class Filter:
    """Which records are shown: None stands for all.

    Args:
        since: the earliest instant, in UTC.
        person: part of an id or a name, in any case.
        tool: part of a tool's name.
    """

    since: datetime | None = None
    person: str | None = None
    tool: str | None = None

    def accepts(self, event: Event) -> bool:
        """Return whether a record is shown."""
        if self.since is not None and datetime.fromisoformat(event.at) < self.since:
            return False
        who = f"{event.principal} {event.person}".casefold()
        if self.person is not None and self.person.casefold() not in who:
            return False
        return self.tool is None or self.tool.casefold() in event.tool.casefold()


def run_audit(settings: Settings, options: Namespace) -> int:
    """Print the newest records that fit, oldest first, and return the exit status.

    Raises:
        SettingsError: there is no log, or it cannot be read.
    """
    chosen = Filter(parse_since(options.since), options.person, options.tool)
    events = filter(chosen.accepts, read_log(settings.audit_log))
    show(take_newest(events, options.limit), as_json=options.json)
    return 0


def show(events: Iterable[Event], *, as_json: bool) -> None:
    """Print records, each on a line."""
    for event in events:
        print(json.dumps(event.to_dict(), ensure_ascii=False) if as_json else render(event))


def read_log(path: Path | None) -> Iterator[Event]:
    """Yield the records of a file, oldest first.

    Raises:
        SettingsError: there is no such file, or it cannot be read.
    """
    if path is None:
        raise SettingsError(
            "no audit log is kept here. Set ARCHIVE_MCP_AUDIT_LOG to the path of a file, in "
            "~/.env.shared or in the client's settings of this server."
        )
    try:
        yield from read_lines(path)
    except FileNotFoundError:
        # Nothing was changed yet, which is no fault.
        print(f"archive-mcp: {path} does not exist yet: nothing was recorded.", file=sys.stderr)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None


def take_newest(events: Iterable[Event], limit: int) -> Iterable[Event]:
    """Return the last records, in their order."""
    return deque(events, maxlen=limit)


def parse_since(text: str | None) -> datetime | None:
    """Return the instant of a day or an instant; a day begins at midnight UTC.

    Raises:
        SettingsError: it is neither.
    """
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if len(text) == len("2026-01-31"):
            instant = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        raise SettingsError(
            f"--since {text!r} is neither a day nor an instant, such as 2026-01-31 or "
            "2026-01-31T12:00:00Z."
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def render(event: Event) -> str:
    """Return a record as a line for a terminal."""
    parts = [event.at, event.person, event.kind, event.outcome, event.tool]
    parts += filter(None, (event.code, event.job))
    if event.confirmed == "asked":
        parts.append("confirmed by the user")
    elif event.confirmed == "token":
        parts.append("confirmed by token")
    if event.credits:
        parts.append(f"{event.credits} credits")
    if event.ids:
        shown = ", ".join(event.ids[:_SHOWN_IDS])
        rest = len(event.ids) - _SHOWN_IDS
        parts.append(f"{shown} and {rest} more" if rest > 0 else shown)
    # Names of people and of records are as strangers wrote them.
    return "  ".join(clean_sentence(part, _LONGEST_LINE) for part in parts)
