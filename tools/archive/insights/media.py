"""Looking at posts: their thumbnails as pictures, one by one or together on one numbered sheet."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Annotated, Any

import anyio.to_thread
from pydantic import Field

from server.archive.api import Api
from server.archive.batching import answers
from server.archive.context import ArchiveContext
from server.archive.operations import Id, Text, Workflow
from server.errors import Code, Failure
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
from server.settings.extras import describe_installation, is_installed, make_missing_library
from server.tool.arguments import list_once, parse_in_utc
from server.tool.result import Image, Result, drop_empty, prose, select_notes
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetMediaContents
from tools.archive.insights.base import Metric, SourceItems
from tools.archive.insights.media_frames import (
    Frame,
    choose_frames,
    describe_hosts,
    make_legend,
    sort_out,
)
from tools.archive.insights.reports import GetTopContent
from tools.archive.items_window import WindowedSource

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
_UNSCALED = "Shown as they came: sheets need Pillow."
_COMPETITORS = (
    "Account, date and link of competitor posts are in archive_get_competitor_brand_items."
)
Links = Annotated[list[Text], Field(min_length=1, max_length=MOST_ITEMS)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS)]


class ViewMedia(WindowedSource, Workflow[dict[str, Any]]):
    """Look at posts: their thumbnails as images, on one numbered sheet with a legend or one by one.
    Takes ids, links or a search: "the nine best posts of this month" is `takenAt` with `metric`.
    It shows all frames of a single item, and the first frame of each of several items. For file
    URLs, use archive_get_media_contents. Changes nothing."""

    operation = "view_media"
    title = "Look at posts"
    search_hint = (
        "look at the pictures, show me the images, see the thumbnails, are the products visible, "
        "colours, colors, describe the photo, what does the video look like, contact sheet, "
        "style, logo, aesthetics, appearance, wearing, background, screenshot of a post, on "
        "brand, mood, check the images, packaging, faces, actually visible, look at the photo, "
        "shows the product clearly, collage, grid, images look like, eyeball, visually, colour, "
        "thumbnail, preview, cover, know which post you mean"
    )
    risk = "reads"
    repeatable = True

    item_ids: Ids | None = Field(None, description="Up to 24 item ids.")
    urls: Links | None = Field(None, description="Up to 24 post links, instead of item ids.")
    competitor_brand_item_ids: Ids | None = Field(
        None, description="Up to 24 competitor item ids, instead of item ids."
    )
    metric: Metric | None = Field(
        None, description="Ranks the posts of a search; without it the newest come first."
    )
    limit: int = Field(9, ge=1, le=MOST_ITEMS, description="Number of posts that a search shows.")
    each: bool = Field(False, description="Return single images (at most 6) instead of a sheet.")
    size: int | None = Field(
        None, ge=SMALLEST, le=LARGEST, description="Longest side of an image in pixels."
    )

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        return None

    def check(self) -> None:
        choices = [self.item_ids, self.urls, self.search, self.taken_at, self.metric]
        if self.competitor_brand_item_ids is None:
            self.require_source()
            self.narrow_by_time()
        # Archive answers both kinds of ids with a server error, though its schema allows them.
        elif choices.count(None) < len(choices):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`competitorBrandItemIds` goes with no other choice of posts.",
                "Make two calls to look at both.",
            )
        names = self._list_names()
        if self.each and len(names) > MOST_SINGLE:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`each` shows up to {MOST_SINGLE} items; got {len(names)}.",
                "Leave `each` out for one sheet of all, or send fewer ids.",
            )

    def has_other_source(self) -> bool:
        return self.competitor_brand_item_ids is not None or super().has_other_source()

    def _list_names(self) -> list[str]:
        """Return the ids or links that the call names, each once."""
        return list_once(self.names or self.competitor_brand_item_ids)

    @property
    def _names_ids_alone(self) -> bool:
        """Whether there is nothing to look up."""
        return (self.urls, self.search, self.taken_at) == (None, None, None)

    async def run(self, context: ArchiveContext) -> Result:
        # Pillow is an optional extra; without it pictures are passed on as they are.
        can_scale = is_installed("pictures")
        if not can_scale and len(self._list_names()) > MOST_SINGLE:
            raise make_missing_library(
                "pictures", "Contact sheets", f"Without it, ask for up to {MOST_SINGLE} items."
            )
        skipped: list[dict[str, Any]] = []
        most = MOST_SINGLE if self.each or not can_scale else MOST_ITEMS
        ids, notes = await self._choose_ids(context, most)
        if self.limit > most and "limit" in self.model_fields_set:
            notes.append(f"`limit` is at most {most} here.")
        frames = await self._frames(context.api, ids, skipped)
        notes += select_notes(
            (self.competitor_brand_item_ids, _COMPETITORS),
            (len(frames) > most, f"Only the first {most} of {len(frames)} frames are shown."),
            (not can_scale, f"{_UNSCALED} {describe_installation('pictures')}"),
        )
        read = self._scale if can_scale else self._keep_size
        visible, images = await read(context, frames[:most], skipped)
        pictures = [{"number": number, **frame.legend} for number, frame in enumerate(visible, 1)]
        notes += describe_hosts(skipped)
        about = drop_empty({"skipped": skipped, "notes": notes})
        return prose({"pictures": pictures, **about}, "", *images)

    async def _choose_ids(self, context: ArchiveContext, most: int) -> tuple[list[str], list[str]]:
        """Return the ids of at most so many posts, and what is to be said about the choice."""
        if self.metric is not None:
            return await self._rank_ids(context, most)
        if self._names_ids_alone:
            return self._list_names(), []
        count = self._count_posts(most)
        result = await self._read_newest(context.api, count)
        notes = []
        if not result.rows:
            notes += self.query().notes_if_empty()
        if result.named:
            notes.append(f"These links lead to no item: {', '.join(result.named)}.")
        return [row.id for row in result.rows[:count]], notes

    def _count_posts(self, most: int) -> int:
        """Return how many posts to show: all that are named, else as many as `limit` allows."""
        return len(self._list_names()) or min(self.limit, most)

    async def _read_newest(self, api: Api, count: int) -> SourceItems:
        result = SourceItems()
        async for batch in self.batches(api, None, ["id", "provider", "type", "takenAt"]):
            result.add(batch)
            if len(result.rows) >= count:
                break
        return result

    async def _rank_ids(self, context: ArchiveContext, most: int) -> tuple[list[str], list[str]]:
        source = self.model_dump(
            by_alias=True,
            exclude_unset=True,
            include={"search", "item_ids", "urls", "taken_at", "metric"},
        )
        source["limit"] = self._count_posts(most)
        request = parse_in_utc(GetTopContent, source)
        answer = await request.rank_by_archive(context) or await request.compute_here(context)
        nodes, total = answer["nodes"], answer["items"]
        amount = "an unknown number of" if total is None else f"{total:,}"
        notes = [f"Ranked by {answer['metric']}, of {amount} items."]
        if not nodes:
            notes += self.query().notes_if_empty()
        return list(map(itemgetter("id"), nodes)), notes

    async def _scale(
        self, context: ArchiveContext, frames: list[Frame], skipped: list[dict[str, Any]]
    ) -> tuple[list[Frame], list[Image]]:
        longest = self.size or (_SINGLE_SIZE if self.each else _SHEET_SIZE)
        requested = [
            (frame.url, partial(shrink, longest=longest, is_video=frame.is_video))
            for frame in frames
        ]
        visible, thumbnails = sort_out(
            frames, await fetch_all(context.archive.fetch, requested), skipped
        )
        return visible, await anyio.to_thread.run_sync(_draw, thumbnails, longest, self.each)

    async def _keep_size(
        self, context: ArchiveContext, frames: list[Frame], skipped: list[dict[str, Any]]
    ) -> tuple[list[Frame], list[Image]]:
        requested = [
            (frame.url, partial(wrap_unscaled, most=MOST_BYTES // MOST_SINGLE)) for frame in frames
        ]
        return sort_out(frames, await fetch_all(context.archive.fetch, requested), skipped)

    async def _frames(self, api: Api, ids: list[str], skipped: list[dict[str, Any]]) -> list[Frame]:
        # An empty list of ids is no filter: Archive could answer with everything.
        if not ids:
            return []
        if self.competitor_brand_item_ids is not None:
            return await self._competitors(api, ids, skipped)
        items = SearchItems.model_validate({"filter": {"ids": ids}, "fields": _ITEM_FIELDS})
        records = (await api.read_page(items, size=len(ids))).records
        # UUIDs are matched without case, as a user may paste them in capitals.
        existing = {record["id"].lower(): record for record in records}
        media = GetMediaContents.model_validate({"itemIds": ids, "fields": _MEDIA_FIELDS})
        contents = (await api.read_whole(media)).records
        frames: list[Frame] = []
        for id in ids:
            item = existing.get(id.lower())
            if item is None:
                skipped.append({"itemId": id, "reason": "no such item in this workspace"})
                continue
            # A medium carries no item id: `mediaItemId` is the only join (Archive docs, media).
            own = [content for content in contents if content["mediaItemId"] == item["mediaItemId"]]
            frames += choose_frames(make_legend(item), own, skipped, alone=len(ids) == 1)
        return frames

    async def _competitors(
        self, api: Api, ids: list[str], skipped: list[dict[str, Any]]
    ) -> list[Frame]:
        """Each post's media by themselves: nothing tells which of several posts a medium belongs
        to."""
        identities = [
            GetMediaContents.model_validate({"competitorBrandItemIds": [id]}) for id in ids
        ]
        result = await answers(api, identities, _MEDIA_FIELDS)
        frames: list[Frame] = []
        for id, media in zip(ids, result, strict=True):
            frames += choose_frames({"itemId": id}, media, skipped, alone=len(ids) == 1)
        return frames


def _draw(thumbnails: list[Thumbnail], longest: int, apart: bool) -> list[Image]:
    if not thumbnails:
        return []
    if apart:
        # The limit is of the whole answer, so single pictures share it.
        return [encode_single(thumbnail, MOST_BYTES // len(thumbnails)) for thumbnail in thumbnails]
    return [draw_sheet(thumbnails, longest)]
