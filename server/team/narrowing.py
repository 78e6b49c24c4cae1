"""What a client asks to have less of: headers of a request can narrow, never widen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.settings.values import NO, YES

READ_ONLY_HEADER = "x-archive-read-only"
TOOLSETS_HEADER = "x-archive-toolsets"
_MOST_CHARACTERS = 1000


class HeaderError(Exception):
    """A header makes no sense; the message is for whoever set it."""


@dataclass(frozen=True)
class Narrowing:
    """What is left out for one client; `toolsets` is empty where it left nothing out."""

    read_only: bool = False
    toolsets: tuple[str, ...] = ()

    @classmethod
    def read(cls, headers: Mapping[str, str], known: frozenset[str]) -> Narrowing:
        """Return what the headers ask for.

        Args:
            known: the toolsets that there are, presets included.

        Raises:
            HeaderError: a header that cannot be understood: ignored, it would allow too much.
        """
        return cls(_read_flag(headers), _read_toolsets(headers, known))


def _read_flag(headers: Mapping[str, str]) -> bool:
    value = headers.get(READ_ONLY_HEADER, "off").strip().lower()
    if value not in YES | NO:
        raise HeaderError("X-Archive-Read-Only must be true or false.")
    return value in YES


def _read_toolsets(headers: Mapping[str, str], known: frozenset[str]) -> tuple[str, ...]:
    if TOOLSETS_HEADER not in headers:
        return ()
    text = headers[TOOLSETS_HEADER]
    names = {part.strip().casefold() for part in text.split(",") if part.strip()}
    unknown = sorted(names - known)
    if not names or unknown or len(text) > _MOST_CHARACTERS:
        names_of_all = ", ".join(sorted(known))
        raise HeaderError(
            f"X-Archive-Toolsets must name toolsets, separated by commas: {names_of_all}."
        )
    return tuple(sorted(names))
