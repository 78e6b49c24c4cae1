"""Reading what was archived: long texts in pieces, pictures, private pages, and nothing from
outside the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.archivebox.pages.outputs import list_images, list_texts
from server.errors import Code, Failure
from server.sandbox.archivebox import KEY
from server.services import Services
from server.settings import load
from server.tool.elicitation import Nobody
from server.tool.result import BUDGET, Result
from tests.support.archivebox.targets import URL
from tests.support.clocks import fixed_archivebox
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

INJECTED = "https://smallcomputers.example/posts/quiet-inbox"
PRIVATE = "https://wiki.tidewater.example/pages/release-checklist"


class Reader:
    """The product over a sandbox whose file answers may be replaced."""

    def __init__(self, stack: AsyncExitStack, **options: Any) -> None:
        self._stack = stack
        self._sandbox = fixed_archivebox(**options)
        self.instead: dict[str, bytes] = {}
        self.files: list[str] = []

    async def start(self) -> Reader:
        import importlib

        from server.dispatch import Calls
        from server.tool.catalog import Surface

        settings = load(
            {"ARCHIVEBOX_URL": URL, "ARCHIVEBOX_API_KEY": KEY},
            environment={},
            folder=NO_FILES,
            home=NO_FILES,
        )
        services = await self._stack.enter_async_context(
            Services(settings, archivebox=self._answer)
        )
        self._calls = Calls(
            Surface.read(SURFACE, importlib.import_module), services, settings.timezone
        )
        return self

    async def _answer(self, method: str, target: str, headers: Any, body: bytes) -> Any:
        answer = await self._sandbox.handle(method, target, headers, body)
        if not target.startswith("/api/"):
            self.files.append(target)
            assert "x-archivebox-api-key" not in {name.lower() for name in headers}, (
                "the key is not for files"
            )
            for ending, content in self.instead.items():
                if target.partition("?")[0].endswith(ending):
                    return type(answer)(200, {"content-type": "text/plain"}, content)
        return answer

    async def read(self, url: str, **arguments: Any) -> Result:
        found = await self._calls.call("archivebox_list_snapshots", {"url": url}, Nobody())
        identity = found.structured["nodes"][0]["id"]
        return await self._calls.call(
            "archivebox_read_snapshot", {"snapshot_id": identity, **arguments}, Nobody()
        )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.mark.parametrize("version", ["0.9.73", "0.9.31", "0.8.5"])
async def test_pictures_come_as_pictures(stack: AsyncExitStack, version: str) -> None:
    reader = await Reader(stack, version=version).start()
    screenshot = (await reader.read(INJECTED, image="screenshot")).images[0]
    favicon = (await reader.read(INJECTED, image="favicon")).images[0]
    assert (screenshot.mime_type, screenshot.content[:4]) == ("image/png", b"\x89PNG")
    assert favicon.mime_type.startswith("image/")


async def test_a_long_text_is_read_in_pieces_that_fit_together(stack: AsyncExitStack) -> None:
    reader = await Reader(stack).start()
    text = " ".join(f"word{number}" for number in range(20_000))
    reader.instead["output.html"] = text.encode()
    pieces, after = [], None
    while True:
        piece = await reader.read(INJECTED, **({"after": after} if after else {}))
        assert len(piece.text) + len(piece.prose) <= BUDGET
        pieces.append(piece.prose)
        after = piece.structured["nextCursor"]
        if after is None:
            break
    assert "".join(pieces) == text
    assert len(pieces) > 3


async def test_a_private_page_says_what_it_needs(stack: AsyncExitStack) -> None:
    reader = await Reader(stack).start()
    with pytest.raises(Failure) as caught:
        await reader.read(PRIVATE)
    assert caught.value.code is Code.FORBIDDEN
    assert "private" in caught.value.message
    assert "public" in caught.value.hint


async def test_files_are_asked_for_without_the_key_and_below_the_page(
    stack: AsyncExitStack,
) -> None:
    reader = await Reader(stack).start()
    await reader.read(INJECTED)
    assert reader.files
    assert all(each.startswith("/snapshot/") for each in reader.files)


@pytest.mark.parametrize(
    "name", ["../../secrets.txt", "/etc/passwd.txt", "a/../../b.txt", "..\\b.txt"]
)
def test_a_file_outside_the_page_is_never_asked_for(name: str) -> None:
    result = {
        "plugin": "readability",
        "status": "succeeded",
        "output_files": {name: {"mimetype": "text/plain"}},
    }
    picture = {"plugin": "screenshot", "status": "succeeded", "output_files": {name: {}}}
    assert list_texts({"id": "1", "archiveresults": [result]}) == []
    assert list_images({"id": "1", "archiveresults": [picture]}, "screenshot") == []


def test_the_best_text_comes_first_and_failed_outputs_do_not_count() -> None:
    def result(plugin: str, name: str, status: str = "succeeded") -> dict[str, Any]:
        return {"plugin": plugin, "status": status, "output_files": {name: {}}}

    results = [
        result("wget", "index.html"),
        result("htmltotext", "htmltotext.txt"),
        result("readability", "content.txt", "failed"),
    ]
    assert [each.plugin for each in list_texts({"id": "1", "archiveresults": results})] == [
        "wget",
        "htmltotext",
    ]
