"""The sandbox over HTTP on loopback."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from server.sandbox import MAIN, TOKEN, Sandbox
from server.sandbox.serve import make_app, open_server
from tests.server.sandbox.archive.conftest import NOW, Client
from tests.support.paths import ROOT

HEADERS = {"Authorization": f"Bearer {TOKEN}", "WORKSPACE-ID": MAIN}
ITEM = {"query": "{ items(first: 1) { nodes { id caption } } }"}
PROGRAM = """
from server.sandbox import Sandbox
from server.sandbox.serve import serve
serve(Sandbox(items=10), 0)
print("end")
"""


@pytest.fixture
def client() -> Client:
    """A sandbox of its own for the test."""
    return Client()


@pytest.fixture
async def url(client: Client) -> AsyncIterator[str]:
    async with open_server(client.sandbox) as url:
        yield url


def at(url: str, path: str) -> str:
    return str(httpx.URL(url).copy_with(path=path))


async def test_the_api_answers_over_http_as_it_does_in_the_process(
    url: str, client: Client
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json=ITEM, headers=HEADERS)
    assert url.startswith("http://127.0.0.1:")
    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"] == '"enterprise";q=60000;w=60'
    assert answer.json() == await client.body(ITEM["query"])


async def test_refusals_keep_status_and_headers_over_http(url: str) -> None:
    async with httpx.AsyncClient() as http:
        statuses = [
            (await http.post(url, json=ITEM, headers=HEADERS)).status_code for _ in range(5)
        ]
        refused = await http.post(url, json=ITEM, headers=HEADERS)
        got = await http.get(url)
    assert statuses == [200] * 5
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


async def test_counts_are_read_and_reset_over_http(url: str, client: Client) -> None:
    async with httpx.AsyncClient() as http:
        await http.post(url, json=ITEM, headers=HEADERS)
        counted = (await http.get(at(url, "/__sandbox__/stats"))).json()
        assert counted == client.sandbox.stats()
        assert counted["keys"] == {MAIN: {"arrivals": [1000.0], "refused": 0}}
        assert (await http.post(at(url, "/__sandbox__/reset"))).status_code == 200
        empty = {"requests": 0, "refused": 0, "changes": {}, "keys": {}}
        assert (await http.get(at(url, "/__sandbox__/stats"))).json() == empty


async def test_there_are_no_other_back_doors(url: str) -> None:
    async with httpx.AsyncClient() as http:
        for method, path in (("POST", "stats"), ("GET", "reset"), ("GET", ""), ("POST", "stop")):
            assert (await http.request(method, at(url, f"/__sandbox__/{path}"))).status_code == 404


@pytest.mark.parametrize("client_address", [("192.0.2.7", 5000), ("testclient", 1), None])
async def test_counts_are_for_loopback_only(client_address: Any) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/__sandbox__/stats",
        "headers": [],
        "client": client_address,
    }
    await make_app(Sandbox(items=1, now=lambda: NOW))(scope, receive, send)
    assert sent[0]["status"] == 404


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to stop a child with")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_announces_itself_and_stops_cleanly(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(
            r"Sandbox on (http://127\.0\.0\.1:\d+/api/v2)  token: sandbox-token\n", line
        )
        assert found is not None
        assert f"set ARCHIVE_API_URL={found[1]} and" in process.stdout.readline()
        assert httpx.post(found[1], json=ITEM, headers=HEADERS, timeout=60).status_code == 200
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest, errors) == (0, "end\n", "")
