"""Answers over HTTP hold no secret, whatever their form, and stay what they were otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message

from server import redaction
from server.protocol.http import RedactedSend

SECRET = "arch_live_secret_0123456789"


@pytest.fixture(autouse=True)
def _secret() -> Iterator[None]:
    redaction.learn(SECRET)
    yield
    redaction.forget()


async def send(kind: str, *bodies: bytes, length: bool = True) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body that leave."""
    sent: list[Message] = []

    async def take(message: Message) -> None:
        sent.append(message)

    redacted = RedactedSend(take)
    headers = [(b"content-type", kind.encode())]
    if length:
        headers.append((b"content-length", str(sum(map(len, bodies))).encode()))
    await redacted.send({"type": "http.response.start", "status": 200, "headers": headers})
    for number, body in enumerate(bodies, 1):
        more = number < len(bodies)
        await redacted.send({"type": "http.response.body", "body": body, "more_body": more})
    assert sent[0]["type"] == "http.response.start"
    return dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def answer(text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {"contents": [{"text": text}]}}


async def test_an_answer_without_a_secret_is_left_as_it_is() -> None:
    body = b'{"jsonrpc": "2.0",  "id": 1, "result": {}}'

    assert (await send("application/json", body))[1] == body
    assert (await send("application/json", body[:9], body[9:]))[1] == body


async def test_the_headers_of_a_stream_leave_with_its_first_part() -> None:
    sent: list[str] = []

    async def take(message: Message) -> None:
        sent.append(message["type"])

    redacted = RedactedSend(take)
    headers = [(b"content-type", b"text/event-stream")]
    await redacted.send({"type": "http.response.start", "status": 200, "headers": headers})
    assert sent == []

    for body in (b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"):
        await redacted.send({"type": "http.response.body", "body": body, "more_body": True})
    await redacted.send({"type": "http.response.body", "body": b"", "more_body": False})
    assert sent == ["http.response.start", *["http.response.body"] * 3]


async def test_a_secret_leaves_an_answer_and_the_length_fits() -> None:
    headers, body = await send("application/json", json.dumps(answer(f"a {SECRET} b")).encode())

    assert json.loads(body)["result"]["contents"][0]["text"] == "a [secret] b"
    assert int(headers[b"content-length"]) == len(body)


async def test_a_secret_is_found_across_pieces() -> None:
    whole = json.dumps(answer(SECRET)).encode()
    middle = whole.index(b"secret_01")

    assert (
        SECRET.encode() not in (await send("application/json", whole[:middle], whole[middle:]))[1]
    )


async def test_a_secret_leaves_the_events_of_a_stream() -> None:
    events = [
        f"event: message\r\ndata: {json.dumps(answer(text))}\r\n\r\n" for text in ("a", SECRET)
    ]
    body = (
        await send("text/event-stream", *(event.encode() for event in events), b"", length=False)
    )[1]

    assert body.startswith(events[0].encode())
    assert SECRET.encode() not in body
    data = body.decode().split("data: ")[2].strip()
    assert json.loads(data)["result"]["contents"][0]["text"] == "[secret]"


async def test_what_is_no_json_holds_no_secret_either() -> None:
    assert (await send("text/plain", f"key {SECRET}".encode()))[1] == b"key [secret]"
    assert (await send("application/json", b""))[1] == b""
