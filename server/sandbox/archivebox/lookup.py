"""How records are found by what callers send instead of a whole id, and by words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from server.sandbox.archivebox.answers import (
    Detail,
    ServerError,
    make_ambiguity_error,
    make_missing_error,
)
from server.sandbox.archivebox.call import contains, contains_any
from server.sandbox.archivebox.world.outputs import keeps_text
from server.sandbox.archivebox.world.pages import collect_words
from server.sandbox.archivebox.world.records import (
    Crawl,
    Result,
    Snapshot,
    Tag,
    find_all,
    find_first,
    make_abid,
)
from server.sandbox.archivebox.world.settings import complete_config
from server.sandbox.archivebox.world.world import World

T = TypeVar("T")
R = TypeVar("R", Snapshot, Result, Crawl)
# Parts of a crawl's id shorter than this find nothing.
_SHORTEST_CRAWL_PART = 8
# Ten digits of seconds, a point and three digits: what is shorter is no timestamp.
_SHORTEST_TIMESTAMP = 14


def strip_dashes(text: str) -> str:
    """Return the id as it is stored: without dashes, in lower case."""
    return text.replace("-", "").lower()


def parse_id(text: str) -> str | None:
    """Return the id if the text is a whole one, in any notation."""
    try:
        return UUID(text).hex
    except ValueError:
        return None


def get_only(matches: Sequence[T], kind: str) -> T:
    """Return the one record that matches.

    Raises:
        ServerError: none matches, or several do.
    """
    if not matches:
        raise make_missing_error(kind)
    if len(matches) > 1:
        raise make_ambiguity_error(kind, len(matches))
    return matches[0]


def find_snapshot(world: World, text: str) -> Snapshot:
    """Return the snapshot that the text means: an id, a part of it, or the beginning of a
    timestamp.

    Raises:
        ServerError: none matches, or several do; before 0.9 the first of several is taken.
    """
    snapshots = list(world.snapshots.values())
    if world.dialect.old:
        return _find_old_snapshot(snapshots, text)
    if not world.dialect.exact_ids_first:
        matches = find_all(snapshots, lambda snapshot: _begins_with(snapshot, text))
        # An ambiguous beginning is an error, although parts of ids would be looked at later.
        return get_only(matches or _list_by_id_part(snapshots, text), "Snapshot")
    if (id := parse_id(text)) is not None:
        return get_only(_list_by_id(snapshots, id), "Snapshot")
    # A blank text is part of every id, so that it is ambiguous.
    part = strip_dashes(text.strip())
    matches = find_all(
        snapshots,
        lambda snapshot: part in snapshot.id or snapshot.timestamp.startswith(text),
    )
    return get_only(matches, "Snapshot")


def find_snapshot_to_tag(world: World, text: str) -> Snapshot:
    """Return the snapshot whose tags are to be changed: of several that match, silently the first.

    Raises:
        Detail: 404 if none matches; on the newest release also 400 for a blank text.
    """
    snapshots = list(world.snapshots.values())
    match = None
    if world.dialect.exact_ids_first:
        text = text.strip().lower()
        if not text:
            raise Detail(400, "Snapshot id is required")
        match = find_first(_list_by_id(snapshots, strip_dashes(text)), bool)
        if len(text) >= _SHORTEST_TIMESTAMP:
            match = match or find_first(snapshots, lambda row: row.timestamp == text)
    match = match or find_first(snapshots, lambda row: _begins_with(row, text))
    if match is None:
        raise Detail(404, "Snapshot not found")
    return match


def find_result(world: World, text: str) -> Result:
    """Return the result that the text means: an id or a part of it.

    Raises:
        ServerError: none matches, or several do.
    """
    results = list(world.iterate_results())
    if world.dialect.exact_ids_first:
        if (id := parse_id(text)) is not None:
            return get_only(_list_by_id(results, id), "ArchiveResult")
        # Only this release forgives blanks around an id.
        text = text.strip()
    matches = _list_by_id_part(results, text)
    if world.dialect.old:
        matches = _list_by_abid(results, "res", text)
    return get_only(matches, "ArchiveResult")


def find_crawl(world: World, text: str) -> Crawl:
    """Return the crawl that the text means: an id or a part of it.

    Raises:
        ServerError: none matches, or several do.
    """
    crawls = list(world.crawls.values())
    if not world.dialect.matches_id_ends:
        return get_only(_list_by_id_part(crawls, text), "Crawl")
    # What is no digit of an id is dropped, also from the middle.
    part = re.sub("[^0-9a-f]", "", text.lower())
    if len(part) < _SHORTEST_CRAWL_PART:
        raise make_missing_error("Crawl")
    return get_only(find_all(crawls, lambda crawl: has_id_end(crawl.id, part)), "Crawl")


def find_tag(world: World, reference: str | int) -> Tag | None:
    """Return the tag with that number or name; before 0.9 the one with a part of that id."""
    text = str(reference).strip()
    if not world.dialect.old:
        return world.tags.get(int(text)) if text.isdigit() else world.find_tag(text)
    part = strip_dashes(text)
    matches = find_all(
        world.tags.values(),
        lambda tag: part in tag.uuid or contains(make_abid("tag", tag.uuid), text),
    )
    return get_only(matches, "Tag") if matches else None


def has_id_end(id: str, part: str) -> bool:
    """Return whether the part is the beginning or the end of the id."""
    return id.startswith(part) or id.endswith(part)


def matches_id(world: World, snapshot: Snapshot, text: str) -> bool:
    """Return whether the snapshot fits the filter `id` of the list."""
    if snapshot.timestamp.startswith(text):
        return True
    part = strip_dashes(text)
    if world.dialect.matches_id_ends:
        return has_id_end(snapshot.id, part)
    if world.dialect.old:
        return bool(_list_by_abid([snapshot], "snp", text))
    return part in snapshot.id


def matches_search(
    world: World, snapshot: Snapshot, text: str, mode: str | None, *, with_ids: bool = True
) -> bool:
    """Return whether the snapshot fits the words of a search.

    Args:
        mode: whether contents are searched, where the release can do so; anything unknown means
            that they are.
        with_ids: whether the text may also be a part of an id.
    """
    if _is_in_metadata(world, snapshot, text):
        return True
    if not world.dialect.searches_contents:
        return matches_id(world, snapshot, text)
    if with_ids and matches_id(world, snapshot, text):
        return True
    if _is_in_crawl(snapshot, text):
        return True
    only_metadata = (mode or "").strip().lower() == "meta"
    return not only_metadata and _is_in_contents(snapshot, text)


def _find_old_snapshot(snapshots: Sequence[Snapshot], text: str) -> Snapshot:
    matches = _list_by_abid(snapshots, "snp", text)
    for snapshot in snapshots:
        abid = make_abid("snp", snapshot.id).lower()
        if abid.startswith(text.lower()) or _begins_with(snapshot, text):
            return snapshot
    # Unlike everywhere else, this message is empty.
    if not matches:
        raise ServerError("DoesNotExist", "")
    return matches[0]


def _list_by_id(records: Iterable[R], id: str) -> list[R]:
    return find_all(records, lambda record: record.id == id)


def _list_by_id_part(records: Iterable[R], text: str) -> list[R]:
    part = strip_dashes(text)
    return find_all(records, lambda record: part in record.id)


def _list_by_abid(records: Iterable[R], prefix: str, text: str) -> list[R]:
    """Return the records with the text in their id or in their ABID."""
    part = strip_dashes(text)
    return find_all(
        records,
        lambda record: part in record.id or contains(make_abid(prefix, record.id), text),
    )


def _begins_with(snapshot: Snapshot, text: str) -> bool:
    return snapshot.id.startswith(strip_dashes(text)) or snapshot.timestamp.startswith(text)


def _is_in_metadata(world: World, snapshot: Snapshot, text: str) -> bool:
    texts = (snapshot.url, snapshot.title, *world.list_tag_names(snapshot))
    if contains_any(texts, text):
        return True
    return world.dialect.searches_contents and text in snapshot.timestamp


def _is_in_crawl(snapshot: Snapshot, text: str) -> bool:
    """Return whether the crawl has the text: its notes, label, creator and every value of its
    configuration count as metadata, too."""
    crawl = snapshot.crawl
    values = [crawl.notes, crawl.label]
    for value in complete_config(crawl.settings).values():
        # Lists are searched item by item, so that no match reaches over two of them.
        values += value if isinstance(value, list) else [value]
    # The creator's name has to be exact.
    return crawl.created_by.name == text or contains_any(map(str, values), text)


def _is_in_contents(snapshot: Snapshot, text: str) -> bool:
    # The index of contents is written when a snapshot is sealed, and knows whole words only.
    if snapshot.status != "sealed" or not keeps_text(snapshot.page):
        return False
    return set(text.lower().split()) <= collect_words(snapshot.page)
