"""Questions about more pages than one request gives: counted truly and cheaply, and what fits is
found by the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.errors import Code, Failure
from server.jobs import JobState
from server.sandbox.archivebox import Version
from tests.support.archivebox.keeping import Keeper, keeper
from tools.archivebox.cli.remove import Remove
from tools.archivebox.cli.search import Search
from tools.archivebox.crawls import DeleteCrawl, ListCrawls
from tools.archivebox.jobs import query, retry_work
from tools.archivebox.jobs.remove import StartRemove

DOMAIN = "docs.lantern.example"
VERSIONS: list[Version] = ["0.9.73", "0.9.31"]
each_version = pytest.mark.parametrize("version", VERSIONS)
QUERIES = [{"domain": DOMAIN}, {"tag": "docs"}, {"domain": DOMAIN, "since": "2000-01-01"}]


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "_READ_WHOLE", 3)
    monkeypatch.setattr(retry_work, "_LOOKED_AT_SINGLY", 2)
    monkeypatch.setattr(retry_work, "_JUDGED_BEFORE", 2)


@each_version
@pytest.mark.parametrize("chosen", QUERIES)
async def test_many_are_counted_and_then_deleted(version: Version, chosen: dict[str, str]) -> None:
    async with keeper(version) as one:
        before = await one.pages()
        fitting = {page["id"] for page in before if _fits(page, chosen)}
        preview = await _preview(one, StartRemove, query=chosen)
        job = await one.call(StartRemove, query=chosen, confirm=preview["confirm"])
        result = await one.ended(job)
        left = {page["id"] for page in await one.pages() if page["status"] != "deleting"}

    assert preview["preview"]["snapshots"] == len(fitting) > 3
    assert len(preview["preview"]["first"]) == min(10, len(fitting))
    assert result["deleted"] == len(fitting)
    assert left == {page["id"] for page in before} - fitting


async def test_the_pages_of_a_host_are_counted_without_being_read() -> None:
    async with keeper("0.9.73") as one:
        await _preview(one, StartRemove, query={"domain": DOMAIN})
        reads = [asked for asked in one.sandbox.asked if asked.startswith("GET /core/snapshots")]
    # The first of them for the question, and one of those that are being deleted.
    assert all("limit=10&" in asked or "deleting&limit=1&" in asked for asked in reads)


async def test_what_is_being_deleted_is_not_counted() -> None:
    async with keeper("0.9.73") as one:
        first = await _preview(one, StartRemove, query={"tag": "docs"})
        (page, *_) = await one.pages(tag="docs")
        one.sandbox.world.snapshots[page["id"]].status = "deleting"
        second = await _preview(one, StartRemove, query={"tag": "docs"})
    assert second["preview"]["snapshots"] == first["preview"]["snapshots"] - 1


@each_version
async def test_more_than_were_confirmed_are_not_changed(version: Version) -> None:
    async with keeper(version) as one:
        preview = await _preview(one, StartRemove, query={"tag": "docs"})
        # Behind the question, which is counted once more when the answer comes.
        first_page_of_the_job = "GET /core/snapshots?tag=docs&limit=500&"
        one.sandbox.before = (first_page_of_the_job, _tag_one_more(one))
        job = await one.call(StartRemove, query={"tag": "docs"}, confirm=preview["confirm"])
        row = await one.running.wait(job["jobId"], 50_000)
        assert not one.sandbox.times("DELETE|POST /cli/remove")
    assert row.state is JobState.FAILED
    assert row.error is not None
    assert row.error["code"] == Code.REJECTED


@each_version
async def test_many_are_tagged_and_those_that_have_the_tag_stay(version: Version) -> None:
    async with keeper(version) as one:
        pages = [page for page in await one.pages() if _fits(page, {"domain": DOMAIN})]
        lacking = [page for page in pages if "news" not in page["tags"]]
        order: dict[str, Any] = {"action": "tag", "tags": ["news"], "query": {"domain": DOMAIN}}
        result = await one.ended(await one.agreed(**order))
        tagged = await one.pages(tag="news")

    assert one.shown[0]["pages"] == len(pages)
    assert result["changed"] == len(lacking) > 0
    assert {page["id"] for page in pages} <= {page["id"] for page in tagged}


@pytest.mark.parametrize("version", ["0.9.73", "0.9.31", "0.8.5"])
async def test_many_failed_pages_are_found_without_reading_all(version: Version) -> None:
    async with keeper(version) as one:
        preview = await one.refused(action="retry")
        reads = [asked for asked in one.sandbox.asked if asked.startswith("GET /core/snapshots")]
    assert preview.details["preview"]["pages"] > 2
    assert all("url=" in asked for asked in reads)


async def test_a_crawls_pages_are_counted() -> None:
    async with keeper("0.9.73") as one:
        pages = await one.pages()
        crawls = (await one.call(ListCrawls, limit=1000))["nodes"]
        crawl = max(crawls, key=lambda crawl: len(_own(pages, crawl)))
        preview = await _preview(one, DeleteCrawl, crawl_id=crawl["id"])
    assert preview["preview"]["snapshots"] == len(_own(pages, crawl))


async def test_a_removal_of_too_many_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.archivebox.cli.remove._MOST_REMOVED", 3)
    async with keeper("0.9.73") as one:
        count = sum(_fits(page, {"domain": DOMAIN}) for page in await one.pages())
        with pytest.raises(Failure) as caught:
            await one.call(Remove, filter_patterns=[DOMAIN], filter_type="domain")
    assert caught.value.message.startswith(f"{count} saved pages match")


@pytest.mark.parametrize("version", ["0.9.31", "0.8.5"])
@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("substring", "lantern"), ("domain", DOMAIN), ("regex", "LANTERN.*"), ("tag", "DOCS")],
)
async def test_older_servers_are_searched_page_by_page(
    version: Version, kind: str, pattern: str
) -> None:
    async with keeper(version) as one:
        pages = await one.pages()
        search: dict[str, Any] = {"filter_patterns": [pattern], "filter_type": kind, "limit": 2}
        part = await one.call(Search, **search)
        found = list(part["nodes"])
        while part["nextCursor"] is not None:
            part = await one.call(Search, **search, after=part["nextCursor"])
            found += part["nodes"]
        assert not one.sandbox.times("POST /cli/(search|list)")
    fitting = {"tag": "docs"} if kind == "tag" else {"domain": DOMAIN}
    expected = [page["id"] for page in pages if _fits(page, fitting)]
    assert [page["id"] for page in found] == expected


def _fits(page: dict[str, Any], chosen: dict[str, str]) -> bool:
    if "tag" in chosen:
        return chosen["tag"] in page["tags"]
    return f"://{chosen['domain']}/" in page["url"]


def _own(pages: list[dict[str, Any]], crawl: dict[str, Any]) -> list[dict[str, Any]]:
    return [page for page in pages if page["crawl_id"] == crawl["id"]]


async def _preview(one: Keeper, request: type[Any], **arguments: Any) -> dict[str, Any]:
    with pytest.raises(Failure) as caught:
        await one.call(request, **arguments)
    assert caught.value.code is Code.CONFIRMATION_REQUIRED, caught.value.message
    details: dict[str, Any] = caught.value.details
    return details


def _tag_one_more(one: Keeper) -> Callable[[], None]:
    """Return what tags another page, once the question was counted again."""

    def tag() -> None:
        world = one.sandbox.world
        (number,) = world.ensure_tags(["docs"])
        page = next(page for page in world.snapshots.values() if number not in page.tags)
        page.tags.add(number)

    return tag
