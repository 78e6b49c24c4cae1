from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from server.sandbox import MAIN, Answer
from tests.server.sandbox.archive.conftest import Client

FIELDS = "id type thumbnailUrl fileUrl deleted width height"
MEDIA = f"... on Image {{ {FIELDS} }} ... on Video {{ {FIELDS} }}"
HOST = "https://media.sandbox.example"


async def contents(
    client: Client, ids: list[str], kind: str = "itemIds", **how: Any
) -> list[dict[str, Any]]:
    query = f"query($ids: [ID!]) {{ mediaContents({kind}: $ids) {{ {MEDIA} }} }}"
    found: list[dict[str, Any]] = await client.ask(query, {"ids": ids}, **how)
    return found


def items(client: Client, count: int = 90) -> list[str]:
    home = client.sandbox.world.by_id(MAIN)
    assert home
    return [home.item(number).id for number in range(count)]


async def fetch(
    client: Client, url: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> Answer:
    return await client.sandbox.handle(method, url.removeprefix(HOST), headers or {}, b"")


async def test_every_file_that_is_not_deleted_is_a_picture_of_its_medium_s_shape(
    shared: Client,
) -> None:
    found = [each for each in await contents(shared, items(shared)) if not each["deleted"]]

    assert {each["type"] for each in found} == {"IMAGE", "VIDEO"}
    for each in found[:40]:
        answer = await fetch(shared, each["thumbnailUrl"])
        picture = Image.open(BytesIO(answer.body))
        picture.load()
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
        assert picture.width / picture.height == pytest.approx(
            each["width"] / each["height"], rel=0.02
        )


async def test_two_media_look_different_and_the_same_one_alike(shared: Client) -> None:
    first, second = [each for each in await contents(shared, items(shared)) if not each["deleted"]][
        :2
    ]

    assert (await fetch(shared, first["thumbnailUrl"])).body == (
        await fetch(shared, first["fileUrl"])
    ).body
    assert (await fetch(shared, first["thumbnailUrl"])).body != (
        await fetch(shared, second["thumbnailUrl"])
    ).body


async def test_a_deleted_file_is_gone_although_its_address_is_still_told(shared: Client) -> None:
    stale = [
        each
        for each in await contents(shared, items(shared))
        if each["deleted"] and each["thumbnailUrl"]
    ]

    assert stale
    assert (await fetch(shared, stale[0]["thumbnailUrl"])).status == 404


async def test_posts_of_competitors_have_pictures_too(shared: Client) -> None:
    brands = await shared.ask("{ competitorBrands { nodes { id isOwnBrand } } }")
    brand = next(each["id"] for each in brands["nodes"] if not each["isOwnBrand"])
    window = '{takenAt: {from: "2026-09-01T00:00:00Z", to: "2026-10-31T00:00:00Z"}}'
    posts = await shared.ask(
        f'{{ competitorBrandItems(brandId: "{brand}", filter: {window}) {{ nodes {{ id }} }} }}'
    )
    found = await contents(
        shared, [each["id"] for each in posts["nodes"]], "competitorBrandItemIds"
    )

    assert found
    assert {
        (await fetch(shared, each["thumbnailUrl"])).status for each in found if not each["deleted"]
    } == {200}


@pytest.mark.parametrize("name", ["authorization", "Cookie", "WORKSPACE-ID"])
async def test_the_host_of_the_files_refuses_whoever_brings_a_key(
    shared: Client, name: str
) -> None:
    (first, *_) = [each for each in await contents(shared, items(shared)) if not each["deleted"]]

    assert (await fetch(shared, first["thumbnailUrl"], {name: "secret"})).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/thumbs/00000000-0000-4000-8000-000000000000.jpg", 405),
        ("GET", "/thumbs/00000000-0000-4000-8000-000000000000.jpg", 404),
        ("GET", "/thumbs/../secrets", 404),
        ("GET", "/files/x.mp4", 404),
    ],
)
async def test_other_addresses_have_no_file(
    shared: Client, method: str, path: str, status: int
) -> None:
    assert (await fetch(shared, path, method=method)).status == status


async def test_over_http_the_files_are_at_the_sandbox_s_own_address(shared: Client) -> None:
    near = await contents(shared, items(shared, 5), headers={"host": "127.0.0.1:8787"})
    far = await contents(shared, items(shared, 5), headers={"host": "127.0.0.1.evil.example"})

    assert {str(each["fileUrl"])[:27] for each in near if each["fileUrl"]} == {
        "http://127.0.0.1:8787/files"
    }
    assert {str(each["fileUrl"])[:29] for each in far if each["fileUrl"]} == {HOST}


async def test_files_are_not_counted_as_requests_of_the_api(client: Client) -> None:
    before = client.sandbox.requests
    await fetch(client, "/thumbs/00000000-0000-4000-8000-000000000000.jpg")

    assert client.sandbox.requests == before
