"""A server on the other side that answers badly or not at all, through the whole path of a call
over real HTTP."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream, TaskStatus

from server.dispatch import Dispatcher
from server.errors import Failure
from server.limiter import Pacer
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from server.tool.elicitation import Nobody
from server.tool.result import Result
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

WORKSPACE = "7c1f6a52-3d0e-4b8a-9a41-52e0c6d9b117"
TOKEN = "arch_live_never_to_be_seen_5678"

READ = ("archive_get_workspace", {"workspace": WORKSPACE})
ADD = (
    "archive_add_item_to_collections",
    {"workspace": WORKSPACE, "itemId": "i", "collectionNames": ["c"]},
)


@dataclass
class Faulty:
    """A loopback server that answers each request with the next of `answers`; the last one goes on
    for ever.

    An answer is the bytes of a response, None to close the connection after reading the request, or
    "hang".
    """

    answers: list[bytes | str | None]
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    async def handle(self, stream: SocketStream) -> None:
        async with stream:
            while True:
                try:
                    request = await _read_request(stream)
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                self.requests.append(request)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == "hang":
                    await anyio.sleep_forever()
                if answer is None or isinstance(answer, str):
                    return
                await stream.send(answer)


async def _listen(faulty: Faulty, *, task_status: TaskStatus[int]) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # not Django's
        task_status.started(port)
        await listener.serve(faulty.handle)


async def _read_request(stream: SocketStream) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += await stream.receive()
    return head + b"\r\n\r\n" + body


def answer(body: bytes | str, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP response."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json", "content-length": str(len(content)), **headers}
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


Serve = Callable[..., Awaitable[tuple[Faulty, Dispatcher]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a faulty server, and the product's calls that go to it."""
    async with anyio.create_task_group() as group:
        opened: list[Services] = []

        async def _serve(
            *answers: bytes | str | None, seconds: float = 20.0
        ) -> tuple[Faulty, Dispatcher]:
            faulty = Faulty(list(answers))
            faulty.port = await group.start(_listen, faulty)
            url = f"http://127.0.0.1:{faulty.port}/api/v2"
            settings = load(
                {"ARCHIVE_API_URL": url, "ARCHIVE_APP_TOKEN": TOKEN},
                environment={},
                folder=NO_FILES,
                home=NO_FILES,
            )
            services = Services(settings, limiter=Pacer(None, window=0.02))
            opened.append(services)
            surface = Catalog.read(SURFACE, importlib.import_module)
            return faulty, Dispatcher(surface, services, settings.timezone, seconds=seconds)

        yield _serve
        for services in opened:
            await services.__aexit__(None, None, None)
        group.cancel_scope.cancel()


async def failure(calls: Dispatcher, call: tuple[str, dict[str, Any]]) -> Failure:
    """The failure that the call ends with; it carries no secret."""
    with pytest.raises(Failure) as caught:
        await calls.call(*call, Nobody())
    shown = json.dumps([caught.value.message, caught.value.hint, caught.value.details])
    assert "never_to_be_seen" not in shown
    assert "Traceback" not in shown
    assert "<html" not in shown
    assert caught.value.hint
    return caught.value


GOOD = answer('{"data":{"workspace":{"id":"w","name":"W","hashtags":[],"mentions":[]}}}')
ADDED = answer(
    '{"data":{"addItemToCollections":{"item":{"id":"i","archivePublicUrl":null},"userErrors":[]}}}'
)


async def lives_on(faulty: Faulty, calls: Dispatcher) -> None:
    """After a bad answer the next call works."""
    faulty.answers = [GOOD]
    result: Result = await calls.call(*READ, Nobody())
    assert result.structured["name"] == "W"


@pytest.mark.parametrize(
    ("bad", "code", "retryable"),
    [
        (
            answer("<html><body>maintenance</body></html>", content_type="text/html"),
            "BAD_RESPONSE",
            True,
        ),
        (answer('{"data":{"workspace":{"id":'), "BAD_RESPONSE", True),
        (answer(""), "BAD_RESPONSE", True),
        (answer("null"), "BAD_RESPONSE", True),
        (answer('{"data":null}'), "BAD_RESPONSE", True),
        (answer(b'{"data":"' + b"x" * 10_000_000 + b'"}'), "BAD_RESPONSE", True),
        (answer('{"errors":"Missing or invalid authentication token"}'), "UNAUTHENTICATED", False),
        (
            answer('{"errors":"Missing or invalid authentication token"}', "401 Unauthorized"),
            "UNAUTHENTICATED",
            False,
        ),
        (answer("<html>forbidden</html>", "403 Forbidden"), "UNAVAILABLE", False),
        (answer("", "302 Found", location="https://elsewhere.example/"), "BAD_RESPONSE", True),
        (answer("<html>oops</html>", "500 Internal Server Error"), "UNAVAILABLE", True),
        (answer("<html>bad gateway</html>", "502 Bad Gateway"), "UNAVAILABLE", True),
    ],
    ids=[
        "html",
        "cut",
        "empty",
        "null",
        "no-data",
        "10MB",
        "401-as-200",
        "401",
        "403",
        "redirect",
        "500",
        "502",
    ],
)
async def test_a_bad_answer_to_a_read_becomes_a_clear_failure(
    serve: Serve, bad: bytes, code: str, retryable: bool
) -> None:
    faulty, calls = await serve(bad)
    failed = await failure(calls, READ)
    assert (failed.code, failed.retryable) == (code, retryable)
    await lives_on(faulty, calls)


async def test_a_read_is_repeated_over_a_gateway_that_recovers(serve: Serve) -> None:
    faulty, calls = await serve(answer("", "503 Service Unavailable"), None, GOOD)
    assert (await calls.call(*READ, Nobody())).structured["name"] == "W"
    assert len(faulty.requests) == 3


async def test_a_429_is_waited_out_by_reads_and_writes(serve: Serve) -> None:
    error = (
        '{"errors":[{"message":"Retry after 0.05 seconds.",'
        '"extensions":{"code":"RATE_LIMIT_EXCEEDED"}}]}'
    )
    throttled = answer(error, "429 Too Many Requests", retry_after="0")
    faulty, calls = await serve(throttled, ADDED)
    assert (await calls.call(*ADD, Nobody())).structured["item"]["id"] == "i"
    assert len(faulty.requests) == 2


async def test_a_server_that_never_answers_is_given_up_in_time(serve: Serve) -> None:
    faulty, calls = await serve("hang", seconds=1.0)
    with anyio.fail_after(20):  # a call that names no time of its own is given 45 s
        failed = await failure(calls, READ)
    assert failed.code == "TIMEOUT"
    await lives_on(faulty, calls)


async def test_a_repeatable_write_is_made_again_when_its_answer_was_lost(serve: Serve) -> None:
    faulty, calls = await serve(None, ADDED)
    assert (await calls.call(*ADD, Nobody())).structured["item"]["id"] == "i"
    assert len(faulty.requests) == 2


async def test_a_repeatable_write_that_stays_lost_is_of_unknown_outcome(serve: Serve) -> None:
    _, calls = await serve(None)
    failed = await failure(calls, ADD)
    assert failed.code == "OUTCOME_UNKNOWN"
    assert "archive_search_items" in failed.hint


async def test_a_write_that_costs_money_is_sent_once_and_never_again(serve: Serve) -> None:
    look_up = answer(
        '{"data":{"items":{"nodes":[{"id":"i","type":"REEL","socialProfile":{"accountName":"a"}}],'
        '"pageInfo":{"endCursor":null,"hasNextPage":false},"totalCount":1}}}'
    )
    faulty, calls = await serve(look_up)
    refetch = ("archive_refetch_engagement_bulk", {"workspace": WORKSPACE, "itemIds": ["i"]})
    token = (await failure(calls, refetch)).details["confirm"]
    faulty.answers, faulty.requests = [look_up, None], []
    failed = await failure(calls, (refetch[0], {**refetch[1], "confirm": token}))
    assert failed.code == "OUTCOME_UNKNOWN"
    assert "archive_get_operations" in failed.hint
    assert len([each for each in faulty.requests if b"mutation" in each]) == 1


async def test_nobody_listening_is_unavailable_and_says_that_nothing_was_sent() -> None:
    settings = load(
        {"ARCHIVE_API_URL": "http://127.0.0.1:9/api", "ARCHIVE_APP_TOKEN": TOKEN},
        environment={},
        folder=NO_FILES,
        home=NO_FILES,
    )
    async with Services(settings, limiter=Pacer(None, window=0.02)) as services:
        unreachable = Dispatcher(
            Catalog.read(SURFACE, importlib.import_module), services, settings.timezone
        )
        failed = await failure(unreachable, ADD)
    assert failed.code == "UNAVAILABLE"
    assert "Nothing was sent" in failed.message
    assert "doctor" in failed.hint


async def test_the_token_travels_in_the_header_and_nowhere_else(serve: Serve) -> None:
    faulty, calls = await serve(GOOD)
    await calls.call(*READ, Nobody())
    head, _, body = faulty.requests[0].partition(b"\r\n\r\n")
    assert f"authorization: bearer {TOKEN}".encode() in head.lower()
    assert f"workspace-id: {WORKSPACE}".encode() in head.lower()
    assert TOKEN.encode() not in body
    assert TOKEN.encode() not in head.split(b"\r\n")[0]
