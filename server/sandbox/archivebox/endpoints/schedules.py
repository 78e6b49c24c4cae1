"""Crawls that repeat."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from server.sandbox.archivebox.answers import ServerError
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.crawls import start_crawl
from server.sandbox.archivebox.render import format_id
from server.sandbox.archivebox.world.records import SYSTEM, Schedule, split_names

_ALIASES = (
    "minute",
    "minutely",
    "hour",
    "hourly",
    "day",
    "daily",
    "week",
    "weekly",
    "month",
    "monthly",
    "year",
    "yearly",
)
_ITEM = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?"
_FIELD = rf"{_ITEM}(?:,{_ITEM})*"
_CRON = re.compile(rf"{_FIELD}(?:\s+{_FIELD}){{4}}")
# Not worked out: the days that no month has, or not that one.
_NEVER = re.compile(r"\S+\s+\S+\s+(?:30|31)\s+2\s")
_HINT = "Use an alias like daily/weekly/monthly or a cron expression such as '0 */6 * * *'."
_LONGEST_LABEL = 64


def change_schedules(call: Call) -> tuple[dict[str, Any], str]:
    """Change the schedules as requested; return the command's result and the line it prints."""
    body, world = call.body, call.world
    line = ""
    disabled, started, ids = 0, 0, list[str]()
    # One request may do all three, in this order; the line that is printed reports the last.
    if body.clear:
        disabled = len(world.schedules)
        world.schedules.clear()
        line = f"[√] Disabled {disabled} scheduled crawl(s)."
    if body.every or body.add:
        every = _check_interval(body.every)
        ids = [_add_schedule(call, every)]
        _require_next_run(every)
        line = f"[√] Created scheduled crawl. id={ids[0]} every={every}"
    # What is shown says when each schedule runs next, and fails for one that never does.
    if body.show:
        _require_next_run(*(schedule.every for schedule in world.schedules.values()))
    if body.run_all:
        started = _start_all(call)
        line = f"[*] Enqueued {started} scheduled crawl(s) immediately."
    result = {
        "created_schedule_ids": ids,
        "disabled_count": disabled,
        "run_all_enqueued": started,
        "run_all_maintained": len(world.schedules) - started if body.run_all else 0,
        "active_schedule_ids": [format_id(world, id) for id in world.schedules],
    }
    return result, line or f"[*] Active scheduled crawls: {len(world.schedules)}"


def _check_interval(text: str | None) -> str:
    interval = (text or "day").strip()
    if interval.lower() not in _ALIASES and not _CRON.fullmatch(interval):
        raise ServerError("ValueError", f"Invalid schedule. {_HINT}")
    return interval


def _require_next_run(*schedules: str) -> None:
    if any(map(_NEVER.match, schedules)):
        raise ServerError("CroniterBadDateError", "failed to find next date")


def _add_schedule(call: Call, every: str) -> str:
    """Add a schedule with the crawl that it repeats, and return its id."""
    body, world = call.body, call.world
    source = body.import_path or ""
    label = f"Scheduled import: {source}"[:_LONGEST_LABEL]
    # Without a source the schedule only checks again what there is, without depth and tags.
    template = world.add_crawl(
        source,
        # Whoever asks for a schedule, its crawls are the system's.
        SYSTEM,
        status="sealed",
        max_depth=body.depth if source else 0,
        tags=split_names(body.tag) if source else [],
        label=label if source else "Scheduled ArchiveBox update",
        only_new=is_only_new(call),
    )
    # Made by the same request, a little later: ids are in the order of their time.
    id = world.make_id(world.now() + timedelta(seconds=0.05), 88)
    world.schedules[id] = Schedule(template.id, every)
    return format_id(world, id)


def _start_all(call: Call) -> int:
    """Start every schedule that has something to archive; return how many there are."""
    count = 0
    for schedule in call.world.schedules.values():
        template = call.world.crawls.get(schedule.template_id)
        if template is None or not template.urls:
            continue
        crawl = call.world.add_crawl(
            template.urls,
            template.created_by,
            max_depth=template.max_depth,
            tags=list(template.tags),
            only_new=template.only_new,
        )
        start_crawl(call, crawl, crawl.urls.splitlines())
        count += 1
    return count


def is_only_new(call: Call) -> bool:
    """Return whether addresses that are saved already are left out."""
    body = call.body
    # Older releases make a new snapshot each time.
    if not call.dialect.adds_later or body.update or body.overwrite:
        return False
    return body.only_new is not False
