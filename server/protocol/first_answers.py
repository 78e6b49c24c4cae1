"""What the first requests of a host are answered with, without the SDK.

The SDK's own answers are recorded when the package is built (`python -m scripts.opening`); here
they are put together with the tools on offer. Whatever is not exactly an ordinary request of a host
that opens a connection has no answer here, and is left to the SDK.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.protocol.listing import Listing
from server.tool.catalog import Catalog

Json = dict[str, Any]
# Of an object: its keys, `?` behind those that may be missing, or `*` for any; else types.
Shape = dict[str, Any] | frozenset[type]

# A longer line opens no connection.
_LONGEST_LINE = 65_536

_VERSION = "io.modelcontextprotocol/protocolVersion"
_CLIENT = "io.modelcontextprotocol/clientInfo"
_CAPABLE = "io.modelcontextprotocol/clientCapabilities"

_TEXT = frozenset({str})
_ID = frozenset({int, str})
_OBJECTS = {"*": frozenset({dict})}
_INFO = {
    "name": _TEXT,
    "version": _TEXT,
    "title?": _TEXT,
    "description?": _TEXT,
    "websiteUrl?": _TEXT,
}
_CAPABILITIES = {
    "roots?": {"listChanged?": frozenset({bool})},
    "sampling?": {"context?": {}, "tools?": {}},
    "elicitation?": {"form?": {}, "url?": {}},
    "experimental?": _OBJECTS,
    "extensions?": _OBJECTS,
}
_OPENING = {"protocolVersion": _TEXT, "capabilities": _CAPABILITIES, "clientInfo": _INFO}
_ENVELOPE = {
    "_meta": {_VERSION: _TEXT, _CLIENT: _INFO, _CAPABLE: _CAPABILITIES, "progressToken?": _ID}
}
_NO_ENVELOPE = {"_meta?": {"progressToken?": _ID}}
_REQUEST = {"jsonrpc": _TEXT, "id": _ID, "method": _TEXT, "params?": frozenset({dict})}
_NOTIFICATION = {"jsonrpc": _TEXT, "method": _TEXT, "params?": {}}


@dataclass(frozen=True)
class Answer:
    """A message of the host that has its answer.

    Args:
        line: the answer; empty for a notification.
        id: of the request; None for a notification.
        opens: whether the SDK has to hear the message too.
    """

    line: bytes = b""
    id: str | int | None = None
    opens: bool = False


@dataclass(frozen=True)
class _Host:
    """The program at the other end: the protocol version that it speaks, and its name."""

    version: str
    name: str


_NOBODY = _Host("", "")


class FirstAnswers:
    """Answers the messages of one host in order, as long as they are ordinary.

    Args:
        recorded: the SDK's answers, as the packaged file holds them.
        listing: lists the tools for the host.
        instructions: the server's, before what the listing adds.
    """

    def __init__(
        self, recorded: Json, catalog: Catalog, listing: Listing, instructions: str
    ) -> None:
        self._envelopes: Json = recorded["versions"]
        self._rows: Json = recorded["rows"]
        self._catalog = catalog
        self._listing = listing
        self._instructions = instructions
        self._host = _NOBODY

    @property
    def version(self) -> str:
        """The protocol version of the connection; empty before it is opened."""
        return self._host.version

    def answer(self, line: bytes) -> Answer | None:
        """Return the answer to a line; None where it is the SDK's to give."""
        message = _read(line)
        if _fits(message, _NOTIFICATION):
            is_expected = self.version and message["method"] == "notifications/initialized"
            return Answer(opens=True) if is_expected else None
        if not _fits(message, _REQUEST):
            return None
        host = self._identify(message["method"], message.get("params", {}))
        # The eras do not mix, and the listing is for the host that opened the connection.
        if host is None or self._host not in (_NOBODY, host):
            return None
        result = self._find_result(host, message["method"])
        if result is None:
            return None
        opens = self._host is _NOBODY
        self._host = host
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        text = json.dumps(answer, ensure_ascii=False)
        return Answer(text.encode() + b"\n", message["id"], opens)

    def _identify(self, method: str, params: Json) -> _Host | None:
        """Return who sends a request; None where it does not say so as hosts do."""
        if method == "initialize" and self._host is _NOBODY and _fits(params, _OPENING):
            return _Host(params["protocolVersion"], params["clientInfo"]["name"])
        if _fits(params, _ENVELOPE):
            meta = params["_meta"]
            return _Host(meta[_VERSION], meta[_CLIENT]["name"])
        has_shaken_hands = "initialize" in self._envelopes.get(self.version, {})
        return self._host if has_shaken_hands and _fits(params, _NO_ENVELOPE) else None

    def _find_result(self, host: _Host, method: str) -> Json | None:
        envelope = self._envelopes.get(host.version, {}).get(method)
        if envelope is None:
            return None
        self._listing.meet(host.name)
        match method:
            case "tools/list":
                return {**envelope, "tools": self._listing.list_tools(host.name)}
            case "prompts/list":
                return {**envelope, "prompts": self._rows["prompts"]}
            case "resources/templates/list":
                return {**envelope, "resourceTemplates": self._list_templates()}
        return {**envelope, "instructions": self._listing.complete(self._instructions)}

    def _list_templates(self) -> list[Json]:
        offered = {template["uri"] for template in self._catalog.templates}
        return [row for row in self._rows["resourceTemplates"] if row["uriTemplate"] in offered]


def read_recorded(file: Path) -> Json:
    """Return the recorded answers: `versions`, by version and method, and the `rows` of lists."""
    content: Json = json.loads(file.read_text(encoding="utf-8"))
    return content


def _read(line: bytes) -> Any:
    """Return the message of a line; None where it is none in the form that hosts send."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        message = json.loads(line.decode(), parse_constant=_refuse)
        json.dumps(message, ensure_ascii=False).encode()
    # Nested too deeply; or no JSON, no UTF-8, or half a pair of surrogates.
    except (RecursionError, ValueError):
        return None
    is_current = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    return message if is_current else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _fits(value: Any, shape: Shape) -> bool:
    if isinstance(shape, frozenset):
        # By its exact type: true is a whole number to Python.
        return type(value) in shape
    if not isinstance(value, dict):
        return False
    if "*" in shape:
        return all(_fits(entry, shape["*"]) for entry in value.values())
    return _fits_fields(value, shape)


def _fits_fields(value: Json, shape: dict[str, Any]) -> bool:
    shapes = {key.removesuffix("?"): inner for key, inner in shape.items()}
    required = shape.keys() & shapes.keys()
    has_its_fields = required <= value.keys() <= shapes.keys()
    return has_its_fields and all(_fits(entry, shapes[key]) for key, entry in value.items())
