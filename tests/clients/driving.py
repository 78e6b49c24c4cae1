"""What the tour asks of a client: a driver makes one client of one project do it.

It is imported in the environments of the clients, which have nothing of this project.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Seen(NamedTuple):
    """What a client hands on of a call: its text, whether it calls it an error, and the number of
    pictures."""

    text: str
    is_error: bool = False
    images: int = 0


class Driver:
    """A connected client.

    `version` is that of the client, `protocol` what it negotiated, where it says so; `questions`
    and `steps` are what it was asked and told while calls ran.
    """

    def __init__(self) -> None:
        self.version = ""
        self.protocol = ""
        self.can_ask = False
        self.can_show_progress = False
        self.questions: list[str] = []
        self.steps: list[float] = []

    async def list_tools(self) -> list[str]:
        """Return the names of the tools as the client converts them for its models."""
        raise NotImplementedError

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        """Call a tool as the client does for its models."""
        raise NotImplementedError


def read_result(result: Any) -> Seen:
    """Return what is in a result of MCP, of whatever library's class."""
    row = result if isinstance(result, Mapping) else _to_dict(result)
    is_error = bool(row.get("isError") or row.get("is_error"))
    return read_blocks(row.get("content") or [], is_error=is_error)


def read_blocks(blocks: Iterable[Any], *, is_error: bool = False) -> Seen:
    """Return what is in blocks of content."""
    rows = [block if isinstance(block, Mapping) else _to_dict(block) for block in blocks]
    # The text of a result is its first block; notes may follow.
    texts = [row["text"] for row in rows if row.get("type") == "text"]
    images = sum(row.get("type") in ("image", "image_url") for row in rows)
    return Seen("\n".join(texts), is_error, images)


def find_form(params: Any) -> Mapping[str, Any]:
    """Return the form of a question, as SDKs of whatever version have it."""
    form: Mapping[str, Any] = params.model_dump(by_alias=True)["requestedSchema"]
    return form


def answer_form(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a yes in every field of a question's form."""
    fields = schema.get("properties") or {}
    return {name: _choose(field) for name, field in fields.items()}


def _choose(field: Mapping[str, Any]) -> Any:
    if field.get("type") == "boolean":
        return True
    return (field.get("enum") or ["yes"])[0]


def _to_dict(value: Any) -> dict[str, Any]:
    if hasattr(value, "model_dump"):
        row: dict[str, Any] = json.loads(value.model_dump_json(by_alias=True))
        return row
    return dict(vars(value))
