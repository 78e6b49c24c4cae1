"""What strangers send to the port: other names, too much, too slowly, or nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from server.team.serving import connections
from server.team.settings import Limits
from tests.support.team import issuer
from tests.support.team.people import make_team
from tests.support.team.wire import Wire, listen, message

LIMITS = Limits(body=20_000, requests=3, requests_each=2, body_seconds=1)
MODERN: dict[str, str | None] = {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/list"}


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    team = make_team(tmp_path, limits=LIMITS, public_url="https://archive-mcp.example.com")
    async with listen(team, tmp_path) as wire:
        yield wire


def signed(wire: Wire, body: bytes | None = None, **headers: str | None) -> bytes:
    token = issuer.token(sub="anna", exp=4e9)
    usual: dict[str, str | None] = {"authorization": f"Bearer {token}", **MODERN}
    return wire.request(message() if body is None else body, headers={**usual, **headers})


async def test_a_request_for_this_server_is_answered(wire: Wire) -> None:
    assert b'"tools"' in await wire.send(signed(wire))
    assert await wire.status(signed(wire, host="archive-mcp.example.com")) == 200
    assert await wire.status(signed(wire, host=f"localhost:{wire.team.port}")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example.com:PORT",
        "127.0.0.1:PORT.evil.example.com",
        "evil.example.com:PORT",
        "archive-mcp.example.com:8443",
        "archive-mcp.example.com.evil.example",
        "archive-mcp.example.com@evil.example",
        "0.0.0.0:PORT",
        "",
    ],
)
async def test_a_page_whose_name_was_pointed_here_gets_nothing(wire: Wire, host: str) -> None:
    request = signed(wire, host=host.replace("PORT", str(wire.team.port)))

    assert await wire.status(request) == 421


async def test_a_request_names_one_host_once(wire: Wire) -> None:
    assert await wire.status(signed(wire, host=None)) == 400
    doubled = signed(wire).replace(b"\r\nconnection", b"\r\nhost: evil.example.com\r\nconnection")
    assert await wire.status(doubled) == 400


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "http://archive-mcp.example.com",
        "https://archive-mcp.example.com.evil.example",
        "https://archive-mcp.example.com:8443",
        "http://127.0.0.1:1",
        "null",
        "file://",
    ],
)
async def test_other_pages_may_not_call(wire: Wire, origin: str) -> None:
    assert await wire.status(signed(wire, origin=origin)) == 403


async def test_the_servers_own_page_may_call(wire: Wire) -> None:
    for origin in ("https://archive-mcp.example.com", f"http://127.0.0.1:{wire.team.port}"):
        assert await wire.status(signed(wire, origin=origin)) == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"])
async def test_only_posts_are_answered(wire: Wire, method: str) -> None:
    answer = await wire.send(wire.request(b"", method=method))

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"allow: POST" in answer


async def test_nobody_learns_what_is_there_without_signing_in(wire: Wire) -> None:
    assert await wire.status(wire.request(message(), headers=MODERN)) == 401
    assert await wire.status(wire.request(b"", method="GET", path="/docs")) == 404
    assert await wire.status(wire.request(b"", method="GET", path="/openapi.json")) == 404
    assert await wire.status(wire.request(b"", method="GET", path="/mcp/../mcp")) in (400, 404)


async def test_too_much_is_refused_before_it_is_read(wire: Wire) -> None:
    declared = signed(wire, content_length="999999999")
    assert await wire.status(declared) == 413
    body = b'{"a": "' + b"x" * LIMITS.body + b'"}'
    assert await wire.status(signed(wire, body)) == 413


async def test_too_much_without_a_length_is_refused_as_well(wire: Wire) -> None:
    head = signed(wire, b"", content_length=None, transfer_encoding="chunked")
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"

    assert await wire.status(head, chunk * 8) == 413


async def test_a_header_without_an_end_is_refused(wire: Wire) -> None:
    assert await wire.status(signed(wire, x_long="y" * 200_000)) in (0, 400, 431)


async def test_a_body_that_comes_too_slowly_is_given_up(wire: Wire) -> None:
    head = signed(wire, b"", content_length="100")

    assert await wire.status(head, b"{", pause=0.01) == 408


@pytest.mark.parametrize("begin", [b"", b"POST /mcp HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_a_connection_that_sends_no_request_is_closed(
    wire: Wire, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    with anyio.fail_after(10):
        assert await wire.status(begin) == 0 if begin else await wire.status() == 0


async def test_a_second_request_on_a_connection_may_not_be_slow_either(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    first = signed(wire, connection="keep-alive")
    with anyio.fail_after(10):
        answer = await wire.send(first, b"POST /mcp HTTP/1.1\r\n", pause=0.2)
    assert answer.count(b"HTTP/1.1 200") == 1


async def test_a_client_that_does_not_take_its_answer_holds_no_place(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.3)
    # Hundreds of answers of 100 kB: more than what the system takes in for the client.
    request = signed(wire, connection="keep-alive")

    async def send_without_reading() -> None:
        async with await anyio.connect_tcp("127.0.0.1", wire.team.port) as stream:
            while True:
                await stream.send(request)

    with anyio.fail_after(20), pytest.raises(anyio.BrokenResourceError):
        await send_without_reading()


NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b"[" * 5000,
    b'{"jsonrpc": "2.0"}',
    b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": 7}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": []}',
    b'[{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}]',
)


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25", "1999-01-01", None])
async def test_nonsense_is_refused_in_the_protocols_words(wire: Wire, version: str | None) -> None:
    for body in NONSENSE:
        answer = await wire.send(signed(wire, body, mcp_protocol_version=version))

        assert answer.split(b" ")[1] in (b"400", b"404"), (body, answer[:200])
        assert b"Traceback" not in answer


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_what_a_form_of_a_page_can_send_is_refused(
    wire: Wire, content_type: str | None
) -> None:
    assert await wire.status(signed(wire, content_type=content_type)) in (400, 415)


@pytest.mark.parametrize(("each", "most", "status"), [(2, 9, b"429"), (9, 3, b"503")])
async def test_as_many_requests_as_are_set_are_taken_on_at_once(
    tmp_path: Path, each: int, most: int, status: bytes
) -> None:
    limits = replace(LIMITS, requests=most, requests_each=each, body_seconds=3600)
    team = make_team(tmp_path, limits=limits, public_url="https://archive-mcp.example.com")
    async with listen(team, tmp_path) as wire, AsyncExitStack() as stack:
        for _ in range(min(each, most)):
            stream = await stack.enter_async_context(
                await anyio.connect_tcp("127.0.0.1", wire.team.port)
            )
            # The server says that it is ready for the body, which does not come.
            await stream.send(signed(wire, b"", content_length="100", expect="100-continue"))
            assert (await stream.receive()).startswith(b"HTTP/1.1 100 ")
        answer = await wire.send(signed(wire))
    assert answer.split(b" ", 2)[1] == status
    assert b"retry-after" in answer


async def test_the_probes_answer_whoever_asks(wire: Wire) -> None:
    for path in ("/healthz", "/readyz"):
        request = wire.request(b"", method="GET", path=path, host="10.1.2.3:8765")
        assert (await wire.send(request)).endswith(b"ok\n")


async def test_where_to_sign_in_is_said_to_everybody(wire: Wire) -> None:
    place = "/.well-known/oauth-protected-resource/mcp"
    answer = await wire.send(wire.request(b"", method="GET", path=place))

    assert b'"resource":"https://archive-mcp.example.com/mcp"' in answer
    assert b'"authorization_servers":["https://login.example.com/"]' in answer
    refusal = await wire.send(wire.request(message(), headers=MODERN))
    assert f'resource_metadata="https://archive-mcp.example.com{place}"'.encode() in refusal


async def test_a_page_that_is_allowed_may_ask_before_it_calls(tmp_path: Path) -> None:
    team = make_team(tmp_path, allowed_origins=("https://app.example.com",))
    async with listen(replace(team, limits=LIMITS), tmp_path) as wire:
        request = wire.request(
            b"",
            method="OPTIONS",
            origin="https://app.example.com",
            access_control_request_method="POST",
            access_control_request_headers="authorization",
        )
        answer = await wire.send(request)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"access-control-allow-origin: https://app.example.com" in answer
