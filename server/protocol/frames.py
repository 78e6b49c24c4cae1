"""Lines of a client as messages: what hosts write wrongly is understood where its meaning is
clear, and answered with what is wrong where it is not. Nothing is dropped in silence.
"""

from __future__ import annotations

import codecs
import json
import logging
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

    def __init__(self) -> None:
        self.version = ""
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
        if self.version not in _WITH_BATCHES:
            version = self.version or "that is not negotiated yet"
            reason = f"protocol version {version} has no lists of messages: send one a line"
            raise BadFrame(INVALID_REQUEST, reason)
        if not content:
            raise BadFrame(INVALID_REQUEST, "the list of messages is empty")
        for item in content:
            try:
                frame.messages.append(_to_message(item))
            except BadFrame as refusal:
                frame.refusals.append(refusal)
        requests = [item for item in frame.messages if isinstance(item, JSONRPCRequest)]
        frame.batch = tuple(request.id for request in requests)

    def _decode(self, line: bytes) -> bytes:
        line = line.removeprefix(codecs.BOM_UTF8)
        # JSON in UTF-8 has no such byte, and UTF-16 is full of them.
        if b"\0" not in line and not line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return line
        if not self._encoding:
            self._encoding = _find_encoding(line)
            log.warning("the client writes UTF-16; MCP is UTF-8, and so are the answers")
        # The second half of the line break before, which stands in front of this line.
        if self._encoding == "utf-16-le" and len(line) % 2 == 0 and line.startswith(b"\0"):
            line = line[1:]
        padded = line + b"\0" * (len(line) % 2)
        try:
            return padded.decode(self._encoding).lstrip("\ufeff").strip("\0").encode()
        except ValueError:
            raise BadFrame(PARSE_ERROR, "the line is neither UTF-8 nor UTF-16") from None


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
        raise BadFrame(INVALID_REQUEST, "a message is a JSON object")
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
        reason = "a message is a request, a notification or a response of JSON-RPC 2.0"
        raise BadFrame(INVALID_REQUEST, reason, usable) from None


def _check_request(content: dict[str, Any], usable: str | int | None) -> None:
    if not isinstance(content["method"], str):
        raise BadFrame(INVALID_REQUEST, "`method` is a text", usable)
    if "id" in content and usable is None:
        raise BadFrame(INVALID_REQUEST, "`id` is a text or a whole number")
    params = content.get("params")
    if params and not isinstance(params, dict):
        raise BadFrame(INVALID_PARAMS, "`params` is an object", usable)


def _is_usable(id_: Any) -> bool:
    return isinstance(id_, str | int) and not isinstance(id_, bool)


def _mend(message: JSONRPCMessage) -> JSONRPCMessage:
    """Return the message with parameters as objects where their meaning is clear."""
    if not isinstance(message, JSONRPCRequest | JSONRPCNotification) or not message.params:
        return message
    params = message.params
    for name in ("_meta", "arguments"):
        value = params.get(name)
        if value is None or isinstance(value, dict):
            continue
        content = _read_object(value)
        if content is None:
            id_ = message.id if isinstance(message, JSONRPCRequest) else None
            raise BadFrame(INVALID_PARAMS, f"`{name}` is an object", id_)
        log.warning("`%s` of %s was no object; it is read as one", name, message.method)
        params = {**params, name: content}
    return message if params is message.params else message.model_copy(update={"params": params})


def _read_object(value: Any) -> dict[str, Any] | None:
    """Return what stands for an object: JSON text of one, or nothing at all in any form."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict):
        return value
    is_empty = value is None or value == [] or (isinstance(value, str) and not value.strip())
    return {} if is_empty else None
