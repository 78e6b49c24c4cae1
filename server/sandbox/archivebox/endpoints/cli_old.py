"""The commands of the command line as endpoints, as 0.8.5 has them: they work while the caller
waits, and most of them are broken."""

from __future__ import annotations

from typing import Any

from server.sandbox.archivebox.answers import ProcessExit, ServerError
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints.cli import GREEN
from server.sandbox.archivebox.endpoints.selection import match_patterns_and_dates
from server.sandbox.archivebox.render import (
    format_date,
    make_command,
    make_folder,
    make_old_output,
)
from server.sandbox.archivebox.world.records import Snapshot, find_all, split_names


def add(call: Call) -> Any:
    """Answer `POST /cli/add` with the new links, when they are archived."""
    body, world = call.body, call.world
    urls = [url.strip() for url in body.urls if "://" in url]
    if body.depth not in (0, 1):
        raise ServerError("AssertionError", "Depth must be 0 or 1")
    present = {snapshot.url for snapshot in world.snapshots.values()}
    # This release has no crawls; here one holds the tags and the plugins of the submission.
    crawl = world.add_crawl(
        "\n".join(urls),
        call.caller,
        status="sealed",
        tags=split_names(body.tag),
        settings={"PLUGINS": body.extractors} if body.extractors else {},
    )
    links: list[dict[str, Any]] = []
    for url in dict.fromkeys(urls):
        if url not in present:
            snapshot = world.add_snapshot(crawl, url, world.now())
            _archive(call, snapshot)
            links.append(_make_link(call, snapshot))
    # Tags go on every URL of the submission, also on those that were known.
    tags = world.ensure_tags(crawl.tags, call.caller)
    for snapshot in find_all(world.snapshots.values(), lambda row: row.url in urls):
        snapshot.tags |= tags
        _complete(call, snapshot)
    line = f"[+] Adding {len(links)} links to index"
    return report(links, stdout=f"{GREEN}{line}</span>")


def update(call: Call) -> Any:
    """Answer `POST /cli/update`: archives, and then fails to show what it worked on, unless it only
    wrote the index."""
    snapshots = _select(call)
    only_index = call.body.index_only or (call.body.resume and not snapshots)
    if call.world.snapshots and not only_index:
        raise ServerError("TypeError", "Object of type Snapshot is not JSON serializable")
    return report([_make_link(call, snapshot) for snapshot in snapshots])


def schedule(call: Call) -> Any:
    """Answer `POST /cli/schedule`: asks its own arguments for one that they do not have."""
    raise ServerError("AttributeError", "'ScheduleCommandSchema' object has no attribute 'show'")


def list_links(call: Call) -> Any:
    """Answer `POST /cli/list`: finds the links, and then fails to write them down, whatever form is
    asked for."""
    if not _select(call):
        return report({})
    raise ServerError("AttributeError", "'benedict' object has no attribute 'to_dict'")


def remove(call: Call) -> Any:
    """Answer `POST /cli/remove`: fails on a table that no migration made. Nothing to remove ends
    the web process."""
    # Without patterns this release stops, while later ones remove everything.
    snapshots = _select(call) if call.body.filter_patterns else []
    if not snapshots:
        raise ProcessExit
    call.counts.removed_all += int(len(snapshots) == len(call.world.snapshots))
    raise ServerError("OperationalError", "no such table: crawls_outlink")


def report(result: Any, *, stdout: str = "") -> dict[str, Any]:
    """Return the answer of a command that succeeded."""
    return {"success": True, "errors": [], "result": result, "stdout": stdout, "stderr": ""}


def _archive(call: Call, snapshot: Snapshot) -> None:
    if call.body.index_only:
        snapshot.status, snapshot.retry_at = "sealed", None
    else:
        call.runner.archive_now(snapshot)


def _complete(call: Call, snapshot: Snapshot) -> None:
    """Run once more what has not succeeded, where that is asked for: new outputs of the same
    snapshot."""
    if not call.body.update:
        return
    results = call.world.list_results(snapshot)
    succeeded = find_all(results, lambda result: result.status == "succeeded")
    names = [result.plugin for result in succeeded]
    plugins = call.world.list_plugins(snapshot.crawl)
    for plugin in find_all(plugins, lambda plugin: plugin.name not in names):
        call.world.run_plugin(snapshot, plugin, call.world.now())


def _select(call: Call) -> list[Snapshot]:
    return match_patterns_and_dates(call, call.body.filter_type or "exact")


def _make_link(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot in the form of the time when it was called a link."""
    history: dict[str, list[dict[str, Any]]] = {}
    for result in call.world.list_results(snapshot):
        # Grouped by plugin, since one may have run several times.
        entry = {
            "cmd": make_command(result),
            "pwd": make_folder(call.world, snapshot),
            "cmd_version": None,
            "output": make_old_output(result),
            "status": result.status,
            "start_ts": format_date(result.started),
            "end_ts": format_date(result.ended),
            "index_texts": None,
            "schema": "ArchiveResult",
        }
        history.setdefault(result.plugin, []).append(entry)
    return {
        "timestamp": snapshot.timestamp,
        "url": snapshot.url,
        "title": snapshot.title,
        "tags": ",".join(call.world.list_tag_names(snapshot)) or None,
        "sources": [],
        "history": history,
        "downloaded_at": format_date(snapshot.downloaded_at),
        "schema": "Link",
    }
