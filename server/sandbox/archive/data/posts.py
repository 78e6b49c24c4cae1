"""What a post is before anybody looks at its numbers or its words: who, when, where and what kind.

Everything is computed from the post's number. `metrics.py` measures posts and `items.py` adds what
the API calls an item.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from server.sandbox.archive.data.archive_base import ArchiveBase
from server.sandbox.archive.data.creators import Creator, SocialProfile
from server.sandbox.archive.urls import external_id
from server.sandbox.ids import Kind, draw
from server.sandbox.words import Place, load_words, pick

STORY_KINDS = frozenset({"STORY", "TIKTOK_STORY"})
VIDEO_KINDS = frozenset({"REEL", "TIKTOK", "YOUTUBE", "YOUTUBE_SHORT"})
# Kinds of a platform with the upper ends of their shares of 256.
_KINDS = {
    "INSTAGRAM": (("POST", 108), ("REEL", 192), ("STORY", 256)),
    "TIKTOK": (("TIKTOK", 240), ("TIKTOK_STORY", 256)),
    "YOUTUBE": (("YOUTUBE", 140), ("YOUTUBE_SHORT", 256)),
}


def _draws(purpose: int) -> cached_property[int]:
    return cached_property(lambda post: draw(post.workspace.seed, post.number, purpose))


class Post:
    """A post. Cheap to make: everything is computed when first read."""

    def __init__(self, workspace: ArchiveBase, number: int) -> None:
        self.workspace = workspace
        self.number = number
        self.bits = draw(workspace.seed, number, 1)

    # Draws of their own for each purpose: what is said of a post must not depend on how it did.
    measures = _draws(2)
    words = _draws(3)
    # Rights, attributes and sources.
    flags = _draws(4)

    @cached_property
    def id(self) -> str:
        return self.workspace.id_of(Kind.ITEM, self.number)

    @cached_property
    def creator(self) -> Creator:
        """The person; a few people post a lot."""
        share = (self.bits & 0xFFFFFF) / 0x1000000
        # Squared, which gives low numbers far more posts than high ones.
        return self.workspace.creator(int(self.workspace.brand.creator_count * share * share))

    @cached_property
    def social_profile(self) -> SocialProfile:
        slot = -1 if self.bits >> 24 & 0xFF < 90 else 0
        return self.creator.social_profiles[slot]

    @property
    def provider(self) -> str:
        return self.social_profile.provider

    @cached_property
    def kind(self) -> str:
        """The kind as filters name it."""
        share = self.bits >> 32 & 0xFF
        return next(kind for kind, end in _KINDS[self.provider] if share < end)

    @cached_property
    def frames(self) -> list[str]:
        """IMAGE or VIDEO for each frame, in order."""
        bits = self.bits >> 40
        if self.kind == "TIKTOK" and bits & 0xF == 0:
            return ["IMAGE"] * (3 + (bits >> 4 & 3))
        if self.kind in VIDEO_KINDS:
            return ["VIDEO"]
        if self.kind in STORY_KINDS:
            return ["VIDEO" if bits & 1 else "IMAGE"]
        if bits & 3:
            return ["IMAGE"]
        count = 2 + (bits >> 4 & 7) % 6
        return ["VIDEO" if bits >> 8 + place & 7 == 0 else "IMAGE" for place in range(count)]

    @cached_property
    def taken_at(self) -> datetime:
        """When it was posted; a smaller number is never older."""
        return self.workspace.time_of(self.number)

    @property
    def imported_at(self) -> datetime | None:
        """When an upload arrived; it is measured then. None for items that the archive found."""
        return None

    @property
    def place(self) -> Place:
        """Where it was made: usually at home."""
        if self.words >> 52 & 7:
            return self.creator.place
        return pick(load_words().places, self.words >> 32)

    @cached_property
    def ratio(self) -> float:
        """Views against the account's usual views; large ones are rare."""
        share = ((draw(self.workspace.seed, self.number, 7) >> 40) + 1) / 0x1000000
        # A power law, cut where a single post would outweigh the rest of its month.
        return min(40.0, float(0.5 * share**-0.55))

    @property
    def is_unreachable(self) -> bool:
        """Whether the platform refuses to give metrics, as it does for accounts that went
        private."""
        return self.bits >> 56 & 0xFF < 6

    @cached_property
    def external_id(self) -> str:
        return external_id(self.workspace.seed, self.number, self.kind)
