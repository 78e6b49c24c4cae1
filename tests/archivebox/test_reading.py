"""Reading what was archived: long texts in pieces, pictures, private pages, and nothing from
outside the page."""

from __future__ import annotations

import gzip
import io
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
        self.kind = "text/plain"

    async def start(self) -> Reader:
        import importlib

        from server.dispatch import Dispatcher
        from server.tool.catalog import Catalog

        settings = load(
            {"ARCHIVEBOX_URL": URL, "ARCHIVEBOX_API_KEY": KEY},
            environment={},
            folder=NO_FILES,
            home=NO_FILES,
        )
        services = await self._stack.enter_async_context(
            Services(settings, archivebox=self._answer)
        )
        self._calls = Dispatcher(
            Catalog.read(SURFACE, importlib.import_module), services, settings.timezone
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
                    return type(answer)(200, {"content-type": self.kind}, content)
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


async def test_a_screenshot_too_large_for_a_client_is_made_smaller_or_linked(
    stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pytest.importorskip("PIL.Image")
    reader = await Reader(stack).start()
    noise = io.BytesIO()
    image.effect_noise((2_400, 1_800), 90).convert("RGB").save(noise, "png", compress_level=0)
    assert len(noise.getvalue()) > 8 * 2**20
    reader.instead["screenshot.png"] = noise.getvalue()
    reader.kind = "image/png"
    shown = await reader.read(INJECTED, image="screenshot")
    assert len(shown.images[0].content) < 3_500_000
    assert shown.structured["bytes"] == len(noise.getvalue())
    assert shown.structured["address"].endswith("/screenshot/screenshot.png")
    monkeypatch.setattr("tools.archivebox.snapshots.read.is_installed", lambda extra: False)
    linked = await reader.read(INJECTED, image="screenshot")
    assert linked.images == ()
    assert linked.structured["address"] == shown.structured["address"]


async def test_what_a_server_shows_in_another_form_is_read_from_the_warc(
    stack: AsyncExitStack,
) -> None:
    # 0.9.31 damages letters of pages that it takes for escaped HTML, and cannot be told not to.
    reader = await Reader(stack, version="0.9.31").start()
    page = "<p>Прилив</p>".encode("cp1251")
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <%s>\r\n\r\n" % INJECTED.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n"
    reader.instead[".warc.gz"] = gzip.compress(head + answer + page + b"\r\n\r\n")
    reader.instead["output.html"] = reader.instead["singlefile.html"] = b""
    reader.instead["quiet-inbox.html"] = page.decode("utf-8", "replace").encode()
    result = await reader.read(INJECTED)
    assert (result.prose, result.structured["charset"]) == ("Прилив", "windows-1251")


async def test_a_page_with_a_login_form_is_not_private(stack: AsyncExitStack) -> None:
    reader = await Reader(stack).start()
    form = b"<form action='/login'>Login<input type=password name=password></form><p>The news"
    reader.instead["output.html"] = form
    assert "The news" in (await reader.read(INJECTED)).prose


async def test_an_empty_page_is_called_empty(stack: AsyncExitStack) -> None:
    reader = await Reader(stack).start()
    for name in ("output.html", "singlefile.html", "quiet-inbox.html", "content.html"):
        reader.instead[name] = b" \n"
    reader.instead["content.txt"] = reader.instead[".warc.gz"] = b""
    result = await reader.read(INJECTED)
    assert result.prose == ""
    assert "empty" in result.structured["notes"][0]
