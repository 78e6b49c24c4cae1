"""Creators and their social profiles, computed from their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from server.sandbox.archive.data.attributes import CREATOR_ATTRIBUTES
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind, draw
from server.sandbox.words import (
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    Place,
    pick,
)

if TYPE_CHECKING:
    from server.sandbox.archive.data.workspace import Workspace

SLOTS = 2
_PLATFORMS = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
_ACCOUNTS = ("{f}.{l}", "{f}_{l}", "{f}{l}", "its{f}{l}", "{f}.{l}.daily", "{l}.{f}")
_URLS = {
    "INSTAGRAM": "https://www.instagram.com/{}/",
    "TIKTOK": "https://www.tiktok.com/@{}",
    "YOUTUBE": "https://www.youtube.com/@{}",
}
_NOTES = (
    "Prefers e-mail over DMs.",
    "Agency handles rights requests.",
    "Asked for the next gifting round.",
    "Great on camera, slow to reply.",
)
# Walks through every pair of names before any comes back: prime to the number of pairs.
_STRIDE = 389


@dataclass(frozen=True)
class SocialProfile:
    """An account on one platform; attributes are the API's fields in snake case."""

    id: str
    account_name: str
    full_name: str
    provider: str
    followers: int
    following: int
    verified: bool
    pro_account: bool
    private: bool
    account_type: str
    email: str | None
    phone_numbers: list[str] | None
    creator: Creator | None

    @property
    def original_url(self) -> str:
        """The account's page on its platform."""
        return _URLS[self.provider].format(self.account_name)

    @property
    def avatar(self) -> str:
        """The account's picture."""
        return f"https://media.sandbox.example/avatars/{self.id}.jpg"


class Creator:
    """A person in the CRM."""

    def __init__(self, home: Workspace, number: int) -> None:
        self.home = home
        self.number = number
        self.id = home.id_of(Kind.CREATOR, number)
        self.bits = draw(home.seed, number, 21)
        pair = (number * _STRIDE + home.index * 7) % (len(FIRST_NAMES) * len(LAST_NAMES))
        self.first_name = FIRST_NAMES[pair % len(FIRST_NAMES)]
        self.last_name = LAST_NAMES[pair // len(FIRST_NAMES)]

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def place(self) -> Place:
        """Where the person lives."""
        return PLACES[self.bits % len(PLACES)]

    @cached_property
    def email(self) -> str | None:
        """An address for two out of three people."""
        if self.bits >> 8 & 0xFF > 170:
            return None
        return f"{self.first_name}.{self.last_name}@mail.example".lower()

    @cached_property
    def social_profiles(self) -> list[SocialProfile]:
        """One or two accounts, on different platforms."""
        share = self.bits >> 16 & 0xFF
        main = 0 if share < 155 else 1 if share < 225 else 2
        platforms = [main, (main + 1 + (self.bits >> 24 & 1)) % len(_PLATFORMS)]
        wanted = SLOTS if self.bits >> 25 & 0xFF < 115 else 1
        return [
            self._profile(slot, _PLATFORMS[platform])
            for slot, platform in enumerate(platforms[:wanted])
        ]

    def _profile(self, slot: int, provider: str) -> SocialProfile:
        bits = draw(self.home.seed, self.number * SLOTS + slot, 22)
        followers = int(10 ** (3.2 + 2.9 * (bits & 0xFFFF) / 0x10000) * (1, 0.6)[slot])
        names = {"f": self.first_name.lower(), "l": self.last_name.lower()}
        return SocialProfile(
            id=self.home.id_of(Kind.PROFILE, self.number * SLOTS + slot),
            account_name=pick(_ACCOUNTS, bits >> 16).format(**names),
            full_name=self.full_name,
            provider=provider,
            followers=followers,
            following=100 + (bits >> 24 & 0x3FF),
            verified=followers > 150_000 and bits >> 34 & 3 > 0,
            pro_account=provider == "INSTAGRAM" and bits >> 36 & 3 > 0,
            private=bits >> 38 & 0xFF < 4,
            account_type=("PERSONAL", "CREATOR", "CREATOR", "BUSINESS")[bits >> 36 & 3],
            email=self.email if slot == 0 else None,
            phone_numbers=[f"+1555{bits >> 40 & 0xFFFFF:07d}"] if bits >> 60 == 0 else None,
            creator=self,
        )

    @cached_property
    def custom_attributes(self) -> dict[str, Any]:
        """Values by attribute key; null where the workspace knows nothing."""
        bits = draw(self.home.seed, self.number, 23)
        today = self.home.anchor.date()
        address = f"{1 + (bits >> 50 & 0xFF)} Main Street, {self.place.city}"
        values: dict[str, Any] = {
            "full_name": self.full_name,
            "emails": [self.email] if self.email else [],
            "phone_numbers": [f"+1555{bits & 0xFFFFF:07d}"] if bits >> 20 & 3 == 0 else [],
            "location": f"{self.place.city}, {self.place.country}",
            "gender": self._option("gender", bits >> 28),
            "age": 19 + (bits >> 32 & 0x1F) if bits >> 22 & 3 else None,
            "collaboration_status": self._option("collaboration_status", bits >> 36),
            "labels": self._options("labels", bits >> 40 & bits >> 13),
            "category": self._options("category", bits >> 45),
            "favourite": bits >> 24 & 0xF == 0,
            "notes": pick(_NOTES, bits >> 26) if bits >> 58 & 3 == 0 else None,
            "website": f"https://{self.first_name}{self.last_name}.example".lower()
            if bits >> 60 & 3 == 0
            else None,
            "birthday": (today - timedelta(days=7000 + (bits & 0x1FFF))).isoformat()
            if bits >> 62 == 0
            else None,
            "last_contacted_at": None,
            "shipping_address": address if bits >> 61 & 1 else None,
        }
        if bits >> 20 & 1:
            values["last_contacted_at"] = utc(self.home.anchor - timedelta(hours=bits & 0xFFF))
        return values

    def _option(self, key: str, bits: int) -> str:
        options = _options_of(key)
        return self.home.option_id("CREATOR", key, options[bits % len(options)])

    def _options(self, key: str, bits: int) -> list[str]:
        chosen = [name for place, name in enumerate(_options_of(key)) if bits >> place & 1]
        return [self.home.option_id("CREATOR", key, name) for name in chosen]


def _options_of(key: str) -> tuple[str, ...]:
    return next(a.options for a in CREATOR_ATTRIBUTES if a.key == key) or ()
