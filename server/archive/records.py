"""What Archive returns: record types, and the selection of their fields that a request asks for.

A record class lists the fields of one object type of the schema. It is never instantiated: it says
which `fields` exist, which are asked for when nobody says (`default`), and which numbers arrive as
text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from pydantic.alias_generators import to_camel

from server.tool.request import Unit

Json = Any
BigInt = Annotated[int, "BigInt"]
"""An integer that the API sends as text."""
Cents = Annotated[int, "BigInt", Unit("cents")]
"""Earned media value of an item: cents (Archive docs, engagement)."""
Moment = Annotated[str, "DateTime"]
"""An instant, such as 2026-11-02T09:15:00Z."""
Usd = Annotated[float, Unit("USD")]
"""Earned media value of a competitor brand: dollars (Archive docs, competitor brands)."""

Entity = Literal["CREATOR", "ITEM"]
"""The entities that have custom attributes."""


@dataclass(frozen=True)
class AttributesOf:
    """Marks the custom attributes of an entity: the options of its selects arrive as ids."""

    entity: Entity


CreatorAttributes = Annotated[Any, AttributesOf("CREATOR")]
ItemAttributes = Annotated[Any, AttributesOf("ITEM")]

_MARKS = {"BigInt": {"big": True}, "DateTime": {"moment": True}}

Selection = dict[str, "Selection"]
"""Field name -> selection of its fields; empty for a leaf."""


class Record:
    """Base of the record types."""

    default: ClassVar[str] = ""
    """Paths asked for when the call names no `fields`, separated by blanks; none = all its
    leaves."""
    instead: ClassVar[dict[str, str]] = {}
    """Names that people and models expect here, with the path to use instead."""
    variants: ClassVar[tuple[type[Record], ...]] = ()
    """The members, where the type is a union."""
    _fields: ClassVar[dict[str, Field]]


@dataclass(frozen=True)
class Field:
    """One field of a record: its annotation, the record type behind it (None for a leaf), and how
    a leaf is read."""

    hint: Any
    record: type[Record] | None = None
    big: bool = False
    moment: bool = False
    unit: str = ""
    attributes_of: Entity | None = None
    many: bool = False


def fields_of(record: type[Record]) -> dict[str, Field]:
    """Return the fields of a record type by their API names; of a union, those of all members."""
    # Not getattr: a subclass would find the fields of its base.
    fields = vars(record).get("_fields")
    if fields is None:
        fields = record._fields = _read_fields(record)
    return fields


def _read_fields(record: type[Record]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for variant in record.variants:
        fields |= fields_of(variant)
    if fields:
        return fields
    # The annotations are texts, and records refer to each other: read on first use, not on import.
    hints = get_type_hints(record, include_extras=True)
    return {
        # Python names follow PEP 8, while the API's are in camel case.
        to_camel(name): _read_field(hint)
        for name, hint in hints.items()
        # Class variables describe the record itself, and are no fields of the API.
        if get_origin(hint) is not ClassVar
    }


def _read_field(annotation: Any) -> Field:
    hint, field, many = annotation, {"hint": annotation}, False
    while origin := get_origin(hint):
        many |= origin is list
        # The only unions are optional types: a field that may be null is selected like any other.
        hint, *marks = [arg for arg in get_args(hint) if arg is not type(None)]
        if origin is Annotated:
            for mark in marks:
                field |= _read_mark(mark)
    if isinstance(hint, type) and issubclass(hint, Record):
        return Field(annotation, hint, many=many)
    return Field(**field)


def _read_mark(mark: Any) -> dict[str, Any]:
    if isinstance(mark, Unit):
        return {"unit": mark.name}
    if isinstance(mark, AttributesOf):
        return {"attributes_of": mark.entity}
    return dict(_MARKS.get(mark, {}))
