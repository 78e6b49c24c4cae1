"""Lines of a client: understood, or refused with what is wrong; never dropped in silence."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from mcp_types import JSONRPCRequest, JSONRPCResponse

from server.protocol.batches import Batches, Exchange
from server.protocol.frames import Frame, Frames

PING: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
CALL: dict[str, Any] = {**PING, "method": "tools/call", "params": {"name": "t"}}


def read(content: Any, version: str = "") -> Frame:
    frames = Frames()
    frames.version = version
    line = content if isinstance(content, bytes) else json.dumps(content).encode() + b"\n"
    return frames.read(line)


def only(frame: Frame) -> JSONRPCRequest:
    (message,) = frame.messages
    assert not frame.refusals
    assert isinstance(message, JSONRPCRequest)
    return message


def lines_in(encoding: str, mark: bytes) -> list[bytes]:
    """Two lines as a reader cuts them: after each byte of a line feed."""
    texts = [json.dumps({**PING, "method": name}, ensure_ascii=False) for name in ("é", "漢")]
    data = mark + "".join(f"{text}\n" for text in texts).encode(encoding)
    *lines, rest = data.split(b"\n")
    return [*(line + b"\n" for line in lines), rest]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
    ],
)
def test_marks_and_wide_letters_are_understood(encoding: str, mark: bytes) -> None:
    frames = Frames()
    results = [frames.read(line) for line in lines_in(encoding, mark)]
    assert not [refusal for frame in results for refusal in frame.refusals]
    messages: list[Any] = [message for frame in results for message in frame.messages]
    assert [message.method for message in messages] == ["é", "漢"]


@pytest.mark.parametrize("empty", [[], {}, None])
def test_empty_parameters_of_any_kind_are_none(empty: Any) -> None:
    assert not only(read({**PING, "params": empty})).params


@pytest.mark.parametrize("meta", [[], {}, "", None])
def test_empty_metadata_of_any_kind_is_none(meta: Any) -> None:
    assert not (only(read({**PING, "params": {"_meta": meta}})).params or {})["_meta"]


@pytest.mark.parametrize(
    ("arguments", "content"), [([], {}), ("", {}), ('{"a": [1]}', {"a": [1]}), ({"a": 1}, {"a": 1})]
)
def test_arguments_as_text_or_an_empty_list_are_understood(arguments: Any, content: Any) -> None:
    message = only(read({**CALL, "params": {"name": "t", "arguments": arguments}}))
    assert (message.params or {})["arguments"] == content


@pytest.mark.parametrize(
    ("line", "code", "id_", "reason"),
    [
        (b"not json\n", -32700, None, "not JSON"),
        (b"{" * 100_000 + b"\n", -32700, None, "not JSON"),
        (b'{"a":' * 100_000 + b"1\n", -32700, None, "too deeply"),
        (b'{"\xff": 1}\n', -32700, None, "not UTF-8"),
        (b"\xff\xfe\x00\xd8\x00\xd8\n", -32700, None, "neither UTF-8 nor UTF-16"),
        (b"5\n", -32600, None, "JSON object"),
        ({**PING, "jsonrpc": "1.0"}, -32600, 1, "jsonrpc"),
        ({"id": 1, "method": "ping"}, -32600, 1, "jsonrpc"),
        ({**PING, "method": 5}, -32600, 1, "method"),
        ({**PING, "id": None}, -32600, None, "`id`"),
        ({**PING, "id": 1.5}, -32600, None, "`id`"),
        ({**PING, "id": True}, -32600, None, "`id`"),
        ({**PING, "id": {}}, -32600, None, "`id`"),
        ({**PING, "id": ["a"]}, -32600, None, "`id`"),
        ({**PING, "params": [1]}, -32602, 1, "`params`"),
        ({**PING, "params": "x"}, -32602, 1, "`params`"),
        ({**PING, "params": {"_meta": [1]}}, -32602, 1, "`_meta`"),
        ({**CALL, "params": {"arguments": "no json"}}, -32602, 1, "`arguments`"),
        ({**CALL, "params": {"arguments": [1]}}, -32602, 1, "`arguments`"),
        ({"jsonrpc": "2.0", "id": 1}, -32600, 1, "request"),
        ([PING], -32600, None, "not negotiated yet"),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused_with_what_is_wrong(
    line: Any, code: int, id_: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    frame = read(line)
    (refusal,) = frame.refusals
    assert not frame.messages
    assert (refusal.code, refusal.id) == (code, id_)
    assert reason in str(refusal)
    assert str(refusal) in caplog.text


def test_an_answer_of_the_client_is_no_request() -> None:
    (message,) = read({"jsonrpc": "2.0", "id": 1, "result": {}}).messages
    assert isinstance(message, JSONRPCResponse)


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2026-07-28"])
def test_newer_versions_have_no_lists_of_messages(version: str) -> None:
    (refusal,) = read([PING], version).refusals
    assert version in str(refusal)


def test_a_list_of_messages_is_read_where_the_version_has_them() -> None:
    frame = read([PING, {"jsonrpc": "2.0", "method": "n"}, 5, {**PING, "id": "b"}], "2025-03-26")
    assert (len(frame.messages), len(frame.refusals), frame.batch) == (3, 1, (1, "b"))
    (refusal,) = read([], "2025-03-26").refusals
    assert "empty" in str(refusal)


def test_the_answers_to_a_list_go_out_together() -> None:
    batches = Batches()
    batches.open((1, 2), 1)
    assert batches.add(7, "x") == "x"
    assert batches.add(2, "two") == ""
    assert batches.add_refusal((1, 2), "no") == ""
    assert batches.add(1, "one") == "[two,no,one]"
    assert batches.add(1, "again") == "again"


def test_a_cancelled_request_of_a_list_does_not_hold_up_the_others() -> None:
    batches = Batches()
    batches.open((1, 2), 0)
    assert batches.add(1, "one") == ""
    assert batches.drop(3) == ""
    assert batches.drop(2) == "[one]"


def test_an_answer_to_nothing_is_worth_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange()
    exchange.note_request(JSONRPCRequest(jsonrpc="2.0", id=1, method="elicitation/create"))
    answer = JSONRPCResponse(jsonrpc="2.0", id=1, result={})
    exchange.note_incoming(answer)
    assert not caplog.records
    exchange.note_incoming(answer)
    assert "answered what nobody asks" in caplog.text


async def test_the_answers_that_are_missing_are_waited_for() -> None:
    exchange = Exchange()
    for id_ in (1, "1", 2):
        exchange.note_incoming(JSONRPCRequest(jsonrpc="2.0", id=id_, method="ping"))
    done: list[str] = []

    async def wait() -> None:
        await exchange.wait_for_answers()
        done.append("over")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        exchange.note_answer(JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
        exchange.drop(2)
        await anyio.wait_all_tasks_blocked()
        assert not done
        exchange.note_answer(JSONRPCResponse(jsonrpc="2.0", id="1", result={}))
    assert done
