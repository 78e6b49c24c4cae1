"""What ArchiveBox answers, described once, and brought into the one shape that all versions
share."""

from __future__ import annotations

from typing import Any, ClassVar

from server.archivebox.failures.wording import hide_internals
from server.archivebox.fields import Shape
from server.archivebox.verdict import Verdict, judge
from server.tool.result import drop_empty
from tools.archivebox.shapes import leave_out

Json = dict[str, Any]


class ArchiveResult(Shape):
    """One output of a snapshot: `plugin`, `status`, `output_str` (the reason, where it failed),
    `output_files`."""

    fields = """
        id plugin status output_str output_files output_size output_mimetypes output_json cmd
        cmd_version hook_name process_id start_ts end_ts retry_at created_at modified_at
        created_by_id created_by_username snapshot_id snapshot_url snapshot_timestamp snapshot_tags
    """


class Snapshot(Shape):
    """A saved page: `id`, `url`, `title`, `tags`, `status` (null before 0.9), `timestamp`, dates;
    sealed = finished."""

    fields = """
        id url title tags status outcome reason failures timestamp bookmarked_at downloaded_at
        created_at modified_at retry_at created_by_id created_by_username crawl_id persona depth
        archive_path archive_url archive_size output_size num_archiveresults num_outputs
        num_failures is_archived archiveresults
    """
    inner: ClassVar[dict[str, type[Shape]]] = {"archiveresults": ArchiveResult}


class Tag(Shape):
    """A tag: `id`, `name`, `num_snapshots`."""

    fields = "id name num_snapshots created_at modified_at created_by_id created_by_username"


class Crawl(Shape):
    """A run of saving: `urls`, `status`, `max_depth`, `tags_str`."""

    fields = """
        id urls status max_depth tags_str created_at modified_at retry_at is_paused created_by_id
        created_by_username max_urls max_size config
    """


class Machine(Shape):
    """A machine that ArchiveBox has run on."""

    fields = """
        id guid hostname hw_in_docker hw_in_vm hw_manufacturer hw_product hw_uuid os_arch os_family
        os_platform os_release os_kernel stats num_uses_succeeded num_uses_failed created_at
        modified_at
    """


class Binary(Shape):
    """A program that ArchiveBox uses: `name`, `version`, `status`."""

    fields = """
        id name version status is_valid abspath sha256 binproviders binprovider machine_id
        machine_hostname num_uses_succeeded num_uses_failed created_at modified_at
    """


class Persona(Shape):
    """A browser identity; its configuration is not shown."""

    # The configuration may hold cookies and logins: it is never shown.
    fields = "id name created_at created_by_id created_by_username"


class Worker:
    """A worker process and what it is doing."""


class Report:
    """What the command did."""


class Deleted:
    """What was deleted, or queued to be."""


class Key:
    """The key in use, masked, and its expiry."""


class Exported:
    """The exported text or records."""


SNAPSHOT_FIELDS = (
    "id",
    "url",
    "title",
    "tags",
    "status",
    "timestamp",
    "bookmarked_at",
    "downloaded_at",
    "created_at",
    "modified_at",
    "created_by_username",
    "crawl_id",
    "archive_path",
    "output_size",
    "num_archiveresults",
)
"""The fields of a snapshot that say something in a file; older versions lack some."""


class FileRow(Shape):
    """A snapshot as a row of a file."""

    fields = " ".join(SNAPSHOT_FIELDS)


# The command's search sends folders of the server, and parts of the address and of the dates.
_LEFT_OUT = (
    "TYPE",
    "abid",
    "archiveresults",
    "history",
    "sources",
    "output_dir",
    "link_dir",
    "base_url",
    "basename",
    "extension",
    "scheme",
    "path",
    "domain",
    "bookmarked_date",
    "downloaded_datestr",
    "fs_version",
    "is_static",
)
_UNSEEN = ("TYPE", "abid", "snapshot_abid", "pwd")
"""Fields of an archive result that are of no use to a caller; `pwd` is a folder of the server."""
_OLD_NAMES = {"extractor": "plugin", "output": "output_str"}
_SECRETS = ("TOKEN", "SECRET", "KEY", "PASSW", "COOKIE", "AUTH", "CREDENTIAL")
"""Parts of the names of settings whose values stay with ArchiveBox; only 0.9.73 masks some of them
itself."""

_KEPT_BACK = "(kept back)"


def plain(record: Json) -> Json:
    """Return an object without the name of its class and the folders of its files."""
    return _hide_folders(leave_out(record, ("TYPE",)), "abspath")


def snapshot(record: Json) -> Json:
    """Return a snapshot in the common shape, without what only one version has."""
    outputs = list(map(result, record.get("archiveresults") or ()))
    # 0.8.5 has no status: null says so, where a missing field would look like a mistake.
    shaped = {"status": None, **leave_out(record, _LEFT_OUT)}
    return {**shaped, **drop_empty({"archiveresults": outputs})}


def result(record: Json) -> Json:
    """Return an archive result under the names of 0.9 (`extractor` and `output` before)."""
    # Empty values are left out: a page with six outputs has 7 kB as it is.
    filled = drop_empty(leave_out(record, _UNSEEN))
    named = {_OLD_NAMES.get(name, name): value for name, value in filled.items()}
    return _hide_folders(named, "cmd", "output_str")


def _hide_folders(record: Json, *names: str) -> Json:
    """Return a record with texts of the server without the folders of its files."""
    for name in record.keys() & names:
        record = {**record, name: _hide_in(record[name])}
    return record


def _hide_in(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [hide_internals(str(text)) for text in value]
    return hide_internals(str(value))


def describe_verdict(record: Json, result: Verdict | None = None) -> Json:
    """Return whether a page is saved, as fields of its record, with the reasons where not."""
    result = result or judge(record)
    reasons = {"reason": result.reason, "failures": [*result.failures]}
    return {"outcome": result.outcome, **drop_empty(reasons)}


def describe_differences(requested: Json, stored: Json) -> list[str]:
    """Return notes about what a change asked for and the server did not store."""
    notes = []
    status = requested.get("status") or stored.get("status")
    if stored.get("status") != status:
        notes.append(f"Asked for status {status}; stored is {stored.get('status')}.")
    # Some versions answer about crawls without their tags.
    present = stored.get("tags", [])
    if "tags" in requested.keys() & stored.keys() and _fold(requested["tags"]) != _fold(present):
        notes.append(f"Stored tags: {', '.join(present) or 'none'}.")
    return notes


def _fold(tags: Any) -> set[str]:
    return set(map(str.casefold, tags))


def tag(record: Json) -> Json:
    """Return a tag without the snapshots that some versions send along."""
    return leave_out(record, ("TYPE", "abid", "snapshots", "slug"))


def crawl(record: Json, *, with_config: bool = False) -> Json:
    """Return a crawl, without its 10 kB of settings unless they were asked for."""
    shaped = leave_out(record, ("TYPE", "config"))
    if with_config:
        shaped["config"] = _mask(record.get("config"))
    return shaped


def _mask(config: Any) -> Any:
    """Return settings without the values that are secrets, however deep they lie."""
    if isinstance(config, list):
        return list(map(_mask, config))
    if not isinstance(config, dict):
        return config
    masked = dict(zip(config, map(_mask, config.values()), strict=True))
    secret = filter(_is_secret, config)
    return {**masked, **drop_empty({name: config[name] and _KEPT_BACK for name in secret})}


def _is_secret(name: Any) -> bool:
    return any(map(str(name).upper().__contains__, _SECRETS))


def any_object(record: Json) -> Json:
    """Return an object in the shape of the kind that its `TYPE` says."""
    # `TYPE` is a path, such as core.models.Snapshot.
    kind = str(record.get("TYPE", "")).rpartition(".")[2]
    shapes = {"Snapshot": snapshot, "ArchiveResult": result, "Tag": tag, "Crawl": crawl}
    shape = shapes.get(kind)
    return {"kind": kind, **(shape(record) if shape else plain(_mask(record)))}


def failures(record: Json) -> list[Json]:
    """Return why outputs that would hold a page failed: plugin and reason of each."""
    return [*judge({**record, "status": None}).failures]
