"""Items and what belongs to them: Archive docs, items, media, transcriptions, engagement history,
lookup by URL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from server.sandbox.archive import urls as post_urls
from server.sandbox.archive.data.competitors import item_by_id as competitor_item
from server.sandbox.archive.data.items import FRAMES_EACH, MediaContent, Transcription
from server.sandbox.archive.data.metrics import Engagement
from server.sandbox.archive.data.saved import Collection, SavedView
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.media import placed
from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers.competitors import insights_of
from server.sandbox.archive.resolvers.context import Info, Resolver, refused
from server.sandbox.archive.resolvers.saved_checks import item_filter
from server.sandbox.ids import Kind

MOST_URLS = 100
MOST_MEDIA_IDS = 100
MOST_TRANSCRIBED_ITEMS = 1_000
MOST_TRANSCRIBED_CONTENTS = 20


async def items(
    _: None, info: Info, *, first: int | None, after: str | None = None, **given: Any
) -> Page:
    """Items of a preset, or of a filter with conditions and an order; a preset silences the other
    three."""
    context = info.context
    home = context.workspace
    preset = given.get("presetId")
    if preset is not None:
        numbers = await _of_preset(info, preset)
    else:
        numbers = await context.found.find(
            given.get("filter"), given.get("customAttributeConditions"), given.get("sorting")
        )
    return page(f"items{home.index}", numbers, home.item, first=first, after=after)


async def _of_preset(info: Info, preset: str) -> Sequence[int]:
    context = info.context
    saved = context.workspace.saved.find(preset)
    if isinstance(saved, Collection):
        return await context.found.find({"collectionsIds": [saved.id]}, None, None)
    if isinstance(saved, SavedView) and saved.kind is Kind.CONTENT_VIEW:
        narrowed = item_filter(info.schema, saved.filters)
        return await context.found.find(narrowed, saved.custom_attribute_conditions, saved.sort)
    raise refused(
        f"Preset {preset} is not a content view or collection of this workspace",
        "WRONG_VIEW_TYPE_FOR_ITEMS",
    )


def item_ids_by_url(_: None, info: Info, *, urls: list[str]) -> list[dict[str, str | None]]:
    """One result per URL, in the order given."""
    if not 1 <= len(urls) <= MOST_URLS:
        raise refused(f"urls must hold 1 to {MOST_URLS} entries")
    home = info.context.workspace
    return [_look_up(home, url) for url in urls]


def _look_up(home: Workspace, url: str) -> dict[str, str | None]:
    if not post_urls.is_valid(url):
        return {"url": url, "status": "INVALID_URL", "item_id": None}
    known = post_urls.external_in(url)
    item = home.item_by_code(*known) if known else None
    return {
        "url": url,
        "status": "FOUND" if item else "NOT_FOUND",
        "item_id": item.id if item else None,
    }


def media_contents(_: None, info: Info, **given: list[str] | None) -> list[MediaContent]:
    """Frames of items of this workspace or of its competitors' posts; ids of others are left
    out."""
    name, ids = _only_one(
        given, {"itemIds": MOST_MEDIA_IDS, "competitorBrandItemIds": MOST_MEDIA_IDS}
    )
    home = info.context.workspace
    if name == "competitorBrandItemIds":
        insights_of(home)
    look_up = home.item_by_id if name == "itemIds" else partial(competitor_item, home)
    found = [item for item in map(look_up, ids) if item is not None]
    return [
        placed(content, info.context.media) for item in found for content in item.media_contents
    ]


def transcriptions(_: None, info: Info, **given: list[str] | None) -> list[Transcription]:
    """Speech of the videos of items, or of single media contents."""
    name, ids = _only_one(
        given, {"itemIds": MOST_TRANSCRIBED_ITEMS, "mediaContentIds": MOST_TRANSCRIBED_CONTENTS}
    )
    home = info.context.workspace
    if name == "itemIds":
        found = [item for item in map(home.item_by_id, ids) if item is not None]
        return [entry for item in found for entry in item.transcriptions]
    return [entry for text in ids for entry in _of_content(home, text)]


def _of_content(home: Workspace, text: str) -> list[Transcription]:
    number = home.number_of(Kind.MEDIA_CONTENT, text)
    if number is None or number // FRAMES_EACH not in home.numbers:
        return []
    return [
        t
        for t in home.item(number // FRAMES_EACH).transcriptions
        if t.media_content_id == text.lower()
    ]


def _only_one(given: dict[str, list[str] | None], most: dict[str, int]) -> tuple[str, list[str]]:
    """The one list that was given and is not empty, with its name."""
    names = [name for name in most if given.get(name) is not None]
    if len(names) != 1:
        raise refused(f"Provide exactly one of {' or '.join(most)}")
    ids = given[names[0]] or []
    if not 1 <= len(ids) <= most[names[0]]:
        raise refused(f"{names[0]} must hold 1 to {most[names[0]]} ids")
    return names[0], ids


def engagement_history(
    _: None, info: Info, *, first: int | None, after: str | None, **given: Any
) -> Page:
    """Snapshots, newest first, inside the window if there is one."""
    home = info.context.workspace
    item = home.item_by_id(given["itemId"])
    if item is None:
        raise refused(f"Item {given['itemId']} not found", "NOT_FOUND")
    limits = (given.get("filter") or {}).get("capturedAt") or {}
    history = item.history
    kept = [place for place, entry in enumerate(history) if _captured(entry, limits)]
    return page(
        f"history{home.index}-{item.number}", kept, history.__getitem__, first=first, after=after
    )


def _captured(entry: Engagement, limits: dict[str, datetime | None]) -> bool:
    low, high = limits.get("from"), limits.get("to")
    return (low is None or entry.at >= low) and (high is None or entry.at <= high)


TABLE: dict[str, Resolver] = {
    "items": items,
    "itemIdsByUrl": item_ids_by_url,
    "mediaContents": media_contents,
    "transcriptions": transcriptions,
    "engagementHistory": engagement_history,
}
