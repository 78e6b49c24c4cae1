"""How records are found by what callers say instead of a full id, and by words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from server.sandbox.archivebox.answers import (
    Detail,
    Raised,
    ambiguous,
    missing,
)
from server.sandbox.archivebox.call import contains
from server.sandbox.archivebox.world.outputs import text_is_kept
from server.sandbox.archivebox.world.pages import words
from server.sandbox.archivebox.world.records import (
    Crawl,
    Result,
    Snapshot,
    Tag,
    abid,
)
from server.sandbox.archivebox.world.settings import frozen
from server.sandbox.archivebox.world.world import World

T = TypeVar("T")
_MODES = ("meta", "contents", "deep")
# Parts of a crawl's id shorter than this find nothing.
_CRAWL_PART = 8
_TIMESTAMP = 14


def bare(text: str) -> str:
    """The id as it is stored: without dashes, in lower case."""
    return text.replace("-", "").lower()


def whole(text: str) -> str | None:
    """The id if the text is a complete one, in any notation."""
    try:
        return UUID(text).hex
    except ValueError:
        return None


def only(found: Sequence[T], kind: str) -> T:
    """The one that was found.

    Raises:
        Raised: none was found, or several.
    """
    if not found:
        raise missing(kind)
    if len(found) > 1:
        raise ambiguous(kind, len(found))
    return found[0]


def snapshot_of(world: World, text: str) -> Snapshot:
    """The snapshot that the text means: an id, a part of it, or the beginning of a timestamp."""
    every = list(world.snapshots.values())
    if world.dialect.old:
        found = [
            each for each in every if _begins(each, text) or _begins_abid("snp", each.id, text)
        ]
        found = found or [
            each for each in every if bare(text) in each.id or contains(abid("snp", each.id), text)
        ]
        if not found:
            raise Raised("DoesNotExist", "")
        return found[0]
    if not world.dialect.compact_ids:
        found = [each for each in every if _begins(each, text)]
        return only(found or [each for each in every if bare(text) in each.id], "Snapshot")
    if (full := whole(text)) is not None:
        return only([each for each in every if each.id == full], "Snapshot")
    part = bare(text.strip())
    return only(
        [each for each in every if part in each.id or each.timestamp.startswith(text)], "Snapshot"
    )


def edited_snapshot(world: World, text: str) -> Snapshot:
    """The snapshot whose tags are to be changed: of several that fit, silently the first."""
    every = list(world.snapshots.values())
    if world.dialect.compact_ids:
        text = text.strip().lower()
        if not text:
            raise Detail(400, "Snapshot id is required")
        exact = [each for each in every if each.id == bare(text)]
        if not exact and len(text) >= _TIMESTAMP:
            exact = [each for each in every if each.timestamp == text]
        every = exact or every
        if exact:
            return exact[0]
    found = [each for each in every if _begins(each, text)]
    if not found:
        raise Detail(404, "Snapshot not found")
    return found[0]


def result_of(world: World, text: str) -> Result:
    """The result that the text means."""
    every = list(world.all_results())
    if world.dialect.compact_ids and (full := whole(text)) is not None:
        return only([each for each in every if each.id == full], "ArchiveResult")
    part = bare(text.strip() if world.dialect.compact_ids else text)
    found = [
        each
        for each in every
        if part in each.id or (world.dialect.old and contains(abid("res", each.id), text))
    ]
    return only(found, "ArchiveResult")


def crawl_of(world: World, text: str) -> Crawl:
    """The crawl that the text means."""
    every = list(world.crawls.values())
    if not world.dialect.compact_ids:
        return only([each for each in every if bare(text) in each.id], "Crawl")
    part = "".join(letter for letter in text.lower() if letter in "0123456789abcdef")
    ends = [each for each in every if each.id.startswith(part) or each.id.endswith(part)]
    return only(ends if len(part) >= _CRAWL_PART else [], "Crawl")


def tag_of(world: World, ref: str | int) -> Tag | None:
    """The tag with that number or name; before 0.9 the one with a part of that id."""
    text = str(ref).strip()
    if world.dialect.old:
        found = [
            tag
            for tag in world.tags.values()
            if contains(abid("tag", tag.uuid), text) or bare(text) in tag.uuid
        ]
        return only(found, "Tag") if found else None
    return world.tags.get(int(text)) if text.isdigit() else world.tag_named(text)


def matching_id(world: World, snapshot: Snapshot, text: str) -> bool:
    """Whether the snapshot fits the filter `id` of the list."""
    part = bare(text)
    if snapshot.timestamp.startswith(text):
        return True
    if world.dialect.compact_ids:
        return snapshot.id.startswith(part) or snapshot.id.endswith(part)
    return part in snapshot.id or (world.dialect.old and contains(abid("snp", snapshot.id), text))


def searched(
    world: World, snapshot: Snapshot, text: str, mode: str | None, *, ids: bool = True
) -> bool:
    """Whether the snapshot fits the words of a search; the mode counts only where contents are
    searched."""
    if not world.dialect.contents:
        return _in_metadata(world, snapshot, text) or matching_id(world, snapshot, text)
    if (
        _in_metadata(world, snapshot, text)
        or (ids and matching_id(world, snapshot, text))
        or _in_crawl(snapshot, text)
    ):
        return True
    wanted = (mode or "").strip().lower().replace("content:", "contents:")
    wanted = "contents" if wanted == "content" else wanted
    return (wanted if wanted in _MODES else "contents") != "meta" and _in_text(snapshot, text)


def _begins(snapshot: Snapshot, text: str) -> bool:
    return snapshot.id.startswith(bare(text)) or snapshot.timestamp.startswith(text)


def _begins_abid(prefix: str, id: str, text: str) -> bool:
    return abid(prefix, id).lower().startswith(text.lower())


def _in_metadata(world: World, snapshot: Snapshot, text: str) -> bool:
    return (
        contains(snapshot.url, text)
        or contains(snapshot.title, text)
        or any(contains(name, text) for name in world.names(snapshot))
        or (world.dialect.contents and text in snapshot.timestamp)
    )


def _in_crawl(snapshot: Snapshot, text: str) -> bool:
    """Notes, label, creator and every value of the crawl's configuration count as metadata, too."""
    crawl = snapshot.crawl
    if contains(crawl.notes, text) or contains(crawl.label, text) or crawl.created_by.name == text:
        return True
    return any(
        contains(str(leaf), text)
        for value in frozen(crawl.settings).values()
        for leaf in _leaves(value)
    )


def _leaves(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _in_text(snapshot: Snapshot, text: str) -> bool:
    if snapshot.status != "sealed" or not text_is_kept(snapshot.page):
        return False
    return set(text.lower().split()) <= words(snapshot.page)
