"""Lines of a client as messages: what hosts write wrongly is understood where its meaning is
clear, and answered with what is wrong where it is not. Nothing is dropped in silence.
"""

from __future__ import annotations

import codecs
import json
import logging
import re
from dataclasses import dataclass, field
from typing import Any

from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    jsonrpc_message_adapter,
)

from server.text import truncate_line

# The versions whose clients may put several messages into a list on one line.
_WITH_BATCHES = frozenset({"2024-11-05", "2025-03-26"})
_LONGEST_REASON = 300
_WIDE = re.compile(rb"\0|\A(?:\xff\xfe|\xfe\xff)")

log = logging.getLogger("archive_mcp")


class BadFrame(Exception):
    """A line or message that cannot be understood; `id` is its own where it has a usable one."""

    def __init__(self, code: int, reason: str, id: str | int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.id = id


@dataclass
class Frame:
    """The messages of a line; `batch` are the ids whose answers belong together on one line."""

    messages: list[JSONRPCMessage] = field(default_factory=list)
    refusals: list[BadFrame] = field(default_factory=list)
    batch: tuple[str | int, ...] = ()


class Frames:
    """Reads the lines of one client, in order.

    `version` is the protocol version that was negotiated, once it is known.
    """

    def __init__(self, version: str = "") -> None:
        self.version = version
        self._encoding = ""

    def read(self, line: bytes) -> Frame:
        """Return the messages of a line, and what has to be answered at once."""
        frame = Frame()
        try:
            text = self._decode(line)
            if text.strip():
                self._read_text(text, frame)
        except BadFrame as refusal:
            frame.refusals.append(refusal)
        for bad in frame.refusals:
            log.warning("a message of the client was refused: %s", bad)
        return frame

    def _read_text(self, text: bytes, frame: Frame) -> None:
        try:
            message = jsonrpc_message_adapter.validate_json(text, by_name=False)
        except (ValueError, RecursionError):
            self._read_content(_parse(text), frame)
            return
        # The adapter takes a message with an odd id for a notification, which nobody answers.
        if isinstance(message, JSONRPCNotification) and b'"id"' in text:
            self._read_content(_parse(text), frame)
            return
        frame.messages.append(_mend(message))

    def _read_content(self, content: Any, frame: Frame) -> None:
        if not isinstance(content, list):
            frame.messages.append(_to_message(content))
            return
        self._check_batch(content)
        for item in content:
            try:
                frame.messages.append(_to_message(item))
            except BadFrame as refusal:
                frame.refusals.append(refusal)
        requests = [item for item in frame.messages if isinstance(item, JSONRPCRequest)]
        frame.batch = tuple(request.id for request in requests)

    def _check_batch(self, content: list[Any]) -> None:
        if self.version not in _WITH_BATCHES:
            version = self.version or "that is not negotiated yet"
            reason = f"protocol version {version} has no lists of messages: send one per line"
            raise BadFrame(INVALID_REQUEST, reason)
        if not content:
            raise BadFrame(INVALID_REQUEST, "the list of messages is empty")

    def _decode(self, line: bytes) -> bytes:
        line = line.removeprefix(codecs.BOM_UTF8)
        # JSON in UTF-8 has no such byte, and UTF-16 is full of them.
        if _WIDE.search(line) is None:
            return line
        if not self._encoding:
            self._encoding = _find_encoding(line)
            log.warning("the client writes UTF-16; MCP is UTF-8, and so are the answers")
        # The second half of the line break before stands in front of this line.
        whole = line.removeprefix(b"\0") if self._starts_late(line) else line
        padded = whole + b"\0" * (len(whole) % 2)
        try:
            return padded.decode(self._encoding).lstrip("\ufeff").strip("\0").encode()
        except ValueError:
            raise BadFrame(PARSE_ERROR, "the line is neither UTF-8 nor UTF-16") from None

    def _starts_late(self, line: bytes) -> bool:
        return self._encoding == "utf-16-le" and len(line) % 2 == 0


def _find_encoding(line: bytes) -> str:
    big = line.startswith((codecs.BOM_UTF16_BE, b"\0"))
    return "utf-16-be" if big else "utf-16-le"


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise BadFrame(PARSE_ERROR, "the line is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadFrame(PARSE_ERROR, "the line is not UTF-8") from None
    except ValueError as error:
        reason = truncate_line(str(error), _LONGEST_REASON)
        raise BadFrame(PARSE_ERROR, f"the line is not JSON: {reason}") from None


def _to_message(content: Any) -> JSONRPCMessage:
    """Return a parsed message, its harmless faults mended."""
    if not isinstance(content, dict):
        raise BadFrame(INVALID_REQUEST, "a message must be a JSON object")
    id_ = content.get("id")
    usable = id_ if _is_usable(id_) else None
    if content.get("jsonrpc") != "2.0":
        raise BadFrame(INVALID_REQUEST, 'a message needs "jsonrpc": "2.0"', usable)
    if "method" in content:
        _check_request(content, usable)
    if content.get("params") == []:
        content = {**content, "params": {}}
    # Half a surrogate pair is left where a model cut an emoji. pydantic refuses it, Python's own
    # parser takes it; it becomes `?`.
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    try:
        return _mend(jsonrpc_message_adapter.validate_json(text, by_name=False))
    except (ValueError, RecursionError):
        reason = "a message must be a request, a notification or a response of JSON-RPC 2.0"
        raise BadFrame(INVALID_REQUEST, reason, usable) from None


def _check_request(content: dict[str, Any], usable: str | int | None) -> None:
    params = content.get("params")
    has_bad_id = "id" in content and usable is None
    has_bad_params = not isinstance(params or {}, dict)
    if not isinstance(content["method"], str):
        raise BadFrame(INVALID_REQUEST, "`method` must be a text", usable)
    if has_bad_id:
        raise BadFrame(INVALID_REQUEST, "`id` must be a text or a whole number")
    if has_bad_params:
        raise BadFrame(INVALID_PARAMS, "`params` must be an object", usable)


def _is_usable(id_: Any) -> bool:
    # By its exact type: true is a whole number to Python.
    return type(id_) in (str, int)


def _mend(message: JSONRPCMessage) -> JSONRPCMessage:
    """Return the message with parameters as objects where their meaning is clear."""
    params = getattr(message, "params", None)
    if not params:
        return message
    # Nearly all messages: nothing is copied.
    odd = [name for name in ("_meta", "arguments") if not _is_object(params.get(name))]
    if not odd:
        return message
    id_ = getattr(message, "id", None)
    mended = {name: _read_object(name, params[name], id_) for name in odd}
    log.warning("%s of a message was no object and is read as one", " and ".join(odd))
    return message.model_copy(update={"params": {**params, **mended}})


def _is_object(value: Any) -> bool:
    return isinstance(value, dict | None)


def _read_object(name: str, value: Any, id_: str | int | None) -> dict[str, Any]:
    """Return the object that a value stands for: JSON text of one, or an empty value of any
    type."""
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        content = json.loads(text.strip() or "{}")
    except (ValueError, RecursionError):
        content = None
    if content == []:
        content = {}
    if not isinstance(content, dict):
        raise BadFrame(INVALID_PARAMS, f"`{name}` must be an object", id_)
    return content
