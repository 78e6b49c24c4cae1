"""What was asked is what is done: looked at in the sandbox's own records, as three versions."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.jobs import Handle
from server.sandbox.archivebox import Version
from tests.support.archivebox.front import Front, call, fronted, refused
from tests.support.archivebox.keeping import Json, Keeper, keeper
from tests.support.clocks import fixed_archivebox
from tools.archivebox.cli.add import Add
from tools.archivebox.crawls import CreateCrawl
from tools.archivebox.snapshots.snapshots import CreateSnapshot, UpdateSnapshot
from tools.archivebox.tags import ExportTagUrls

FRESH = [f"https://fresh.example/page-{number}" for number in range(9)]
each_version = pytest.mark.parametrize("version", ["0.9.73", "0.9.31", "0.8.5"])
since_0_9 = pytest.mark.parametrize("version", ["0.9.73", "0.9.31"])


@each_version
async def test_tags_are_on_known_pages_too(version: Version) -> None:
    async with keeper(version) as one:
        known = await _known(one)
        report = await one.call(Add, urls=[known["url"], FRESH[0]], tag="Asked")
        one.time.now += 120
        tagged = {page["url"] for page in await one.pages(tag="Asked")}

    assert tagged == {known["url"], FRESH[0]}
    assert report["saved_before"] == {
        "count": 1,
        "first": [{"url": known["url"], "id": known["id"]}],
    }
    assert "saved before" in report["notes"][0]
    assert ("`update: true`" in report["notes"][0]) == (version != "0.9.31")


SPELLINGS = [
    "https://Shop.Example:443/%7euser/A%2db",
    "https://shop.example:443/~user/A-b",
    "https://SHOP.example/~user/A-b",
]
BARE = "https://shop.example"


@each_version
async def test_a_page_is_known_in_another_spelling_of_its_address(version: Version) -> None:
    normal = "https://shop.example/~user/A-b"
    async with keeper(version) as one:
        for url in (normal, BARE):
            await one.call(Add, urls=[url])
        one.time.now += 120
        pages = {page["url"]: page["id"] for page in await one.pages()}
        others = ["https://shop.example/~user/a-b", "http://shop.example/~user/A-b", FRESH[0]]
        report = await one.call(Add, urls=[SPELLINGS[0], f"{BARE}/", *others], tag="Asked")
        one.time.now += 120
        tagged = {page["url"] for page in await one.pages(tag="Asked")}

    assert report["saved_before"] == {
        "count": 2,
        "first": [
            {"url": SPELLINGS[0], "id": pages[normal], "saved_as": normal},
            {"url": f"{BARE}/", "id": pages[BARE], "saved_as": BARE},
        ],
    }
    # The server compares letter by letter: what it makes anew has the tags.
    assert tagged == {SPELLINGS[0], f"{BARE}/", *others}
    assert ("under another spelling" in report["notes"][0]) == (version != "0.9.31")


@since_0_9
@pytest.mark.parametrize("stored", SPELLINGS)
async def test_a_page_that_is_saved_oddly_is_known(version: Version, stored: str) -> None:
    normal = "https://shop.example/~user/A-b"
    async with keeper(version) as one:
        await one.call(Add, urls=[stored])
        one.time.now += 120
        report = await one.call(Add, urls=[normal], index_only=True, tag="Asked")
        pages = await one.pages(tag="Asked")

    # Listed it is already, in the other spelling.
    assert report["snapshot_ids"] == []
    assert [page["url"] for page in pages] == [stored]
    assert report["saved_before"]["first"][0]["saved_as"] == stored


async def test_of_several_spellings_the_one_that_was_asked_for_counts() -> None:
    async with keeper("0.9.73") as one:
        for url in (SPELLINGS[2], SPELLINGS[1], SPELLINGS[0]):
            await one.call(Add, urls=[url])
            one.time.now += 120
        report = await one.call(Add, urls=[SPELLINGS[2]])

    (first,) = report["saved_before"]["first"]
    assert "saved_as" not in first
    assert "keeps these copies" in report["notes"][0]


async def test_a_save_job_puts_its_tags_on_known_pages_and_says_so() -> None:
    async with keeper("0.9.73") as one:
        known = await _known(one)
        result = await one.ended(
            await one.call(action="save", urls=[known["url"], FRESH[0]], tags=["Asked"])
        )
        tagged = {page["url"] for page in await one.pages(tag="Asked")}

    assert tagged == {known["url"], FRESH[0]}
    assert result["notes"] == [
        "Saved before and not again: 1.",
        "1 of these lacked the tags, which were put on them.",
    ]


@each_version
@pytest.mark.parametrize("fault", ["silent", "dead"])
async def test_a_page_whose_adding_was_not_answered_is_not_called_queued(
    version: Version, fault: str
) -> None:
    async with keeper(version) as one:
        setattr(one.sandbox, fault, "POST /cli/add")
        result = await one.ended(await one.call(action="save", urls=FRESH[:1], wait_minutes=5))
        stored = [page["url"] for page in await one.pages() if page["url"] == FRESH[0]]

    assert stored == FRESH[:1] * (fault == "silent")
    assert result["counts"]["queued"] == 0
    assert result["counts"]["unknown"] == (fault == "dead")
    if fault == "dead":
        assert "save it again" in result["unknown"][0]["reason"]


@pytest.mark.parametrize(
    ("request_type", "given"),
    [(CreateCrawl, lambda url: {"urls": [url]}), (CreateSnapshot, lambda url: {"url": url})],
)
async def test_other_ways_to_save_tag_known_pages_too(request_type: Any, given: Any) -> None:
    async with keeper("0.9.73") as one:
        known = await _known(one)
        report = await one.call(request_type, **given(known["url"]), tags=["Asked"])
        tagged = {page["url"] for page in await one.pages(tag="Asked")}

    assert tagged == {known["url"]}
    assert "saved before" in report["notes"][0]


@each_version
async def test_what_is_listed_only_is_not_archived(version: Version) -> None:
    async with keeper(version) as one:
        await one.call(Add, urls=FRESH[:3], tag="listed", index_only=True)
        one.time.now += 600
        pages = await one.pages(tag="listed", with_archiveresults=True)

    assert {page["url"] for page in pages} == set(FRESH[:3])
    assert not any(page.get("archiveresults") for page in pages)
    assert {page["outcome"] for page in pages} == {"failed"}
    assert {page["reason"] for page in pages} == {"There is no output: it was never archived."}


async def test_what_would_do_nothing_beside_index_only_is_refused() -> None:
    async with keeper("0.9.73") as one:
        with pytest.raises(Exception, match="index_only"):
            await one.call(Add, urls=FRESH[:1], index_only=True, depth=1)


@each_version
async def test_an_answer_does_not_repeat_all_the_addresses(version: Version) -> None:
    async with keeper(version) as one:
        report = await one.call(Add, urls=FRESH)
    assert report["queued"] == len(FRESH)
    assert FRESH[5] not in str(report)


@since_0_9
async def test_a_cancelled_crawl_is_sealed_and_its_pages_looked_at_again(version: Version) -> None:
    async with keeper(version) as one:
        await one.call(action="save", urls=FRESH, wait_minutes=0)
        one.time.now += 1.2
        result = await one.ended(await one.agreed(action="cancel"))
        one.time.now += 600
        fresh = [page for page in await one.pages() if page["url"] in FRESH]
        crawls = {crawl.status for crawl in one.sandbox.world.crawls.values()}

    assert crawls <= {"sealed", "paused"}
    assert {page["status"] for page in fresh} <= {"sealed"}
    assert result["pages"]["stopped"] > 0
    assert "stillOpen" not in result["pages"]


async def test_a_change_answers_with_what_is_stored() -> None:
    async with keeper("0.9.73") as one:
        page = next(page for page in await one.pages() if page["tags"])
        report = await one.call(UpdateSnapshot, snapshot_id=page["id"], tags=["Only"])
        stored = await one.pages(url=page["url"])

    assert report["tags"] == stored[-1]["tags"] != ["Only"]
    assert report["notes"] == [f"Stored tags: {', '.join(report['tags'])}."]


async def test_an_export_has_each_url_once() -> None:
    async with keeper("0.9.73") as one:
        for _ in range(2):
            await one.call(Add, urls=FRESH[:2], tag="twice", update=True)
            one.time.now += 120
        copies = await one.pages(tag="twice")
        report = await one.call(ExportTagUrls, tag_id="twice")

    assert len(copies) == 4
    assert sorted(report["text"].splitlines()) == FRESH[:2]


@each_version
async def test_retrying_what_never_succeeds_comes_to_an_end(version: Version) -> None:
    dead = "https://gone.invalid/page"
    async with keeper(version) as one:
        await one.ended(await one.call(action="save", urls=[dead], tags=["dead"]))
        for _ in range(3):
            await one.ended(await one.agreed(action="retry", query={"tag": "dead"}))
        last = await one.call(action="retry", query={"tag": "dead"}, dry_run=True)
        copies = await one.pages(url=dead)

    assert last["records"] == 0
    assert "the same way every time" in last["notes"][0]
    assert len(copies) == (1 if version == "0.8.5" else 4)


@pytest.mark.parametrize("version", ["0.9.73", "0.9.31"])
async def test_a_good_page_without_an_icon_is_saved_and_not_retried(version: Version) -> None:
    async with keeper(version) as one:
        pages = await one.pages(status="succeeded", with_archiveresults=True)
        bare = [page for page in pages if _lacks_icon(page) and page["outcome"] == "saved"]
        query = {"search": bare[0]["url"]}
        planned = await one.call(action="retry", query=query, dry_run=True)

    assert bare
    assert planned["records"] == 0


async def test_a_read_only_server_checks_and_changes_nothing() -> None:
    front = Front(fixed_archivebox(snapshots=20))
    async with fronted(
        front, ARCHIVEBOX_API_KEY="sandbox-archivebox-key", ARCHIVE_MCP_READ_ONLY="1"
    ) as calls:
        calls._catalog.offer(backends={"archivebox"}, toolsets=["all"], read_only=True)
        checked = await call(calls, "start_save", action="check", urls=FRESH[:1])
        shown = await call(calls, "schedule", show=True)
        failures = [
            await refused(calls, "start_save", action="save", urls=FRESH[:1]),
            await refused(calls, "schedule", clear=True),
        ]

    assert checked["result"]["counts"]["missing"] == 1
    assert shown["schedules"] == []
    assert {failure.code for failure in failures} == {Code.READ_ONLY}
    assert not front.times("/cli/add")


async def test_a_job_whose_pages_are_awaited_says_what_it_waits_for() -> None:
    messages: set[str] = set()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Handle, "set_message", lambda _, text: messages.add(text))
        async with keeper("0.9.73") as one:
            await one.ended(await one.call(action="save", urls=FRESH[:2]))
            await one.call(action="save", urls=FRESH[2:4], wait_minutes=0)
            await one.ended(await one.agreed(action="cancel"))
    # A forecast tells of the messages that begin so.
    assert len(messages) >= 2
    assert all(text.startswith("waits for ArchiveBox to ") for text in messages)


async def _known(one: Keeper) -> Json:
    """A page that is there once, and finished."""
    pages = await one.pages()
    urls = [page["url"] for page in pages]
    return next(
        page
        for page in pages
        if urls.count(page["url"]) == 1 and page["status"] in (None, "sealed")
    )


def _lacks_icon(page: Json) -> bool:
    return any(
        result["plugin"] == "favicon" and result["status"] != "succeeded"
        for result in page["archiveresults"]
    )
