"""Deleting any number of saved pages by a query, over the sandbox as two versions."""

from __future__ import annotations

import pytest

from server.errors import Code, Failure
from server.sandbox.archivebox import Version
from server.tool.arguments import parse
from tests.support.archivebox.keeping import keeper
from tools.archivebox.cli.add import Add
from tools.archivebox.cli.search import Search
from tools.archivebox.jobs.remove import StartRemove

VERSIONS: list[Version] = ["0.9.73", "0.9.31"]
each_version = pytest.mark.parametrize("version", VERSIONS)


@each_version
async def test_what_fits_is_counted_and_deleted_and_nothing_else(version: Version) -> None:
    async with keeper(version) as one:
        pages = await one.pages()
        tag = next(page["tags"][0] for page in pages if page["tags"])
        ids = {page["id"] for page in await one.pages(tag=tag)}
        told = await one.call(StartRemove, query={"tag": tag}, dry_run=True)
        with pytest.raises(Failure) as caught:
            await one.call(StartRemove, query={"tag": tag})
        shown = caught.value.details
        job = await one.call(StartRemove, query={"tag": tag}, confirm=shown["confirm"])
        result = await one.ended(job)
        left = {page["id"] for page in await one.pages() if page["status"] != "deleting"}

    assert caught.value.code is Code.CONFIRMATION_REQUIRED
    assert shown["preview"]["snapshots"] == len(ids)
    assert told["records"] == result["deleted"] == len(ids) > 0
    assert left == {page["id"] for page in pages} - ids


def test_without_a_query_nothing_is_deleted() -> None:
    with pytest.raises(Failure) as caught:
        parse(StartRemove, {}, {})
    assert caught.value.code is Code.INVALID_ARGUMENT


async def test_0_8_5_says_what_deletes_there() -> None:
    async with keeper("0.8.5") as one:
        with pytest.raises(Failure) as caught:
            await one.call(StartRemove, query={"search": "example"})
    assert caught.value.code is Code.UNSUPPORTED


async def test_a_long_add_is_refused_where_it_would_outlast_the_call() -> None:
    urls = [f"https://long.example/{number}" for number in range(20)]
    async with keeper("0.9.31") as one:
        with pytest.raises(Failure) as caught:
            await one.call(Add, urls=urls)
        assert not one.sandbox.times("POST /cli/add")
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "Nothing was added" in caught.value.message


async def test_a_search_asks_for_no_more_than_is_wanted() -> None:
    async with keeper("0.9.73") as one:
        total = len(await one.pages())
        part = await one.call(Search, limit=3)
        ids = [page["id"] for page in part["nodes"]]
        assert (len(ids), part["totalCount"]) == (3, None)
        while part["nextCursor"] is not None:
            part = await one.call(Search, limit=1000, after=part["nextCursor"])
            ids += [page["id"] for page in part["nodes"]]

    assert part["totalCount"] == len(ids) == len(set(ids)) == total
