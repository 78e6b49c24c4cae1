"""The commands of the command line as endpoints, as 0.8.5 has them: they work while the caller
waits."""

from __future__ import annotations

from typing import Any

from server.sandbox.archivebox.answers import Ended, Raised
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.cli import GREEN, pattern_matches
from server.sandbox.archivebox.render import (
    command,
    directory,
    old_output,
    stamp,
)
from server.sandbox.archivebox.world.records import Snapshot


def add(call: Call) -> Any:
    """`POST /cli/add`: answers with the new links when they are archived."""
    body, world = call.body, call.world
    known = {each.url for each in world.snapshots.values()}
    urls = [url.strip() for url in body.urls if "://" in url]
    if body.depth not in (0, 1):
        raise Raised("AssertionError", "Depth must be 0 or 1")
    tags = [name.strip() for name in body.tag.split(",") if name.strip()]
    settings = {"PLUGINS": body.extractors} if body.extractors else {}
    crawl = world.add_crawl(
        "\n".join(urls), call.caller, status="sealed", tags=tags, settings=settings
    )
    made: list[Snapshot] = []
    for url in dict.fromkeys(urls):
        if url in known:
            continue
        snapshot = world.add_snapshot(crawl, url, world.moment())
        made.append(snapshot)
        if not body.index_only:
            call.runner.finish(snapshot)
        else:
            snapshot.status, snapshot.retry_at = "sealed", None
    return report(
        [_link(call, each) for each in made],
        stdout=f"{GREEN}[+] Adding {len(made)} links to index</span>",
    )


def update(call: Call) -> Any:
    """`POST /cli/update`: archives, and then fails to show what it worked on, unless it only wrote
    the index."""
    found = _selected(call)
    if call.body.index_only or (call.body.resume and not found):
        return report([_link(call, each) for each in found])
    return _unshowable(call)


def schedule(call: Call) -> Any:
    """`POST /cli/schedule`: asks its own arguments for one that they do not have."""
    raise Raised("AttributeError", "'ScheduleCommandSchema' object has no attribute 'show'")


def list_links(call: Call) -> Any:
    """`POST /cli/list`: finds the links, and then fails to write them down, whatever form is asked
    for."""
    if not _selected(call):
        return report({})
    raise Raised("AttributeError", "'benedict' object has no attribute 'to_dict'")


def remove(call: Call) -> Any:
    """`POST /cli/remove`: fails on a table that no migration made. Nothing to remove ends the web
    process."""
    found = _selected(call) if call.body.filter_patterns else []
    if not found:
        raise Ended
    call.counts.removed_all += int(len(found) == len(call.world.snapshots))
    raise Raised("OperationalError", "no such table: crawls_outlink")


def report(result: Any, *, stdout: str = "") -> dict[str, Any]:
    """What a command answers."""
    return {"success": True, "errors": [], "result": result, "stdout": stdout, "stderr": ""}


def _unshowable(call: Call) -> Any:
    if call.world.snapshots:
        raise Raised("TypeError", "Object of type Snapshot is not JSON serializable")
    return report([])


def _selected(call: Call) -> list[Snapshot]:
    body = call.body
    after = str(body.after) if body.after is not None else ""
    before = str(body.before) if body.before is not None else "~"
    found = pattern_matches(call, body.filter_patterns or [], body.filter_type or "exact")
    return [each for each in found if after <= each.timestamp < before]


def _link(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    history: dict[str, list[dict[str, Any]]] = {}
    for result in call.world.results(snapshot):
        history.setdefault(result.plugin, []).append(
            {
                "cmd": command(result),
                "pwd": directory(call.world, snapshot),
                "cmd_version": None,
                "output": old_output(result),
                "status": result.status,
                "start_ts": stamp(result.started),
                "end_ts": stamp(result.ended),
                "index_texts": None,
                "schema": "ArchiveResult",
            }
        )
    return {
        "timestamp": snapshot.timestamp,
        "url": snapshot.url,
        "title": snapshot.title,
        "tags": ",".join(call.world.names(snapshot)) or None,
        "sources": [],
        "history": history,
        "downloaded_at": stamp(snapshot.downloaded_at),
        "schema": "Link",
    }
