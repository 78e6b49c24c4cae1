"""The APIs that hosts speak to their models: what they ask, and how a scripted answer looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.clients.hosts.script import Result, to_text

Json = dict[str, Any]
Call = tuple[str, Json] | None
DONE = "Done."


class Wire:
    """One API: `path` is a part of the address that its requests go to."""

    path = ""

    def names(self, request: Json) -> list[str]:
        """Return the names of the offered tools."""
        raise NotImplementedError

    def results(self, request: Json) -> list[Result]:
        """Return the results of all calls so far."""
        raise NotImplementedError

    def stream(self, call: Call, number: int) -> Iterator[tuple[str, Json]]:
        """Yield the events of an answer, each with its name where the API has such."""
        raise NotImplementedError

    def whole(self, call: Call, number: int) -> Json:
        """Return an answer that is not streamed."""
        raise NotImplementedError


class Chat(Wire):
    """OpenAI's chat completions."""

    path = "/chat/completions"

    def names(self, request: Json) -> list[str]:
        return [tool["function"]["name"] for tool in request.get("tools") or []]

    def results(self, request: Json) -> list[Result]:
        results: list[Result] = []
        for message in request["messages"]:
            if message["role"] == "tool":
                results.append(_read_parts(message["content"]))
            # Pictures of a result follow it, as if the user had sent them.
            elif results and message["role"] == "user":
                images = _read_parts(message["content"]).images
                results[-1] = Result(results[-1].text, results[-1].images + images)
        return results

    def stream(self, call: Call, number: int) -> Iterator[tuple[str, Json]]:
        delta: Json = {"role": "assistant", "content": DONE}
        if call is not None:
            delta = {"role": "assistant", "tool_calls": [{"index": 0, **_make_call(call, number)}]}
        yield "", self._wrap("chat.completion.chunk", {"delta": delta, "finish_reason": None})
        reason = "tool_calls" if call else "stop"
        yield "", self._wrap("chat.completion.chunk", {"delta": {}, "finish_reason": reason})

    def whole(self, call: Call, number: int) -> Json:
        message: Json = {"role": "assistant", "content": DONE}
        if call is not None:
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [_make_call(call, number)],
            }
        reason = "tool_calls" if call else "stop"
        return self._wrap("chat.completion", {"message": message, "finish_reason": reason})

    def _wrap(self, kind: str, choice: Json) -> Json:
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {
            "id": "c",
            "object": kind,
            "created": 1,
            "model": "scripted",
            "choices": [{"index": 0, **choice}],
            "usage": usage,
        }


class Responses(Wire):
    """OpenAI's responses."""

    path = "/responses"

    def names(self, request: Json) -> list[str]:
        names = []
        for tool in request.get("tools") or []:
            inner = tool.get("tools")
            space = tool.get("name", "")
            names += [f"{space}/{row['name']}" for row in inner] if inner else [space]
        return names

    def results(self, request: Json) -> list[Result]:
        rows = request["input"] if isinstance(request["input"], list) else []
        outputs = [row for row in rows if row.get("type") == "function_call_output"]
        return [_read_parts(row["output"]) for row in outputs]

    def stream(self, call: Call, number: int) -> Iterator[tuple[str, Json]]:
        response = self.whole(call, number)
        item = response["output"][0]
        yield "response.created", {"response": {**response, "status": "in_progress", "output": []}}
        yield "response.output_item.added", {"output_index": 0, "item": item}
        yield "response.output_item.done", {"output_index": 0, "item": item}
        yield "response.completed", {"response": response}

    def whole(self, call: Call, number: int) -> Json:
        item: Json = {
            "type": "message",
            "id": f"m{number}",
            "role": "assistant",
            "content": [{"type": "output_text", "text": DONE, "annotations": []}],
        }
        if call is not None:
            space, _, name = call[0].rpartition("/")
            item = {"type": "function_call", "id": f"f{number}", "call_id": f"call_{number}"}
            item |= {"name": name, "arguments": json.dumps(call[1]), "status": "completed"}
            item |= {"namespace": space} if space else {}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        details = {"input_tokens_details": {"cached_tokens": 0}}
        details |= {"output_tokens_details": {"reasoning_tokens": 0}}
        return {
            "id": f"r{number}",
            "object": "response",
            "created_at": 1,
            "model": "scripted",
            "status": "completed",
            "output": [item],
            "usage": usage | details,
        }


class Messages(Wire):
    """Anthropic's messages."""

    path = "/messages"

    def names(self, request: Json) -> list[str]:
        return [tool.get("name", "") for tool in request.get("tools") or []]

    def results(self, request: Json) -> list[Result]:
        blocks = [
            block
            for message in request["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
        ]
        return [
            _read_parts(block.get("content") or "")
            for block in blocks
            if block["type"] == "tool_result"
        ]

    def stream(self, call: Call, number: int) -> Iterator[tuple[str, Json]]:
        message = self.whole(call, number)
        block = message["content"][0]
        empty = {**block, "input": {}} if call else {**block, "text": ""}
        delta: Json = {"type": "text_delta", "text": DONE}
        if call is not None:
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
        opened = {**message, "content": [], "stop_reason": None}
        ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        yield "message_start", {"message": opened}
        yield "content_block_start", {"index": 0, "content_block": empty}
        yield "content_block_delta", {"index": 0, "delta": delta}
        yield "content_block_stop", {"index": 0}
        yield "message_delta", {"delta": ending, "usage": {"output_tokens": 1}}
        yield "message_stop", {}

    def whole(self, call: Call, number: int) -> Json:
        block: Json = {"type": "text", "text": DONE}
        if call is not None:
            block = {"type": "tool_use", "id": f"toolu_{number}", "name": call[0], "input": call[1]}
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [block],
            "stop_reason": "tool_use" if call else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }


class Gemini(Wire):
    """Google's generateContent."""

    path = "enerateContent"

    def names(self, request: Json) -> list[str]:
        return [
            row["name"]
            for tool in request.get("tools") or []
            for row in tool.get("functionDeclarations") or []
        ]

    def results(self, request: Json) -> list[Result]:
        results: list[Result] = []
        for content in request["contents"]:
            for part in content.get("parts") or []:
                answer = part.get("functionResponse")
                if answer is not None:
                    inner = answer.get("parts") or []
                    pictures = sum("inlineData" in row for row in inner)
                    results.append(Result(_read_response(answer["response"]), pictures))
                elif results and "inlineData" in part:
                    results[-1] = Result(results[-1].text, results[-1].images + 1)
        return results

    def stream(self, call: Call, number: int) -> Iterator[tuple[str, Json]]:
        yield "", self.whole(call, number)

    def whole(self, call: Call, number: int) -> Json:
        part: Json = {"text": DONE}
        if call is not None:
            part = {"functionCall": {"id": f"c{number}", "name": call[0], "args": call[1]}}
        content = {"role": "model", "parts": [part]}
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        candidate = {"content": content, "finishReason": "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "scripted"}


WIRES: tuple[Wire, ...] = (Chat(), Responses(), Messages(), Gemini())


def _make_call(call: tuple[str, Json], number: int) -> Json:
    function = {"name": call[0], "arguments": json.dumps(call[1])}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _read_response(response: Any) -> str:
    if isinstance(response, dict) and isinstance(response.get("output"), str):
        return str(response["output"])
    return to_text(response)


def _read_parts(content: Any) -> Result:
    if isinstance(content, str):
        return Result(content)
    parts = [part for part in content if isinstance(part, dict)]
    texts = [str(part["text"]) for part in parts if "text" in part]
    images = sum("image" in str(part.get("type")) for part in parts)
    return Result("\n".join(texts), images)
