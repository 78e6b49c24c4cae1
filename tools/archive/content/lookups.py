"""Reads what there is about single items: media, transcripts, ids by link, engagement over time."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import Annotated, Any, ClassVar

from pydantic import Field

from server.archive.operations import (
    Connection,
    Id,
    Lookup,
)
from server.errors import Code, Failure
from server.tool.request import Input, Links, argument_names
from tools.archive.schema.inputs import (
    FilterDateRangeInput,
)
from tools.archive.schema.objects import (
    EngagementEntry,
    MediaContent,
    Transcription,
    UrlLookup,
)

Json = dict[str, Any]

# A hundred is Archive's limit for pages and for the lookup of media (Archive docs, media).
ItemIds = Annotated[list[Id], Field(min_length=1, max_length=100)]


class GetMediaContents(Lookup[MediaContent]):
    """Get the images and videos of items, with file and thumbnail URLs. Join them to items by
    `mediaItemId` (ask archive_search_items for it), and skip those that are `deleted`. Pass exactly
    one kind of id."""

    operation = "mediaContents"
    title = "Get pictures and videos"
    search_hint = (
        "download links, original file, image files, mp4, jpg, high resolution, source file, "
        "thumbnail url, assets for the ad team, raw footage, photo files, high-res, save the "
        "pictures, get me the clip, all slides of a carousel, media of this post, full "
        "resolution, raw video, save the files, for our editor, pictures to download, grab, "
        "jpegs, mp4s, save the file, subtitles"
    )

    item_ids: ItemIds | None = Field(None, description="Up to 100 item ids.")
    competitor_brand_item_ids: ItemIds | None = Field(
        None, description="Up to 100 competitor item ids, instead of item ids."
    )

    def check(self) -> None:
        # Both or neither is a server error of Archive, though its schema marks both optional.
        _exactly_one(self, "item_ids", "competitor_brand_item_ids")


class GetTranscriptions(Lookup[Transcription]):
    """Get what is said in videos; captions are in archive_search_items. Transcripts are keyed by
    media content: to get them beside their items, ask archive_search_items for `fields` ["*",
    "transcriptions.transcript"] instead."""

    operation = "transcriptions"
    title = "Get transcripts"
    most_characters = 200_000
    search_hint = (
        "spoken words, what is said, says in the video, out loud, subtitles, quote, voice over, "
        "speech to text, mention our name aloud, talks about, script, what does he say, exact "
        "words, audio, in German, mentioned verbally, read me, what exactly does she say, write "
        "down word for word, verbatim, transcribe, spoken text, dialogue, spoken, words they say, "
        "talk, transcript of"
    )

    # The limits are of different size: 1,000 items, but only 20 media (Archive docs,
    # transcriptions).
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Up to 1,000 item ids."
    )
    media_content_ids: Annotated[list[Id], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Up to 20 media content ids, instead of item ids."
    )

    def check(self) -> None:
        # What Archive answers to neither is not documented.
        _exactly_one(self, "item_ids", "media_content_ids")


class GetItemIdsByUrl(Lookup[UrlLookup]):
    """Find the items behind post links: Instagram posts and reels, TikTok, YouTube and Shorts.
    Stories have no permanent link, and short links are not resolved. Send all links in one call."""

    operation = "itemIdsByUrl"
    title = "Find items by link"
    search_hint = (
        "look up a post by its link, instagram.com, tiktok.com, youtube.com, https, is this link "
        "in our library, archived already, id of a post, check these links, which of these links "
        "are missing, have we got this, pasted link, ids for these links, recognise these urls, "
        "already in our library, captured, check this post, is it there, do we have, look for "
        "this link"
    )

    urls: Links = Field(min_length=1, max_length=100, description="Up to 100 post links.")


class EngagementHistoryFilterInput(Input):
    """Which snapshots."""

    captured_at: FilterDateRangeInput | None = Field(
        None, description="Days or instants with zone."
    )


class GetEngagementHistory(Connection[EngagementEntry]):
    """Get one item's metrics over time (`at`), newest first. Snapshots are taken some minutes after
    2 h, 24 h, 3 days and 7 days from posting (for the first week ask for 8 days), later only while
    a post still grows. For current metrics archive_search_items is enough."""

    operation = "engagementHistory"
    title = "Get engagement over time"
    search_hint = (
        "how a post grew, developed, growth over time, likes per day, views day by day, history "
        "of likes, first week, first 24 hours, curve, trend of one post, went viral when, "
        "measurements, timeline, evolution, still growing, since it was posted, how did likes "
        "change, gain, gained, plateau, peak, before and after, when did it take off, momentum, "
        "kept growing, progress of a post, flatten out, slow down, stop growing, start to climb, "
        "rise, day by day, after 24 hours, at 7 days, over the first days, went up, hourly, "
        "increase, take off, traction, weekly growth, how fast, trajectory, spike"
    )
    cost: ClassVar[float] = 6

    item_id: Id = Field(description="Item id.")
    filter: EngagementHistoryFilterInput | None = Field(
        None, description="Narrows the history to a time window."
    )


def _exactly_one(request: Any, *names: str) -> None:
    count = sum(map(bool, attrgetter(*names)(request)))
    if count == 1:
        return
    arguments = itemgetter(*names)(argument_names(type(request)))
    existing = " or ".join(map("`{}`".format, arguments))
    wrong = f"Give exactly one of {existing}; got"
    if count:
        hint = "Make two calls to look up both kinds."
        raise Failure(Code.INVALID_ARGUMENT, f"{wrong} both.", hint)
    raise Failure(Code.INVALID_ARGUMENT, f"{wrong} neither.", "Pass the ids you have.")
