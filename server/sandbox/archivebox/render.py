"""Records as the API shows them, in the fields of each release."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from server.sandbox.archivebox.world.files import describe_files
from server.sandbox.archivebox.world.outputs import PLUGINS_BY_NAME
from server.sandbox.archivebox.world.pages import make_slug
from server.sandbox.archivebox.world.records import (
    Crawl,
    Persona,
    Result,
    Snapshot,
    Tag,
    User,
    add_dashes,
    make_abid,
)
from server.sandbox.archivebox.world.settings import complete_config, mask_secrets
from server.sandbox.archivebox.world.world import World


def format_date(moment: datetime | None) -> str | None:
    """Return a date as the API writes it: milliseconds if there are any, and Z."""
    if moment is None:
        return None
    precision = "milliseconds" if moment.microsecond else "seconds"
    text = moment.astimezone(UTC).isoformat(timespec=precision)
    return text.replace("+00:00", "Z")


def format_iso(moment: datetime | None) -> str | None:
    """Return a date as commands write it."""
    return moment.isoformat() if moment else None


def format_id(world: World, id: str) -> str:
    """Return an id in the notation of the release."""
    return id if world.dialect.compact_ids else add_dashes(id)


def make_archive_path(world: World, snapshot: Snapshot) -> str:
    """Return where a person finds the snapshot on the web, without a slash at the beginning."""
    if world.dialect.old:
        return f"archive/{snapshot.timestamp}"
    creator = snapshot.crawl.created_by.name
    # ArchiveBox shows what its system user added, such as by the command line, under `web`.
    name = "web" if creator == "system" else creator
    return f"{name}/{_make_place(world, snapshot)}"


def make_folder(world: World, snapshot: Snapshot) -> str:
    """Return the snapshot's folder on the server."""
    if world.dialect.old:
        return f"/data/archive/{snapshot.timestamp}"
    creator = snapshot.crawl.created_by.name
    return f"/data/archive/users/{creator}/snapshots/{_make_place(world, snapshot)}"


def measure_snapshot(world: World, snapshot: Snapshot) -> int:
    """Return the bytes of all files of the snapshot."""
    sizes = [_measure_types(result).total() for result in world.list_results(snapshot)]
    return sum(sizes)


def render_snapshot(
    world: World, snapshot: Snapshot, *, with_results: bool = False
) -> dict[str, Any]:
    """Return a snapshot, with its results if they are requested."""
    # The order of the fields is that of the release's description, where it is written down.
    record = _render_identity(world, snapshot, "core.models.Snapshot", "snp")
    if world.dialect.names_crawl:
        record |= {"crawl_id": snapshot.crawl.id, "persona": snapshot.crawl.persona}
    record |= _render_creator(snapshot.crawl.created_by)
    record["created_at"] = format_date(snapshot.created_at)
    record["modified_at"] = format_date(snapshot.modified_at)
    if not world.dialect.old:
        record["status"] = snapshot.status
        record["retry_at"] = format_date(snapshot.retry_at)
    record |= {
        "bookmarked_at": format_date(snapshot.bookmarked_at),
        "downloaded_at": format_date(snapshot.downloaded_at),
        "url": snapshot.url,
        "tags": world.list_tag_names(snapshot),
        "title": snapshot.title,
        "timestamp": snapshot.timestamp,
        "archive_path": make_archive_path(world, snapshot),
    }
    if not world.dialect.old:
        # The release declares both names for the same figure.
        size = measure_snapshot(world, snapshot)
        record |= {"archive_size": size, "output_size": size}
    results = world.list_results(snapshot)
    record |= {"num_archiveresults": len(results), "archiveresults": []}
    if with_results:
        record["archiveresults"] = [
            render_result(world, result, minimal=True) for result in results
        ]
    return record


def render_result(world: World, result: Result, *, minimal: bool = False) -> dict[str, Any]:
    """Return a result; `minimal` leaves out what the snapshot around it says."""
    render = _render_old_result if world.dialect.old else _render_new_result
    record = render(world, result)
    if minimal:
        return record
    snapshot = result.snapshot
    record["snapshot_id"] = format_id(world, snapshot.id)
    if world.dialect.old:
        record["snapshot_abid"] = make_abid("snp", snapshot.id)
    return record | {
        "snapshot_timestamp": snapshot.timestamp,
        "snapshot_url": snapshot.url,
        "snapshot_tags": world.list_tag_names(snapshot),
    }


def make_old_output(result: Result) -> str:
    """Return the file, directory or words that a result before 0.9 pointed to."""
    if result.status != "succeeded" or result.plugin == "title":
        return result.output
    plugin = PLUGINS_BY_NAME.get(result.plugin)
    legacy = plugin.legacy if plugin else None
    # Wget has no name of its own for its output, which is the page's own file.
    return next(filter(None, (legacy, *result.files, result.output)), "")


def make_command(result: Result) -> list[str]:
    """Return the command line that made the result."""
    plugin = PLUGINS_BY_NAME.get(result.plugin)
    # An uploaded result may be of a plugin that the server does not have.
    binary = plugin.binary if plugin else result.plugin
    return [f"/opt/archivebox/lib/bin/{binary}", result.hook, f"--url={result.snapshot.url}"]


def render_tag(world: World, tag: Tag, *, with_snapshots: bool = False) -> dict[str, Any]:
    """Return a tag, with its snapshots if they are requested."""
    snapshots = world.list_tagged(tag)
    record: dict[str, Any] = {"TYPE": "core.models.Tag", "id": tag.id}
    if world.dialect.old:
        record |= {"id": add_dashes(tag.uuid), "abid": make_abid("tag", tag.uuid)}
    record["modified_at"] = format_date(tag.modified_at)
    record["created_at"] = format_date(tag.created_at)
    record |= _render_creator(tag.created_by)
    record["name"] = tag.name
    if world.dialect.old:
        record["slug"] = make_tag_slug(tag)
    record |= {"num_snapshots": len(snapshots), "snapshots": []}
    if with_snapshots:
        record["snapshots"] = [render_snapshot(world, snapshot) for snapshot in snapshots]
    return record


def make_tag_slug(tag: Tag) -> str:
    """Return the tag's name as a file name has it."""
    # Names entirely in another script would leave nothing, and a file needs a name.
    return make_slug(tag.name.encode("ascii", "ignore").decode()) or "tag"


def render_crawl(world: World, crawl: Crawl) -> dict[str, Any]:
    """Return a crawl with its configuration."""
    record: dict[str, Any] = {
        "TYPE": "crawls.models.Crawl",
        "id": format_id(world, crawl.id),
        "modified_at": format_date(crawl.modified_at),
        "created_at": format_date(crawl.created_at),
        **_render_creator(crawl.created_by),
        "status": crawl.status,
        "retry_at": format_date(crawl.retry_at),
    }
    if world.dialect.copies_config:
        own = {"PERMISSIONS": crawl.permissions, "ONLY_NEW": crawl.only_new, **crawl.settings}
        config = complete_config(own)
        return record | {
            "is_paused": crawl.status == "paused",
            "urls": crawl.urls,
            "max_depth": crawl.max_depth,
            "tags_str": ",".join(crawl.tags),
            "config": mask_secrets(config),
        }
    return record | {
        "urls": crawl.urls,
        "max_depth": crawl.max_depth,
        "max_urls": crawl.max_urls,
        "max_size": crawl.max_size,
        "tags_str": ",".join(crawl.tags),
        # Not masked: a client must not hand on what this release shows.
        "config": {
            "ONLY_NEW": crawl.only_new,
            "TWOCAPTCHA_API_KEY": "sandbox-captcha-secret",
            **crawl.settings,
        },
    }


def render_persona(world: World, persona: Persona) -> dict[str, Any]:
    """Return a persona; its secrets are masked only by releases that do so."""
    masks_secrets = world.dialect.masks_secrets
    return {
        "TYPE": "personas.models.Persona",
        "id": format_id(world, persona.id),
        "name": persona.name,
        "created_at": format_date(persona.created_at),
        **_render_creator(persona.created_by),
        "config": mask_secrets(persona.config) if masks_secrets else persona.config,
    }


def _make_place(world: World, snapshot: Snapshot) -> str:
    day = f"{snapshot.bookmarked_at:%Y%m%d}"
    return f"{day}/{snapshot.page.host}/{format_id(world, snapshot.id)}"


def _render_identity(
    world: World, record: Snapshot | Result, kind: str, prefix: str
) -> dict[str, Any]:
    identity: dict[str, Any] = {"TYPE": kind, "id": format_id(world, record.id)}
    if world.dialect.old:
        identity["abid"] = make_abid(prefix, record.id)
    return identity


def _render_creator(user: User) -> dict[str, str]:
    return {"created_by_id": str(user.id), "created_by_username": user.name}


def _measure_types(result: Result) -> Counter[str]:
    """Return the bytes of the result's files by their type."""
    sizes: Counter[str] = Counter()
    for entry in describe_files(result).values():
        sizes[str(entry["mimetype"])] += int(str(entry["size"]))
    return sizes


def _render_new_result(world: World, result: Result) -> dict[str, Any]:
    sizes = _measure_types(result)
    process: dict[str, Any] = {"process_id": None, "cmd_version": "", "cmd": []}
    # Only what a plugin ran as a process has a command; an upload has none.
    if result.process_id:
        process["process_id"] = format_id(world, result.process_id)
        process["cmd_version"] = "1.13.5"
        process["cmd"] = make_command(result)
    return {
        **_render_identity(world, result, "core.models.ArchiveResult", "res"),
        "created_at": format_date(result.started),
        "modified_at": format_date(result.ended or result.started),
        **_render_creator(result.snapshot.crawl.created_by),
        "status": result.status,
        "retry_at": None,
        "plugin": result.plugin,
        "hook_name": result.hook,
        **process,
        "pwd": f"{make_folder(world, result.snapshot)}/{result.plugin}",
        "output_str": result.output,
        "output_json": result.data,
        "output_files": describe_files(result),
        "output_size": sizes.total(),
        # The type with the most bytes comes first.
        "output_mimetypes": ",".join(kind for kind, _ in sizes.most_common()),
        "start_ts": format_date(result.started),
        "end_ts": format_date(result.ended),
    }


def _render_old_result(world: World, result: Result) -> dict[str, Any]:
    return {
        **_render_identity(world, result, "core.models.ArchiveResult", "res"),
        "modified_at": format_date(result.ended or result.started),
        "created_at": format_date(result.started),
        **_render_creator(result.snapshot.crawl.created_by),
        "extractor": result.plugin,
        "cmd_version": get_old_version(result),
        "cmd": make_command(result),
        "pwd": make_folder(world, result.snapshot),
        "status": result.status,
        "output": make_old_output(result),
        "start_ts": format_date(result.started),
        "end_ts": format_date(result.ended),
    }


def get_old_version(result: Result) -> str:
    """Return the version of the program that made a result before 0.9."""
    return "1.21.4" if result.plugin == "wget" else "0.8.5"
