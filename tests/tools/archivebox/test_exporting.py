"""Exports of saved pages to files, over the sandbox as three versions."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, Failure
from server.sandbox.archivebox import Version
from server.tool.arguments import parse
from tests.support.archivebox.keeping import Json, Keeper, keeper
from tools.archivebox.jobs.export import StartExport

VERSIONS: list[Version] = ["0.9.73", "0.9.31", "0.8.5"]
each_version = pytest.mark.parametrize("version", VERSIONS)


async def export(one: Keeper, **arguments: Any) -> Json:
    """Return the result of an export."""
    return await one.ended(await one.call(StartExport, **arguments))


def read_csv(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def list_files(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def read_lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


@each_version
async def test_every_saved_page_is_a_row_once(version: Version, tmp_path: Path) -> None:
    async with keeper(version, tmp_path) as one:
        pages = await one.pages()
        result = await export(one)

    rows = read_csv(result["path"])
    assert [row["id"] for row in rows] == [page["id"] for page in pages]
    assert [row["url"] for row in rows] == [page["url"] for page in pages]
    assert result["rows"] == len(pages) > 0
    assert result["columns"][:4] == ["id", "url", "title", "tags"]
    assert not one.sandbox.times("(POST|PATCH|DELETE)")


@each_version
async def test_the_links_of_a_tag_are_a_plain_list_each_once(
    version: Version, tmp_path: Path
) -> None:
    async with keeper(version, tmp_path) as one:
        tag = next(page["tags"][0] for page in await one.pages() if page["tags"])
        pages = await one.pages(tag=tag)
        result = await export(one, format="txt", query={"tag": tag})

    lines = read_lines(result["path"])
    assert sorted(lines) == sorted({page["url"] for page in pages})
    assert result["name"].endswith(".txt")
    assert result["resource"]["mimeType"] == "text/plain"


async def test_an_export_of_links_has_a_row_for_each_url(tmp_path: Path) -> None:
    async with keeper("0.9.73", tmp_path) as one:
        urls = [page["url"] for page in await one.pages()]
        result = await export(one, what="links", format="jsonl", fields=["title"])

    rows = [json.loads(line) for line in read_lines(result["path"])]
    assert [row["url"] for row in rows] == list(dict.fromkeys(urls))
    assert rows[0].keys() == {"url", "title"}


@each_version
async def test_texts_are_read_and_what_has_none_says_why(version: Version, tmp_path: Path) -> None:
    async with keeper(version, tmp_path) as one:
        pages = await one.pages()
        result = await export(one, what="texts", format="jsonl")

    rows = [json.loads(line) for line in read_lines(result["path"])]
    assert [row["id"] for row in rows] == [page["id"] for page in pages]
    assert all((row["text"] is None) != (row["problem"] is None) for row in rows)
    assert any(row["text"] for row in rows)


async def test_a_host_is_exported_with_its_subdomains_alone(tmp_path: Path) -> None:
    async with keeper("0.9.73", tmp_path) as one:
        host = (await one.pages())[0]["url"].split("/")[2]
        result = await export(one, query={"domain": host}, fields=["id", "url"])

    urls = [row["url"] for row in read_csv(result["path"])]
    assert urls
    assert all(url.split("/")[2].endswith(host) for url in urls)
    assert result["columns"] == ["id", "url"]


async def test_a_dry_run_says_how_many_and_writes_nothing(tmp_path: Path) -> None:
    async with keeper("0.9.73", tmp_path) as one:
        total = len(await one.pages())
        told = await one.call(StartExport, dry_run=True)

    assert (told["dryRun"], told["records"]) == (True, total)
    assert list_files(tmp_path) == []


@pytest.mark.parametrize(
    "given",
    [
        {"fields": ["urll"]},
        {"format": "txt", "what": "texts"},
        {"format": "txt", "fields": ["id"]},
        {"name": "../q4"},
        {"query": {"status": "failed"}},
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: Json) -> None:
    with pytest.raises(Failure) as caught:
        parse(StartExport, given, {})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.hint
