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
from server.tool.request import Links, Risk
from server.tool.result import drop_empty
from tools.archivebox.jobs.cancel_work import CANCELS, CancelWork, find_queued_work
from tools.archivebox.jobs.change_work import TAGS, TagChange, TagWork, undo_changes
from tools.archivebox.jobs.check_work import CheckWork
from tools.archivebox.jobs.query import PageQuery, Query
from tools.archivebox.jobs.retry_work import Retries, SaveAgainWork, find_failed_pages
from tools.archivebox.jobs.save_work import SaveOptions, SaveWork
from tools.archivebox.tag_names import TagName

_UNASKED = 500
"""Pages that are saved without asking: as many as one call of the tool for it takes."""
_SHOWN, _SHOWN_IN_QUESTION = 10, 3
_ON_PAGES = ("save", "check")
_ONLY_FOR = {
    "urls": (_ON_PAGES, "retry, tag and cancel select pages by `query`."),
    "query": (("retry", "tag", "cancel"), "save and check take `urls`; tags of a save are `tags`."),
    "tags": (("save", "tag"), "action tag changes tags."),
    "untag": (("tag",), "action tag changes tags."),
    "undo": (("tag",), "action tag changes tags."),
    "plugins": (("save",), "only save takes it."),
    "only_new": (("save",), "only save takes it."),
    "wait_minutes": (("save", "retry"), "only save and retry wait."),
    "older_than_days": (("check",), "only check takes it."),
}
"""By argument: the actions that take it, which others would ignore, and what to do instead."""


class StartSave(StartChange[JobRow, ArchiveBoxContext], Workflow[JobRow]):
    """Save, check or change many pages of ArchiveBox, as a job. `save` saves `urls` and waits for
    each outcome; `check` tells which of `urls` are missing, stale or empty; `retry` saves anew
    what failed; `tag` tags matching pages, or undoes that; `cancel` stops what is queued. The last
    three take `query` and ask first. If it takes longer, it returns a job id. For a few links use
    archivebox_add."""

    operation = "save"
    title = "Save, check or change many pages"
    search_hint = (
        "300 links, text file with links, save them all and tell me which failed, check whether "
        "links are saved, retry everything that failed, everything from a site should get the "
        "label, mass label, undo labels, cancel what is queued, stop everything, stale, outdated "
        "copies, pages older than a year, fill in missing screenshots, batch of links, whole "
        "reading list, these 50 articles, import my bookmarks, redo all failed, broken pages "
        "again, tag everything from, put a label on everything, cancel all waiting, refresh old "
        "copies, dead links, finish the half-saved pages, didn't work, which ones, add the tag to "
        "every saved page, preserve them all, list of links, try again, copies older than, didn't "
        "save properly, already stored, reading list, tag all, retry failed, bulk, unreachable, "
        "thousands of pages, bookmarks from an old browser, hundreds of links, list of addresses"
    )
    risk = "changes"
    reads_too = True
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    action: Literal["save", "check", "retry", "tag", "cancel"] = Field(
        description="What to do, as above."
    )
    urls: Annotated[Links, Field(max_length=2_000)] | None = Field(
        None, description="The http(s) URLs."
    )
    tags: list[TagName] | None = Field(None, description="Tags (labels) to put on.")
    untag: list[Text] | None = Field(None, description="Tags to take off.")
    undo: Text | None = Field(None, description="Id of a `tag` job to reverse.")
    plugins: Text | None = Field(None, description="Only these, separated by commas.")
    only_new: bool | None = Field(None, description="Skip URLs saved already.")
    wait_minutes: int = Field(10, ge=0, le=120, description="Most minutes to wait.")
    older_than_days: int | None = Field(None, ge=1, description="From this age a copy is stale.")
    query: Query | None = Field(None, description="All conditions must fit.")
    dry_run: bool = Field(False, description="Only report what the job would do at most.")

    def check(self) -> None:
        # A resumed job has its own arguments; others beside `resume` are refused when it is
        # resumed.
        if self.resume is not None:
            return
        beside = list(filter(self._is_out_of_place, _ONLY_FOR))
        if beside:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.action} takes no {', '.join(map(_quote, beside))}.",
                f"Leave it out: {_ONLY_FOR[beside[0]][1]}",
            )
        if self.action in _ON_PAGES and not self.urls:
            raise Failure(
                Code.INVALID_ARGUMENT, f"{self.action} needs `urls`.", "Say which pages, by URL."
            )
        if self.action == "tag":
            self._check_tagging()

    def call_risk(self) -> Risk:
        return "reads" if self.action == "check" else self.risk

    async def plan(self, context: ArchiveBoxContext) -> Plan:
        match self.action:
            case "save":
                return self._save_plan(context)
            case "check":
                links = self.links()
                title = f"Check of {count_noun(len(links), 'page')}"
                return _plan_without_question(title, list(map(NewRecord, links)), each=1)
            case "retry":
                return _retry_plan(await find_failed_pages(context, self.selection()))
            case "tag":
                return await self._tag_plan(context)
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
                return TagWork(context, self.selection(), self._tag_change())
        return CancelWork(context, self.selection())

    def _options(self) -> SaveOptions:
        return SaveOptions(tuple(self.tags or ()), self.plugins, self.only_new, self.wait_minutes)

    def links(self) -> list[str]:
        """Return the URLs, each once."""
        return list(dict.fromkeys(map(str.strip, self.urls or ())))

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
            records_known=list(map(NewRecord, links)),
            preview=Preview(
                requested,
                {"pages": len(links), "first": first},
            )
            if requested
            else None,
        )

    async def _tag_plan(self, context: ArchiveBoxContext) -> Plan:
        context.description.require(*TAGS)
        if self.undo:
            records = await undo_changes(context, self.undo, self.tool_name())
            return self._plan_changes(records, f"undo of {self.undo}")
        survey = await self.selection().survey(context)
        change = self._tag_change()
        if survey.pages is not None:
            records = list(filter(None, map(change.make_record, survey.pages)))
            return self._plan_changes(records, _describe_change(change))
        message = (
            f"Change the tags of {survey.describe()} ({_describe_change(change)}); those that have "
            "them so already stay as they are"
        )
        preview = _ask(message, [page["url"] for page in survey.first], survey.count)
        return Plan(
            message,
            survey.count,
            requests=2 * survey.count,
            credits=0,
            records_known=None,
            preview=preview,
        )

    def _plan_changes(self, records: list[NewRecord], what: str) -> Plan:
        message = f"Change the tags of {count_noun(len(records), 'page')} ({what})"
        # A look at the tags that it has by now, and the change.
        return _plan_with_question(records, message, each=2)

    def _tag_change(self) -> TagChange:
        return TagChange(tuple(self.tags or ()), tuple(self.untag or ()))

    def _is_out_of_place(self, name: str) -> bool:
        # A default clashes with nothing: only what the call itself set can.
        is_set = name in self.model_fields_set and getattr(self, name) is not None
        return is_set and self.action not in _ONLY_FOR[name][0]

    def _check_tagging(self) -> None:
        is_selected = self.selection().given()
        if self.undo:
            # An undo takes its pages and tags from the job that it reverses.
            if is_selected or self.tags or self.untag:
                raise Failure(
                    Code.INVALID_ARGUMENT, "`undo` goes alone.", "Leave out tags, untag and query."
                )
            return
        # ArchiveBox makes no difference between capitals and small letters in tags.
        put, taken = (set(map(str.casefold, tags or ())) for tags in (self.tags, self.untag))
        if not put | taken:
            raise Failure(
                Code.INVALID_ARGUMENT, "No tags were given.", "Set `tags`, `untag` or `undo`."
            )
        if both := put & taken:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{min(both)!r} is both in `tags` and in `untag`.",
                "Leave it in one of them.",
            )
        if not is_selected:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Without a `query` every saved page would be tagged.",
                "Say which: by search, tag, domain, since or until.",
            )


def _describe_change(change: TagChange) -> str:
    verbs = {"put on": [*change.add], "take off": [*change.remove]}
    parts = []
    for verb, tags in drop_empty(verbs).items():
        parts.append(f"{verb}: {', '.join(map(quote_title, tags))}")
    return "; ".join(parts)


def _quote(name: str) -> str:
    return f"`{name}`"


def _cancel_plan(records: list[NewRecord]) -> Plan:
    pages = sum(len(record.detail["pages"]) for record in records)
    crawls = sum(record.key.startswith("crawl:") for record in records)
    message = f"Cancel {count_noun(pages, 'page')} still queued"
    if crawls and pages:
        message += f", which ends {count_noun(crawls, 'crawl')}"
    elif crawls:
        message = f"End {count_noun(crawls, 'crawl')}, before any page is archived"
    # Two requests: look whether it is still queued, then cancel; and one look at each page.
    return _plan_with_question(records, message, each=3)


def _retry_plan(retries: Retries) -> Plan:
    records = retries.records
    message = f"Save {count_noun(len(records), 'page')} again"
    if not retries.is_judged:
        message = (
            f"Look at {count_noun(len(records), 'page')} of which a copy failed, and save again "
            "those that are not saved"
        )
    # Four requests: look for a newer copy and at its outputs, add, look at the outcome.
    plan = _plan_with_question(records, message, each=4)
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
    urls = list(filter(None, (record.detail.get("url") for record in records)))
    preview = _ask(message, urls, len(records))
    return _plan_without_question(message, records, each=each, preview=preview)


def _ask(message: str, urls: list[str], count: int) -> Preview:
    first = list(map(show_url, urls[:_SHOWN]))
    more = " ..." if count > _SHOWN_IN_QUESTION else ""
    visible = f": {', '.join(first[:_SHOWN_IN_QUESTION])}{more}" if first else ""
    return Preview(f"{message}{visible}?", {"pages": count, "first": first})


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
