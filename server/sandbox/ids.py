"""Reproducible draws, and ids that can be turned back into record numbers.

Every record of the sandbox is computed from its number when somebody asks for it. Two things make
that possible: a mixing function that turns (seed, number, purpose) into 64 well-spread bits, and a
cipher between (workspace, kind, number) and a version 4 UUID. So an id can be looked up without a
table, and an id that the sandbox never gave out is recognised because its check bits do not fit.
"""

from __future__ import annotations

import re
from enum import IntEnum

_MASK = (1 << 64) - 1
_NUMBER_BITS = 50
_NUMBER = (1 << _NUMBER_BITS) - 1
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Kind(IntEnum):
    """What an id stands for; part of the id, so that a view's id is never taken for an item's."""

    ITEM = 1
    MEDIA_ITEM = 2
    MEDIA_CONTENT = 3
    CREATOR = 4
    PROFILE = 5
    COLLECTION = 6
    CONTENT_VIEW = 7
    CREATOR_VIEW = 8
    PROFILE_VIEW = 9
    OPERATION = 10
    TAG = 11
    KEYWORD = 12
    INTEGRATION = 13
    OPTION = 14
    CAMPAIGN = 15
    VIEW_GROUP = 16
    COMPETITOR = 40
    COMPETITOR_ITEM = 41


def mix(value: int) -> int:
    """Spread an integer over 64 bits (the finaliser of splitmix64)."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def draw(seed: int, number: int, purpose: int) -> int:
    """Return 64 reproducible bits for one purpose of one record."""
    return mix(mix(seed * 0x9E3779B97F4A7C15 + number) + purpose * 0xD1B54A32D192ED03)


class Ids:
    """The cipher between record numbers and UUIDs; the seed is its key."""

    def __init__(self, seed: int) -> None:
        self._outer = mix(seed + 0x5851F42D4C957F2D)
        self._inner = mix(seed + 0x14057B7EF767814F)

    def encode(self, workspace: int, kind: Kind, number: int) -> str:
        """Return the UUID of a record.

        workspace: below 16. number: from -2**49 up to 2**49.
        """
        plain = workspace << 56 | kind << _NUMBER_BITS | number & _NUMBER
        check = mix(plain ^ self._outer) >> 2
        hidden = plain ^ (mix(check ^ self._inner) >> 4)
        # The fixed bits make it a version 4 UUID of the usual variant, as real ids are.
        high = (hidden >> 12) << 16 | 0x4000 | (hidden & 0xFFF)
        text = f"{high:016x}{0x8000000000000000 | check:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def decode(self, text: str) -> tuple[int, Kind, int] | None:
        """Return workspace, kind and number of an id, or None if the sandbox never gave it out."""
        # Callers may write an id in capitals.
        lowered = text.lower()
        if not _UUID.fullmatch(lowered):
            return None
        value = int(lowered.replace("-", ""), 16)
        high, check = value >> 64, value & 0x3FFFFFFFFFFFFFFF
        hidden = (high >> 16) << 12 | (high & 0xFFF)
        plain = hidden ^ (mix(check ^ self._inner) >> 4)
        if check != mix(plain ^ self._outer) >> 2:
            return None
        kind = plain >> _NUMBER_BITS & 0x3F
        if kind not in Kind.__members__.values():
            return None
        # Negative numbers are stored as their complement to two.
        number = plain & _NUMBER
        signed = number - (1 << _NUMBER_BITS) if number >> _NUMBER_BITS - 1 else number
        return plain >> 56, Kind(kind), signed
