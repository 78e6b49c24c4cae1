"""An API that repeats the token: nothing that leaves the program holds it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import anyio
import pytest

from tests.process.test_bad_answers import READ, TOKEN, Faulty, _listen, answer
from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import StdioServer

ENCODED = base64.b64encode(f"bearer {TOKEN}".encode()).decode()
BODIES = {
    "error": {"errors": [{"message": f"Bearer {TOKEN} ({ENCODED}) is not welcome here"}]},
    "data": {"data": {"workspace": {"id": "w", "name": f"of {TOKEN} {ENCODED}", "hashtags": []}}},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_token_that_comes_back_does_not_go_out(
    body: dict[str, object], tmp_path: Path
) -> None:
    faulty = Faulty([answer(json.dumps(body))])
    async with anyio.create_task_group() as group:
        port = await group.start(_listen, faulty)
        env = {
            **clean(tmp_path),
            "ARCHIVE_API_URL": f"http://127.0.0.1:{port}/api/v2",
            "ARCHIVE_APP_TOKEN": TOKEN,
            "ARCHIVE_MCP_LOG_LEVEL": "DEBUG",
        }
        async with StdioServer.spawn(LAUNCHER, env=env, cwd=tmp_path) as server:
            await server.handshake()
            result = await server.call_tool(*READ)
        group.cancel_scope.cancel()
    texts = json.dumps(result) + server.stderr
    assert "[secret]" in texts
    assert TOKEN not in texts
    assert ENCODED not in texts
