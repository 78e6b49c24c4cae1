"""A stand-in for a model on this machine: it has a host call one tool, and remembers what it saw.

So a host can be tried to the end, from its list of tools to the answer of a call, and without an
account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from scripts.package.check.result import CheckError
from scripts.package.check.session import TOOL

Json = dict[str, Any]
_CALL_ID = "toolu_call"
_WAIT_ID = "toolu_wait"
# Claude Code connects while it talks; its own tool waits for that.
_WAIT_TOOL = "WaitForMcpServers"
# Gemini CLI has a small model judge the task first.
_JUDGEMENT = json.dumps({"complexity_reasoning": "one call", "complexity_score": 1})


@dataclass
class Seen:
    """What the model was shown: the server's tools, and the answer of the call as text."""

    address: str
    tools: set[str] = field(default_factory=set)
    answer: str = ""

    def require(self) -> tuple[int, Json]:
        """Return the number of tools, and the answer in the form of a tool's result.

        Raises:
            CheckError: The host showed no such tool, or called none.
        """
        if not self.answer:
            raise CheckError(f"the host called nothing; it offers {len(self.tools)} tools")
        start, end = self.answer.find("{"), self.answer.rfind("}")
        return len(self.tools), {"content": [{"text": self.answer[start : end + 1]}]}


@contextmanager
def serve_model() -> Iterator[Seen]:
    """Serve the stand-in on this machine; yield its address and what it sees."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    seen = Seen(f"http://127.0.0.1:{server.server_port}")
    _Handler.seen = seen
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    seen: Seen

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if "contents" in request:
            events, streams = _answer_gemini(request, self.seen), "alt=sse" in self.path
        else:
            events, streams = _answer_claude(request, self.seen), True
        body = _render_events(events) if streams else json.dumps(events[0])
        content = body.encode()
        self.send_response(200)
        kind = "text/event-stream" if streams else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the check prints its own table."""


def _render_events(events: list[Json]) -> str:
    # Anthropic's events have names, Google's have none.
    names = (f"event: {event['type']}\r\n" if "type" in event else "" for event in events)
    lines = zip(names, events, strict=True)
    return "".join(f"{name}data: {json.dumps(event)}\r\n\r\n" for name, event in lines)


def _note_tools(names: list[str], seen: Seen) -> str:
    """Note the tools of our server, and return the name of the one to call; empty if it is not
    there."""
    called = next((name for name in names if name.endswith(TOOL)), "")
    prefix = called.removesuffix(TOOL)
    if called:
        seen.tools.update(name for name in names if name.startswith(prefix))
    return called


def _answer_gemini(request: Json, seen: Seen) -> list[Json]:
    names = [
        function["name"]
        for group in request.get("tools", ())
        for function in group.get("functionDeclarations", ())
    ]
    called = _note_tools(names, seen)
    parts = [part for content in request["contents"] for part in content.get("parts", ())]
    answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
    if answers:
        seen.answer = answers[-1]["response"].get("output", "")
    if "responseJsonSchema" in request.get("generationConfig", {}):
        part: Json = {"text": _JUDGEMENT}
    elif called and not answers:
        part = {"functionCall": {"name": called, "args": {}}}
    else:
        part = {"text": "Done."}
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return [{"candidates": [candidate], "usageMetadata": usage}]


def _answer_claude(request: Json, seen: Seen) -> list[Json]:
    names = [tool["name"] for tool in request.get("tools", ())]
    called = _note_tools(names, seen)
    results = _list_results(request)
    if _CALL_ID in results:
        seen.answer = results[_CALL_ID]
    elif called:
        return _stream_claude(request, _use_tool(_CALL_ID, called), "tool_use")
    elif _WAIT_TOOL in names and _WAIT_ID not in results:
        return _stream_claude(request, _use_tool(_WAIT_ID, _WAIT_TOOL), "tool_use")
    text: tuple[Json, Json] = (
        {"type": "text", "text": ""},
        {"type": "text_delta", "text": "Done."},
    )
    return _stream_claude(request, text, "end_turn")


def _list_results(request: Json) -> dict[str, str]:
    """Return id -> text of the results of tools that a conversation holds."""
    contents = [message["content"] for message in request["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return {
        block["tool_use_id"]: _read_text(block["content"])
        for block in blocks
        if block["type"] == "tool_result"
    }


def _read_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def _use_tool(identifier: str, name: str) -> tuple[Json, Json]:
    block = {"type": "tool_use", "id": identifier, "name": name, "input": {}}
    return block, {"type": "input_json_delta", "partial_json": "{}"}


def _stream_claude(request: Json, parts: tuple[Json, Json], reason: str) -> list[Json]:
    block, delta = parts
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    end = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
