"""Names, places, captions and transcripts that read like what people post."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A canonical place; filters compare its parts exactly."""

    city: str
    region: str
    country: str


@dataclass(frozen=True)
class Words:
    """The texts that records of all workspaces draw from.

    Two of them, `injected_caption` and `injected_speech`, carry instructions to an assistant.
    """

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    places: tuple[Place, ...]
    creator_notes: tuple[str, ...]
    editor_notes: tuple[str, ...]
    filter_reasons: dict[str, str]
    injected_caption: str
    injected_speech: str


@cache
def load_words() -> Words:
    """Return the texts of `words.toml`."""
    return read_toml(Words, Path(__file__).with_suffix(".toml"))


def read_toml(shape: type[T], path: Path, **extra: Any) -> T:
    """Return the dataclass that a TOML file and some extra fields fill.

    Raises pydantic's ValidationError where a field is missing or has another type.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    # The texts are loaded when a sandbox starts; whoever only imports the package pays nothing.
    return TypeAdapter(shape).validate_python(table | extra)


def pick(options: Sequence[T], bits: int) -> T:
    """Return one of the options, the same one for the same bits."""
    return options[bits % len(options)]
