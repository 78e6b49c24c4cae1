"""Everything of a view, a search or a list into or out of collections, as a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from pydantic import Field

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.archive.operations import Id, Workflow
from server.errors import Code, Failure
from server.jobs import JobRow
from server.text import count_noun, quote_title
from server.tool.confirmation import Preview
from server.tool.job import (
    Plan,
    StartChange,
    require_own,
)
from server.tool.request import NewName, Risk, argument_names
from server.tool.result import drop_empty
from tools.archive.collections import AddItemToCollections, require_collections
from tools.archive.content.items import SearchItems
from tools.archive.items_source import AT_ONCE, PAGE_COST, ItemSource
from tools.archive.jobs.collections_targets import (
    Target,
    find_targets,
    list_collections,
    match_targets,
)
from tools.archive.jobs.collections_undo import CHANGED, inverse
from tools.archive.jobs.collections_work import CollectionOrder, CollectionWork
from tools.archive.views.base import join_quoted
from tools.archive.views.content import GetContentView

# The preview is one question to a person: of a longer filter only the parts are named.
_LONGEST_SEARCH = 200
_MOVES = {"add": "Put {} into {}", "remove": "Take {} out of {}"}
_PAST = {"add": "put in", "remove": "took out"}
_SKIPPED = {"add": "in already", "remove": "not in"}
# An undo repeats what the journal says; anything given beside it could contradict that.
_BESIDE_UNDO = (
    "action",
    "collection_names",
    "collection_ids",
    "auto_create",
    "search",
    "item_ids",
    "urls",
)


@dataclass(frozen=True)
class Order:
    """What a job will do, in numbers and words: `reads` are the requests that find the items,
    `doubts` says whether Archive may have ignored a filter."""

    action: str
    targets: list[Target]
    items: int
    source: str
    reads: int
    title: str
    doubts: Sequence[str] = ()

    @property
    def pages(self) -> int:
        """Return the pages of members that are read: who is in already needs no change."""
        return sum(ceil(target.items / AT_ONCE) for target in self.targets)

    @property
    def requests(self) -> int:
        """Return all requests, at most."""
        return self.items + self.reads + self.pages

    @property
    def credits(self) -> float:
        """Return the rate credits of all requests, at most."""
        changes = self.items * AddItemToCollections.cost
        return changes + self.reads * PAGE_COST + self.pages * SearchItems.cost


class StartCollectionJob(StartChange[JobRow, ArchiveContext], ItemSource, Workflow[JobRow]):
    """Put all items of a view, a search or a list into collections, or take them out, as a job; the
    user is asked first. It takes one request (55 rate credits) per item and skips items that are in
    (or out) already. For one item use archive_add_item_to_collections. Returns the result or, if it
    takes longer, a job id. `undo` reverses exactly what a job changed."""

    operation = "collection_job"
    title = "Tag many items with collections"
    search_hint = (
        "bulk, move all, sort hundreds of posts into folders, add everything to the folder, fill "
        "a folder, every post, take all out of a folder, empty a folder, undo the mass sorting, "
        "revert, reverse, wrong folder, copy a view into a folder, whole campaign, everything "
        "tagged, thousands, put all reels from, all stories into, batch, collect all, group all "
        "posts, clear the folder, put it back the way it was, everything with the hashtag should "
        "go, land in the folder, sort all reels over views into, into, empty out the collection, "
        "start again, pull from every collection, everything that a saved search shows, mass, "
        "quarter, mass tagging, dump all, move everything, tag all, every reel"
    )
    # One class serves both actions, so it carries the risk of the worse one.
    risk = "removes"
    adds_too = True
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    action: Literal["add", "remove"] = Field(
        "add", description="Whether to add the items or remove them."
    )
    collection_names: list[NewName] | None = Field(
        None, description="Collection names; `add` also takes a unique part."
    )
    collection_ids: list[Id] | None = Field(None, description="Collection ids.")
    auto_create: bool = Field(False, description="Create collections whose name does not exist.")
    undo: str | None = Field(
        None, description="Id of an earlier collection job to reverse; give it alone."
    )

    def call_risk(self) -> Risk:
        # What it undoes may have added. A job to resume is judged by its own arguments.
        only_adds = self.action == "add" and self.undo is None
        return "adds" if only_adds else self.risk

    def check(self) -> None:
        if self.resume is not None:
            return
        if self.undo is not None:
            self._check_undo()
            return
        self.require_source()
        require_collections(self.collection_names, self.collection_ids)
        # Archive creates by name only; creating a collection to take something out of it makes no
        # sense.
        if self.auto_create and (self.action == "remove" or not self.collection_names):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`autoCreate` needs a name, and works only with `action` add.",
                "Pass the new collection's name in `collectionNames`, or leave `autoCreate` out.",
            )

    def _check_undo(self) -> None:
        names = argument_names(type(self))
        requested = [names[field] for field in _BESIDE_UNDO if field in self.model_fields_set]
        if requested:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`undo` takes items and collections from the job; {', '.join(requested)} "
                "cannot be given beside it.",
                "Pass `undo` alone.",
            )

    def work(self, context: ArchiveContext) -> CollectionWork:
        order = CollectionOrder(
            self.action, self.collection_names, self.collection_ids, self.auto_create, self.undo
        )
        return CollectionWork(context, self, order)

    async def plan(self, context: ArchiveContext) -> Plan:
        if self.undo is None:
            order = await self._build_order(context)
        else:
            order = await self._build_undo(context, self.undo)
        about = {
            "action": order.action,
            "source": order.source,
            "collections": [target.to_dict() for target in order.targets],
            **drop_empty({"notes": list(order.doubts)}),
        }
        # A dry run confirms nothing, so it does not need the question or the budget behind it.
        preview = None if self.dry_run else _preview(order, about)
        return Plan(
            order.title,
            order.items,
            order.requests,
            order.credits,
            preview=preview,
            details=about,
        )

    async def _build_order(self, context: ArchiveContext) -> Order:
        api = context.api
        rows = await list_collections(api)
        targets = match_targets(
            self.collection_names,
            self.collection_ids,
            rows,
            auto_create=self.auto_create,
            # What takes items out must not follow a part of a name.
            partial=self.action == "add",
        )
        items = await self.total(api)
        if not items:
            raise Failure(
                Code.NOT_FOUND,
                "The search finds no items, so there is nothing to do.",
                "Check it with {items}.",
            )
        source = await self._source(api, items, rows)
        title = _describe_move(self.action, source, targets)
        # Said before anything is changed: all of the workspace may have come for a narrow filter.
        doubts = await self.find_doubts(context, api, items)
        return Order(self.action, targets, items, source, self._reads(items), title, doubts)

    async def _build_undo(self, context: ArchiveContext, job: str) -> Order:
        row = await (await context.jobs()).get(job)
        self._check_undoable(row, context)
        targets = find_targets(row, await list_collections(context.api))
        # Unknown outcomes count too: the undo may find those items in the collection.
        items = sum(row.counts.get(state, 0) for state in CHANGED)
        if not (targets and items):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"There is nothing to undo: {job} changed nothing that is still there.",
                "Look at it with archive_mcp_get_job.",
            )
        done = row.counters["action"]
        action = inverse(done)
        source = f"{count_noun(items, 'item')} that {job} {_PAST[done]}"
        title = f"Undo: {_describe_move(action, source, targets)} again"
        return Order(action, targets, items, source, 0, title)

    def _check_undoable(self, row: JobRow, context: ArchiveContext) -> None:
        if row.tool != self.tool_name():
            raise Failure(
                Code.INVALID_ARGUMENT, f"{row.id} was started by {row.tool}, which has no undo."
            )
        # The ids of another workspace or account mean nothing to this token.
        require_own(row, context.scope)
        # A running job still changes items: its undo would miss those that follow.
        if row.owned:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{row.id} still runs.",
                "Cancel it with archive_mcp_cancel_job, or let it end.",
            )

    def _reads(self, items: int) -> int:
        pages = ceil(items / AT_ONCE)
        # Links cost two requests for each hundred: the lookup, then the items themselves.
        return pages if self.urls is None else 2 * pages

    async def _source(self, api: Api, items: int, rows: list[dict[str, Any]]) -> str:
        """The items in the words of the user."""
        if self.urls is not None:
            return f"the items of {count_noun(items, 'link')}"
        if self.search is None:
            return f"{count_noun(items, 'given item')}"
        if preset := self.search.get("presetId"):
            return f"{count_noun(items, 'item')} of {await _preset(api, preset, rows)}"
        # Models like to send empty filters.
        narrowed = drop_empty(self.search)
        # The order does not narrow.
        narrowed.pop("sorting", None)
        if not narrowed:
            return f"all {count_noun(items, 'item')} of the workspace"
        text = json.dumps(narrowed, ensure_ascii=False)
        if len(text) > _LONGEST_SEARCH:
            text = ", ".join(narrowed)
        return f"{count_noun(items, 'item')} found by {text}"


def _describe_move(action: str, source: str, targets: list[Target]) -> str:
    names = join_quoted([target.name for target in targets])
    return _MOVES[action].format(source, names)


async def _preset(api: Api, preset: str, rows: list[dict[str, Any]]) -> str:
    # `presetId` takes both kinds; the collections were listed already, a view costs one more
    # request.
    for row in rows:
        if row["id"] == preset:
            return f"the collection {quote_title(row['name'])}"
    view, _ = await api.read(GetContentView.model_validate({"id": preset, "fields": ["name"]}))
    if view is None:
        return f"the preset {preset}"
    return f"the view {quote_title(view['name'])}"


def _preview(order: Order, about: dict[str, Any]) -> Preview:
    where = "; ".join(_describe(target) for target in order.targets)
    message = (
        f"{order.title}? {where}. At most {count_noun(order.requests, 'request')} "
        f"({round(order.credits):,} rate credits); items that "
        f"are {_SKIPPED[order.action]} are skipped. It can be undone."
    )
    # A misspelt name with autoCreate makes a new collection without a word (Archive docs,
    # collections).
    similar = [target for target in order.targets if target.near]
    otherwise = ""
    if similar:
        instead = ", ".join(f"'{target.near}' instead of '{target.name}'" for target in similar)
        otherwise = f"Call again with {instead} in `collectionNames`, if that is what is meant."
    message = " ".join([message, *order.doubts])
    return Preview(message, {**about, "items": order.items}, otherwise)


def _describe(target: Target) -> str:
    if target.id is not None:
        return f"{quote_title(target.name)} exists ({count_noun(target.items, 'item')})"
    near = f", though there is {quote_title(target.near)}" if target.near else ""
    return f"{quote_title(target.name)} will be created{near}"
