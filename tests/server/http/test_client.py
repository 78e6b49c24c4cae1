from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest
from anyio.abc import SocketStream

from server.errors import Code
from server.http.client import Http
from server.http.retry import Transient
from server.http.transport import MAX_BODY, Reply
from tests.support.machine.ports import closed_port

Behaviour = Callable[[SocketStream, bytes], Awaitable[None]]
PATIENCE = 30.0
"""Seconds that nothing here takes, however busy the machine is."""


@dataclass
class Seen:
    """A loopback server: where it listens, and the requests that it read."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"


@asynccontextmanager
async def serving(behaviour: Behaviour) -> AsyncIterator[Seen]:
    """A server that reads each request whole and then behaves."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    seen = Seen(listener.extra(anyio.abc.SocketAttribute.local_port))  # noqa: S610  # not Django's

    async def handle(stream: SocketStream) -> None:
        async with stream:
            while request := await _read_request(stream):
                seen.requests.append(request)
                await behaviour(stream, request)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield seen
        tasks.cancel_scope.cancel()


async def _read_request(stream: SocketStream) -> bytes:
    request = b""
    try:
        while b"\r\n\r\n" not in request:
            request += await stream.receive()
        head, _, body = request.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-l")
        )
        while len(body) < length:
            body += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return b""
    return head + b"\r\n\r\n" + body


def answering(
    status: str = "200 OK",
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    *,
    close: bool = False,
) -> Behaviour:
    """Answers each request alike."""
    lines = {
        "Content-Length": str(len(body)),
        **(headers or {}),
        **({"Connection": "close"} if close else {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    async def behave(stream: SocketStream, request: bytes) -> None:
        try:
            await stream.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # the client has seen enough
        if close:
            await stream.aclose()

    return behave


async def post(seen: Seen, url: str = "", *, seconds: float = PATIENCE) -> Reply:
    async with Http(url or seen.url, "Archive") as http:
        return await http.post(url or seen.url, {"x-key": "k"}, b'{"a":1}', seconds=seconds)


async def failing(behaviour: Behaviour, *, seconds: float = PATIENCE) -> Transient:
    async with serving(behaviour) as seen:
        with pytest.raises(Transient) as caught:
            await post(seen, seconds=seconds)
    return caught.value


async def test_an_answer_comes_with_its_status_headers_and_body() -> None:
    async with serving(answering("418 Teapot", b"tea", {"X-Kind": "green"})) as seen:
        reply = await post(seen)

    assert (reply.status, reply.body) == (418, b"tea")
    assert reply.headers["x-kind"] == "green"
    assert seen.requests[0].startswith(b"POST /api HTTP/1.1\r\n")
    assert seen.requests[0].endswith(b'\r\n\r\n{"a":1}')
    assert b"x-key: k" in seen.requests[0].lower()


async def test_a_request_is_noted_when_it_leaves_and_not_before() -> None:
    noted: list[str] = []
    async with serving(answering()) as seen, Http(seen.url, "Archive") as http:
        note = partial(noted.append, "sent")
        await http.post(seen.url, {}, b"{}", seconds=PATIENCE, on_sent=note)
        assert noted == ["sent"]
        await http.post(seen.url, {}, b"{}", seconds=PATIENCE, on_sent=note)
        assert noted == ["sent"] * 2

    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        async with Http(url, "Archive") as http:
            with pytest.raises(Transient):
                await http.post(url, {}, b"{}", seconds=PATIENCE, on_sent=note)
    assert noted == ["sent"] * 2


async def test_a_closed_port_provably_got_nothing() -> None:
    with closed_port() as port, pytest.raises(Transient) as caught:
        await post(Seen(port))

    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.may_have_happened is False
    assert caught.value.worth_repeating
    assert f"http://127.0.0.1:{port}" in caught.value.message
    assert "Nothing was sent" in caught.value.message


async def test_a_connection_that_breaks_before_the_answer_may_have_done_something() -> None:
    async def hang_up(stream: SocketStream, request: bytes) -> None:
        await stream.aclose()

    failure = await failing(hang_up)

    assert failure.code is Code.UNAVAILABLE
    assert failure.may_have_happened
    assert failure.worth_repeating


async def test_an_answer_that_breaks_off_may_have_done_something() -> None:
    async def half(stream: SocketStream, request: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await stream.aclose()

    failure = await failing(half)

    assert failure.code is Code.UNAVAILABLE
    assert failure.may_have_happened


async def test_what_is_not_http_is_no_answer() -> None:
    async def gibberish(stream: SocketStream, request: bytes) -> None:
        await stream.send(b"220 smtp.example ready\r\n\r\n")

    assert (await failing(gibberish)).code is Code.UNAVAILABLE


async def silent(stream: SocketStream, request: bytes) -> None:
    await anyio.sleep_forever()


async def dripping(stream: SocketStream, request: bytes) -> None:
    await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with suppress(anyio.BrokenResourceError):
        while True:
            await stream.send(b"x")


@pytest.mark.parametrize("behaviour", [silent, dripping])
async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(behaviour: Behaviour) -> None:
    # Long enough for a busy machine to connect in: what was never sent cannot have happened.
    with anyio.fail_after(PATIENCE):
        failure = await failing(behaviour, seconds=1.0)

    assert failure.code is Code.TIMEOUT
    assert failure.may_have_happened
    assert not failure.worth_repeating


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_over_the_limit_is_not_read_to_its_end(packed: bool) -> None:
    body = b"x" * (10 * 1024 * 1024)
    behaviour = (
        answering(body=gzip.compress(body * 5), headers={"Content-Encoding": "gzip"})
        if packed
        else answering(body=body)
    )

    failure = await failing(behaviour)

    assert failure.code is Code.BAD_RESPONSE
    assert "more than 8 MB" in failure.message
    assert not failure.worth_repeating


async def test_an_answer_just_within_the_limit_is_read() -> None:
    async with serving(answering(body=b"x" * MAX_BODY)) as seen:
        assert len((await post(seen)).body) == MAX_BODY


async def test_a_packed_answer_is_unpacked() -> None:
    async with serving(
        answering(body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    ) as seen:
        assert (await post(seen)).body == b"hello"


async def test_an_answer_that_cannot_be_unpacked_is_said_so() -> None:
    failure = await failing(answering(body=b"not gzip", headers={"Content-Encoding": "gzip"}))

    assert failure.code is Code.BAD_RESPONSE
    assert "cannot be unpacked" in failure.message


async def test_a_redirect_is_not_followed() -> None:
    async with (
        serving(answering()) as target,
        serving(answering("302 Found", b"", {"Location": target.url})) as seen,
    ):
        reply = await post(seen)

    assert reply.status == 302
    assert target.requests == []


async def test_a_name_below_localhost_is_reached_on_this_machine_under_its_own_name() -> None:
    async with serving(answering()) as seen:
        await post(seen, f"http://box.localhost:{seen.port}/api")

    assert f"host: box.localhost:{seen.port}".encode() in seen.requests[0].lower()


async def test_a_kept_connection_is_new_only_once() -> None:
    async with serving(answering()) as seen, Http(seen.url, "Archive") as http:
        replies = [await http.post(seen.url, {}, b"", seconds=PATIENCE) for _ in range(3)]

    assert [reply.new_connection for reply in replies] == [True, False, False]


async def test_a_connection_that_was_closed_is_new_again() -> None:
    async with serving(answering(close=True)) as seen, Http(seen.url, "Archive") as http:
        replies = [await http.post(seen.url, {}, b"", seconds=PATIENCE) for _ in range(2)]

    assert [reply.new_connection for reply in replies] == [True, True]


async def test_a_cancelled_call_leaves_the_next_one_alone() -> None:
    gone = anyio.CancelScope()

    async def behave(stream: SocketStream, request: bytes) -> None:
        hang = not gone.cancel_called
        gone.cancel()
        await (silent if hang else answering())(stream, request)

    async with serving(behave) as seen, Http(seen.url, "Archive") as http:
        with gone:
            await http.post(seen.url, {}, b"", seconds=PATIENCE)
        reply = await http.post(seen.url, {}, b"", seconds=PATIENCE)

    assert gone.cancelled_caught
    assert reply.status == 200


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_never_sees_what_goes_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with serving(answering(body=b"proxy")) as proxy, serving(answering(body=b"here")) as seen:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        reply = await post(seen)

    assert reply.body == b"here"
    assert proxy.requests == []


async def test_a_server_in_this_process_answers_without_a_socket() -> None:
    asked: list[tuple[str, str, str, bytes]] = []

    async def answer(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        asked.append((method, path, headers["x-key"], body))
        return Reply(201, {"X-Kind": "made up"}, b"made up")

    async with Http("https://app.archive.com/api/v2", "Archive", in_process=answer) as http:
        reply = await http.post(
            "https://app.archive.com/api/v2", {"x-key": "k"}, b"body", seconds=5
        )

    assert asked == [("POST", "/api/v2", "k", b"body")]
    assert (reply.status, reply.headers["x-kind"], reply.body) == (201, "made up", b"made up")
    assert not reply.new_connection
