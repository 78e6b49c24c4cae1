"""Items and what belongs to them: Archive docs, items, media, transcriptions, engagement history,
lookup by URL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from server.sandbox.archive import urls as post_urls
from server.sandbox.archive.data.competitors import item_by_id as competitor_item
from server.sandbox.archive.data.items import FRAMES_EACH, Item, MediaContent, Transcription
from server.sandbox.archive.data.saved import Collection, SavedView
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import ensure, make_error
from server.sandbox.archive.filters.items import is_within
from server.sandbox.archive.media import move_files
from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.competitors import insights_of
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.archive.resolvers.saved_checks import item_filter
from server.sandbox.ids import Kind

# Longer lists are refused, not cut: Archive docs, the pages named above.
MAX_URLS = 100
MAX_MEDIA_IDS = 100
MAX_TRANSCRIBED_ITEMS = 1_000
MAX_TRANSCRIBED_CONTENTS = 20


async def items(
    _: None, info: Info, *, first: int | None, after: str | None = None, **arguments: Any
) -> Page:
    """Return items of a preset, or of a filter with conditions and an order.

    A preset silences the other three.
    """
    workspace = info.context.workspace
    preset = arguments.get("presetId")
    if preset is not None:
        numbers = await _find_preset(info, preset)
    else:
        numbers = await info.context.results.find(
            arguments.get("filter"),
            arguments.get("customAttributeConditions"),
            arguments.get("sorting"),
        )
    return paginate(
        f"items{workspace.index}",
        numbers,
        workspace.item,
        first=first,
        after=after,
    )


async def _find_preset(info: Info, preset: str) -> Sequence[int]:
    results = info.context.results
    record = info.context.workspace.library.find(preset)
    if isinstance(record, Collection):
        return await results.find({"collectionsIds": [record.id]}, None, None)
    if isinstance(record, SavedView) and record.kind is Kind.CONTENT_VIEW:
        parts = item_filter(info.schema, record.filters)
        return await results.find(parts, record.custom_attribute_conditions, record.sort)
    raise make_error(
        f"Preset {preset} is not a content view or collection of this workspace",
        "WRONG_VIEW_TYPE_FOR_ITEMS",
    )


def item_ids_by_url(_: None, info: Info, *, urls: list[str]) -> list[dict[str, str | None]]:
    """Return one result per URL, in the same order."""
    ensure(1 <= len(urls) <= MAX_URLS, f"urls must hold 1 to {MAX_URLS} entries")
    workspace = info.context.workspace
    return [_look_up(workspace, url) for url in urls]


def _look_up(workspace: Workspace, url: str) -> dict[str, str | None]:
    if not post_urls.is_valid(url):
        return {"url": url, "status": "INVALID_URL", "item_id": None}
    external = post_urls.external_in(url)
    item = workspace.item_by_code(*external) if external else None
    return {
        "url": url,
        "status": "FOUND" if item else "NOT_FOUND",
        "item_id": item.id if item else None,
    }


def media_contents(_: None, info: Info, **arguments: list[str] | None) -> list[MediaContent]:
    """Return frames of items of this workspace or of its competitors' posts; ids of others are
    left out."""
    limits = {"itemIds": MAX_MEDIA_IDS, "competitorBrandItemIds": MAX_MEDIA_IDS}
    name, ids = _only_list(arguments, limits)
    workspace = info.context.workspace
    items: Iterable[Item | None] = map(workspace.item_by_id, ids)
    if name == "competitorBrandItemIds":
        insights_of(workspace)
        items = map(partial(competitor_item, workspace), ids)
    contents = [content for item in filter(None, items) for content in item.media_contents]
    return [move_files(content, info.context.media) for content in contents]


def transcriptions(_: None, info: Info, **arguments: list[str] | None) -> list[Transcription]:
    """Return the speech of the videos of items, or of single media contents."""
    name, ids = _only_list(
        arguments,
        {"itemIds": MAX_TRANSCRIBED_ITEMS, "mediaContentIds": MAX_TRANSCRIBED_CONTENTS},
    )
    workspace = info.context.workspace
    if name == "mediaContentIds":
        return [entry for text in ids for entry in _transcribe(workspace, text)]
    items = filter(None, map(workspace.item_by_id, ids))
    return [entry for item in items for entry in item.transcriptions]


def _transcribe(workspace: Workspace, text: str) -> list[Transcription]:
    """Return the speech of one media content: one entry, or none."""
    number = workspace.number_of(Kind.MEDIA_CONTENT, text)
    if number is None or number // FRAMES_EACH not in workspace.numbers:
        return []
    entries = workspace.item(number // FRAMES_EACH).transcriptions
    # Ids are written in small letters here, whatever the caller wrote.
    return [entry for entry in entries if entry.media_content_id == text.lower()]


def _only_list(
    arguments: dict[str, list[str] | None], limits: dict[str, int]
) -> tuple[str, list[str]]:
    """Return the one list that is there, with its name.

    limits: the most ids of each list. Raises GraphQLError for no list, for several, and for one
    that is empty or too long.
    """
    lists = {name: ids for name, ids in arguments.items() if ids is not None}
    ensure(len(lists) == 1, f"Provide exactly one of {' or '.join(limits)}")
    ((name, ids),) = lists.items()
    ensure(1 <= len(ids) <= limits[name], f"{name} must hold 1 to {limits[name]} ids")
    return name, ids


def engagement_history(
    _: None, info: Info, *, first: int | None, after: str | None, **arguments: Any
) -> Page:
    """Return snapshots, newest first, inside the window if there is one."""
    workspace = info.context.workspace
    item = workspace.item_by_id(arguments["itemId"])
    if item is None:
        raise make_error(f"Item {arguments['itemId']} not found", "NOT_FOUND")
    window = (arguments.get("filter") or {}).get("capturedAt") or {}
    history = item.history
    places = [place for place, entry in enumerate(history) if is_within(entry.at, window)]
    # The item is part of the name: a cursor of one history must not resume another.
    return paginate(
        f"history{workspace.index}-{item.number}",
        places,
        history.__getitem__,
        first=first,
        after=after,
    )


TABLE: dict[str, Resolver] = {
    "items": items,
    "itemIdsByUrl": item_ids_by_url,
    "mediaContents": media_contents,
    "transcriptions": transcriptions,
    "engagementHistory": engagement_history,
}
