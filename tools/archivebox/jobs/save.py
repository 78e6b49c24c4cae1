"""Long work on the pages of an ArchiveBox: save many and wait, check them, and change what matches
a query."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Text, Workflow
from server.errors import Code, Failure
from server.jobs import JobRow, NewRecord, Work
from server.text import count_noun, quote_title, show_url
from server.tool.confirmation import Preview
from server.tool.job import Plan, StartChange
from tools.archivebox.jobs.cancel_work import CANCELS, CancelWork, find_queued_work
from tools.archivebox.jobs.change_work import TagWork, tag_changes, undo_changes
from tools.archivebox.jobs.query import PageQuery, Query
from tools.archivebox.jobs.retry_work import Retries, SaveAgainWork, find_failed_pages
from tools.archivebox.jobs.save_work import CheckWork, SaveOptions, SaveWork

_UNASKED = 500
"""Pages that are saved without asking: as many as one call of the tool for it takes."""
_SHOWN = 10
_ON_PAGES = ("save", "check")
_ONLY_FOR = {
    "plugins": ("save",),
    "only_new": ("save",),
    "wait_minutes": ("save", "retry"),
    "older_than_days": ("check",),
}
"""Arguments that the other actions would ignore."""


class StartSave(StartChange[JobRow, ArchiveBoxContext], Workflow[JobRow]):
    """Save, check or change many pages of ArchiveBox, as a job. `save` saves `urls` and waits for
    each outcome; `check` tells which of `urls` are missing, stale or empty; `retry` saves anew
    what failed; `tag` tags matching pages, or undoes that; `cancel` stops what is queued. The last
    three take `query` and ask first. If it takes longer, it returns a job id. For a few links use
    archivebox_add."""

    operation = "save"
    title = "Save, check or change many pages"
    search_hint = (
        "save many links, list of links, 300 links, text file with links, save them all and tell "
        "me which failed, check whether links are saved, retry everything that failed, failed "
        "pages again, label many pages, everything from a site should get the label, mass label, "
        "undo labels, cancel what is queued, stop everything, missing, stale, outdated copies, "
        "pages older than a year, fill in missing screenshots, save all these, batch of links, "
        "whole reading list, these 50 articles, import my bookmarks, check which of these are "
        "saved, which links are missing, redo all failed, retry all, broken pages again, label "
        "all pages from, tag everything from, put a label on everything, cancel all waiting, "
        "refresh old copies, dead links, finish the half-saved pages, half saved, didn't work, "
        "which ones"
    )
    risk = "changes"
    reads_too = True
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job shows how it stands."

    action: Literal["save", "check", "retry", "tag", "cancel"] = Field(
        description="What to do, as above."
    )
    urls: Annotated[list[Text], Field(max_length=2_000)] | None = Field(
        None, description="The http(s) URLs."
    )
    tags: list[Text] | None = Field(None, description="Tags (labels) to put on.")
    untag: list[Text] | None = Field(None, description="Tags to take off.")
    undo: Text | None = Field(None, description="Id of a `tag` job to reverse.")
    plugins: Text | None = Field(None, description="Only these, separated by commas.")
    only_new: bool | None = Field(None, description="Skip URLs saved already.")
    wait_minutes: int = Field(10, ge=0, le=120, description="Most minutes to wait.")
    older_than_days: int | None = Field(None, ge=1, description="From this age a copy is stale.")
    query: Query | None = Field(None, description="All conditions must fit.")
    dry_run: bool = Field(False, description="Only report what the job would do.")

    def check(self) -> None:
        # A resumed job has its own arguments; others beside `resume` are refused when it is
        # resumed.
        if self.resume is not None:
            return
        if (self.action in _ON_PAGES) != bool(self.urls):
            need = (
                "needs `urls`"
                if self.action in _ON_PAGES
                else "takes no `urls`: it selects by `query`"
            )
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.action} {need}.",
                "Correct the arguments and call again.",
            )
        if self.action in _ON_PAGES and self.selection().given():
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.action} takes `urls`, and no `query`.",
                "Leave out `query`; the tags of a save are `tags`.",
            )
        if self.action != "tag" and (
            self.untag or self.undo or (self.tags and self.action != "save")
        ):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.action} changes no tags.",
                "Leave out tags, untag and undo, or set `action` to tag.",
            )
        if beside := [
            name
            for name, actions in _ONLY_FOR.items()
            if self._has(name) and self.action not in actions
        ]:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.action} takes no {', '.join(f'`{entry}`' for entry in beside)}.",
                "Leave it out, and call again.",
            )
        if self.action == "tag":
            self._check_tagging()

    def may_change(self) -> bool:
        return self.action != "check"

    async def plan(self, context: ArchiveBoxContext) -> Plan:
        match self.action:
            case "save":
                return self._save_plan(context)
            case "check":
                links = self.links()
                return _plan_without_question(
                    f"Check of {count_noun(len(links), 'page')}",
                    [NewRecord(link) for link in links],
                    each=1,
                )
            case "retry":
                return _retry_plan(await find_failed_pages(context, self.selection()))
            case "tag":
                result = await (
                    undo_changes(context, self.undo, self.tool_name())
                    if self.undo
                    else tag_changes(
                        context, self.selection(), add=self.tags or (), remove=self.untag or ()
                    )
                )
                return _plan_with_question(
                    result,
                    f"Change the tags of {count_noun(len(result), 'page')} ({self._tagging()})",
                    each=1,
                )
        context.description.require(*CANCELS)
        result = await find_queued_work(context, self.selection())
        return _cancel_plan(result)

    def work(self, context: ArchiveBoxContext) -> Work:
        match self.action:
            case "save":
                return SaveWork(context, self._options())
            case "check":
                return CheckWork(context, self.older_than_days)
            case "retry":
                return SaveAgainWork(context, self._options())
            case "tag":
                return TagWork(context)
        return CancelWork(context)

    def _options(self) -> SaveOptions:
        return SaveOptions(tuple(self.tags or ()), self.plugins, self.only_new, self.wait_minutes)

    def links(self) -> list[str]:
        """Return the URLs, each once."""
        return list(dict.fromkeys(url.strip() for url in self.urls or []))

    def selection(self) -> PageQuery:
        """Return the filters."""
        return PageQuery.of(self.query)

    def _save_plan(self, context: ArchiveBoxContext) -> Plan:
        links = self.links()
        # Before anybody is asked: an option that this server would ignore.
        work = SaveWork(context, self._options())
        work.require()
        first = [show_url(link) for link in links[:_SHOWN]]
        requested = (
            f"Save {count_noun(len(links), 'page')} in ArchiveBox?"
            if len(links) > _UNASKED
            else None
        )
        return Plan(
            f"Saving of {count_noun(len(links), 'page')}",
            len(links),
            # One look at each page, and one request for each chunk, rounded up.
            requests=len(links) + -(-len(links) // work.batch),
            credits=0,
            records_known=[NewRecord(link) for link in links],
            preview=Preview(
                requested,
                {"pages": len(links), "first": first},
            )
            if requested
            else None,
        )

    def _has(self, name: str) -> bool:
        # A default clashes with nothing: only what the call itself set can.
        return name in self.model_fields_set and getattr(self, name) is not None

    def _check_tagging(self) -> None:
        if self.undo:
            # An undo takes its pages and tags from the job that it reverses.
            if self.tags or self.untag or self.selection().given():
                raise Failure(
                    Code.INVALID_ARGUMENT, "`undo` goes alone.", "Leave out tags, untag and query."
                )
            return
        if not (self.tags or self.untag):
            raise Failure(
                Code.INVALID_ARGUMENT, "No tags were given.", "Set `tags`, `untag` or `undo`."
            )
        # ArchiveBox makes no difference between capitals and small letters in tags.
        if both := {tag.casefold() for tag in self.tags or []} & {
            entry.casefold() for entry in self.untag or []
        }:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{min(both)!r} is both in `tags` and in `untag`.",
                "Leave it in one of them.",
            )
        if not self.selection().given():
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Without a `query` every saved page would be tagged.",
                "Say which: by search, tag, domain, since or until.",
            )

    def _tagging(self) -> str:
        if self.undo:
            return f"undo of {self.undo}"
        put = ", ".join(map(quote_title, self.tags or []))
        collected = ", ".join(map(quote_title, self.untag or []))
        return "; ".join(
            [
                *([f"put on: {put}"] if put else []),
                *([f"take off: {collected}"] if collected else []),
            ]
        )


def _cancel_plan(records: list[NewRecord]) -> Plan:
    pages = sum(len(record.detail["pages"]) for record in records)
    crawls = sum(record.key.startswith("crawl:") for record in records)
    ended = f", which ends {count_noun(crawls, 'crawl')}" if crawls else ""
    # Two requests: look whether it is still queued, then cancel; and one look at each page.
    return _plan_with_question(
        records, f"Cancel {count_noun(pages, 'page')} still queued{ended}", each=3
    )


def _retry_plan(retries: Retries) -> Plan:
    records = retries.records
    # Four requests: look for a newer copy and at its outputs, add, look at the outcome.
    plan = _plan_with_question(records, f"Save {count_noun(len(records), 'page')} again", each=4)
    if not retries.exhausted:
        return plan
    note = (
        "Left out, as each ended the same way every time: "
        f"{count_noun(retries.exhausted, 'page')}. To try all the same: action save with "
        "`only_new: false`."
    )
    return replace(plan, details={**plan.details, "notes": [note]})


def _plan_with_question(records: list[NewRecord], message: str, *, each: int) -> Plan:
    """Return a plan that needs a confirmation; where there is nothing to do, one that does not."""
    if not records:
        return _plan_without_question(message, records, each=each)
    urls = [show_url(record.detail["url"]) for record in records if record.detail.get("url")]
    details = {"pages": len(records), "first": urls[:_SHOWN]}
    visible = f": {', '.join(urls[:3])}{' ...' if len(records) > 3 else ''}" if urls else ""
    return _plan_without_question(
        message, records, each=each, preview=Preview(f"{message}{visible}?", details)
    )


def _plan_without_question(
    title: str, records: list[NewRecord], *, each: int, preview: Preview | None = None
) -> Plan:
    return Plan(
        title,
        len(records),
        requests=len(records) * each,
        credits=0,
        records_known=records,
        preview=preview,
    )
