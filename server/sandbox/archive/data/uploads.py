"""Posts that callers had imported: items like any other, but for what their URL says."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.sandbox.archive.data.changes import UPLOAD_SECONDS, Upload
from server.sandbox.archive.data.creators import Creator, SocialProfile
from server.sandbox.archive.data.items import Item

if TYPE_CHECKING:
    from server.sandbox.archive.data.workspace import Workspace

_KINDS = {"/reel/": "REEL", "/reels/": "REEL", "/shorts/": "YOUTUBE_SHORT"}
_USUAL = {"INSTAGRAM": "POST", "TIKTOK": "TIKTOK", "YOUTUBE": "YOUTUBE"}


class UploadedItem(Item):
    """An upload; numbers below 0 leave those of the archive's own items alone.

    The posting account is the one that the URL names if the CRM knows it, else somebody of the CRM
    who is on that platform: the sandbox makes up no new people.
    """

    def __init__(self, home: Workspace, upload: Upload) -> None:
        super().__init__(home, upload.number)
        self.upload = upload
        self.path = urlsplit(upload.url).path

    @cached_property
    def _poster(self) -> tuple[Creator, SocialProfile]:
        people = map(self.home.creator, range(self.home.brand.creators))
        there = [
            (who, p)
            for who in people
            for p in who.social_profiles
            if p.provider == self.upload.provider
        ]
        name = self.path.split("/")[1].removeprefix("@").lower()
        named = (pair for pair in there if pair[1].account_name == name)
        return next(named, there[self.bits % len(there)])

    @cached_property
    def creator(self) -> Creator:
        """The person who posted."""
        return self._poster[0]

    @cached_property
    def social_profile(self) -> SocialProfile:
        """The account that posted."""
        return self._poster[1]

    @cached_property
    def kind(self) -> str:
        """What the URL says."""
        return next(
            (k for part, k in _KINDS.items() if self.path.startswith(part)),
            _USUAL[self.upload.provider],
        )

    @cached_property
    def external_id(self) -> str:
        """The code in the URL."""
        return self.upload.code

    @property
    def original_url(self) -> str:
        """The URL as it was given."""
        return self.upload.url

    @property
    def imported_at(self) -> datetime:
        """When it arrived."""
        return self.home.changes.moment(self.upload, UPLOAD_SECONDS).replace(microsecond=0)

    @property
    def added_by_hand(self) -> bool:
        """Always."""
        return True

    @property
    def unreachable(self) -> bool:
        """Never: the import reached it."""
        return False

    @cached_property
    def frames(self) -> list[str]:
        """Pictures where the URL says so."""
        return ["IMAGE"] * 3 if "/photo/" in self.path else super().frames
