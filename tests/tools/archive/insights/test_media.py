from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.errors import Code, Failure
from server.http.client import Http
from server.http.transport import Reply
from server.pictures.thumbnails import (
    LONGEST_SHEET,
    MOST_BYTES,
    choose_layout,
    draw_sheet,
    shrink,
)
from server.sandbox.png import encode_png
from tests.support.tools.looking import (
    Viewer,
    opened,
    viewer,
    without,
)
from tests.support.tools.pictures import encoded, image, usable
from tools.archive.insights.media import ViewMedia


def noisy(width: int, height: int) -> bytes:
    """A picture that hardly compresses."""
    file = BytesIO()
    Image.effect_noise((width, height), 200).convert("RGB").save(file, "PNG")
    return file.getvalue()


def answering(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Reply | Failure]
) -> list[dict[str, str]]:
    """Let the host of the files answer by URL; returns the headers that it was sent."""
    seen: list[dict[str, str]] = []

    async def fetch(self: Http, url: str, headers: dict[str, str], *, seconds: float) -> Reply:
        seen.append(dict(headers))
        found = answer(url)
        if isinstance(found, Failure):
            raise found
        return found

    monkeypatch.setattr(Http, "fetch", fetch)
    return seen


def gone(v: Viewer) -> list[Any]:
    """Items of one frame, which was deleted."""
    items = [v.home.item(number) for number in range(200)]
    return [
        item for item in items if len(item.media_contents) == 1 and item.media_contents[0].deleted
    ]


async def test_posts_come_as_one_numbered_sheet_with_a_legend(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        items = usable(v, 24)
        result = await v.look(ViewMedia, itemIds=[item.id for item in items])

    (picture,) = result.images
    found = opened(picture)
    assert picture.mime_type == "image/jpeg"
    assert 1200 < max(found.size) <= LONGEST_SHEET
    assert len(picture.content) < MOST_BYTES
    assert not result.is_structured
    legend = result.structured["pictures"]
    assert [each["number"] for each in legend] == list(range(1, 25))
    assert [each["itemId"] for each in legend] == [item.id for item in items]
    assert [each["account"] for each in legend] == [
        item.social_profile.account_name for item in items
    ]
    assert [each["link"] for each in legend] == [item.archive_public_url for item in items]
    assert {each["takenAt"][:4] for each in legend} == {"2026"}
    assert "skipped" not in result.structured


async def test_the_sheet_shows_the_pictures_in_the_order_of_the_legend() -> None:
    colours = [(200, 0, 0), (0, 160, 0), (0, 0, 200), (90, 90, 90)]
    files = [encode_png(120, 120, [bytes(colour) * 120] * 120) for colour in colours]
    found = opened(draw_sheet([shrink(each, 512) for each in files], 512))

    columns, width, height = choose_layout([(120, 120)] * 4, 512)
    assert (columns, width, height) == (2, 120, 120)
    for place, colour in enumerate(colours):
        x, y = 8 + place % 2 * 128 + 60, 8 + place // 2 * 128 + 80
        pixel = found.getpixel((x, y))
        assert isinstance(pixel, tuple)
        assert pixel == pytest.approx(colour, abs=6)


async def test_single_images_come_in_the_order_of_the_ids(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        items = usable(v, 3)
        result = await v.look(ViewMedia, itemIds=[item.id for item in items], each=True, size=64)

    assert [max(opened(each).size) for each in result.images] == [64, 64, 64]
    assert [each["itemId"] for each in result.structured["pictures"]] == [item.id for item in items]


async def test_of_one_item_all_frames_are_shown(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        carousel = next(
            item
            for number in range(200)
            if len((item := v.home.item(number)).frames) > 2
            and not any(each.deleted for each in item.media_contents)
        )
        alone = await v.look(ViewMedia, itemIds=[carousel.id], each=True)
        beside = await v.look(ViewMedia, itemIds=[carousel.id, usable(v, 1)[0].id])

    count = len(carousel.frames)
    assert [each["frame"] for each in alone.structured["pictures"]] == [
        f"{n} of {count}" for n in range(1, count + 1)
    ]
    assert len(alone.images) == count
    assert len(beside.structured["pictures"]) == 2


async def test_deleted_media_and_unknown_items_are_told_with_the_reason(tmp_path: Path) -> None:
    async with viewer(tmp_path) as v:
        (first, *_), (deleted, *_) = usable(v, 1), gone(v)
        result = await v.look(ViewMedia, itemIds=["no-such-item", deleted.id, first.id])

    assert [each["itemId"] for each in result.structured["pictures"]] == [first.id]
    assert result.structured["skipped"] == [
        {"itemId": "no-such-item", "reason": "no such item in this workspace"},
        {"itemId": deleted.id, "reason": "its files were deleted"},
    ]


async def test_a_deleted_file_is_not_asked_for_although_its_address_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(url: str) -> Reply:
        asked.append(url)
        return image(encoded())

    answering(monkeypatch, answer)
    async with viewer(tmp_path) as v:
        stale = [item for item in gone(v) if item.media_contents[0].thumbnail_url]
        result = await v.look(ViewMedia, itemIds=[item.id for item in stale[:3]])

    assert stale
    assert asked == []
    assert result.images == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Failure(Code.UNAVAILABLE, "its host could not be reached"),
            "its host could not be reached",
        ),
        (image(b"", status=403), "the file is gone or its address has expired (HTTP 403)"),
        (image(b"", status=500), "its host answered HTTP 500"),
        (
            image(b"<html>", "text/html; charset=utf-8"),
            "its host sent something else than a picture",
        ),
        (image(b"<svg/>", "image/svg+xml"), "it is no picture, or a broken one"),
        (image(encoded()[:400]), "it is no picture, or a broken one"),
        (image(encoded(kind="PNG")[:60], "image/png"), "it is no picture, or a broken one"),
        (image(encoded(kind="BMP"), "image/bmp"), "it is no picture, or a broken one"),
        (image(b"", "image/png"), "it is no picture, or a broken one"),
    ],
)
async def test_what_does_not_come_as_a_picture_is_told_and_the_rest_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Reply | Failure, reason: str
) -> None:
    async with viewer(tmp_path) as v:
        good, bad = usable(v, 2)
        answering(
            monkeypatch, lambda url: answer if bad.media_contents[0].id in url else image(encoded())
        )
        result = await v.look(ViewMedia, itemIds=[good.id, bad.id])

    assert [each["itemId"] for each in result.structured["pictures"]] == [good.id]
    assert [each["reason"] for each in result.structured["skipped"]] == [reason]
    assert len(result.images) == 1


async def test_the_host_of_the_files_gets_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = answering(monkeypatch, lambda _: image(encoded()))
    async with viewer(tmp_path) as v:
        await v.look(ViewMedia, itemIds=[item.id for item in usable(v, 3)])

    assert len(seen) == 3
    assert {name for headers in seen for name in headers} == {
        "accept",
        "accept-encoding",
        "user-agent",
    }


async def test_a_large_sheet_stays_below_what_hosts_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = noisy(900, 900)
    answering(monkeypatch, lambda _: image(body, "image/png"))
    async with viewer(tmp_path) as v:
        ids = [item.id for item in usable(v, 24)]
        together = await v.look(ViewMedia, itemIds=ids, size=1024)
        apart = await v.look(ViewMedia, itemIds=ids[:6], each=True, size=1024)

    assert max(opened(together.images[0]).size) <= LONGEST_SHEET
    assert sum(len(each.content) for each in together.images) <= MOST_BYTES
    assert sum(len(each.content) for each in apart.images) <= MOST_BYTES
    assert len(apart.images) == 6


async def test_without_pillow_small_thumbnails_are_shown_as_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "PIL")
    async with viewer(tmp_path) as v:
        items = usable(v, 6)
        result = await v.look(ViewMedia, itemIds=[item.id for item in items])

    assert len(result.images) == 6
    assert {each.mime_type for each in result.images} == {"image/png"}
    assert f"{sys.executable} -m pip install Pillow" in result.structured["notes"][-1]


async def test_without_pillow_what_is_large_or_unusual_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "PIL")
    bodies = iter([noisy(400, 400), b"<svg/>"])
    answering(monkeypatch, lambda _: image(next(bodies)))
    async with viewer(tmp_path) as v:
        result = await v.look(ViewMedia, itemIds=[item.id for item in usable(v, 2)])

    reasons = [each["reason"] for each in result.structured["skipped"]]
    assert result.images == ()
    assert "unscaled" in reasons[0]
    assert reasons[1] == "it is no picture of a usual kind"


async def test_without_pillow_a_sheet_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "PIL")
    async with viewer(tmp_path) as v:
        failure = await v.refused(ViewMedia, itemIds=[item.id for item in usable(v, 7)])

    assert failure.code is Code.UNSUPPORTED
    assert f"{sys.executable} -m pip install Pillow" in failure.hint
    assert "up to 6 items" in failure.hint


async def test_pictures_that_cannot_be_fetched_say_from_where_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with viewer(tmp_path) as v:
        answering(monkeypatch, lambda url: Failure(Code.UNAVAILABLE, "its host cannot be reached"))
        item = usable(v, 1)[0]
        result = await v.look(ViewMedia, itemIds=[item.id])

    entry = result.structured["skipped"][0]
    assert entry["reason"] == "its host cannot be reached"
    assert entry["host"] in item.media_contents[0].thumbnail_url
    assert entry["link"] == item.archive_public_url
    (note,) = result.structured["notes"]
    assert entry["host"] in note
    assert "proxy" in note
