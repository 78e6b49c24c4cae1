"""Crawls: runs that save one or more addresses, with the pages they link to."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Confirmed, Get, Text, cut_text
from server.archivebox.filters import Patterns
from server.archivebox.moments import From
from server.archivebox.pagination import Record, Unpaged, refuse_ambiguous
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.text import count_noun, show_page, show_url
from server.tool.confirmation import Preview
from server.tool.request import Links, Risk
from server.tool.result import Result, whole
from tools.archivebox import records
from tools.archivebox.known import (
    describe_known,
    find_known,
    keeps_known,
    select_same,
    show_known,
    tag_all,
)
from tools.archivebox.patterns import find_urls, matches
from tools.archivebox.records import Crawl, Deleted, Exported
from tools.archivebox.removal import leaves_files
from tools.archivebox.shapes import add_notes, plain_id
from tools.archivebox.tag_names import TagName, TagText, split_tags

_SHOWN = 10
CrawlStatus = Literal["queued", "started", "paused", "sealed"]


class ListCrawls(Unpaged[Crawl]):
    """List crawls of ArchiveBox: what was asked to be saved, and how far it is."""

    operation = "GET /crawls/crawls"
    title = "List crawls"
    search_hint = (
        "crawls still going, running crawls, which sites are being saved, past imports, batches, "
        "spider, started when, queue, what did I ask to be saved, capture jobs, still crawling, "
        "finished crawls, paused crawls, ongoing, sites in progress, active crawls, recent crawls"
    )
    since = "0.9"
    use = "On 0.8.5 there are only pages ({GET /core/snapshots})."

    status: CrawlStatus | None = Field(None, description="Only with this status (`sealed`: ended).")

    async def everything(self, api: ArchiveBoxApi) -> list[Record]:
        # Crawls come as one plain list: the server ignores a limit here.
        result: list[Record] = await api.get(self.path())
        return list(filter(lambda crawl: self.status in (None, crawl.get("status")), result))

    def one(self, record: Record) -> Record:
        return records.crawl(record, with_config=self.has_field("config"))


class GetCrawl(Get[Crawl]):
    """Get one crawl, with its status. Its 10 kB of settings come only with `with_config`."""

    operation = "GET /crawls/crawl/{crawl_id}"
    title = "Get a crawl"
    search_hint = (
        "one crawl, how far is the crawl, details and settings of a crawl, how many pages did the "
        "crawl find, depth, progress of saving a site, crawl status, config, is the crawl "
        "finished, how deep does it go, what was the crawl set to, state of the crawl, done yet, "
        "about this crawl, crawl progress, pages found"
    )
    since = "0.9"

    crawl_id: Text = Field(description="Crawl id, or a unique part.")
    with_config: bool = Field(False, description="Add its settings.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        return whole(
            records.crawl(await one_crawl(context.api, self.crawl_id), with_config=self.with_config)
        )


class CreateCrawl(Change[Crawl]):
    """Start a crawl: save these addresses and, with `max_depth`, the pages that they link to, such
    as a whole site. For single pages use archivebox_add."""

    operation = "POST /crawls/crawls"
    title = "Start a crawl"
    search_hint = (
        "save a whole website, entire documentation site, follow links, with all subpages, linked "
        "pages, spider, mirror, preserve a site before it shuts down, no more than 500 pages, "
        "limit, depth, copy the whole site, everything under, the complete blog, links two levels "
        "deep, go deeper, recursive, wiki, forum, full site, grab the whole blog, not more than, "
        "follow all the links on this page, sub-pages, crawl this site, entire blog, docs, depth "
        "of"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    since = "0.9.31"
    use = "Use {POST /cli/add}."
    verify = "list the crawls ({GET /crawls/crawls})."

    urls: Links = Field(min_length=1, max_length=500, description="The http(s) URLs.")
    max_depth: int = Field(0, ge=0, le=4, description="Levels of links to follow.")
    tags: list[TagName] | None = Field(None, description="Names of tags (labels).")
    tags_str: TagText | None = Field(None, description="The same, separated by commas.")
    label: Text | None = Field(None, description="Name of the crawl.")
    notes: Text | None = Field(None, description="Notes for people.")
    max_urls: int | None = Field(None, ge=1, description="Most pages (0.9.31).")
    max_size: int | None = Field(None, ge=1, description="Most bytes (0.9.31).")

    def check(self) -> None:
        for url in self.urls:
            check_web_address(url)

    async def run(self, context: ArchiveBoxContext) -> Result:
        body = self.require_supported(context.description, self.body())
        known = await find_known(context.api, self.urls)
        report = records.crawl(await self.send(context.api, body))
        # The text of all addresses is what the call itself brought.
        report.pop("urls", None)
        keeps = keeps_known(context.api, only_new=None, anew=False)
        notes = describe_known(known, keeps=keeps)
        if keeps:
            tags = self.tags if self.tags is not None else split_tags(self.tags_str)
            notes += await tag_all(context.api, select_same(known), tags)
        return whole(add_notes({**report, **show_known(known)}, notes))


class UpdateCrawl(Change[Crawl]):
    """Change a crawl's status, retry time or tags. Sealing it also stops its waiting pages."""

    operation = "PATCH /crawls/crawl/{crawl_id}"
    title = "Change a crawl"
    search_hint = (
        "stop the crawl, pause a crawl, resume a crawl, cancel a crawl, continue crawling, halt, "
        "filling my disk, abort saving a site, hold the crawl until tomorrow, crawl is too big, "
        "unpause, put on hold, kill the crawl, freeze, resume crawling, stop archiving the site"
    )
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    since = "0.9"
    verify = "get the crawl again ({GET /crawls/crawl/{crawl_id}})."

    crawl_id: Text = Field(description="Crawl id, or a unique part.")
    status: CrawlStatus | None = Field(None, description="New status (`sealed`: ended).")
    action: Literal["pause", "resume", "cancel"] | None = Field(
        None, description="The same, as a verb (0.9.73)."
    )
    retry_at: From | None = Field(None, description="When to try again.")
    tags: list[TagName] | None = Field(None, description="Names of tags (labels).")
    tags_str: TagText | None = Field(None, description="The same, separated by commas.")

    def check(self) -> None:
        if not any((self.status, self.action, self.retry_at, self.tags, self.tags_str)):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Nothing to change was given.",
                "Set status, action, retry_at or tags.",
            )

    async def run(self, context: ArchiveBoxContext) -> Result:
        # A part of an id is completed here: one that fits several is refused, with the candidates.
        crawl = await one_crawl(context.api, self.crawl_id)
        self.crawl_id = str(crawl["id"])
        body = self.require_supported(context.description, self.body())
        await self.send(context.api, body)
        # What is stored, and not what was sent.
        stored = await context.api.get(self.path())
        answer = records.crawl(stored)
        if self.tags or self.tags_str:
            answer["replaced"] = {"tags_str": crawl.get("tags_str") or ""}
        return whole(add_notes(answer, records.describe_differences(body, stored)))


class DeleteCrawl(Confirmed[Deleted]):
    """Delete a crawl with all its saved pages and their files, for good. The user is asked
    first."""

    operation = "DELETE /crawls/crawl/{crawl_id}"
    title = "Delete a crawl"
    search_hint = (
        "remove everything from that crawl, get rid of a whole site capture, erase a crawl, all "
        "pages it saved, bin, by mistake, throw away the site capture, undo the crawl"
    )
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    since = "0.9.31"
    verify = "list the crawls ({GET /crawls/crawls})."

    crawl_id: Text = Field(description="Crawl id, or a unique part.")

    async def prepare(self, context: ArchiveBoxContext) -> None:
        await super().prepare(context)
        # Here, so that question and deletion are about one and the same crawl.
        self.crawl_id = str((await one_crawl(context.api, self.crawl_id))["id"])

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        crawl = await one_crawl(context.api, self.crawl_id)
        urls = [show_url(url) for url in str(crawl.get("urls", "")).split()]
        about = {
            "id": crawl["id"],
            "urls": urls[:_SHOWN],
            "addresses": len(urls),
            "status": crawl.get("status"),
        }
        its_pages = "all its saved pages"
        # Only 0.9.73 finds the pages of a crawl; its list of pages has no such filter.
        if context.description.takes("POST /cli/search", "crawl_id"):
            everything, own = Patterns("exact", ()), {"crawl_id": crawl["id"]}
            pages = await matches(context.api, everything, {}, own, _SHOWN)
            count = len(await find_urls(context.api, everything, {}, own))
            its_pages = f"its {count_noun(count, 'saved page')}"
            about |= {
                "snapshots": count,
                "first": [show_page(page["url"], page.get("title")) for page in pages],
            }
        files = ""
        if leaves_files(context.description):
            files = f" ArchiveBox {context.description.version} leaves the files on its disk."
        return Preview(
            f"Delete the crawl of {', '.join(urls[:3])}{' ...' if len(urls) > 3 else ''} with "
            f"{its_pages}?{files}",
            about,
        )


class GetCrawlFile(Get[Exported]):
    """Read a text file that a crawl wrote, such as its log, by its path below the crawl."""

    operation = "GET /crawls/crawl/{crawl_id}/files/{path}"
    title = "Read a crawl's file"
    most_characters = 200_000
    search_hint = (
        "list of urls it found, output file, debug a crawl, parse result, urls.jsonl, what did "
        "the crawler log, see the log, which links did it find, file that the crawl wrote, "
        "stderr, show the log"
    )
    since = "0.9.73"

    crawl_id: Text = Field(description="Crawl id, or a unique part.")
    path_: Text = Field(alias="path", description="Such as parse_txt_urls/urls.jsonl.")

    async def prepare(self, context: ArchiveBoxContext) -> None:
        context.description.require(
            "GET /crawls/crawl/{crawl_id}/files/{filename}", self.since, self.use
        )

    async def run(self, context: ArchiveBoxContext) -> Result:
        from urllib.parse import quote

        steps = self.path_.split("/")
        if len(steps) > 3 or any(step in ("", ".", "..") for step in steps):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.path_!r} is not a path below the crawl.",
                "At most a/b/c.",
            )
        crawl = await one_crawl(context.api, self.crawl_id)
        path = f"/crawls/crawl/{crawl['id']}/files/" + "/".join(
            quote(step, safe="") for step in steps
        )
        return whole(cut_text(await context.api.text(path)))


async def one_crawl(api: ArchiveBoxApi, reference: str) -> Record:
    """Return the crawl of that id or unique part of one.

    Raises:
        Failure: `NOT_FOUND`, or `AMBIGUOUS` with the candidates.
    """
    api.description.require(ListCrawls.operation, ListCrawls.since, ListCrawls.use)
    requested = plain_id(reference)
    crawls: list[Record] = await api.get("/crawls/crawls")
    identities = {plain_id(crawl["id"]): crawl for crawl in crawls}
    if requested in identities:
        return identities[requested]
    items = [
        each
        for identity, each in identities.items()
        # Ids begin with their time: what was added within minutes begins alike, so the end counts
        # too.
        if identity.startswith(requested) or identity.endswith(requested)
    ]
    if not items:
        raise Failure(
            Code.NOT_FOUND,
            f"There is no crawl {reference!r}.",
            "{GET /crawls/crawls} lists the crawls.",
        )
    refuse_ambiguous(items, "crawls")
    return items[0]
