"""Items and their media as the API shows them, computed from their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from server.sandbox.archive.data.metrics import Engagement, measure, snapshot_moments
from server.sandbox.archive.data.posts import STORY_KINDS, Post
from server.sandbox.archive.urls import original_url
from server.sandbox.ids import Kind, draw
from server.sandbox.words import load_words, pick

# Room for the frames of one item inside a media content's number.
FRAMES_EACH = 16
# A fixed place of the injected texts lets tests point at them.
INJECTED_ITEM = 37
INJECTED_VIDEO_EVERY = 997
_TYPES = {"TIKTOK": "POST", "YOUTUBE": "POST", "YOUTUBE_SHORT": "SHORT", "TIKTOK_STORY": "STORY"}
_CONTRACTS = ("APPROVED", "EXPIRED", "IN_QUEUE", "REJECTED", "REQUESTED")
_RATINGS = ("Great", "Good", "Unusable", None)
MEDIA = "https://media.sandbox.example"
"""The host of all files."""


@dataclass(frozen=True)
class MediaContent:
    """One frame of an item."""

    id: str
    media_item_id: str
    type: str
    file_url: str | None
    thumbnail_url: str | None
    width: int
    height: int
    deleted: bool
    video_duration: int | None


@dataclass(frozen=True)
class Transcription:
    """The speech of one video; None where nobody speaks."""

    media_content_id: str
    transcript: str | None


@dataclass(frozen=True)
class Location:
    """A place as an item names it."""

    name: str
    formatted: str
    city: str
    state: str
    country: str


class Item(Post):
    """An archived post; attributes are the API's fields in snake case."""

    @cached_property
    def media_item_id(self) -> str:
        return self.workspace.id_of(Kind.MEDIA_ITEM, self.number)

    @property
    def type(self) -> str:
        """The kind as answers name it."""
        return _TYPES.get(self.kind, self.kind)

    @property
    def is_manual(self) -> bool:
        """Whether somebody uploaded it, instead of the archive finding it."""
        return self.flags >> 46 & 0xF == 0

    @cached_property
    def current_engagement(self) -> Engagement | None:
        """Metrics of the latest snapshot."""
        moments = snapshot_moments(self)
        return measure(self, moments[-1]) if moments else None

    @property
    def history(self) -> list[Engagement]:
        """All snapshots, newest first."""
        return [measure(self, moment) for moment in reversed(snapshot_moments(self))]

    @property
    def original_url(self) -> str | None:
        """The post on its platform; stories have none."""
        return original_url(
            self.kind,
            self.external_id,
            self.social_profile.account_name,
            photo=self.kind == "TIKTOK" and self.frames[0] == "IMAGE",
        )

    @property
    def archive_public_url(self) -> str:
        return f"https://archive.sandbox.example/p/{self.id}"

    @property
    def caption(self) -> str | None:
        """What the creator wrote; most stories have none."""
        if self.kind in STORY_KINDS and self.words >> 60:
            return None
        if self.workspace.index == 0 and self.number == INJECTED_ITEM:
            return load_words().injected_caption
        theme, bits = self.workspace.brand.theme, self.words
        parts = [
            pick(theme.openers, bits),
            self._fill(pick(theme.bodies, bits >> 8)),
            pick(theme.closers, bits >> 16),
            *(f"#{tag}" for tag in self.hashtags),
        ]
        return " ".join(parts).replace("{h}", self.workspace.brand.handle)

    @property
    def hashtags(self) -> list[str]:
        """Hashtags without the sign."""
        return [
            tag
            for place, tag in enumerate(self.workspace.brand.theme.hashtags)
            if self.words >> 40 + place & 1
        ]

    @property
    def mentions(self) -> list[str]:
        """Mentioned accounts without the sign."""
        return [self.workspace.brand.handle] if self.words >> 50 & 3 else []

    @property
    def product(self) -> str:
        return pick(self.workspace.brand.theme.products, self.words >> 24)

    def _fill(self, text: str) -> str:
        return text.replace("{p}", self.product).replace("{c}", self.place.city)

    @property
    def location(self) -> Location | None:
        """The place, for one post in three."""
        if self.words >> 55 & 0xF > 5:
            return None
        place = self.place
        return Location(
            name=place.city,
            formatted=f"{place.city}, {place.country}",
            city=place.city,
            state=place.region,
            country=place.country,
        )

    def media_content_id(self, frame: int) -> str:
        return self.workspace.id_of(Kind.MEDIA_CONTENT, self.number * FRAMES_EACH + frame)

    @property
    def media_contents(self) -> list[MediaContent]:
        return [self._media_content(frame, kind) for frame, kind in enumerate(self.frames)]

    def _media_content(self, frame: int, kind: str) -> MediaContent:
        bits = draw(self.workspace.seed, self.number * FRAMES_EACH + frame, 5)
        content_id = self.media_content_id(frame)
        is_deleted = bits & 0x1F == 0
        width, height = 1080, 1350
        duration: int | None = None
        suffix = "jpg"
        # Videos and stories are upright, pictures nearly square.
        if kind == "VIDEO" or self.kind in STORY_KINDS:
            height = 1920
        if self.kind == "YOUTUBE":
            width, height = 1920, 1080
        if kind == "VIDEO":
            suffix = "mp4"
            # Seconds; a video on YouTube runs much longer than one anywhere else.
            duration = 8 + (bits >> 8 & 0x3F) * (9 if self.kind == "YOUTUBE" else 1)
        file_url: str | None = f"{MEDIA}/files/{content_id}.{suffix}"
        thumbnail_url: str | None = f"{MEDIA}/thumbs/{content_id}.jpg"
        # A deleted file often keeps its stale address, which is why readers must look at `deleted`.
        if is_deleted and bits >> 5 & 1 == 0:
            file_url = thumbnail_url = None
        return MediaContent(
            id=content_id,
            media_item_id=self.media_item_id,
            type=kind,
            file_url=file_url,
            thumbnail_url=thumbnail_url,
            width=width,
            height=height,
            deleted=is_deleted,
            video_duration=duration,
        )

    @property
    def transcriptions(self) -> list[Transcription]:
        """One entry per video frame."""
        return [
            Transcription(self.media_content_id(frame), self._transcript(frame))
            for frame, kind in enumerate(self.frames)
            if kind == "VIDEO"
        ]

    def _transcript(self, frame: int) -> str | None:
        bits = draw(self.workspace.seed, self.number * FRAMES_EACH + frame, 6)
        if bits % 5 == 0:
            # Only music.
            return None
        spoken = self.workspace.brand.theme.spoken
        lines = [line for place, line in enumerate(spoken) if bits >> 8 + place & 3]
        is_injected = self.number % INJECTED_VIDEO_EVERY == INJECTED_ITEM
        if self.workspace.index == 0 and is_injected:
            lines.append(load_words().injected_speech)
        # Somebody speaks, so at least the first line is said.
        return self._fill(" ".join(lines) or spoken[0])

    @cached_property
    def custom_attributes(self) -> dict[str, Any]:
        """Values by attribute key; null where nobody filled them in."""
        bits = self.flags
        values: dict[str, Any] = {
            "content_rating": None,
            "themes": self.workspace.option_ids("ITEM", "themes", bits >> 20),
            "brand_safe": None,
            "review_score": None,
            "approved_on": None,
            "editor_note": None,
        }
        rating = _RATINGS[bits & 3]
        if rating:
            values["content_rating"] = self.workspace.option_id("ITEM", "content_rating", rating)
        if bits >> 2 & 3:
            values["brand_safe"] = bits >> 4 & 0xF > 0
        if bits >> 16 & 1:
            values["review_score"] = 1 + (bits >> 8 & 0xFF) % 5
        # Two days after the post, which may still lie ahead.
        approval = self.taken_at + timedelta(days=2)
        if rating == "Great" and approval < self.workspace.anchor:
            values["approved_on"] = approval.date().isoformat()
        if bits >> 28 & 7 == 0:
            values["editor_note"] = pick(load_words().editor_notes, bits >> 24)
        return values

    @property
    def ai_filter_reasons(self) -> list[dict[str, str]]:
        """Why the AI-filled attributes have their values."""
        values = self.custom_attributes
        return [
            {"key": key, "reason": reason}
            for key, reason in load_words().filter_reasons.items()
            if values[key]
        ]

    def contract(self, place: int) -> str | None:
        """Return the state of a request to the creator, mostly None.

        place: 0 for usage rights, 1 for a spark code, 2 for whitelisting.
        """
        bits = self.flags >> 32 + 6 * place & 0x3F
        return _CONTRACTS[bits] if bits < len(_CONTRACTS) else None
