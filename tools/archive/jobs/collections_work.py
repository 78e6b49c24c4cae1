"""The work of a collection job: which items have to be moved, one request each, and what undoes it.

A record is an item; its detail says which collections it has to be put into or taken out of, and
none where nothing has to be done. So a job journals what it changes, and its inverse leaves alone
what was so before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio

from server.archive.context import ArchiveContext
from server.archive.pagination import ROW_CAP
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from server.tool.result import drop_empty, drop_nulls, select_notes
from tools.archive.collections import AddItemToCollections, RemoveItemFromCollections
from tools.archive.content.fitting import add_misfits, describe_counted_misfits
from tools.archive.items_source import NAME_FIELDS, ItemSource, read_account
from tools.archive.jobs.collections_members import MemberReader
from tools.archive.jobs.collections_targets import (
    Target,
    find_targets,
    list_collections,
    match_targets,
)
from tools.archive.jobs.collections_undo import find_reversals, inverse
from tools.archive.jobs.outcomes import Outcome, OutcomeFile, OutcomeList

_REFUSALS = 5
"""Refusals in a row after which the collections are looked at: one that is gone would refuse all
the rest."""
_UNCHANGED = {"add": "It was in already.", "remove": "It was not in."}
_KEYS = {
    RecordState.DONE: "changedItems",
    RecordState.SKIPPED: "skippedItems",
    RecordState.FAILED: "failedItems",
    RecordState.UNKNOWN: "failedItems",
}
"""What the result calls the items in each state."""

Candidate = tuple[str, dict[str, Any]]
"""An item's id (or a link that leads to none), and what is known of it."""
Piece = tuple[list[Candidate], Any, dict[str, Any]]
"""Some items, the cursor behind them, and the counters of what was left out."""

_KINDS: dict[str, type[AddItemToCollections | RemoveItemFromCollections]] = {
    "add": AddItemToCollections,
    "remove": RemoveItemFromCollections,
}
_LINKS = {
    "NOT_FOUND": "This link leads to no item of the workspace.",
    "INVALID_URL": "This is no link that Archive can look up.",
}


@dataclass(frozen=True)
class CollectionOrder:
    """What a job does: it puts items into collections (`add`), takes them out (`remove`), or
    reverses what another job (`undo`) did."""

    action: str
    names: list[str] | None = None
    ids: list[str] | None = None
    auto_create: bool = False
    undo: str | None = None


class CollectionWork:
    """Moves items. What a crash must not lose is journalled: the collections in the counters, the
    items as records."""

    writes = True
    repeatable = True
    # Archive has no bulk mutation for collections: one item per call.
    batch = 1
    width = 8

    def __init__(self, context: ArchiveContext, source: ItemSource, order: CollectionOrder) -> None:
        self._context = context
        self._source = source
        self._order = order
        self._members = MemberReader(context.background)
        self._creating = anyio.Lock()
        self._made: set[str] = set()
        self._refused = 0

    async def gather(self, job: Handle) -> None:
        """Journal the items, each with the collections that do not have it as they should yet."""
        await self._aim(job)
        # Membership is read by pages of 100 first: cheaper than a request (55 credits) for an item
        # that is in already.
        members: dict[str, set[str]] = {}
        for target in _targets(job):
            if target["id"]:
                members[target["id"]] = await self._members.read(job, target)
        async for candidates, cursor, misfits in self._find_items(job):
            records = [_make_record(job, item, members) for item in candidates]
            await job.add(records, cursor, **misfits)
            pending = await job.count(RecordState.PENDING)
            job.set_message(f"{pending:,} items found")
        # The estimate counted links and ids that may lead to no item.
        await job.set_total(await job.count(RecordState.PENDING))

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Move one item."""
        (record,) = records
        job.set_message("")
        # Failed items may be sent again after a file was written: that file is not true any more.
        await self._file(job).forget()
        if missing := record.detail.get("missing"):
            reason = _LINKS.get(missing, f"Archive says {missing} of this link.")
            job.mark_failed(record, reason, code="NOT_FOUND")
            return
        if not record.detail["collections"]:
            job.mark_skipped(record, record.detail["reason"])
            return
        _, names = _place(job, record)
        if self._made.issuperset(names) or not await self._create(job, record):
            await self._move(job, record)

    async def _create(self, job: Handle, record: RecordRow) -> bool:
        """Move one item into collections that it creates; return whether there was any to create.

        One such item at a time, or each of those under way would make a collection of that name.
        """
        async with self._creating:
            await self._look_up(job)
            _, names = _place(job, record)
            # Asked again under the lock: who held it before may have made the collection meanwhile.
            if self._made.issuperset(names):
                return False
            await self._move(job, record)
            self._made.update(names)
            await self._look_up(job)
            return True

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Return what became of each item, what the collections hold now, and how to undo it."""
        rows = await list_collections(self._context.background)
        await self._take_ids(job, rows)
        listed = await OutcomeList.read(_list_outcomes(job))
        changed, failed = listed.count("changedItems"), listed.count("failedItems")
        notes = describe_counted_misfits(job.counters)
        notes += select_notes(
            (
                changed,
                f'archive_start_collection_job with {{"undo": "{job.row.id}"}} '
                "reverses exactly this.",
            ),
            (failed, f"{failed} not done: `resume` with this job's id tries them again."),
        )
        result = {
            "action": job.counters["action"],
            "collections": [_count_items(target, rows) for target in _targets(job)],
            "changed": changed,
            "notes": notes,
        }
        return await self._file(job).add_to(result, listed, _list_outcomes(job))

    def _file(self, job: Handle) -> OutcomeFile:
        return OutcomeFile(self._context.exports(), job, "collection-items")

    async def _aim(self, job: Handle) -> None:
        """Journal which collections, once: a job that goes on means the same ones, whatever they
        are called then."""
        # Names are resolved once, or a rename between two runs would send the rest elsewhere.
        if "targets" in job.counters:
            return
        action, targets = await self._choose_targets()
        entries = [{"id": target.id, "name": target.name} for target in targets]
        await job.checkpoint(action=action, targets=entries)

    async def _choose_targets(self) -> tuple[str, list[Target]]:
        """Return what is done, and with which collections."""
        rows, order = await list_collections(self._context.background), self._order
        if order.undo is not None:
            row = await (await self._context.jobs()).get(order.undo)
            return inverse(row.counters["action"]), find_targets(row, rows)
        targets = match_targets(
            order.names,
            order.ids,
            rows,
            auto_create=order.auto_create,
            partial=order.action == "add",
        )
        return order.action, targets

    def _find_items(self, job: Handle) -> AsyncIterator[Piece]:
        """Return what there is to move, piece by piece."""
        if self._order.undo is None:
            return self._read_source(job)
        return self._read_job(job, self._order.undo)

    async def _read_job(self, job: Handle, undo: str) -> AsyncIterator[Piece]:
        """Yield what the job that is undone has moved."""
        jobs, after = await self._context.jobs(), int(job.cursor or 0)
        async for rows, number in find_reversals(jobs, undo, _targets(job), after=after):
            yield rows, number, {}

    async def _read_source(self, job: Handle) -> AsyncIterator[Piece]:
        """Yield the items of a search or a list."""
        async for batch in self._source.batches(self._context.background, job.cursor, NAME_FIELDS):
            items: list[Candidate] = []
            for item in batch.items:
                items.append((item["id"], {"account": read_account(item)}))
            # Ids that were not found are sent all the same: Archive refuses them one by one, and
            # each refusal is recorded.
            items += [(identity, {}) for identity in batch.unknown]
            items += [(entry["url"], {"missing": entry["status"]}) for entry in batch.missing]
            yield items, batch.cursor, add_misfits(job.counters, batch.misfits, batch.broken)

    async def _move(self, job: Handle, record: RecordRow) -> None:
        ids, names = _place(job, record)
        arguments = drop_empty(
            {"itemId": record.key, "collectionIds": ids, "collectionNames": names}
        )
        # A collection that somebody deletes in the middle is not made again.
        if not self._made.issuperset(names):
            arguments["autoCreate"] = True
        request = _KINDS[job.counters["action"]].model_validate(arguments)
        try:
            await self._context.background.apply(request, admit=lambda: job.admit([record]))
        except Failure as failure:
            # One unknown collection id rejects the whole call (Archive docs, collections).
            if failure.code is Code.REJECTED:
                await self._look_after(job)
            raise
        self._refused = 0
        job.mark_done(record, {**record.detail, "collections": [*ids, *names]})

    async def _look_after(self, job: Handle) -> None:
        """After some refusals in a row, stop the job if it is because of its collections."""
        self._refused += 1
        if self._refused % _REFUSALS:
            return
        rows = await list_collections(self._context.background)
        # In a list that was cut, a missing collection proves nothing.
        if len(rows) >= ROW_CAP:
            return
        # One that is still to be created has no id yet.
        existing = {None, *(row["id"] for row in rows)}
        gone = [f"'{target['name']}'" for target in _targets(job) if target["id"] not in existing]
        if gone:
            raise Failure(
                Code.FORBIDDEN,  # not about the one record
                f"There is no collection {', '.join(gone)} any more; the rest was not sent.",
                "archive_mcp_cancel_job ends the job; what it has done can be undone.",
            )

    async def _look_up(self, job: Handle) -> None:
        """Journal the ids of collections that the job creates, as soon as they have one."""
        if all(target["id"] for target in _targets(job)):
            return
        await self._take_ids(job, await list_collections(self._context.background))

    async def _take_ids(self, job: Handle, rows: list[dict[str, Any]]) -> None:
        targets = _targets(job)
        existing = {row["name"]: row["id"] for row in rows}
        result = []
        for target in targets:
            identity = target["id"] or existing.get(target["name"])
            result.append({**target, "id": identity})
        if result != targets:
            await job.checkpoint(targets=result)


def _count_items(target: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a collection with the items it holds now; without where nobody can tell."""
    for row in rows:
        if row["id"] == target["id"]:
            return {**target, "name": row["name"], "itemCount": row["itemCount"]}
    return target


async def _list_outcomes(job: Handle) -> AsyncIterator[Outcome]:
    """Yield what became of each item."""
    async for record in job.all_rows(*_KEYS):
        yield Outcome.of(_KEYS[record.state], record)


def _targets(job: Handle) -> list[dict[str, Any]]:
    targets: list[dict[str, Any]] = job.counters["targets"]
    return targets


def _list_places(job: Handle) -> list[str]:
    """Return the ids of the collections, and the names of those that have none yet."""
    return [target["id"] or target["name"] for target in _targets(job)]


def _place(job: Handle, record: RecordRow) -> tuple[list[str], list[str]]:
    """Return the record's collections by id, and by name those that have none yet."""
    existing = [target for target in _targets(job) if target["id"]]
    lookup = {target["name"]: target["id"] for target in existing}
    # An id counts first: a collection may be named like another one's id.
    lookup |= {target["id"]: target["id"] for target in existing}
    ids: list[str] = []
    names: list[str] = []
    for place in record.detail["collections"]:
        if place in lookup:
            ids.append(lookup[place])
        else:
            names.append(place)
    return ids, names


def _make_record(job: Handle, item: Candidate, members: dict[str, set[str]]) -> NewRecord:
    """Return an item with what has to be changed for it, if anything."""
    key, facts = item
    if "missing" in facts:
        return NewRecord(key, facts)
    action = job.counters["action"]
    # An undo says for each item which collections; otherwise it is about all of them.
    places = facts.get("collections", _list_places(job))
    is_member = action == "remove"
    # A collection that is still to be created has no members, so its items all count as changes.
    changes = [place for place in places if (key in members.get(place, ())) is is_member]
    detail = {"collections": changes, "account": facts.get("account")}
    if not changes:
        detail["reason"] = facts.get("reason") or _UNCHANGED[action]
    return NewRecord(key, drop_nulls(detail))
