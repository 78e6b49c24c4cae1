from __future__ import annotations

import anyio

from server.errors import Code, Failure
from server.http.transport import Reply
from server.pictures.fetching import fetch_all
from tests.support.tools.pictures import image


async def test_only_a_few_files_travel_at_once_and_a_late_one_holds_nobody_up() -> None:
    running: list[str] = []
    most = 0

    async def fetch(url: str, *, seconds: float) -> Reply:
        nonlocal most
        running.append(url)
        most = max(most, len(running))
        try:
            await (anyio.sleep_forever() if url == "late" else anyio.lowlevel.checkpoint())
        finally:
            running.remove(url)
        return image(url.encode())

    wanted = [(url, bytes.decode) for url in ["late", *"abcdefghij"]]
    found = await fetch_all(fetch, wanted, seconds=0.5)

    assert found[1:] == list("abcdefghij")
    assert isinstance(found[0], Failure)
    assert found[0].code is Code.TIMEOUT
    assert most == 4
