"""Posts that callers had imported: items like any other, but for what their URL says."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from server.sandbox.archive.data.archive_base import ArchiveBase
from server.sandbox.archive.data.changes import UPLOAD_SECONDS, Upload
from server.sandbox.archive.data.creators import Creator, SocialProfile
from server.sandbox.archive.data.items import Item

_KINDS = {"/reel/": "REEL", "/reels/": "REEL", "/shorts/": "YOUTUBE_SHORT"}
_USUAL_KINDS = {"INSTAGRAM": "POST", "TIKTOK": "TIKTOK", "YOUTUBE": "YOUTUBE"}


class UploadedItem(Item):
    """An upload; its number is below 0, where no item of the archive's own has its number.

    The posting account is the one that the URL names if the CRM knows it, else somebody of the CRM
    who is on that platform: the sandbox makes up no new people.
    """

    def __init__(self, workspace: ArchiveBase, upload: Upload) -> None:
        super().__init__(workspace, upload.number)
        self.upload = upload
        self.path = urlsplit(upload.url).path

    @cached_property
    def social_profile(self) -> SocialProfile:
        """The account that posted."""
        provider = self.upload.provider
        # What stands before the first slash of a path is empty.
        name = self.path.split("/")[1].removeprefix("@").lower()
        owner = self.workspace.profiles_by_account.get((provider, name))
        if owner is not None:
            return owner
        people = self.workspace.creators()
        profiles = [profile for person in people for profile in person.social_profiles]
        candidates = [profile for profile in profiles if profile.provider == provider]
        return candidates[self.bits % len(candidates)]

    @cached_property
    def creator(self) -> Creator:
        creator = self.social_profile.creator
        if creator is None:
            raise TypeError("Only profiles of the CRM post uploads")
        return creator

    @cached_property
    def kind(self) -> str:
        """What the URL says."""
        for prefix, kind in _KINDS.items():
            if self.path.startswith(prefix):
                return kind
        return _USUAL_KINDS[self.upload.provider]

    @cached_property
    def external_id(self) -> str:
        return self.upload.code

    @property
    def original_url(self) -> str:
        return self.upload.url

    @property
    def imported_at(self) -> datetime:
        return self.workspace.changes.moment(self.upload, UPLOAD_SECONDS).replace(microsecond=0)

    @property
    def is_manual(self) -> bool:
        return True

    @property
    def is_unreachable(self) -> bool:
        """Always false: the import reached it."""
        return False

    @cached_property
    def frames(self) -> list[str]:
        """Pictures where the URL says so."""
        # The URL says that there are pictures, but not how many.
        return ["IMAGE"] * 3 if "/photo/" in self.path else super().frames
