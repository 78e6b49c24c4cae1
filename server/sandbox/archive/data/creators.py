"""Creators and their social profiles, computed from their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from server.sandbox.archive.data.attributes import list_options
from server.sandbox.archive.data.namespace import Namespace
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind, draw
from server.sandbox.words import Place, load_words, pick

SLOTS = 2
"""The most accounts of one creator, and so the room for them inside a profile's number."""
_PLATFORMS = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
_ACCOUNTS = ("{f}.{l}", "{f}_{l}", "{f}{l}", "its{f}{l}", "{f}.{l}.daily", "{l}.{f}")
_ACCOUNT_TYPES = ("PERSONAL", "CREATOR", "CREATOR", "BUSINESS")
_URLS = {
    "INSTAGRAM": "https://www.instagram.com/{}/",
    "TIKTOK": "https://www.tiktok.com/@{}",
    "YOUTUBE": "https://www.youtube.com/@{}",
}
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
        return f"https://media.sandbox.example/avatars/{self.id}.jpg"


class Creator:
    """A person in the CRM."""

    def __init__(self, workspace: Namespace, number: int) -> None:
        words = load_words()
        self.workspace = workspace
        self.number = number
        self.id = workspace.id_of(Kind.CREATOR, number)
        self.bits = draw(workspace.seed, number, 21)
        pair_count = len(words.first_names) * len(words.last_names)
        pair = (number * _STRIDE + workspace.index * 7) % pair_count
        # First names change fastest, so that neighbours do not look like one family.
        last, first = divmod(pair, len(words.first_names))
        self.first_name = words.first_names[first]
        self.last_name = words.last_names[last]

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def place(self) -> Place:
        """Where the person lives."""
        return pick(load_words().places, self.bits)

    @cached_property
    def email(self) -> str | None:
        """An address for two out of three people."""
        if self.bits >> 8 & 0xFF > 170:
            return None
        # Addresses and phone numbers (555) that reach nobody.
        return f"{self.first_name}.{self.last_name}@mail.example".lower()

    @cached_property
    def social_profiles(self) -> list[SocialProfile]:
        """One or two accounts, on different platforms."""
        main = self._main_platform()
        profiles = [self._profile(0, _PLATFORMS[main])]
        if self.bits >> 25 & 0xFF < 115:
            # One or two steps further, so that the second platform is never the first again.
            second = (main + 1 + (self.bits >> 24 & 1)) % len(_PLATFORMS)
            profiles.append(self._profile(1, _PLATFORMS[second]))
        return profiles

    def _main_platform(self) -> int:
        share = self.bits >> 16 & 0xFF
        if share < 155:
            return 0
        return 1 if share < 225 else 2

    def _profile(self, slot: int, provider: str) -> SocialProfile:
        number = self.number * SLOTS + slot
        bits = draw(self.workspace.seed, number, 22)
        # From about 1,600 to 1.3 million, small accounts as likely as large ones on a log scale.
        followers = int(10 ** (3.2 + 2.9 * (bits & 0xFFFF) / 0x10000) * (1, 0.6)[slot])
        names = {"f": self.first_name.lower(), "l": self.last_name.lower()}
        phone_numbers = [f"+1555{bits >> 40 & 0xFFFFF:07d}"]
        return SocialProfile(
            id=self.workspace.id_of(Kind.PROFILE, number),
            account_name=pick(_ACCOUNTS, bits >> 16).format(**names),
            full_name=self.full_name,
            provider=provider,
            followers=followers,
            following=100 + (bits >> 24 & 0x3FF),
            verified=followers > 150_000 and bits >> 34 & 3 > 0,
            pro_account=provider == "INSTAGRAM" and bits >> 36 & 3 > 0,
            private=bits >> 38 & 0xFF < 4,
            account_type=pick(_ACCOUNT_TYPES, bits >> 36 & 3),
            email=self.email if slot == 0 else None,
            phone_numbers=phone_numbers if bits >> 60 == 0 else None,
            creator=self,
        )

    @cached_property
    def custom_attributes(self) -> dict[str, Any]:
        """Values by attribute key; null where the workspace knows nothing."""
        bits = draw(self.workspace.seed, self.number, 23)
        anchor = self.workspace.anchor
        birthday = anchor.date() - timedelta(days=7000 + (bits & 0x1FFF))
        values: dict[str, Any] = {
            "full_name": self.full_name,
            "emails": [self.email] if self.email else [],
            "phone_numbers": [],
            "location": f"{self.place.city}, {self.place.country}",
            "gender": self._option("gender", bits >> 28),
            "age": 19 + (bits >> 32 & 0x1F),
            "collaboration_status": self._option("collaboration_status", bits >> 36),
            "labels": self.workspace.option_ids("CREATOR", "labels", bits >> 40 & bits >> 13),
            "category": self.workspace.option_ids("CREATOR", "category", bits >> 45),
            "favourite": bits >> 24 & 0xF == 0,
            "notes": pick(load_words().creator_notes, bits >> 26),
            "website": f"https://{self.first_name}{self.last_name}.example".lower(),
            "birthday": birthday.isoformat(),
            "last_contacted_at": utc(anchor - timedelta(hours=bits & 0xFFF)),
            "shipping_address": f"{1 + (bits >> 50 & 0xFF)} Main Street, {self.place.city}",
        }
        if bits >> 20 & 3 == 0:
            values["phone_numbers"] = [f"+1555{bits & 0xFFFFF:07d}"]
        # Gaps as in a real CRM: each value has its own odds, or people would lack all or nothing.
        unknown = {
            "age": bits >> 22 & 3 == 0,
            "notes": bits >> 58 & 3 > 0,
            "website": bits >> 60 & 3 > 0,
            "birthday": bits >> 62 > 0,
            "last_contacted_at": bits >> 20 & 1 == 0,
            "shipping_address": bits >> 61 & 1 == 0,
        }
        values.update((key, None) for key, missing in unknown.items() if missing)
        return values

    def _option(self, key: str, bits: int) -> str:
        name = pick(list_options("CREATOR", key), bits)
        return self.workspace.option_id("CREATOR", key, name)
