"""Records as the API shows them, in the fields of each release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server.sandbox.archivebox.world.files import file_map
from server.sandbox.archivebox.world.outputs import PLUGINS
from server.sandbox.archivebox.world.records import (
    Crawl,
    Persona,
    Result,
    Snapshot,
    Tag,
    User,
    abid,
    dashed,
)
from server.sandbox.archivebox.world.settings import frozen, masked
from server.sandbox.archivebox.world.world import World

_LEGACY = {plugin.name: plugin.legacy for plugin in PLUGINS}
_BINARIES = {plugin.name: plugin.binary for plugin in PLUGINS}


def stamp(moment: datetime | None) -> str | None:
    """A date as the API writes it: milliseconds if there are any, and Z."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(
        timespec="milliseconds" if moment.microsecond else "seconds"
    )
    return text.replace("+00:00", "Z")


def iso(moment: datetime | None) -> str | None:
    """A date as commands write it."""
    return moment.isoformat() if moment else None


def shown_id(world: World, text: str) -> str:
    """An id in the notation of the release."""
    return text if world.dialect.compact_ids else dashed(text)


def archive_path(world: World, snapshot: Snapshot) -> str:
    """Where a person finds the snapshot on the web."""
    if world.dialect.old:
        return f"archive/{snapshot.timestamp}"
    creator = snapshot.crawl.created_by.name
    name = "web" if creator == "system" else creator
    return f"{name}/{snapshot.bookmarked_at:%Y%m%d}/{snapshot.page.host}/{shown_id(world, snapshot.id)}"


def output_size(world: World, snapshot: Snapshot) -> int:
    """Bytes of all files of the snapshot."""
    return sum(_size(result) for result in world.results(snapshot))


def snapshot_record(
    world: World, snapshot: Snapshot, *, with_results: bool = False
) -> dict[str, Any]:
    """A snapshot, with its results if they are wanted."""
    results = world.results(snapshot)
    results_shown = (
        [result_record(world, result, minimal=True) for result in results] if with_results else []
    )
    found: dict[str, Any] = {"TYPE": "core.models.Snapshot", "id": shown_id(world, snapshot.id)}
    if world.dialect.old:
        found["abid"] = abid("snp", snapshot.id)
    if world.dialect.compact_ids:
        found |= {"crawl_id": snapshot.crawl.id, "persona": snapshot.crawl.persona}
    found |= _creator(snapshot.crawl.created_by)
    found |= {"created_at": stamp(snapshot.created_at), "modified_at": stamp(snapshot.modified_at)}
    if not world.dialect.old:
        found |= {"status": snapshot.status, "retry_at": stamp(snapshot.retry_at)}
    found |= {
        "bookmarked_at": stamp(snapshot.bookmarked_at),
        "downloaded_at": stamp(snapshot.downloaded_at),
        "url": snapshot.url,
        "tags": world.names(snapshot),
        "title": snapshot.title,
        "timestamp": snapshot.timestamp,
        "archive_path": archive_path(world, snapshot),
    }
    if not world.dialect.old:
        size = output_size(world, snapshot)
        found |= {"archive_size": size, "output_size": size}
    return {**found, "num_archiveresults": len(results), "archiveresults": results_shown}


def result_record(world: World, result: Result, *, minimal: bool = False) -> dict[str, Any]:
    """A result; `minimal` leaves out what the snapshot around it says."""
    found = _old_result(world, result) if world.dialect.old else _result(world, result)
    if minimal:
        return found
    snapshot = result.snapshot
    found["snapshot_id"] = shown_id(world, snapshot.id)
    if world.dialect.old:
        found["snapshot_abid"] = abid("snp", snapshot.id)
    return {
        **found,
        "snapshot_timestamp": snapshot.timestamp,
        "snapshot_url": snapshot.url,
        "snapshot_tags": world.names(snapshot),
    }


def old_output(result: Result) -> str:
    """The file, directory or words that a result before 0.9 pointed to."""
    if result.status != "succeeded" or result.plugin == "title":
        return result.output
    return _LEGACY.get(result.plugin) or (result.files[0] if result.files else result.output)


def directory(world: World, snapshot: Snapshot) -> str:
    """The snapshot's folder on the server."""
    if world.dialect.old:
        return f"/data/archive/{snapshot.timestamp}"
    creator = snapshot.crawl.created_by.name
    day = f"{snapshot.bookmarked_at:%Y%m%d}"
    return f"/data/archive/users/{creator}/snapshots/{day}/{snapshot.page.host}/{shown_id(world, snapshot.id)}"


def tag_record(world: World, tag: Tag, *, with_snapshots: bool = False) -> dict[str, Any]:
    """A tag, with its snapshots if they are wanted."""
    tagged = world.tagged(tag)
    found: dict[str, Any] = {
        "TYPE": "core.models.Tag",
        "id": dashed(tag.uuid) if world.dialect.old else tag.id,
    }
    if world.dialect.old:
        found["abid"] = abid("tag", tag.uuid)
    found |= {"modified_at": stamp(tag.modified_at), "created_at": stamp(tag.created_at)}
    found |= {**_creator(tag.created_by), "name": tag.name}
    if world.dialect.old:
        found["slug"] = slug_of(tag)
    shown = [snapshot_record(world, each) for each in tagged] if with_snapshots else []
    return {**found, "num_snapshots": len(tagged), "snapshots": shown}


def slug_of(tag: Tag) -> str:
    """The tag's name as a file name has it."""
    letters = tag.name.encode("ascii", "ignore").decode().lower()
    return (
        "-".join(
            filter(None, "".join(each if each.isalnum() else " " for each in letters).split(" "))
        )
        or "tag"
    )


def crawl_record(world: World, crawl: Crawl) -> dict[str, Any]:
    """A crawl, with its whole configuration."""
    found: dict[str, Any] = {
        "TYPE": "crawls.models.Crawl",
        "id": shown_id(world, crawl.id),
        "modified_at": stamp(crawl.modified_at),
        "created_at": stamp(crawl.created_at),
        **_creator(crawl.created_by),
        "status": crawl.status,
        "retry_at": stamp(crawl.retry_at),
    }
    if world.dialect.compact_ids:
        config = masked(frozen({"PERMISSIONS": crawl.permissions, **crawl.settings}))
        found["is_paused"] = crawl.status == "paused"
        return {
            **found,
            "urls": crawl.urls,
            "max_depth": crawl.max_depth,
            "tags_str": ",".join(crawl.tags),
            "config": config,
        }
    limits = {"max_depth": crawl.max_depth, "max_urls": crawl.max_urls, "max_size": crawl.max_size}
    config = {
        "ONLY_NEW": crawl.only_new,
        "TWOCAPTCHA_API_KEY": "sandbox-captcha-secret",
        **crawl.settings,
    }
    return {
        **found,
        "urls": crawl.urls,
        **limits,
        "tags_str": ",".join(crawl.tags),
        "config": config,
    }


def persona_record(world: World, persona: Persona) -> dict[str, Any]:
    """A persona; its secrets are masked only by releases that do so."""
    return {
        "TYPE": "personas.models.Persona",
        "id": shown_id(world, persona.id),
        "name": persona.name,
        "created_at": stamp(persona.created_at),
        **_creator(persona.created_by),
        "config": masked(persona.config) if world.dialect.redacts else persona.config,
    }


def _creator(user: User) -> dict[str, str]:
    return {"created_by_id": str(user.id), "created_by_username": user.name}


def _size(result: Result) -> int:
    return sum(int(str(entry["size"])) for entry in file_map(result).values())


def _result(world: World, result: Result) -> dict[str, Any]:
    found = file_map(result)
    kinds: dict[str, int] = {}
    for entry in found.values():
        kinds[str(entry["mimetype"])] = kinds.get(str(entry["mimetype"]), 0) + int(
            str(entry["size"])
        )
    return {
        "TYPE": "core.models.ArchiveResult",
        "id": shown_id(world, result.id),
        "created_at": stamp(result.started),
        "modified_at": stamp(result.ended or result.started),
        **_creator(result.snapshot.crawl.created_by),
        "status": result.status,
        "retry_at": None,
        "plugin": result.plugin,
        "hook_name": result.hook,
        "process_id": shown_id(world, result.process_id) if result.process_id else None,
        "cmd_version": "1.13.5" if result.process_id else "",
        "cmd": command(result) if result.process_id else [],
        "pwd": f"{directory(world, result.snapshot)}/{result.plugin}",
        "output_str": result.output,
        "output_json": result.data,
        "output_files": found,
        "output_size": sum(kinds.values()),
        "output_mimetypes": ",".join(sorted(kinds, key=lambda kind: -kinds[kind])),
        "start_ts": stamp(result.started),
        "end_ts": stamp(result.ended),
    }


def command(result: Result) -> list[str]:
    """The command line that made the result."""
    binary = _BINARIES.get(result.plugin, result.plugin)
    return [f"/opt/archivebox/lib/bin/{binary}", result.hook, f"--url={result.snapshot.url}"]


def _old_result(world: World, result: Result) -> dict[str, Any]:
    return {
        "TYPE": "core.models.ArchiveResult",
        "id": shown_id(world, result.id),
        "abid": abid("res", result.id),
        "modified_at": stamp(result.ended or result.started),
        "created_at": stamp(result.started),
        **_creator(result.snapshot.crawl.created_by),
        "extractor": result.plugin,
        "cmd_version": "1.21.4" if result.plugin == "wget" else "0.8.5",
        "cmd": command(result),
        "pwd": directory(world, result.snapshot),
        "status": result.status,
        "output": old_output(result),
        "start_ts": stamp(result.started),
        "end_ts": stamp(result.ended),
    }
