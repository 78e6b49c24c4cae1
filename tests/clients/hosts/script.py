"""What a scripted model does with a host's tools, and what it gets to see of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.clients.tour import LARGE, NAME, WORKSPACE

_ID = re.compile(r'"id": ?"([0-9a-f-]{36})"')
_TOKEN = re.compile(r'"confirm": ?"([^"]+)"')
_LONGEST_REASON = 160
READER, WRITER = "archive_mcp_call_read_tool", "archive_mcp_call_write_tool"


@dataclass(frozen=True)
class Result:
    """A tool's result as the host hands it to its model."""

    text: str
    images: int = 0


@dataclass
class Scripted:
    """A model that makes its calls one after the other, whatever it reads.

    `offered` are the names of the tools of the fullest request.
    """

    results: list[Result] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    def see(self, names: list[str], results: list[Result]) -> None:
        """Take note of a request."""
        if len(names) > len(self.offered):
            self.offered = names
        if len(results) > len(self.results):
            self.results = results

    def next_call(self) -> tuple[str, dict[str, Any]] | None:
        """Return the next tool, by the name that the host gave it, and its arguments."""
        step = len(self.results)
        if step >= len(CALLS):
            return None
        tool, make = CALLS[step]
        arguments = make(self.results)
        name = self._find(tool)
        if name:
            return name, arguments
        # A host with a short listing reaches the others as its model would.
        caller = (
            READER if "_get_" in tool or "_search_" in tool or "_view_media" in tool else WRITER
        )
        through = self._find(caller)
        if through:
            return through, {"name": tool, "arguments": arguments}
        # Where tools are found by search, the name is made as such hosts make it.
        return f"mcp__archive__{tool}", arguments

    def judge(self) -> dict[str, str]:
        """Return the row of the table."""
        ours = [name for name in self.offered if "archive" in name]
        words = {"initialize": "yes" if ours or self.results else "no", "list": str(len(ours))}
        for place, (name, test) in enumerate(TESTS):
            words[name] = self._judge_step(place, test)
        return words

    def _judge_step(self, place: int, test: Callable[[Result], str]) -> str:
        if place >= len(self.results):
            return "no: it was not called"
        result = self.results[place]
        return test(result) or f"no: {result.text[:_LONGEST_REASON]}"

    def _find(self, tool: str) -> str:
        return next((name for name in self.offered if name.endswith(tool)), "")


def _in_workspace(**arguments: Any) -> Callable[[list[Result]], dict[str, Any]]:
    return lambda results: {"workspace": WORKSPACE, **arguments}


def _delete(results: list[Result]) -> dict[str, Any]:
    match = _ID.search(results[2].text)
    return {"workspace": WORKSPACE, "id": match[1] if match else ""}


def _delete_with_token(results: list[Result]) -> dict[str, Any]:
    match = _TOKEN.search(results[3].text)
    return _delete(results) | ({"confirm": match[1]} if match else {})


CALLS: tuple[tuple[str, Callable[[list[Result]], dict[str, Any]]], ...] = (
    ("archive_get_workspaces", lambda results: {}),
    ("archive_get_collection", _in_workspace(id="nope")),
    ("archive_create_view_group", _in_workspace(input={"name": NAME})),
    ("archive_delete_view_group", _delete),
    ("archive_delete_view_group", _delete_with_token),
    ("archive_view_media", _in_workspace()),
    ("archive_search_items", _in_workspace(limit=1000)),
)


def _yes(good: bool) -> str:
    return "yes" if good else ""


def _count(result: Result) -> str:
    """Return how much of it the host hands on, where it cuts it or moves it to a file."""
    is_ours = "nodes" in result.text or "file" in result.text
    return f"{len(result.text):,} characters" if is_ours else ""


def _judge_first_delete(result: Result) -> str:
    words = {"CONFIRMATION_REQUIRED": "previewed", "requires permission": "host asks"}
    return next((word for part, word in words.items() if part in result.text), "")


def _judge_second_delete(result: Result) -> str:
    words = {
        "movedViewIds": "token",
        "CONFIRMATION_REQUIRED": "previewed",
        "requires permission": "host asks",
    }
    return next((word for part, word in words.items() if part in result.text), "")


TESTS: tuple[tuple[str, Callable[[Result], str]], ...] = (
    ("read", lambda result: _yes(WORKSPACE in result.text)),
    ("error", lambda result: _yes("NOT_FOUND" in result.text and "lists" in result.text)),
    ("write, unicode", lambda result: _yes(NAME in json_text(result.text))),
    ("confirmation", _judge_first_delete),
    ("second call", _judge_second_delete),
    ("picture", lambda result: _yes(result.images > 0)),
    ("large result", lambda result: _yes(len(result.text) > LARGE) or _count(result)),
)


def json_text(text: str) -> str:
    r"""Return a text with `\u` escapes resolved, which some hosts write."""
    return (
        re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )


def to_text(value: Any) -> str:
    """Return a value as a host could write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
