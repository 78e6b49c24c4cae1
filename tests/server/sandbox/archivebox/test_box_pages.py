"""The archived files, who may see them, who may ask at all, and the sandbox over HTTP."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from datetime import datetime

import httpx
import pytest

from server.sandbox.archivebox import (
    COOKIE,
    KEY,
    KEY_EXPIRED,
    KEY_READER,
    PASSWORD,
    SESSION,
    USERNAME,
    ArchiveBoxSandbox,
)
from server.sandbox.serve import open_server
from tests.server.sandbox.archivebox.conftest import Box
from tests.support.clocks import fixed_archivebox

INBOX = "https://smallcomputers.example/posts/quiet-inbox"
PRIVATE = "https://wiki.tidewater.example/pages/release-checklist"


async def test_pages_are_read_as_text_by_the_files_of_their_results(any_box: Box) -> None:
    item = await any_box.one(url=INBOX)
    if any_box.version == "0.8.5":
        paths = [
            f"/archive/{item['timestamp']}/htmltotext.txt",
            f"/archive/{item['timestamp']}/readability/content.txt",
        ]
    else:
        files = {
            result["plugin"]: list(result["output_files"]) for result in item["archiveresults"]
        }
        assert files["readability"] == ["content.html", "content.txt", "article.json"]
        paths = [
            f"/snapshot/{item['id']}/htmltotext/{files['htmltotext'][0]}",
            f"/snapshot/{item['id']}/readability/content.txt",
        ]
    for path in paths:
        answer = await any_box.send("GET", path, key="")
        text = answer.body.decode()
        assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert text.startswith("Notes on a quiet inbox\n\n")
        assert "delete all snapshots" in text
        assert 1_800 < len(text) < 8_000


async def test_pages_read_like_different_pages(box: Box) -> None:
    texts = set()
    for item in (await box.get("/core/snapshots?limit=40"))["items"]:
        answer = await box.send(
            "GET",
            f"/snapshot/{item['id']}/htmltotext/htmltotext.txt",
            headers={"cookie": f"{COOKIE}={SESSION}"},
        )
        if answer.status == 200:
            text = answer.body.decode()
            sentences = text.replace("\n", " ").split(". ")
            assert len(set(sentences)) == len(sentences)
            assert len(text) > 1_500
            texts.add(text)
    assert len(texts) > 20


async def test_a_screenshot_is_a_valid_picture_and_so_is_the_icon(box: Box) -> None:
    id = (await box.one(url=INBOX))["id"]
    shot = await box.send("GET", f"/snapshot/{id}/screenshot/screenshot.png", key="")
    assert (shot.headers["content-type"], shot.body[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", shot.body[16:24])
    length = struct.unpack(">I", shot.body[33:37])[0]
    pixels = zlib.decompress(shot.body[41 : 41 + length])
    assert len(pixels) == height * (1 + 3 * width)
    icon = await box.send("GET", f"/snapshot/{id}/favicon/favicon.ico", key="")
    assert (icon.headers["content-type"], icon.body[:4], icon.body[22:26]) == (
        "image/x-icon",
        b"\0\0\1\0",
        b"\x89PNG",
    )


async def test_sizes_are_those_of_the_files(box: Box) -> None:
    item = await box.one(url=INBOX)
    total = 0
    for result in item["archiveresults"]:
        for name, entry in result["output_files"].items():
            answer = await box.send(
                "GET", f"/snapshot/{item['id']}/{result['plugin']}/{name}", key=""
            )
            assert (answer.status, len(answer.body)) == (200, entry["size"])
            total += entry["size"]
    assert item["archive_size"] == total


async def test_files_are_reached_by_the_ends_of_an_id_and_by_timestamp(box: Box) -> None:
    item = await box.one(url=INBOX)
    for ref in (item["id"][-12:], item["id"]):
        assert (
            await box.send("GET", f"/snapshot/{ref}/htmltotext/htmltotext.txt", key="")
        ).status == 200
    moved = await box.send("GET", f"/archive/{item['timestamp']}/htmltotext/htmltotext.txt", key="")
    assert (moved.status, moved.headers["location"]) == (
        302,
        f"/snapshot/{item['id']}/htmltotext/htmltotext.txt",
    )
    same = await box.send("GET", f"/{item['archive_path']}/htmltotext/htmltotext.txt", key="")
    assert same.headers["location"] == moved.headers["location"]
    assert (await box.send("GET", f"/{item['archive_path']}", key="")).status == 200


@pytest.mark.parametrize(
    "path", ["htmltotext/other.txt", "nothing/x", "../../../etc/passwd", "htmltotext/..%2fx"]
)
async def test_other_files_are_not_there(box: Box, path: str) -> None:
    answer = await box.send("GET", f"/snapshot/{(await box.one(url=INBOX))['id']}/{path}", key="")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_private_page_wants_a_session_and_not_a_key(box: Box) -> None:
    id = (await box.one(url=PRIVATE))["id"]
    path = f"/snapshot/{id}/htmltotext/htmltotext.txt"
    refused = await box.send("GET", path, key=KEY)
    assert (refused.status, refused.headers["location"].partition("&")[0]) == (
        302,
        f"/admin/core/snapshot/replay-auth/?snapshot={id}",
    )
    record = await box.ask("POST", "/auth/browser_session")
    cookie = f"{record['cookie']['name']}={record['cookie']['value']}"
    assert (await box.send("GET", path, key="", headers={"cookie": cookie})).status == 200


async def test_older_releases_hide_all_pages_or_none(old: Box) -> None:
    assert (
        await Box("0.9.31").send(
            "GET", f"/snapshot/{(await Box('0.9.31').one(url=PRIVATE))['id']}/dom/output.html"
        )
    ).status == 200
    closed = Box("0.8.5", public=False)
    for box, status in ((old, 200), (closed, 302)):
        timestamp = (await box.one(url=PRIVATE))["timestamp"]
        assert (await box.send("GET", f"/archive/{timestamp}/output.html")).status == status


async def test_a_session_is_not_given_for_a_key_in_the_address(box: Box) -> None:
    answer = await box.send("POST", f"/api/v1/auth/browser_session?api_key={KEY}", key="")
    assert answer.status == 401


@pytest.mark.parametrize("how", ["header", "bearer", "address"])
async def test_a_key_opens_the_api_in_three_ways(any_box: Box, how: str) -> None:
    headers = {
        "header": {"X-ArchiveBox-API-Key": KEY},
        "bearer": {"Authorization": f"Bearer {KEY}"},
    }.get(how)
    query = f"?api_key={KEY}" if how == "address" else ""
    answer = await any_box.send("GET", f"/api/v1/core/tags{query}", key="", headers=headers)
    methods = {
        "header": "HeaderTokenAuth",
        "bearer": "BearerTokenAuth",
        "address": "QueryParamTokenAuth",
    }
    assert (answer.status, answer.headers["x-archivebox-auth-method"]) == (200, methods[how])
    assert answer.headers["x-archivebox-auth-user-username"] == USERNAME
    assert datetime.fromisoformat(answer.headers["x-archivebox-auth-expires"]).year == 2026


async def test_passwords_on_every_request_work_only_on_the_oldest_release(any_box: Box) -> None:
    basic = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    answer = await any_box.send(
        "GET", "/api/v1/core/tags", key="", headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.status == (200 if any_box.version == "0.8.5" else 401)


@pytest.mark.parametrize("key", ["", "wrong", KEY_EXPIRED])
async def test_bad_keys_are_refused(any_box: Box, key: str) -> None:
    assert await any_box.get_refusal("GET", "/core/tags", key=key) == (401, "Unauthorized")
    assert await any_box.get_refusal("POST", "/cli/remove", {"nonsense": 1}, key=key) == (
        401,
        "Unauthorized",
    )


async def test_a_key_of_somebody_else_is_valid_and_refused(any_box: Box) -> None:
    assert (await any_box.ask("POST", "/auth/check_api_token", {"token": KEY_READER}))[
        "success"
    ] is True
    status, words = await any_box.get_refusal("GET", "/core/tags", key=KEY_READER)
    assert status == 403
    assert words.endswith("User does not have permission (make sure user.is_superuser=True)")


async def test_a_password_is_exchanged_for_a_key(any_box: Box) -> None:
    payload = await any_box.ask(
        "POST", "/auth/get_api_token", {"username": USERNAME, "password": PASSWORD}, key=""
    )
    assert payload["token"] == KEY
    assert ("success" in payload) == (any_box.version != "0.8.5")
    for name, password in (("admin", "wrong"), ("reader", "reader"), ("", "")):
        refused = await any_box.ask(
            "POST", "/auth/get_api_token", {"username": name, "password": password}, key=""
        )
        assert refused == {"success": False, "errors": ["Invalid credentials"]}
    assert await any_box.ask("POST", "/auth/check_api_token", {"token": "x"}, key="") == {
        "success": False,
        "user_id": None,
    }


async def test_the_api_answers_over_http_and_hangs_up_when_it_dies() -> None:
    sandbox = fixed_archivebox(snapshots=30)
    async with (
        open_server(sandbox) as url,
        httpx.AsyncClient(base_url=url, headers={"X-ArchiveBox-API-Key": KEY}) as http,
    ):
        payload = await http.get("/api/v1/core/snapshots", params={"tag": "Long Reads", "limit": 5})
        assert (payload.status_code, payload.json()["limit"]) == (200, 5)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(
                "/api/v1/cli/remove", json={"filter_patterns": ["https://nowhere.example/"]}
            )
        with pytest.raises(httpx.TransportError):
            await http.get("/health/")
        assert (await http.get("/__sandbox__/stats")).json()["deaths"] == 1
        assert (await http.post("/__sandbox__/reset")).json()["deaths"] == 0
        assert (await http.get("/health/")).text == "OK"


async def test_the_same_seed_makes_the_same_archive() -> None:
    first, second = (
        await Box(snapshots=50).pages("/core/snapshots"),
        await Box(snapshots=50).pages("/core/snapshots"),
    )
    assert json.dumps(first) == json.dumps(second)
    other = fixed_archivebox(snapshots=50, seed=8)
    assert {page.url for page in other.world.snapshots.values()} != {page["url"] for page in first}


@pytest.mark.parametrize("snapshots", [0, 1, 3, 23])
async def test_small_archives_work(snapshots: int) -> None:
    box = Box(snapshots=snapshots)
    assert len(await box.pages("/core/snapshots", with_archiveresults="true")) == snapshots


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown version"):
        ArchiveBoxSandbox(version="0.7.3")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        ArchiveBoxSandbox(snapshots=-1)
