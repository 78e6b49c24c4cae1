"""Looking at posts: their thumbnails as pictures, one by one or together on one numbered sheet."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, NamedTuple, TypeVar

import anyio.to_thread
from pydantic import Field

from server.archive.api import Api
from server.archive.batching import answers
from server.archive.context import ArchiveContext
from server.archive.operations import Id, Workflow
from server.errors import Code, Failure
from server.pictures import is_installed, make_missing_library
from server.pictures.fetching import fetch_all
from server.pictures.thumbnails import (
    LARGEST,
    MOST_BYTES,
    SMALLEST,
    Thumbnail,
    draw_sheet,
    encode_single,
    shrink,
    wrap_unscaled,
)
from server.tool.result import Image, Result, prose
from tools.archive.content.items import GetMediaContents, SearchItems

# A model looks at each picture at a price: many small ones on a sheet, few single ones.
MOST_ITEMS, MOST_SINGLE = 24, 6
_MEDIA_FIELDS = ["mediaItemId", "type", "deleted", "thumbnailUrl", "fileUrl", "videoDuration"]
_ITEM_FIELDS = [
    "id",
    "mediaItemId",
    "provider",
    "type",
    "takenAt",
    "archivePublicUrl",
    "originalUrl",
    "socialProfile.accountName",
]
_SHEET_SIZE, _SINGLE_SIZE = 512, 768
_UNSCALED = (
    "Shown as they came: sheets need Pillow. "
    'The user installs the server as "archive-mcp[pictures]".'
)
_COMPETITORS = (
    "Account, date and link of competitor posts are in archive_get_competitor_brand_items."
)
T = TypeVar("T")
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS)]


class Frame(NamedTuple):
    """A picture to be shown: whose it is, where it is, and what the legend says of it."""

    url: str
    is_video: bool
    legend: dict[str, Any]


class ViewMedia(Workflow[dict[str, Any]]):
    """Look at posts: their thumbnails as images, on one numbered sheet with a legend or one by one.
    It shows all frames of a single item, and the first frame of each of several items. For file
    URLs, use archive_get_media_contents. Changes nothing."""

    operation = "view_media"
    title = "Look at posts"
    search_hint = (
        "look at posts, look at the pictures, show me the images, see the thumbnails, thumbnail, "
        "what is visible, are the products visible, colours, colors, describe the photo, what "
        "does the video look like, contact sheet, style, logo, aesthetics, have a look, "
        "appearance, wearing, background, screenshot of a post, show me what it looks like, can "
        "you see, do they look, what is in the picture, on brand, mood, is the logo visible, "
        "check the images, describe what you see, screenshots, packaging, faces, background"
    )
    risk = "reads"
    repeatable = True

    item_ids: Ids | None = Field(None, description="Up to 24 item ids.")
    competitor_brand_item_ids: Ids | None = Field(
        None, description="Up to 24 competitor item ids, instead of item ids."
    )
    each: bool = Field(False, description="Return single images (at most 6) instead of a sheet.")
    size: int | None = Field(
        None, ge=SMALLEST, le=LARGEST, description="Longest side of an image in pixels."
    )

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        return None

    def check(self) -> None:
        # Archive answers both or neither with a server error, though its schema allows them.
        if (self.item_ids is None) == (self.competitor_brand_item_ids is None):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give exactly one of `itemIds` and `competitorBrandItemIds`.",
                "Make two calls to look at both.",
            )
        if self.each and len(self.ids) > MOST_SINGLE:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`each` shows up to {MOST_SINGLE} items; got {len(self.ids)}.",
                "Leave `each` out for one sheet of all, or send fewer ids.",
            )

    @property
    def ids(self) -> list[str]:
        """The ids, each once."""
        return list(dict.fromkeys(self.item_ids or self.competitor_brand_item_ids or []))

    async def run(self, context: ArchiveContext) -> Result:
        # Pillow is an optional extra; without it pictures are passed on as they are.
        can_scale = is_installed("pictures")
        if not can_scale and len(self.ids) > MOST_SINGLE:
            raise make_missing_library(
                "pictures", "Contact sheets", f"Without it, ask for up to {MOST_SINGLE} items."
            )
        skipped: list[dict[str, Any]] = []
        frames = await self._frames(context.api, skipped)
        most = MOST_SINGLE if self.each or not can_scale else MOST_ITEMS
        notes = [_COMPETITORS] if self.competitor_brand_item_ids else []
        notes += (
            [f"Only the first {most} of {len(frames)} frames are shown."]
            if len(frames) > most
            else []
        )
        notes += [] if can_scale else [_UNSCALED]
        visible, images = await (self._scale if can_scale else self._keep_size)(
            context, frames[:most], skipped
        )
        about = {
            "pictures": [
                {"number": number, **frame.legend} for number, frame in enumerate(visible, 1)
            ],
            **({"skipped": skipped} if skipped else {}),
            **({"notes": notes} if notes else {}),
        }
        return prose(about, "", *images)

    async def _scale(
        self, context: ArchiveContext, frames: list[Frame], skipped: list[dict[str, Any]]
    ) -> tuple[list[Frame], list[Image]]:
        longest = self.size or (_SINGLE_SIZE if self.each else _SHEET_SIZE)
        requested = [
            (frame.url, partial(shrink, longest=longest, is_video=frame.is_video))
            for frame in frames
        ]
        visible, thumbnails = _sort_out(
            frames, await fetch_all(context.archive.fetch, requested), skipped
        )
        return visible, await anyio.to_thread.run_sync(_draw, thumbnails, longest, self.each)

    async def _keep_size(
        self, context: ArchiveContext, frames: list[Frame], skipped: list[dict[str, Any]]
    ) -> tuple[list[Frame], list[Image]]:
        requested = [
            (frame.url, partial(wrap_unscaled, most=MOST_BYTES // MOST_SINGLE)) for frame in frames
        ]
        return _sort_out(frames, await fetch_all(context.archive.fetch, requested), skipped)

    async def _frames(self, api: Api, skipped: list[dict[str, Any]]) -> list[Frame]:
        if self.competitor_brand_item_ids is not None:
            return await self._competitors(api, skipped)
        items = SearchItems.model_validate({"filter": {"ids": self.ids}, "fields": _ITEM_FIELDS})
        existing = {
            # UUIDs are matched without case, as a user may paste them in capitals.
            record["id"].lower(): record
            for record in (await api.read_page(items, size=len(self.ids))).records
        }
        media = GetMediaContents.model_validate({"itemIds": self.ids, "fields": _MEDIA_FIELDS})
        contents = (await api.read_whole(media)).records
        frames: list[Frame] = []
        for id in self.ids:
            item = existing.get(id.lower())
            if item is None:
                skipped.append({"itemId": id, "reason": "no such item in this workspace"})
                continue
            # A medium carries no item id: `mediaItemId` is the only join (Archive docs, media).
            own = [content for content in contents if content["mediaItemId"] == item["mediaItemId"]]
            frames += self._choose(_legend(item), own, skipped)
        return frames

    async def _competitors(self, api: Api, skipped: list[dict[str, Any]]) -> list[Frame]:
        """Each post's media by themselves: nothing tells which of several posts a medium belongs
        to."""
        identities = [
            GetMediaContents.model_validate({"competitorBrandItemIds": [id]}) for id in self.ids
        ]
        result = await answers(api, identities, _MEDIA_FIELDS)
        frames: list[Frame] = []
        for id, media in zip(self.ids, result, strict=True):
            frames += self._choose({"itemId": id}, media, skipped)
        return frames

    def _choose(
        self, legend: dict[str, Any], own: list[dict[str, Any]], skipped: list[dict[str, Any]]
    ) -> list[Frame]:
        """All usable frames of the only item, the first usable one of many; why, where there is
        none."""
        usable = [
            Frame(url, media["type"] == "VIDEO", {**legend, **_report(media, place, len(own))})
            for place, media in enumerate(own, 1)
            if (url := _url(media))
        ]
        if not usable:
            gone = any(media["deleted"] for media in own)
            reason = "its files were deleted" if gone else "Archive has no picture of it"
            skipped.append({"itemId": legend["itemId"], "reason": reason})
        return usable if len(self.ids) == 1 else usable[:1]


def _url(media: dict[str, Any]) -> str | None:
    # Deleted media may still have links, which lead nowhere.
    if media["deleted"]:
        return None
    still: str | None = media["thumbnailUrl"] or (
        media["fileUrl"] if media["type"] == "IMAGE" else None
    )
    return still


def _legend(item: dict[str, Any]) -> dict[str, Any]:
    profile = item["socialProfile"] or {}
    return {
        "itemId": item["id"],
        "account": profile.get("accountName"),
        "provider": item["provider"],
        "type": item["type"],
        "takenAt": item["takenAt"],
        # Stories have no original link; Archive's own is stable.
        "link": item["archivePublicUrl"] or item["originalUrl"],
    }


def _report(media: dict[str, Any], place: int, count: int) -> dict[str, Any]:
    frame = {"frame": f"{place} of {count}"} if count > 1 else {}
    seconds = {"videoSeconds": media["videoDuration"]} if media["type"] == "VIDEO" else {}
    return {**frame, **seconds}


def _sort_out(
    frames: list[Frame], match: list[T | Failure], skipped: list[dict[str, Any]]
) -> tuple[list[Frame], list[T]]:
    """The frames that there is a picture of, and the pictures; the others go to those that were
    skipped."""
    visible: list[Frame] = []
    pictures: list[T] = []
    for frame, result in zip(frames, match, strict=True):
        if isinstance(result, Failure):
            which = {
                name: value for name, value in frame.legend.items() if name in ("itemId", "frame")
            }
            # One picture that fails must not cost the others.
            skipped.append({**which, "reason": result.message})
        else:
            visible.append(frame)
            pictures.append(result)
    return visible, pictures


def _draw(thumbnails: list[Thumbnail], longest: int, apart: bool) -> list[Image]:
    if not thumbnails:
        return []
    if apart:
        # The limit is of the whole answer, so single pictures share it.
        return [encode_single(thumbnail, MOST_BYTES // len(thumbnails)) for thumbnail in thumbnails]
    return [draw_sheet(thumbnails, longest)]
