"""An archive without its items: who posts in it, and when.

The layer between the identity of a workspace and its posts; posts ask it for their creator and
their time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property

from server.sandbox.archive.data.brands import Brand
from server.sandbox.archive.data.changes import Changes
from server.sandbox.archive.data.creators import SLOTS, Creator, SocialProfile
from server.sandbox.archive.data.namespace import Namespace
from server.sandbox.ids import Ids, Kind, draw

_FIRST_POST = timedelta(minutes=4)
# From posting to the request to import; less than the newest item's age, so that uploads are newer.
_BEFORE_UPLOAD = timedelta(minutes=2)
# Days from the newest to the oldest item of a workspace with so many items; large ones reach
# further back.
_DAYS, _DAYS_ITEMS, _DAYS_MOST = 540, 4_000, 1_950
# Above 1: posts lie closer together towards today.
_DENSITY = 1.4


class ArchiveBase(Namespace):
    """Creators and times of one archive.

    item_count: items that the archive found by itself. clock: seconds that only grow.
    """

    def __init__(
        self,
        index: int,
        brand: Brand,
        ids: Ids,
        seed: int,
        item_count: int,
        anchor: datetime,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(index, brand, ids, seed, anchor)
        self.item_count = item_count
        self.changes = Changes(clock, anchor)
        self._creators: dict[int, Creator] = {}
        days = min(_DAYS_MOST, _DAYS * max(1.0, item_count / _DAYS_ITEMS) ** 0.4)
        self._seconds = days * 86_400

    def time_of(self, number: int) -> datetime:
        """Return when an item was posted; a larger number is never newer."""
        if number < 0:
            request = self.changes.moment(self.changes.uploads[-1 - number])
            return (request - _BEFORE_UPLOAD).replace(microsecond=0)
        step = self._age(number + 1) - self._age(number)
        jitter = (draw(self.seed, number, 8) & 0xFFFF) / 0x10000
        moment = self.anchor - _FIRST_POST - timedelta(seconds=self._age(number) + step * jitter)
        # Whole seconds, as the API writes them: filters compare what callers see.
        return moment.replace(microsecond=0)

    def days_old(self, number: int) -> int:
        """Return the age of an item in whole days."""
        return (self.anchor - self.time_of(number)).days

    def _age(self, number: int) -> float:
        return float(self._seconds * (number / self.item_count) ** _DENSITY)

    @property
    def numbers(self) -> range:
        """Numbers of all items, newest first, with the uploads that have arrived."""
        return range(-len(self.changes.arrivals), self.item_count)

    def creator(self, number: int) -> Creator:
        # Kept, because every post asks for its creator and there are few enough of them.
        if number not in self._creators:
            self._creators[number] = Creator(self, number)
        return self._creators[number]

    def creators(self) -> list[Creator]:
        """Return everybody in the CRM, in the order of their numbers."""
        return [self.creator(number) for number in range(self.brand.creator_count)]

    def profile_by_id(self, text: str) -> SocialProfile | None:
        number = self.number_of(Kind.PROFILE, text)
        if number is None or number // SLOTS >= self.brand.creator_count:
            return None
        profiles = self.creator(number // SLOTS).social_profiles
        slot = number % SLOTS
        return profiles[slot] if slot < len(profiles) else None

    @cached_property
    def profiles_by_account(self) -> dict[tuple[str, str], SocialProfile]:
        return {
            (profile.provider, profile.account_name): profile
            for creator in self.creators()
            for profile in creator.social_profiles
        }
