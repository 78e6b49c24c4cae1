"""Where requests go: within a path prefix, with the key; and what may stand for a snapshot's id."""

from __future__ import annotations

import pytest

from server.errors import Code, Failure
from server.sandbox.archivebox import KEY, Answer, Version
from server.tool.elicitation import Nobody
from tests.support.archivebox.front import Asked, Front, call, fronted, refused
from tests.support.clocks import fixed_archivebox
from tests.support.doubles import Clock

VERSIONS: list[Version] = ["0.9.73", "0.9.31", "0.8.5"]


def redirecting(front: Front, location: str) -> None:
    async def instead(asked: Asked) -> Answer | None:
        if "/core/any/" in asked.target:
            return Answer(302, {"location": location}, b"")
        return None

    front.instead = instead


@pytest.mark.parametrize("version", VERSIONS)
async def test_any_object_is_found_behind_a_prefix(version: Version) -> None:
    front = Front(fixed_archivebox(version=version, snapshots=20), prefix="/box")
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        page = (await call(calls, "list_snapshots", limit=1))["nodes"][0]
        match = await call(calls, "get_any", id=page["id"])
    assert (match["kind"], match["id"]) == ("Snapshot", page["id"])
    assert {asked.target.split("/")[1] for asked in front.asked} == {"box"}


@pytest.mark.parametrize(
    "location",
    [
        "/box/../steal",
        "/box/%2e%2e/steal",
        "/box/%252e%252e/steal",
        "/box\\..\\steal",
        "../../../../../steal",
        "//other.example/box/api/v1/core/snapshots",
    ],
)
async def test_the_key_never_leaves_the_prefix(location: str) -> None:
    front = Front(prefix="/box")
    redirecting(front, location)
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        with pytest.raises(Failure):
            await call(calls, "get_any", id="abcdefabcdef")
    outside = [asked for asked in front.asked if not asked.target.startswith("/box/")]
    assert outside == []


async def test_a_neighbour_whose_path_begins_alike_is_not_asked() -> None:
    front = Front(prefix="/box")
    redirecting(front, "/boxer/api/v1/core/snapshots")
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        await refused(calls, "get_any", id="abcdefabcdef")
    assert front.asked[-1].target == "/box/boxer/api/v1/core/snapshots"


DJANGO = (
    b'<!doctype html>\n<html lang="en">\n<head>\n  <title>Bad Request (400)</title>\n</head>\n'
    b"<body>\n  <h1>Bad Request (400)</h1><p></p>\n</body>\n</html>\n"
)


async def test_a_refused_host_name_is_named_with_its_setting() -> None:
    front = Front()

    async def instead(asked: Asked) -> Answer | None:
        return Answer(400, {"content-type": "text/html; charset=utf-8"}, DJANGO)

    front.instead = instead
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failure = await refused(calls, "list_snapshots")
    assert failure.code is Code.FORBIDDEN
    assert "ALLOWED_HOSTS" in failure.message
    assert "ALLOWED_HOSTS" in failure.hint


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_url_stands_for_the_id_of_its_page(version: Version) -> None:
    clock = Clock()
    front = Front(fixed_archivebox(version=version, snapshots=20, clock=clock))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        page = (await call(calls, "list_snapshots", limit=1))["nodes"][0]
        url = page["url"]
        assert (await call(calls, "get_snapshot", snapshot_id=url))["id"] == page["id"]
        text = await calls.call("archivebox_read_snapshot", {"snapshot_id": url}, Nobody())
        assert text.structured["url"] == url
        rows = (await call(calls, "list_archiveresults", snapshot_id=url))["nodes"]
        assert {row["snapshot_id"] for row in rows} == {page["id"]}
        missing = await refused(calls, "get_snapshot", snapshot_id=f"{url}-not")
        assert missing.code is Code.NOT_FOUND
        if version == "0.8.5":
            return  # it keeps one snapshot of a URL
        again = {"only_new": False} if version == "0.9.73" else {}
        await call(calls, "add", urls=[url], **again)
        clock.now += 120
        several = await refused(calls, "get_snapshot", snapshot_id=url)
    assert several.code is Code.AMBIGUOUS
    assert len(several.details["candidates"]) == 2
    assert {row["url"] for row in several.details["candidates"]} == {url}


async def test_a_page_being_archived_is_looked_at_where_the_server_can() -> None:
    front = Front(fixed_archivebox(version="0.9.74", snapshots=20, clock=Clock()))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        pages = (await call(calls, "list_snapshots", limit=20))["nodes"]
        sealed = next(page for page in pages if page["status"] == "sealed")
        active = next(page for page in pages if page["status"] in ("queued", "started"))
        arguments = {"snapshot_id": active["id"]}
        shown = await calls.call("archivebox_get_screencast", arguments, Nobody())
        assert shown.images[0].mime_type.startswith("image/")
        nothing = await refused(calls, "get_screencast", snapshot_id=sealed["id"])
        rows = (await call(calls, "list_snapshots", crawl_id=active["crawl_id"], limit=20))["nodes"]
    assert nothing.code is Code.NOT_FOUND
    assert {row["crawl_id"] for row in rows} == {active["crawl_id"]}


async def test_what_only_0_9_74_has_is_unsupported_before() -> None:
    async with fronted(Front(), ARCHIVEBOX_API_KEY=KEY) as calls:
        page = (await call(calls, "list_snapshots", limit=1))["nodes"][0]
        picture = await refused(calls, "get_screencast", snapshot_id=page["id"])
        filtered = await refused(calls, "list_snapshots", crawl_id=page["crawl_id"])
    assert (picture.code, filtered.code) == (Code.UNSUPPORTED, Code.UNSUPPORTED)


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (302, {"location": "/admin/"}, b"", Code.OUTCOME_UNKNOWN),
        (302, {"location": "https://127.0.0.1/"}, b"", Code.OUTCOME_UNKNOWN),
        (403, {}, b'{"message": "Forbidden"}', Code.OUTCOME_UNKNOWN),
        (400, {}, b"Bad request", Code.OUTCOME_UNKNOWN),
        (404, {}, b"<h1>404</h1>", Code.OUTCOME_UNKNOWN),
        (400, {}, b'{"detail": "no"}', Code.INVALID_ARGUMENT),
        (400, {}, b"<h1>Bad Request (400)</h1>", Code.FORBIDDEN),
        (404, {}, b'{"succeeded": false, "message": "x"}', Code.NOT_FOUND),
    ],
)
async def test_only_archivebox_itself_can_say_that_a_change_was_not_made(
    status: int, headers: dict[str, str], body: bytes, code: Code
) -> None:
    front = Front()

    async def instead(asked: Asked) -> Answer | None:
        is_change = asked.method == "POST" and asked.target.endswith("/core/tags/create/")
        return Answer(status, headers, body) if is_change else None

    front.instead = instead
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failure = await refused(calls, "create_tag", name="fresh")
    assert failure.code is code
