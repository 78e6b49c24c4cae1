"""The endpoints of tags. Those whose address ends in a slash are redirected to it without one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, ServerError
from server.sandbox.archivebox.call import Call, Filter, contains, paginate, select
from server.sandbox.archivebox.lookup import find_snapshot_to_tag, find_tag
from server.sandbox.archivebox.render import (
    format_id,
    format_iso,
    make_tag_slug,
    measure_snapshot,
    render_tag,
)
from server.sandbox.archivebox.world.records import Snapshot, Tag, find_all

_MARKUP = re.compile(r"<[^>]*>")
_SUGGESTIONS, _SUGGESTIONS_WITHOUT_TEXT = 20, 50
_PREVIEWS = 10
# By name: the key, and whether the order is reversed. The number decides between equal tags.
_SORTS: dict[str, tuple[Callable[[Call, Tag], Any], bool]] = {
    "name_asc": (lambda call, tag: (tag.name.lower(), tag.id), False),
    "name_desc": (lambda call, tag: (tag.name.lower(), tag.id), True),
    "created_desc": (lambda call, tag: (tag.created_at, tag.id), True),
    "created_asc": (lambda call, tag: (tag.created_at, tag.id), False),
    "snapshots_desc": (
        lambda call, tag: (len(call.world.list_tagged(tag)), tag.created_at, tag.id),
        True,
    ),
    "snapshots_asc": (
        lambda call, tag: (len(call.world.list_tagged(tag)), tag.name.lower(), tag.id),
        False,
    ),
}
_USES = {"yes": True, "no": False}
_FILTERS: dict[str, Filter] = {
    "creator": lambda call, id, tag: str(tag.created_by.id) == id,
    "year": lambda call, year, tag: str(tag.created_at.year) == year,
    "is_used": lambda call, is_used, tag: bool(call.world.list_tagged(tag)) == is_used,
}


def list_tags(call: Call) -> Any:
    """Answer `GET /core/tags`: newest first, or before 0.9 oldest first."""
    tags = list(call.world.tags.values()) if call.dialect.old else match_tags(call)
    return paginate(call, tags, lambda tag: render_tag(call.world, tag))


def get_tag(call: Call) -> Any:
    """Answer `GET /core/tag/{tag_id}` by number or name; before 0.9 by id, where a missing one
    breaks the server's answer."""
    tag = find_tag(call.world, call.path["tag_id"])
    if tag is not None:
        return render_tag(call.world, tag, with_snapshots=call.query["with_snapshots"])
    if not call.dialect.old:
        raise Detail(404, "Tag not found")
    # The refusal is itself no tag, and so fails the check of what the endpoint returns.
    message = (
        "1 validation error for NinjaResponseSchema response "
        "Input should be a valid dictionary or object"
    )
    raise ServerError("ValidationError", message)


def search_tags(call: Call) -> Any:
    """Answer `GET /core/tags/search/`: cards for the web interface; what is not understood counts
    as not sent."""
    query = call.query
    sort = query["sort"] if query["sort"] in _SORTS else "created_desc"
    creator = query["created_by"] if query["created_by"].isdigit() else ""
    year = query["year"].strip() if re.fullmatch(r"\s*\d{4}\s*", query["year"]) else ""
    use = query["has_snapshots"] if query["has_snapshots"] in _USES else "all"
    values = {
        "creator": creator or None,
        "year": year or None,
        "is_used": _USES.get(use),
    }
    tags = select(call, match_tags(call, query["q"], sort), _FILTERS, values)
    # The answer repeats the query as it was understood.
    return {
        "tags": [_make_card(call, tag) for tag in tags],
        "sort": sort,
        "created_by": creator,
        "year": year,
        "has_snapshots": use,
    }


def suggest_tags(call: Call) -> Any:
    """Answer `GET /core/tags/autocomplete/`: for anybody where the index is public, who then sees
    public snapshots only."""
    if call.user is None and not call.world.public:
        raise Detail(401, "Authentication required")
    text = call.query["q"]
    tags = match_tags(call, text)
    if call.user is None and call.dialect.permissions:
        tags = find_all(tags, lambda tag: _list_visible(call, tag))
    limit = _SUGGESTIONS if text else _SUGGESTIONS_WITHOUT_TEXT
    rows = [
        {"id": tag.id, "name": tag.name, "num_snapshots": _count_snapshots(call, tag)}
        for tag in tags[:limit]
    ]
    return {"tags": rows}


def create_tag(call: Call) -> Any:
    """Answer `POST /core/tags/create/`: the tag of that name, whatever its case, made if there is
    none."""
    tag, created = call.world.ensure_tag(_clean_name(call.body.name), call.caller)
    return {**_confirm(tag), "created": created}


def rename_tag(call: Call) -> Any:
    """Answer `POST /core/tag/{tag_id}/rename`."""
    tag = _get_tag(call, call.path["tag_id"])
    name = _clean_name(call.body.name)
    other = call.world.find_tag(name)
    # The tag itself may change the case of its name.
    if other is not None and other is not tag:
        raise Detail(400, f'Tag "{other.name}" already exists')
    if tag.name != name:
        tag.name, tag.modified_at = name, call.world.now()
    return _confirm(tag)


def delete_tag(call: Call) -> Any:
    """Answer `DELETE /core/tag/{tag_id}`: the count includes the rows that tied it to snapshots."""
    tag = _get_tag(call, call.path["tag_id"])
    snapshots = call.world.list_tagged(tag)
    for snapshot in snapshots:
        snapshot.tags.discard(tag.id)
    call.world.tags.pop(tag.id)
    return {"success": True, "tag_id": tag.id, "deleted_count": 1 + len(snapshots)}


def export_urls(call: Call) -> Answer:
    """Answer `GET /core/tag/{tag_id}/urls.txt`."""
    tag = _get_tag(call, call.path["tag_id"])
    urls = [snapshot.url for snapshot in _list_newest(call, tag)]
    return _make_file(tag, "urls.txt", "text/plain", urls)


def export_snapshots(call: Call) -> Answer:
    """Answer `GET /core/tag/{tag_id}/snapshots.jsonl`."""
    tag = _get_tag(call, call.path["tag_id"])
    # With escapes for other scripts, unlike the other answers.
    lines = [json.dumps(_export_snapshot(call, row)) for row in _list_newest(call, tag)]
    return _make_file(tag, "snapshots.jsonl", "application/x-ndjson", lines)


def tag_snapshot(call: Call) -> Any:
    """Answer `POST /core/tags/add-to-snapshot/`."""
    snapshot, body = find_snapshot_to_tag(call.world, call.body.snapshot_id), call.body
    # The name goes before the number here, and after it when a tag is removed.
    if body.tag_name:
        tag = call.world.ensure_tag(_clean_name(body.tag_name), call.caller)[0]
    elif body.tag_id:
        tag = _get_tag(call, body.tag_id)
    else:
        raise Detail(400, "Either tag_name or tag_id is required")
    snapshot.tags.add(tag.id)
    return _confirm(tag)


def untag_snapshot(call: Call) -> Any:
    """Answer `POST /core/tags/remove-from-snapshot/`: also removes what the crawl gave."""
    snapshot, body = find_snapshot_to_tag(call.world, call.body.snapshot_id), call.body
    if not body.tag_id and not body.tag_name:
        raise Detail(400, "Either tag_name or tag_id is required")
    if body.tag_id:
        tag = _get_tag(call, body.tag_id)
    else:
        tag = _require(call.world.find_tag(body.tag_name.strip()))
    snapshot.tags.discard(tag.id)
    return _confirm(tag)


def match_tags(call: Call, text: str = "", sort: str = "created_desc") -> list[Tag]:
    """Return the tags whose name contains the text."""
    make_key, is_reversed = _SORTS[sort]
    part = _strip_markup(text)
    tags = find_all(call.world.tags.values(), lambda tag: contains(tag.name, part))
    return sorted(tags, key=lambda tag: make_key(call, tag), reverse=is_reversed)


def _get_tag(call: Call, number: int) -> Tag:
    return _require(call.world.tags.get(number))


def _require(tag: Tag | None) -> Tag:
    if tag is None:
        raise Detail(404, "Tag not found")
    return tag


def _confirm(tag: Tag) -> dict[str, Any]:
    return {"success": True, "tag_id": tag.id, "tag_name": tag.name}


def _strip_markup(text: str) -> str:
    return unescape(_MARKUP.sub("", text)).strip()


def _clean_name(text: str) -> str:
    name = _strip_markup(text)
    if not name:
        raise Detail(400, "Tag name is required")
    return name


def _list_visible(call: Call, tag: Tag) -> list[Snapshot]:
    snapshots = call.world.list_tagged(tag)
    if call.user is not None:
        return snapshots
    return find_all(snapshots, lambda snapshot: snapshot.permissions == "public")


def _count_snapshots(call: Call, tag: Tag) -> int:
    # Older releases never count here, so that every tag seems to be unused.
    return len(_list_visible(call, tag)) if call.dialect.counts_suggestions else 0


def _list_newest(call: Call, tag: Tag) -> list[Snapshot]:
    def make_key(snapshot: Snapshot) -> tuple[Any, str]:
        return snapshot.downloaded_at or snapshot.created_at, snapshot.id

    return sorted(call.world.list_tagged(tag), key=make_key, reverse=True)


def _make_file(tag: Tag, name: str, kind: str, lines: list[str]) -> Answer:
    file_name = f"tag-{make_tag_slug(tag)}-{name}"
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "content-disposition": f'attachment; filename="{file_name}"',
    }
    return Answer(200, headers, "\n".join(lines).encode())


def _export_snapshot(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    size = measure_snapshot(call.world, snapshot)
    return {
        "type": "Snapshot",
        "schema_version": call.dialect.release,
        "id": format_id(call.world, snapshot.id),
        "crawl_id": format_id(call.world, snapshot.crawl.id),
        "url": snapshot.url,
        "title": snapshot.title,
        "tags": ",".join(call.world.list_tag_names(snapshot)),
        "bookmarked_at": format_iso(snapshot.bookmarked_at),
        "created_at": format_iso(snapshot.created_at),
        "modified_at": format_iso(snapshot.modified_at),
        "config": {"PERMISSIONS": snapshot.permissions},
        "notes": "",
        "timestamp": snapshot.timestamp,
        "depth": snapshot.depth,
        "status": snapshot.status,
        "fs_version": snapshot.fs_version,
        "archive_size": size,
        "output_size": size,
    }


def _make_card(call: Call, tag: Tag) -> dict[str, Any]:
    snapshots = _list_newest(call, tag)
    # The newest release leaves the previews out of this answer.
    previews = snapshots[:_PREVIEWS] if call.dialect.previews_tags else []
    return {
        "id": tag.id,
        "name": tag.name,
        "slug": make_tag_slug(tag),
        "num_snapshots": len(snapshots),
        "filter_url": f"/admin/core/snapshot/?tags__id__exact={tag.id}",
        "edit_url": f"/admin/core/tag/{tag.id}/change/",
        "export_urls_url": f"/api/v1/core/tag/{tag.id}/urls.txt",
        "export_jsonl_url": f"/api/v1/core/tag/{tag.id}/snapshots.jsonl",
        "rename_url": f"/api/v1/core/tag/{tag.id}/rename",
        "delete_url": f"/api/v1/core/tag/{tag.id}/",
        "snapshots": [_make_preview(call, snapshot) for snapshot in previews],
    }


def _make_preview(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    id = format_id(call.world, snapshot.id)
    return {
        "id": id,
        "title": snapshot.title or snapshot.url,
        "url": snapshot.url,
        "favicon_url": f"/snapshot/{id}/favicon/favicon.ico",
        "admin_url": f"/admin/core/snapshot/{id}/change/",
        "archive_url": f"/snapshot/{id}/index.html",
        "downloaded_at": format_iso(snapshot.downloaded_at),
    }
