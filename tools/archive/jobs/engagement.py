"""Engagement of many items: their timelines in a file, or a paid refresh."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any, Literal, Self

from anyio import to_thread
from pydantic import Field, ValidationInfo, model_validator

from server.archive.context import ArchiveContext
from server.archive.operations import Text, Workflow
from server.errors import Code, Failure
from server.exports import check_file
from server.jobs import JobRow
from server.text import count_noun
from server.tool.job import Plan, StartChange
from server.tool.request import Risk, argument_names
from server.tool.result import drop_empty, drop_nulls
from tools.archive.content.fitting import add_misfits, describe_counted_misfits
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetEngagementHistory, GetItemIdsByUrl
from tools.archive.content.refetch import CREDITS_PER_ITEM, RefetchEngagementBulk, offer
from tools.archive.items_source import AT_ONCE, NAME_FIELDS, PAGE_COST, ItemSource, read_account
from tools.archive.jobs.engagement_refresh import AT_ONCE as REFRESHED_AT_ONCE
from tools.archive.jobs.engagement_refresh import RefreshWork, make_records
from tools.archive.jobs.engagement_timelines import FileName, Span, TimelineWork
from tools.archive.jobs.outcomes import NO_ITEM, UNKNOWN_ID
from tools.archive.schema.inputs import FilterDateRangeInput, Instant

MOST_REFRESHED = 5_000
"""Items of one refresh: each is looked up before the user is asked."""
_TOGETHER = 20
"""The approximate number of timelines that one request reads."""
_STORY = "Stories cannot be refreshed."
_OF_TIMELINES = ("from_", "to", "format", "name")
"""The arguments that belong to `mode` timelines."""


class StartEngagementJob(StartChange[JobRow, ArchiveContext], ItemSource, Workflow[JobRow]):
    """Refresh the engagement of many items and wait for it (at most 3 billing credits per item and
    day), or write their metrics over time to a file (free), as a job. `refresh` has Archive measure
    now and asks the user first, naming the most it costs; `timelines` writes one row per snapshot.
    For one item use archive_get_engagement_history. Returns the result or, if it takes longer, a
    job id. `units` names that of money."""

    operation = "engagement_job"
    title = "Engagement of many items"
    search_hint = (
        "fresh numbers for the whole campaign, update metrics of everything, bulk refresh, what "
        "would it cost, price, growth curves to a file, daily numbers for all posts, development "
        "of every post, all posts of the month, batch refresh, re-measure, time series for "
        "analysis, history export, fresh data for all, like and view development over time into a "
        "file, analyst, update like counts for everything in the campaign, statistics of all "
        "posts, dollars, statistic, stats"
    )
    risk = "spends"
    adds_too = True
    requires_person = True
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    mode: Literal["timelines", "refresh"] = Field(
        "timelines", description="`timelines` is free, `refresh` is paid."
    )
    from_: Instant | None = Field(
        None, alias="from", description="Start of `timelines`: day or instant with zone."
    )
    to: Instant | None = Field(None, description="End of `timelines`: day or instant with zone.")
    format: Literal["csv", "xlsx", "jsonl", "parquet"] = Field(
        "csv", description="Format of the file."
    )
    name: Text | None = Field(None, description="Name of the file.")

    # The arguments are journalled: "yesterday" as a day would be another day, or another zone,
    # when the job resumes.
    @model_validator(mode="after")
    def _in_utc(self, info: ValidationInfo) -> Self:
        """Days as instants: a job that goes on later means the same."""
        requested = drop_nulls({"from": self.from_, "to": self.to})
        if requested:
            span = FilterDateRangeInput.model_validate(requested, context=info.context)
            # Only what was given, or the other bound would count as given too.
            for name in {"from_", "to"} & self.model_fields_set:
                setattr(self, name, getattr(span, name))
        return self

    def call_risk(self) -> Risk:
        # A job to resume is judged by its own arguments.
        return "adds" if self.mode == "timelines" else self.risk

    def check(self) -> None:
        if self.resume is not None:
            return
        self.require_source()
        if self.mode == "timelines":
            check_file(self.name, self.format)
            return
        # Refused rather than ignored: a user who names a file expects one.
        names = argument_names(type(self))
        beside = [f"`{names[field]}`" for field in _OF_TIMELINES if field in self.model_fields_set]
        if beside:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{', '.join(beside)} belongs to `mode` timelines.",
                "Leave it out: a refresh measures now and writes no file.",
            )

    async def plan(self, context: ArchiveContext) -> Plan:
        if self.mode == "timelines":
            return await self._of_timelines(context)
        return await self._of_refresh(context)

    def work(self, context: ArchiveContext) -> TimelineWork | RefreshWork:
        if self.mode == "refresh":
            return RefreshWork(context)
        file = FileName(self.name, self.format)
        return TimelineWork(context, self, Span(self.from_, self.to), file)

    async def _of_timelines(self, context: ArchiveContext) -> Plan:
        folder = context.exports()
        # Chosen in the plan as well, so that a bad name or folder is refused before anything is
        # read.
        target = await to_thread.run_sync(
            lambda: folder.choose_target(self.name, self.format, what="timelines")
        )
        total = await self.total(context.api) or 0
        pages = ceil(total / AT_ONCE)
        # Links are looked up first, a hundred at a time.
        lookups = pages if self.urls else 0
        credits = pages * PAGE_COST + lookups * GetItemIdsByUrl.cost
        credits += total * GetEngagementHistory.cost
        about = {"file": target.name, "folder": folder.place, "format": self.format}
        return Plan(
            f"Engagement timelines of {count_noun(total, 'item')}",
            total,
            # Timelines of several items travel in one request as aliases, but each still costs its
            # credits.
            pages + lookups + ceil(total / _TOGETHER),
            credits,
            details=about,
        )

    async def _of_refresh(self, context: ArchiveContext) -> Plan:
        items, absent, doubts = await self._look_up(context)
        # The single call asks in the same words, so that the user compares like with like.
        accepted, preview = offer(items, _count_absent(absent), context.workspace)
        preview = replace(preview, message=" ".join([preview.message, *doubts]))
        accepted_ids = {item["id"] for item in accepted}
        stories = [item for item in items if item["id"] not in accepted_ids]
        left_out = [(item["id"], read_account(item), _STORY) for item in stories]
        records = make_records(accepted, [*left_out, *absent])
        requests = ceil(len(accepted) / REFRESHED_AT_ONCE)
        return Plan(
            f"Refresh of the engagement of {count_noun(len(accepted), 'item')}",
            len(records),
            # At least one look at the operation follows each request.
            2 * requests,
            requests * (RefetchEngagementBulk.cost + SearchItems.cost),
            billing=len(accepted) * CREDITS_PER_ITEM,
            # What the user confirmed is what is sent: a search read again later could bring other
            # items.
            records_known=records,
            unit="batches",
            preview=preview,
            details={
                "items": len(accepted),
                "leftOut": preview.details["leftOut"],
                **drop_empty({"notes": doubts}),
            },
        )

    async def _look_up(
        self, context: ArchiveContext
    ) -> tuple[list[dict[str, Any]], list[tuple[str, str | None, str]], list[str]]:
        """Return the items with what tells whether they can be refreshed, what leads to none (the
        id or link, nobody's account, and why), and whether Archive may have ignored a filter."""
        total = await self._count_few(context)
        result: dict[str, dict[str, Any]] = {}
        absent: list[tuple[str, str | None, str]] = []
        misfits: dict[str, Any] = {}
        # The type tells stories, which Archive drops without a word; the account is for people.
        async for batch in self.batches(context.api, None, [*NAME_FIELDS, "type"]):
            result |= {item["id"]: item for item in batch.items}
            absent += [(entry["url"], None, NO_ITEM) for entry in batch.missing]
            absent += [(identity, None, UNKNOWN_ID) for identity in batch.unknown]
            misfits = add_misfits(misfits, batch.misfits, batch.broken)
        doubts = describe_counted_misfits(misfits)
        doubts += await self.find_doubts(context, context.api, total)
        return list(result.values()), absent, doubts

    async def _count_few(self, context: ArchiveContext) -> int:
        """Return how many items there are, so that a search that is far too wide is not read.

        Raises:
            Failure: `INVALID_ARGUMENT` where they are more than one refresh takes.
        """
        total = await self.total(context.api) or 0
        if total > MOST_REFRESHED:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{total:,} items are more than one refresh takes ({MOST_REFRESHED:,}). Nothing "
                "was spent.",
                "Narrow the search, or name the items in several calls.",
            )
        return total


def _count_absent(absent: list[tuple[str, str | None, str]]) -> list[str]:
    """Return how much leads to no item, in words."""
    unknown = sum(reason == UNKNOWN_ID for _, _, reason in absent)
    links = len(absent) - unknown
    words = []
    if unknown:
        words.append(count_noun(unknown, "unknown id"))
    if links:
        words.append(count_noun(links, "link") + " without an item")
    return words
