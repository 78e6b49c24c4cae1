"""What can be known of ArchiveBox's schedules: its API tells their ids, and lists the crawls that
are copied at each run."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import filterfalse
from typing import Any

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import get_command_report
from server.archivebox.pagination import Record
from tools.archivebox.shapes import plain_id

ADMIN_PAGE = "/admin/crawls/crawlschedule/"
"""Where people see and change schedules on the server."""
_CREATOR = "system"
"""Who owns the crawls of schedules, whoever asked for them."""
_UNTOUCHED = timedelta(seconds=0.15)
"""How long after its making a pattern is changed at most; the shortest run seen took 0.2 s."""
_MOST_COUNTED = 50
"""Schedules of which the saved copies are counted, with one request each."""
_SAME = ("urls", "max_depth", "tags_str")
"""What a run has from its pattern."""


async def read_active(api: ArchiveBoxApi) -> list[str]:
    """Return the ids of the active schedules, oldest first."""
    # Not `show`: where one schedule never comes, the server answers that with a 503.
    answer = await api.change("POST", "/cli/schedule", {"quiet": True}, repeatable=True, verify="")
    return list(map(str, get_command_report(answer).get("active_schedule_ids") or ()))


async def list_schedules(api: ArchiveBoxApi) -> list[Record]:
    """Return the active schedules, oldest first: what each saves, since when, and what it did."""
    active = await read_active(api)
    if not active:
        return []
    crawls = list(filter(_is_of_schedule, await api.get("/crawls/crawls")))
    patterns = [_find_pattern(identity, crawls) for identity in active]
    # A pattern is no run, also where its schedule is deleted.
    runs = [crawl for crawl in filterfalse(_is_pattern, crawls) if crawl not in patterns]
    schedules = [_describe(*pair, runs) for pair in zip(active, patterns, strict=True)]
    for schedule in schedules[:_MOST_COUNTED]:
        await _count_copies(api, schedule)
    # Before 0.9.73 crawls have the setting, but each run makes a new copy all the same.
    if not api.description.takes("POST /cli/schedule", "only_new"):
        for schedule in schedules:
            schedule["only_new"] = False
    return schedules


def _is_of_schedule(crawl: Record) -> bool:
    return bool(crawl.get("created_by_username") == _CREATOR)


async def _count_copies(api: ArchiveBoxApi, schedule: Record) -> None:
    """Put the number of saved copies into a schedule of one address."""
    urls = schedule.get("urls", [])
    if len(urls) == 1:
        answer = await api.get("/core/snapshots", url=urls[0], limit=1)
        schedule["copies"] = answer["total_items"]


def describe(schedules: list[Record], url: str) -> dict[str, Any]:
    """Return the answer about the active schedules of the server at that address."""
    notes = [
        "ArchiveBox's API does not say how often a schedule runs, nor when next: the user sees "
        f"both, and can delete a single one, at {url}{ADMIN_PAGE}. `last_run` is the last crawl of "
        "the same URLs, depth and tags; `copies` are all saved copies of the URL."
    ]
    skipping = [schedule for schedule in schedules if schedule.get("only_new")]
    if skipping:
        notes.append(
            f"{len(skipping)} of them skip what is saved already (`only_new`): a page that is "
            "saved once is not saved again."
        )
    return {
        "active_schedule_ids": [schedule["id"] for schedule in schedules],
        "schedules": schedules,
        "notes": notes if schedules else ["There is no active schedule."],
    }


def _is_pattern(crawl: Record) -> bool:
    """Return whether a crawl is one that a deleted schedule copied: it was never worked on."""
    if crawl.get("status") != "sealed":
        return False
    created, modified = (
        datetime.fromisoformat(crawl[f"{name}_at"]) for name in ("created", "modified")
    )
    return modified - created <= _UNTOUCHED


def _find_pattern(identity: str, crawls: list[Record]) -> Record | None:
    """Return the crawl that a schedule copies: the one that was made right before it.

    Ids begin with the time at which they were made, and both are made by one request.
    """
    earlier = filter(lambda crawl: plain_id(crawl["id"]) < plain_id(identity), crawls)
    last = max(earlier, key=lambda crawl: plain_id(crawl["id"]), default=None)
    is_pattern = last is not None and last.get("status") == "sealed"
    return last if is_pattern else None


def _describe(identity: str, pattern: Record | None, runs: list[Record]) -> Record:
    if pattern is None:
        return {"id": identity}
    its_runs = [
        run["created_at"]
        for run in runs
        if plain_id(run["id"]) > plain_id(identity) and _is_same(run, pattern)
    ]
    return {
        "id": identity,
        "urls": str(pattern["urls"]).split(),
        "depth": pattern.get("max_depth"),
        "tags": pattern.get("tags_str"),
        "only_new": bool((pattern.get("config") or {}).get("ONLY_NEW")),
        "since": pattern["created_at"],
        "last_run": max(its_runs, default=None),
    }


def _is_same(run: Record, pattern: Record) -> bool:
    return all(run.get(name) == pattern.get(name) for name in _SAME)
