"""What a tool answers: one object, as structured content and as the same JSON in text, within a
size budget."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

# Claude Code showed 49,000 characters in place, and moved 52,000 to a file.
# The most characters of a result's text: hosts move longer ones to a file, or refuse them.
BUDGET = 40_000
# What stands beside the records of a list: its total, cursor, units and notes.
_BESIDE_RECORDS = 1_500
_SIGN = "[cut]"
_LONGEST_NOTE, _MOST_NOTES = 500, 20
# The fields of a record are fewer.
_FEWEST_FIELDS = 60
# The longest text and the most entries of a list, from what cuts least to what always fits.
_STEPS = (
    *((length, 1_000) for length in (36_000, 30_000, 20_000, 10_000, 5_000, 2_500, 1_000, 500)),
    *((500, most) for most in (400, 200, 100, 50, 25)),
    *((length, most) for length, most in ((200, 25), (100, 12), (50, 6), (20, 3), (8, 1))),
)


@dataclass(frozen=True)
class Image:
    """A picture in a result: its type and its bytes."""

    mime_type: str
    content: bytes


@dataclass(frozen=True)
class Link:
    """A resource that a result points to; `size` in bytes."""

    uri: str
    name: str
    mime_type: str
    size: int


@dataclass(frozen=True)
class Result:
    """A tool's answer: the object, and its compact JSON text.

    Prose and pictures go beside an object that only describes them; `is_structured` is False then,
    because some hosts show the structured part alone.
    """

    structured: dict[str, Any]
    text: str
    prose: str = ""
    images: tuple[Image, ...] = ()
    is_structured: bool = True
    links: tuple[Link, ...] = ()

    def with_links(self, *links: Link) -> Result:
        """Return the same result with links beside it."""
        if not links:
            return self
        return replace(self, links=(*self.links, *links))

    def with_fields(self, **more: Any) -> Result:
        """Return the same result with more fields at its end."""
        if not more:
            return self
        separator = "," if self.structured else ""
        # Spliced into the text: a list of 40,000 characters is not serialised twice.
        text = f"{self.text[:-1]}{separator}{compact(more)[1:]}"
        return replace(self, structured={**self.structured, **more}, text=text)

    def with_notes(self, notes: Sequence[str]) -> Result:
        """Return the same result with more to say about it, behind what it says already."""
        if not notes:
            return self
        answer = self.structured
        return whole({**answer, "notes": [*answer.get("notes", []), *notes]})


@dataclass
class RecordList:
    """Records that fit the budget, each with its text, so that nothing is serialised twice."""

    limit: int
    budget: int = BUDGET - _BESIDE_RECORDS
    records: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        """Whether as many records were taken as were asked for."""
        return len(self.records) >= self.limit

    def add(self, record: dict[str, Any]) -> bool:
        """Take a record; False when the limit or the budget is reached. The first one always
        fits."""
        if self.full:
            return False
        text = compact(record)
        # A first record larger than the budget is taken: without it the list could never go on.
        if self.records and self.size + len(text) > self.budget:
            return False
        self.records.append(record)
        self.texts.append(text)
        # One more for the comma.
        self.size += len(text) + 1
        return True

    def fill(self, records: Iterable[dict[str, Any]]) -> Self:
        """Take records until the limit or the budget is reached."""
        for record in records:
            if not self.add(record):
                break
        return self

    def result(self, envelope: dict[str, Any]) -> Result:
        """Return `{"nodes": [...], **envelope}`."""
        return Result({"nodes": self.records}, f'{{"nodes":[{",".join(self.texts)}]}}').with_fields(
            **envelope
        )


def fit(result: Result) -> Result:
    """Return the same result within the size budget: its longest texts cut, then its longest lists,
    with a note that says so."""
    if len(result.text) <= BUDGET:
        return result
    structured = {name: value for name, value in result.structured.items() if name != "notes"}
    notes = [str(note)[:_LONGEST_NOTE] for note in result.structured.get("notes", [])][:_MOST_NOTES]
    notes.append(
        f"Shortened to {BUDGET:,} characters: texts that were cut end with {_SIGN}, and of long "
        "lists the first entries are here. Ask for less at once."
    )
    room = BUDGET - len(compact(notes)) - len(',"notes":')
    for longest, most in _STEPS:
        cut = _cut(structured, longest, most)
        text = compact(cut)
        if len(text) <= room:
            break
    else:
        # So many names and numbers that no list or text is to blame: the first of them.
        cut, text = {}, "{}"
    return replace(result, structured=cut, text=text).with_fields(notes=notes)


def _cut(value: Any, longest: int, most: int) -> Any:
    """Return a value whose texts have at most `longest` characters and its lists `most` entries."""
    cutter = _CUTTERS.get(type(value))
    return value if cutter is None else cutter(value, longest, most)


def _cut_text(text: str, longest: int, most: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} {_SIGN}"


def _cut_list(entries: list[Any], longest: int, most: int) -> list[Any]:
    # No sign at its end: entries have a schema.
    return [_cut(entry, longest, most) for entry in entries[:most]]


def _cut_object(fields: dict[str, Any], longest: int, most: int) -> dict[str, Any]:
    pairs = list(fields.items())[: max(most, _FEWEST_FIELDS)]
    return {name[:longest]: _cut(entry, longest, most) for name, entry in pairs}


_CUTTERS: dict[type, Callable[[Any, int, int], Any]] = {
    str: _cut_text,
    list: _cut_list,
    dict: _cut_object,
}


def drop_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def drop_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something: no null, no empty text, list or object."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def select_notes(*notes: tuple[object, str]) -> list[str]:
    """Return the notes that apply: those whose condition, the first of each pair, holds."""
    return [note for applies, note in notes if applies]


def whole(structured: dict[str, Any]) -> Result:
    """Return a result that is one object."""
    return Result(structured, compact(structured))


def prose(about: dict[str, Any], text: str, *images: Image) -> Result:
    """Return a result that is a text or pictures, and what there is to say about them."""
    return Result(about, compact(about), text, images, is_structured=False)


def compact(value: Any) -> str:
    """Return JSON without blanks, readable letters kept."""
    # Escapes would take six characters for each letter beyond ASCII.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
