"""Long work on pages, over the sandbox as three versions."""

from __future__ import annotations

import pytest

from server.archivebox.verdict import judge
from server.errors import Code, Failure
from server.jobs import NewJob, Phase, RecordState
from server.sandbox.archivebox import Version
from server.tool.arguments import parse
from tests.support.archivebox.keeping import Json, Keeper, keeper
from tools.archivebox.jobs.save import StartSave

FRESH = [f"https://fresh.example/page-{number}" for number in range(120)]
VERSIONS: list[Version] = ["0.9.73", "0.9.31", "0.8.5"]
# A search only reads.
_CHANGE = "(POST (?!/cli/(search|list))|PATCH|DELETE)"
_LOOK_AT_COPIES = r"GET /core/snapshots\?url="
each_version = pytest.mark.parametrize("version", VERSIONS)
since_0_9 = pytest.mark.parametrize("version", VERSIONS[:2])


@each_version
async def test_a_list_is_saved_in_chunks_and_each_page_has_its_outcome(version: Version) -> None:
    async with keeper(version) as one:
        result = await one.ended(
            await one.call(action="save", urls=[*FRESH, FRESH[0]], tags=["shelf"], wait_minutes=60)
        )
        tagged = await one.pages(tag="shelf")

    counts = result["counts"]
    assert counts["saved"] + counts["partly"] + counts["failed"] == len(FRESH) == len(tagged)
    assert counts["queued"] == counts["refused"] == 0
    assert all(
        each["failures"][0]["reason"]
        for each in [*result.get("failed", []), *result.get("partly", [])]
    )
    chunks = {"0.9.73": 3, "0.9.31": 12, "0.8.5": 120}
    assert one.sandbox.times("POST /cli/add") == chunks[version]


@since_0_9
async def test_what_is_not_archived_in_time_is_told_as_queued(version: Version) -> None:
    async with keeper(version) as one:
        result = await one.ended(await one.call(action="save", urls=FRESH[:2], wait_minutes=0))

    assert result["counts"]["queued"] == 2
    assert "check" in result["notes"][-1]


async def test_an_address_that_is_none_is_refused_and_the_others_are_saved() -> None:
    async with keeper("0.9.73") as one:
        result = await one.ended(
            await one.call(action="save", urls=["file:///etc/passwd", *FRESH[:2]])
        )

    assert [each["url"] for each in result["refused"]] == ["file:///etc/passwd"]
    assert result["counts"]["refused"] == 1
    assert result["counts"]["queued"] == 0


async def test_a_page_that_is_known_is_not_saved_again_and_told() -> None:
    async with keeper("0.9.73") as one:
        known = next(each for each in await one.pages() if each["status"] == "sealed")["url"]
        before = len(await one.pages(url=known))
        result = await one.ended(await one.call(action="save", urls=[known, FRESH[0]]))
        after = len(await one.pages(url=known))

    assert before == after
    assert result["notes"] == ["Saved before and not again: 1."]


@since_0_9
async def test_an_answer_to_adding_that_was_lost_is_not_sent_again_and_the_pages_are_found(
    version: Version,
) -> None:
    async with keeper(version) as one:
        one.sandbox.silent = "POST /cli/add"
        told = await one.call(action="save", urls=FRESH[:5])
        result = await one.ended(told)
        rows = await one.running.records(told["jobId"])

    assert one.sandbox.times("POST /cli/add") == 1
    assert result["counts"]["queued"] == 0
    assert {row.state for row in rows} == {RecordState.DONE}


@since_0_9
async def test_an_older_copy_is_no_sign_that_an_add_arrived_whose_answer_was_lost(
    version: Version,
) -> None:
    async with keeper(version) as one:
        known = next(page for page in await one.pages() if page["status"] == "sealed")["url"]
        one.sandbox.dead = "POST /cli/add"
        told = await one.call(action="save", urls=[known, FRESH[0]])
        result = await one.ended(told)

    assert result["counts"]["unknown"] == 2
    assert {row["url"] for row in result["unknown"]} == {known, FRESH[0]}


@each_version
async def test_a_page_is_found_however_its_address_is_written(version: Version) -> None:
    url = "https://fresh.example/Read/~me"
    others = ["HTTPS://Fresh.example:443/Read/~me", "https://fresh.example/Read/%7eme"]
    async with keeper(version) as one:
        await one.ended(await one.call(action="save", urls=[url]))
        told = await one.call(action="check", urls=[*others, "https://fresh.example/read/~me"])
        result = await one.ended(told)
    assert [row["url"] for row in result["missing"]] == ["https://fresh.example/read/~me"]


async def test_an_option_that_the_server_would_ignore_is_refused() -> None:
    async with keeper("0.9.31") as one:
        failure = await one.refused(action="save", urls=FRESH[:1], only_new=True)
    assert failure.code is Code.UNSUPPORTED
    assert not one.sandbox.times("POST")


async def test_many_pages_are_saved_only_after_a_yes() -> None:
    urls = [f"https://fresh.example/{number}" for number in range(501)]
    async with keeper("0.9.73") as one:
        assert (await one.refused(action="save", urls=urls)).code is Code.CONFIRMATION_REQUIRED
        told = await one.call(action="save", urls=urls, dry_run=True)
    assert (told["dryRun"], told["records"]) == (True, 501)
    assert not one.sandbox.times("POST /cli/add")


@each_version
async def test_a_check_tells_missing_stale_and_empty_pages_and_sends_no_change(
    version: Version,
) -> None:
    async with keeper(version) as one:
        pages = await one.pages(with_archiveresults=True)
        settled = [each for each in pages if each["status"] in (None, "sealed")]
        dead = next(each["url"] for each in settled if not _succeeded(each, pages))
        old = next(each["url"] for each in settled if _succeeded(each, pages))
        new = (await one.ended(await one.call(action="save", urls=FRESH[:3])))["saved"][0]["url"]
        before = one.sandbox.times(_CHANGE)
        told = await one.call(
            action="check", urls=[dead, old, new, FRESH[9], "nonsense"], older_than_days=1
        )
        result = await one.ended(told)

    assert result["counts"] | {"queued": 0} == {
        "missing": 1,
        "noOutput": 1,
        "unknown": 0,
        "stale": 1,
        "queued": 0,
        "good": 1,
        "refused": 1,
    }
    assert result["missing"] == [{"url": FRESH[9]}]
    assert result["stale"][0]["url"] == old
    assert result["noOutput"][0]["url"] == dead
    assert one.sandbox.times(_CHANGE) == before


@since_0_9
async def test_what_failed_is_saved_again_with_its_tags_after_a_yes(version: Version) -> None:
    async with keeper(version) as one:
        failed = await _newest_failed(one)
        told = await one.agreed(action="retry", wait_minutes=60)
        result = await one.ended(told)
        pages = {each["url"]: each for each in await one.pages()}

    assert one.shown[0]["pages"] == len(failed) > 0
    counts = result["counts"]
    assert counts["saved"] + counts["partly"] + counts["failed"] == len(failed)
    assert counts["queued"] == 0
    assert all(pages[url]["id"] != page["id"] for url, page in failed.items())
    assert all(sorted(pages[url]["tags"]) == sorted(page["tags"]) for url, page in failed.items())


@since_0_9
async def test_a_retry_leaves_out_what_is_being_saved_again(version: Version) -> None:
    async with keeper(version) as one:
        url = next(iter(await _newest_failed(one)))
        query = {"domain": url.split("/")[2]}
        before = await one.call(action="retry", query=query, dry_run=True)
        anew: Json = {"only_new": False} if version == "0.9.73" else {}
        await one.call(action="save", urls=[url], wait_minutes=0, **anew)
        one.time.now += 2
        after = await one.call(action="retry", query=query, dry_run=True)

    assert after["records"] == before["records"] - 1


async def test_a_page_that_was_saved_again_by_somebody_else_is_not_saved_once_more() -> None:
    async with keeper("0.9.73") as one:
        url = next(iter(await _newest_failed(one)))
        world = one.sandbox.world
        crawl = next(iter(world.crawls.values()))
        looks = -one.sandbox.times(_LOOK_AT_COPIES)
        preview = await one.refused(action="retry", query={"domain": url.split("/")[2]})
        looks += one.sandbox.times(_LOOK_AT_COPIES)

        def saved() -> None:
            nonlocal looks
            # The plan looks at them all once more before the first is sent.
            if looks:
                looks -= 1
                one.sandbox.before = ("GET /core/snapshots?url=", saved)
                return
            for each in preview.details["preview"]["first"]:
                world.add_snapshot(crawl, each, world.now())

        one.sandbox.before = ("GET /core/snapshots?url=", saved)
        given: Json = {"action": "retry", "query": {"domain": url.split("/")[2]}}
        told = await one.call(**given, confirm=preview.details["confirm"])

    assert told["records"]["skipped"] == preview.details["preview"]["pages"]
    assert not one.sandbox.times("POST /cli/add")


async def test_the_oldest_release_is_asked_for_new_outputs_of_the_same_copy() -> None:
    async with keeper("0.8.5") as one:
        failed = await _newest_failed(one)
        result = await one.ended(await one.agreed(action="retry"))

    assert sum(result["counts"].values()) == one.sandbox.times("POST /cli/add") == len(failed) > 0


def test_of_several_outputs_of_a_kind_the_newest_counts() -> None:
    def output(status: str, at: str) -> Json:
        return {
            "extractor": "wget",
            "status": status,
            "start_ts": f"2026-11-21T{at}:00Z",
            "output": "404 Not Found",
        }

    again = {"id": "1", "archiveresults": [output("succeeded", "11"), output("failed", "10")]}
    broken = {"id": "1", "archiveresults": [output("failed", "11"), output("succeeded", "10")]}
    assert judge(again).outcome == "saved"
    assert judge(broken).outcome == "failed"
    assert judge(broken).failures == ({"plugin": "wget", "reason": "404 Not Found"},)


@since_0_9
async def test_pages_of_a_query_are_tagged_and_the_job_undone(version: Version) -> None:
    async with keeper(version) as one:
        pages = await one.pages()
        domain = pages[0]["url"].split("/")[2]
        wanted = {each["id"] for each in pages if each["url"].split("/")[2] == domain}
        own = pages[0]["tags"][0]
        before = {each["id"]: sorted(each["tags"]) for each in pages}
        told = await one.agreed(
            action="tag", tags=["Reviewed"], untag=[own.upper()], query={"domain": domain}
        )
        await one.ended(told)
        tagged = {each["id"]: each["tags"] for each in await one.pages(tag="Reviewed")}
        assert tagged.keys() == wanted
        assert not any(own in tags for tags in tagged.values())
        await one.ended(await one.agreed(action="tag", undo=told["jobId"]))
        after = {each["id"]: sorted(each["tags"]) for each in await one.pages()}

    assert one.shown[0]["pages"] == len(wanted)
    assert after == before


@pytest.mark.parametrize(
    ("whose", "words"), [("somebody", "tagged nothing here"), ("own", "still runs")]
)
async def test_a_tagging_that_runs_or_belongs_to_another_account_is_not_undone(
    whose: str, words: str
) -> None:
    async with keeper("0.9.73") as one:
        told = await one.agreed(action="tag", tags=["Reviewed"], query={"search": "a"})
        row = await one.running.get(told["jobId"])
        account = row.account if whose == "own" else whose
        job = NewJob(row.tool, "Tagging", row.origin, account, None, {"action": "tag"})
        lease = await one.journal.create(
            job, "another process", writes=True, repeatable=True, phase=Phase.SENDING
        )
        await one.journal.start(lease)
        failure = await one.refused(action="tag", undo=lease.job)

    assert failure.code is Code.INVALID_ARGUMENT
    assert words in failure.message


@since_0_9
async def test_only_what_is_queued_is_cancelled(version: Version) -> None:
    async with keeper(version) as one:
        await one.call(action="save", urls=FRESH[:4], wait_minutes=0)
        one.time.now += 1.2
        before = {each["id"]: each["status"] for each in await one.pages()}
        queued = {identity for identity, status in before.items() if status == "queued"}
        told = await one.call(action="cancel", query={"since": "2000-01-01"}, dry_run=True)
        await one.ended(await one.agreed(action="cancel"))
        after = {each["id"]: each["status"] for each in await one.pages()}

    assert told["preview"]["pages"] if "preview" in told else told["records"]
    assert len(queued) > 0
    assert {after[each] for each in queued} == {"sealed"}
    others = before.keys() - queued
    assert all(after[each] == before[each] or before[each] == "started" for each in others)


async def test_a_page_that_is_started_by_now_is_not_cancelled() -> None:
    async with keeper("0.9.73") as one:
        # One queued page of several: its crawl goes on.
        page = next(each for each in await one.pages() if each["status"] == "queued")
        query = {"search": page["url"]}
        preview = await one.refused(action="cancel", query=query)
        # Between the look at what there is and the look right before the change.
        one.sandbox.before = (
            "GET /core/snapshot/",
            lambda: setattr(one.sandbox.world.snapshots[page["id"]], "status", "started"),
        )
        told = await one.call(action="cancel", query=query, confirm=preview.details["confirm"])

    assert preview.details["preview"]["pages"] == 1
    assert told["result"]["leftAlone"] == 1
    assert told["result"]["reasons"] == {"It is started by now.": 1}
    assert one.sandbox.times("PATCH") == 0


@pytest.mark.parametrize("action", ["tag", "cancel"])
async def test_what_the_oldest_release_cannot_do_is_refused_with_the_reason(action: str) -> None:
    given: Json = (
        {"query": {"search": "a"}}
        if action == "cancel"
        else {"tags": ["a"], "query": {"search": "a"}}
    )
    async with keeper("0.8.5") as one:
        failure = await one.refused(action=action, **given)
    assert failure.code is Code.UNSUPPORTED
    assert "0.8.5" in failure.message


async def test_nothing_to_do_asks_nobody() -> None:
    async with keeper("0.9.73") as one:
        told = await one.call(action="cancel", query={"domain": "nobody.example"})
    assert (told["state"], told["result"]["changed"]) == ("done", 0)


@pytest.mark.parametrize(
    "given",
    [
        {"action": "save"},
        {"action": "retry", "urls": ["https://a.example/"]},
        {"action": "check", "urls": ["https://a.example/"], "query": {"tag": "a"}},
        {"action": "check", "urls": ["https://a.example/"], "tags": ["a"]},
        {"action": "tag", "tags": ["a"]},
        {"action": "tag", "query": {"tag": "a"}},
        {"action": "tag", "tags": ["a"], "untag": ["A"], "query": {"tag": "b"}},
        {"action": "tag", "tags": ["a"], "undo": "job_1"},
        {"action": "cancel", "query": {"status": "started"}},
        {"action": "cancel", "wait_minutes": 5},
        {"action": "retry", "plugins": "pdf"},
        {"action": "save", "urls": ["https://a.example/"], "older_than_days": 3},
        {"action": "check", "urls": ["https://a.example/"], "only_new": True},
    ],
)
def test_arguments_that_make_no_sense_together_are_refused(given: Json) -> None:
    with pytest.raises(Failure) as caught:
        parse(StartSave, given, {})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.hint


async def _newest_failed(one: Keeper) -> dict[str, Json]:
    """The finished pages whose newest copy is not whole, by URL."""
    pages = {each["url"]: each for each in await one.pages(with_archiveresults=True)}
    return {
        url: page
        for url, page in pages.items()
        if page["outcome"] in ("failed", "partly", "unknown")
        and page.get("archiveresults")
        and page["status"] in (None, "sealed")
    }


def _succeeded(page: Json, pages: list[Json]) -> bool:
    """Whether any copy of the same URL can be read."""
    same = [each for each in pages if each["url"] == page["url"]]
    return any(each.get("outcome") in ("saved", "partly") for each in same)
