"""The commands of the command line as endpoints, since 0.9.

Each can do what nobody wants from a caller far away: remove every snapshot at once, or end the
process that answers.
"""

from __future__ import annotations

import re
from typing import Any

from server.sandbox.archivebox.answers import Detail, EndlessCommand, ProcessExit, ServerError
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.cli_rows import format_listing
from server.sandbox.archivebox.endpoints.crawls import check_url, start_crawl
from server.sandbox.archivebox.endpoints.schedules import change_schedules, is_only_new
from server.sandbox.archivebox.endpoints.selection import select_snapshots
from server.sandbox.archivebox.endpoints.snapshots import parse_status
from server.sandbox.archivebox.render import format_id
from server.sandbox.archivebox.world.records import (
    Snapshot,
    find_first,
    split_names,
    strip_names,
)

# How the colours of a terminal look after the server turned them into HTML.
GREEN = '<span style="color: rgb(0, 215, 0)"><br>'
_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_FILTERS = (
    "filter_patterns",
    "status",
    "url__icontains",
    "url__istartswith",
    "tag",
    "crawl_id",
    "limit",
    "sort",
    "search",
    "after",
    "before",
    "resume",
)
# The first second of the year 10000, which Python's dates do not reach.
_TOO_FAR = 253_402_300_800
_DEEPEST = 4


def add(call: Call) -> Any:
    """Answer `POST /cli/add`: on 0.9.73 the snapshots appear seconds later; before they are there
    at once."""
    body = call.body
    urls, source = _read_urls(call)
    if body.depth not in range(_DEEPEST + 1):
        raise ServerError("ValueError", "Depth must be 0-4")
    # Releases without these fields behave as with their defaults.
    max_urls = getattr(body, "max_urls", 0)
    if max_urls < 0:
        raise ServerError("ValueError", "max_urls must be >= 0")
    persona = _ensure_persona(call, getattr(body, "persona", None))
    crawl = call.world.add_crawl(
        source,
        call.caller,
        max_depth=body.depth,
        tags=list(dict.fromkeys(split_names(body.tag))),
        settings={"PLUGINS": body.plugins} if body.plugins else {},
        persona=persona,
        only_new=is_only_new(call),
        max_urls=max_urls,
    )
    snapshots = start_crawl(call, crawl, urls)
    crawl_id = format_id(call.world, crawl.id)
    result = {
        "crawl_id": crawl_id,
        "num_snapshots": len(snapshots),
        "snapshot_ids": _list_ids(call, snapshots),
        "queued_urls": body.urls,
    }
    line = f"[+] Created Crawl {crawl_id} with max_depth={body.depth}"
    return report(result, stdout=f"{GREEN}{line}</span>")


def search(call: Call) -> Any:
    """Answer `POST /cli/search`: newest first, and everything if nothing limits it."""
    listing, form = format_listing(call, select_snapshots(call))
    return report(listing, form)


def update(call: Call) -> Any:
    """Answer `POST /cli/update`: what fits is done again; before 0.9.73 the default date is beyond
    the calendar."""
    body = call.body
    if not call.dialect.filters_commands:
        if body.before is not None and body.before > _TOO_FAR:
            raise ServerError("ValueError", "year 31690708 is out of range")
        return report(None)
    parse_status(call, body.status)
    # Unlike a search and a removal, an update without a filter does nothing.
    if not any(getattr(body, name) for name in _FILTERS):
        return report(None)
    snapshots = select_snapshots(call)
    for snapshot in snapshots:
        if snapshot.status != "deleting":
            snapshot.status, snapshot.retry_at = "queued", call.world.now()
            call.runner.start_snapshot(snapshot)
    ids = _list_ids(call, snapshots)
    return report({"matched_count": len(ids), "snapshot_ids": ids})


def remove(call: Call) -> Any:
    """Answer `POST /cli/remove`: everything if nothing limits it; the end of the web process if
    nothing fits."""
    body, world = call.body, call.world
    snapshots = select_snapshots(call)
    if not snapshots:
        raise ProcessExit
    call.counts.removed_all += int(len(snapshots) == len(world.snapshots))
    for snapshot in snapshots:
        world.remove_snapshot(snapshot)
    ids, rest = _list_ids(call, snapshots), len(world.snapshots)
    stdout = f"{GREEN}[√] Removed {len(ids)} out of {len(ids) + rest} links</span>"
    result: dict[str, Any] = {"removed_count": len(ids), "removed_snapshot_ids": ids}
    if not call.dialect.filters_commands:
        return report({**result, "remaining_snapshots": rest}, stdout=stdout)
    result |= {
        "not_removed_count": 0,
        "not_removed_snapshot_ids": [],
        "success": True,
        "error": "",
        "timeout": min(body.timeout, 60.0),
    }
    return report(result, stdout=stdout)


def schedule(call: Call) -> Any:
    """Answer `POST /cli/schedule`: crawls that repeat; `foreground` never answers."""
    if call.body.foreground:
        raise EndlessCommand
    result, line = change_schedules(call)
    return report(result, stdout=f"{GREEN}{line}</span>")


def report(result: Any, form: str = "json", *, stdout: str = "") -> dict[str, Any]:
    """Return the answer of a command that succeeded."""
    return {
        "success": True,
        "errors": [],
        "result": result,
        "result_format": form,
        "stdout": stdout,
        "stderr": "",
    }


def _list_ids(call: Call, snapshots: list[Snapshot]) -> list[str]:
    return [format_id(call.world, snapshot.id) for snapshot in snapshots]


def _ensure_persona(call: Call, text: str | None) -> str:
    """Return the name of the persona, which is made if there is none of that name."""
    name = (text or "").strip() or "Default"
    personas = call.world.personas.values()
    if not find_first(personas, lambda persona: persona.name.lower() == name.lower()):
        call.world.add_persona(name, call.caller)
    return name


def _read_urls(call: Call) -> tuple[list[str], str]:
    """Return the URLs to archive and the text that is kept of the submission.

    What is no URL is dropped in silence, unless nothing is left.
    """
    lines: list[str] = call.body.urls
    if not call.dialect.adds_later:
        return strip_names(lines), "\n".join(lines)
    if len(lines) == 1:
        # A single one that is no URL is kept as a text in which URLs may be found later.
        return _URL.findall(lines[0]), lines[0]
    urls = list(filter(_is_url, map(str.strip, lines)))
    if not urls:
        raise Detail(400, "No valid URLs were submitted")
    return urls, "\n".join(urls)


def _is_url(text: str) -> bool:
    try:
        check_url(text)
    except Detail:
        return False
    return True
