"""Names of tags as calls give them: refused where ArchiveBox would store another one, or one that
nobody can ask for."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

# Control characters, line and paragraph separators: ArchiveBox stores them as they are, and lists
# and exports that hold one name a line break at them.
_BREAKING = frozenset({"Cc", "Zl", "Zp"})


def split_tags(text: str | None) -> list[str]:
    """Return the tags in a text with commas."""
    return list(filter(None, map(str.strip, (text or "").split(","))))


def _check_text(text: str) -> str:
    if any(unicodedata.category(character) in _BREAKING for character in text):
        raise ValueError("a tag is one line without control characters, so this was not sent.")
    if not split_tags(text):
        raise ValueError("a tag needs a name.")
    return text


def _check_name(name: str) -> str:
    # A crawl keeps its tags as one text with commas: on its pages this would be several tags.
    if "," in name:
        raise ValueError("ArchiveBox separates tags by commas, so a name has none: give each tag.")
    return _check_text(name)


TagName = Annotated[str, Field(min_length=1), AfterValidator(_check_name)]
"""The name of one tag that the call may make or put on a page."""

TagText = Annotated[str, Field(min_length=1), AfterValidator(_check_text)]
"""Such names in one text, separated by commas."""
