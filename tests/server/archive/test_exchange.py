"""Looking at the API itself: one request as it is, still through the limiter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from server.archive.client import Archive, Call
from server.errors import Code, Failure
from server.http.client import Http
from server.limiter import state_key
from server.sandbox import Answer
from tests.support.doubles import Clock, OpenLimiter

URL = "https://archive.test/api/v2"
CALL = Call("workspace", "{ workspace { id } }", {}, "w1", 5, 1045.0)


class Server:
    """Answers always the same, half a second later by the clock, and keeps the headers it was
    sent."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.clock = Clock()
        self.received: list[Mapping[str, str]] = []
        self.limiter = OpenLimiter()

    async def handle(
        self, _method: str, _path: str, headers: Mapping[str, str], _body: bytes
    ) -> Answer:
        self.received.append(headers)
        self.clock.now += 0.5
        return self.answer

    @asynccontextmanager
    async def archive(self) -> AsyncIterator[Archive]:
        async with Http(URL, "Archive", in_process=self.handle) as http:
            yield Archive(
                url=URL,
                token="own",
                http=http,
                limiter=self.limiter,
                user_agent="test",
                clock=self.clock,
            )


@pytest.mark.parametrize("status", [200, 401, 429, 503])
async def test_the_answer_comes_back_as_it_was_after_one_request(status: int) -> None:
    server = Server(Answer(status, {"x-mark": "1"}, b"anything"))
    async with server.archive() as archive:
        reply, seconds = await archive.exchange(CALL)
    assert (reply.status, reply.headers["x-mark"], reply.body, seconds) == (
        status,
        "1",
        b"anything",
        0.5,
    )
    assert len(server.received) == 1
    assert server.received[0]["authorization"] == "Bearer own"
    assert server.received[0]["workspace-id"] == "w1"


async def test_the_limiter_hears_of_it_and_of_the_longer_wait_after_a_429() -> None:
    server = Server(
        Answer(429, {"retry-after": "1"}, b'{"errors":[{"message":"Retry after 2.5 seconds."}]}')
    )
    async with server.archive() as archive:
        await archive.exchange(CALL)
        key = archive.limiter_key("w1")
    (slot,) = server.limiter.slots
    assert (slot.key, slot.deadline, slot.status, slot.retry_after) == (key, 1045.0, 429, 2.5)


async def test_another_token_is_sent_instead_and_paced_on_its_own() -> None:
    server = Server(Answer(401, {}, b""))
    async with server.archive() as archive:
        await archive.exchange(
            Call("workspaces", "{ workspaces }", {}, None, 5, 1045.0), token="other"
        )
        own = archive.limiter_key(None)
    assert server.received[0]["authorization"] == "Bearer other"
    assert "workspace-id" not in server.received[0]
    assert server.limiter.slots[0].key == state_key("https://archive.test", "token", "other") != own


async def test_without_a_turn_nothing_is_sent() -> None:
    server = Server(Answer(200, {}, b""))
    server.limiter = OpenLimiter({1: Failure(Code.RATE_LIMITED, "later")})
    async with server.archive() as archive:
        with pytest.raises(Failure, match="later"):
            await archive.exchange(CALL)
    assert server.received == []
