"""Crawls that repeat."""

from __future__ import annotations

import re
from typing import Any

from server.sandbox.archivebox.answers import Raised
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.crawls import begin
from server.sandbox.archivebox.render import shown_id

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
_FIELD = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?(?:,(?:\*|\d+(?:-\d+)?)(?:/\d+)?)*"
_CRON = re.compile(rf"{_FIELD}(?:\s+{_FIELD}){{4}}")


def schedule(call: Call) -> tuple[dict[str, Any], str]:
    """Change the schedules as asked: what the command returns, and what it prints."""
    body, world = call.body, call.world
    words, disabled, enqueued = "", 0, 0
    created: list[str] = []
    if body.clear:
        disabled = len(world.schedules)
        world.schedules.clear()
        words = f"[√] Disabled {disabled} scheduled crawl(s)."
    if body.every or body.add:
        every = (body.every or "day").strip()
        if every.lower() not in _ALIASES and not _CRON.fullmatch(every):
            hint = (
                "Use an alias like daily/weekly/monthly or a cron expression such as '0 */6 * * *'."
            )
            raise Raised("ValueError", f"Invalid schedule. {hint}")
        source = body.import_path or ""
        template = world.add_crawl(
            source, call.caller, status="sealed", max_depth=body.depth if source else 0,
            tags=[name.strip() for name in body.tag.split(",") if name.strip()] if source else [],
            label=f"Scheduled import: {source}"[:64] if source else "Scheduled ArchiveBox update",
        )  # fmt: skip
        id = world.new_id(world.moment(), 88)
        world.schedules[id] = template.id
        created = [shown_id(world, id)]
        words = f"[√] Created scheduled crawl. id={created[0]} every={every}"
    if body.run_all:
        for template_id in world.schedules.values():
            crawl = world.crawls.get(template_id)
            if crawl is not None and crawl.urls:
                again = world.add_crawl(
                    crawl.urls, call.caller, max_depth=crawl.max_depth, tags=list(crawl.tags)
                )
                begin(call, again, again.urls.splitlines())
                enqueued += 1
        words = f"[*] Enqueued {enqueued} scheduled crawl(s) immediately."
    result = {
        "created_schedule_ids": created,
        "disabled_count": disabled,
        "run_all_enqueued": enqueued,
        "run_all_maintained": len(world.schedules) - enqueued if body.run_all else 0,
        "active_schedule_ids": [shown_id(world, id) for id in world.schedules],
    }
    return result, words or f"[*] Active scheduled crawls: {len(world.schedules)}"
