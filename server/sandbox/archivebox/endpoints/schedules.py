"""Crawls that repeat."""

from __future__ import annotations

import re
from typing import Any

from server.sandbox.archivebox.answers import ServerError
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.crawls import start_crawl
from server.sandbox.archivebox.render import format_id
from server.sandbox.archivebox.world.records import split_names

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
        ids = [_add_schedule(call)]
        line = f"[√] Created scheduled crawl. id={ids[0]} every={every}"
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


def _add_schedule(call: Call) -> str:
    """Add a schedule with the crawl that it repeats, and return its id."""
    body, world = call.body, call.world
    source = body.import_path or ""
    label = f"Scheduled import: {source}"[:_LONGEST_LABEL]
    # Without a source the schedule only checks again what there is, without depth and tags.
    template = world.add_crawl(
        source,
        call.caller,
        status="sealed",
        max_depth=body.depth if source else 0,
        tags=split_names(body.tag) if source else [],
        label=label if source else "Scheduled ArchiveBox update",
    )
    id = world.make_id(world.now(), 88)
    world.schedules[id] = template.id
    return format_id(world, id)


def _start_all(call: Call) -> int:
    """Start every schedule that has something to archive; return how many there are."""
    count = 0
    for template_id in call.world.schedules.values():
        template = call.world.crawls.get(template_id)
        if template is None or not template.urls:
            continue
        crawl = call.world.add_crawl(
            template.urls,
            call.caller,
            max_depth=template.max_depth,
            tags=list(template.tags),
        )
        start_crawl(call, crawl, crawl.urls.splitlines())
        count += 1
    return count
