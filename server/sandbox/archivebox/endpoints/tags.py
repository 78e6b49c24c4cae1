"""The endpoints of tags. Those whose address ends in a slash are redirected to it without one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, Raised
from server.sandbox.archivebox.call import Call, contains, paged
from server.sandbox.archivebox.finding import edited_snapshot, tag_of
from server.sandbox.archivebox.render import (
    iso,
    output_size,
    shown_id,
    slug_of,
    tag_record,
)
from server.sandbox.archivebox.world.records import Snapshot, Tag

_MARKUP = re.compile(r"<[^>]*>")
_SUGGESTED, _SUGGESTED_AT_ALL = 20, 50
_SORTS: dict[str, tuple[Callable[[Call, Tag], Any], bool]] = {
    "name_asc": (lambda call, tag: (tag.name.lower(), tag.id), False),
    "name_desc": (lambda call, tag: (tag.name.lower(), tag.id), True),
    "created_desc": (lambda call, tag: (tag.created_at, tag.id), True),
    "created_asc": (lambda call, tag: (tag.created_at, tag.id), False),
    "snapshots_desc": (
        lambda call, tag: (len(call.world.tagged(tag)), tag.created_at, tag.id),
        True,
    ),
    "snapshots_asc": (
        lambda call, tag: (len(call.world.tagged(tag)), tag.name.lower(), tag.id),
        False,
    ),
}


def list_tags(call: Call) -> Any:
    """`GET /core/tags`: newest first, or before 0.9 oldest first."""
    found = list(call.world.tags.values()) if call.dialect.old else matching(call)
    return paged(call, found, lambda tag: tag_record(call.world, tag))


def get_tag(call: Call) -> Any:
    """`GET /core/tag/{tag_id}` by number or name; before 0.9 by id, where a missing one breaks the
    server's answer."""
    tag = tag_of(call.world, call.inside["tag_id"])
    if tag is None and call.dialect.old:
        words = "1 validation error for NinjaResponseSchema response Input should be a valid dictionary or object"
        raise Raised("ValidationError", words)
    if tag is None:
        raise Detail(404, "Tag not found")
    return tag_record(call.world, tag, with_snapshots=call.query["with_snapshots"])


def search_tags(call: Call) -> Any:
    """`GET /core/tags/search/`: cards for the web interface; what is not understood counts as not
    given."""
    query = call.query
    sort = query["sort"] if query["sort"] in _SORTS else "created_desc"
    creator = query["created_by"] if query["created_by"].isdigit() else ""
    year = query["year"].strip() if re.fullmatch(r"\s*\d{4}\s*", query["year"]) else ""
    having = query["has_snapshots"] if query["has_snapshots"] in ("all", "yes", "no") else "all"
    found = [
        tag
        for tag in matching(call, query["q"], sort)
        if (not creator or str(tag.created_by.id) == creator)
        and (not year or str(tag.created_at.year) == year)
        and (having == "all" or bool(call.world.tagged(tag)) == (having == "yes"))
    ]
    cards = [_card(call, tag) for tag in found]
    return {
        "tags": cards,
        "sort": sort,
        "created_by": creator,
        "year": year,
        "has_snapshots": having,
    }


def autocomplete(call: Call) -> Any:
    """`GET /core/tags/autocomplete/`: for anybody where the index is public, who then sees public
    snapshots only."""
    if call.user is None and not call.world.public:
        raise Detail(401, "Authentication required")
    text = call.query["q"]
    found = matching(call, text)
    if call.user is None and call.dialect.permissions:
        found = [tag for tag in found if any(_public(each) for each in call.world.tagged(tag))]
    return {
        "tags": [
            {"id": tag.id, "name": tag.name, "num_snapshots": _count(call, tag)}
            for tag in found[: _SUGGESTED if text else _SUGGESTED_AT_ALL]
        ]
    }


def create_tag(call: Call) -> Any:
    """`POST /core/tags/create/`: the tag of that name, whatever its case, made if there is none."""
    tag, created = call.world.tag(_name(call.body.name), call.caller)
    return {"success": True, "tag_id": tag.id, "tag_name": tag.name, "created": created}


def rename_tag(call: Call) -> Any:
    """`POST /core/tag/{tag_id}/rename`."""
    tag = _tag(call)
    name = _name(call.body.name)
    other = call.world.tag_named(name)
    if other is not None and other is not tag:
        raise Detail(400, f'Tag "{other.name}" already exists')
    if tag.name != name:
        tag.name, tag.modified_at = name, call.world.moment()
    return {"success": True, "tag_id": tag.id, "tag_name": tag.name}


def delete_tag(call: Call) -> Any:
    """`DELETE /core/tag/{tag_id}`: the count includes the rows that tied it to snapshots."""
    tag = _tag(call)
    tagged = call.world.tagged(tag)
    for snapshot in tagged:
        snapshot.tags.discard(tag.id)
    call.world.tags.pop(tag.id)
    return {"success": True, "tag_id": tag.id, "deleted_count": 1 + len(tagged)}


def export_urls(call: Call) -> Answer:
    """`GET /core/tag/{tag_id}/urls.txt`."""
    tag = _tag(call)
    return _export(tag, "urls.txt", "text/plain", [each.url for each in _newest(call, tag)])


def export_snapshots(call: Call) -> Answer:
    """`GET /core/tag/{tag_id}/snapshots.jsonl`."""
    tag = _tag(call)
    lines = [json.dumps(_exported(call, each)) for each in _newest(call, tag)]
    return _export(tag, "snapshots.jsonl", "application/x-ndjson", lines)


def tag_snapshot(call: Call) -> Any:
    """`POST /core/tags/add-to-snapshot/`."""
    snapshot, body = edited_snapshot(call.world, call.body.snapshot_id), call.body
    if body.tag_name:
        tag = call.world.tag(_name(body.tag_name), call.caller)[0]
    elif body.tag_id:
        tag = _numbered(call, body.tag_id)
    else:
        raise Detail(400, "Either tag_name or tag_id is required")
    snapshot.tags.add(tag.id)
    return {"success": True, "tag_id": tag.id, "tag_name": tag.name}


def untag_snapshot(call: Call) -> Any:
    """`POST /core/tags/remove-from-snapshot/`: also takes off what the crawl gave."""
    snapshot, body = edited_snapshot(call.world, call.body.snapshot_id), call.body
    if body.tag_id:
        tag = _numbered(call, body.tag_id)
    elif body.tag_name:
        named = call.world.tag_named(body.tag_name.strip())
        if named is None:
            raise Detail(404, "Tag not found")
        tag = named
    else:
        raise Detail(400, "Either tag_name or tag_id is required")
    snapshot.tags.discard(tag.id)
    return {"success": True, "tag_id": tag.id, "tag_name": tag.name}


def matching(call: Call, text: str = "", sort: str = "created_desc") -> list[Tag]:
    """The tags whose name contains the text."""
    key, backwards = _SORTS[sort]
    found = [tag for tag in call.world.tags.values() if contains(tag.name, _plain(text))]
    return sorted(found, key=lambda tag: key(call, tag), reverse=backwards)


def _tag(call: Call) -> Tag:
    return _numbered(call, call.inside["tag_id"])


def _numbered(call: Call, number: int) -> Tag:
    found = call.world.tags.get(number)
    if found is None:
        raise Detail(404, "Tag not found")
    return found


def _plain(text: str) -> str:
    return unescape(_MARKUP.sub("", text)).strip()


def _name(text: str) -> str:
    if not (name := _plain(text)):
        raise Detail(400, "Tag name is required")
    return name


def _public(snapshot: Snapshot) -> bool:
    return snapshot.permissions == "public"


def _count(call: Call, tag: Tag) -> int:
    # Older releases never count here, so that every tag seems to be unused.
    if not call.dialect.compact_ids:
        return 0
    return sum(1 for each in call.world.tagged(tag) if call.user is not None or _public(each))


def _newest(call: Call, tag: Tag) -> list[Snapshot]:
    return sorted(
        call.world.tagged(tag),
        key=lambda each: (each.downloaded_at or each.created_at, each.id),
        reverse=True,
    )


def _export(tag: Tag, name: str, kind: str, lines: list[str]) -> Answer:
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "content-disposition": f'attachment; filename="tag-{slug_of(tag)}-{name}"',
    }
    return Answer(200, headers, "\n".join(lines).encode())


def _exported(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    size = output_size(call.world, snapshot)
    return {
        "type": "Snapshot",
        "schema_version": call.dialect.release,
        "id": shown_id(call.world, snapshot.id),
        "crawl_id": shown_id(call.world, snapshot.crawl.id),
        "url": snapshot.url,
        "title": snapshot.title,
        "tags": ",".join(call.world.names(snapshot)),
        "bookmarked_at": iso(snapshot.bookmarked_at),
        "created_at": iso(snapshot.created_at),
        "modified_at": iso(snapshot.modified_at),
        "config": {"PERMISSIONS": snapshot.permissions},
        "notes": "",
        "timestamp": snapshot.timestamp,
        "depth": snapshot.depth,
        "status": snapshot.status,
        "fs_version": snapshot.fs_version,
        "archive_size": size,
        "output_size": size,
    }


def _card(call: Call, tag: Tag) -> dict[str, Any]:
    tagged = _newest(call, tag)
    # The newest release leaves the previews out of this answer.
    shown = [] if call.dialect.compact_ids else [_preview(call, each) for each in tagged[:10]]
    return {
        "id": tag.id,
        "name": tag.name,
        "slug": slug_of(tag),
        "num_snapshots": len(tagged),
        "filter_url": f"/admin/core/snapshot/?tags__id__exact={tag.id}",
        "edit_url": f"/admin/core/tag/{tag.id}/change/",
        "export_urls_url": f"/api/v1/core/tag/{tag.id}/urls.txt",
        "export_jsonl_url": f"/api/v1/core/tag/{tag.id}/snapshots.jsonl",
        "rename_url": f"/api/v1/core/tag/{tag.id}/rename",
        "delete_url": f"/api/v1/core/tag/{tag.id}/",
        "snapshots": shown,
    }


def _preview(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    id = shown_id(call.world, snapshot.id)
    return {
        "id": id,
        "title": snapshot.title or snapshot.url,
        "url": snapshot.url,
        "favicon_url": f"/snapshot/{id}/favicon/favicon.ico",
        "admin_url": f"/admin/core/snapshot/{id}/change/",
        "archive_url": f"/snapshot/{id}/index.html",
        "downloaded_at": iso(snapshot.downloaded_at),
    }
