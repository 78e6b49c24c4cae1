"""Custom attributes: the columns a workspace adds to creators and to items."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One column. `options` names the choices of a select; `ai` marks what the API's own AI fills
    in."""

    key: str
    name: str
    type: str
    options: tuple[str, ...] | None = None
    ai: bool = False


# Together they have nearly every type, so that the operators of each can be tried.
CREATOR_ATTRIBUTES = (
    Attribute("full_name", "Full name", "TEXT"),
    Attribute("emails", "Emails", "TEXT_LIST"),
    Attribute("phone_numbers", "Phone numbers", "TEXT_LIST"),
    Attribute("location", "Location", "TEXT"),
    Attribute(
        "labels",
        "Labels",
        "MULTIPLE_SELECT_V2",
        ("VIP", "Ambassador", "Gifted", "Paid partner", "Watchlist"),
    ),
    Attribute("gender", "Gender", "SINGLE_SELECT_V2", ("Female", "Male", "Non-binary", "Unknown")),
    Attribute("age", "Age", "NUMBER"),
    Attribute(
        "collaboration_status",
        "Relationship status",
        "SINGLE_SELECT_V3",
        ("New", "Contacted", "Active", "Paused"),
    ),
    Attribute("favourite", "Favourite", "BOOLEAN"),
    Attribute(
        "category", "Category", "MULTIPLE_SELECT", ("Beauty", "Fitness", "Food", "Travel", "Family")
    ),
    Attribute("notes", "Notes", "TEXT"),
    Attribute("website", "Website", "URL"),
    Attribute("birthday", "Birthday", "DATE"),
    Attribute("last_contacted_at", "Last contacted", "DATETIME"),
    Attribute("shipping_address", "Shipping address", "SHIPPING_ADDRESS"),
)
ITEM_ATTRIBUTES = (
    Attribute(
        "content_rating", "Content rating", "SINGLE_SELECT_V3", ("Great", "Good", "Unusable")
    ),
    Attribute(
        "themes",
        "Themes",
        "MULTIPLE_SELECT_V2",
        ("Unboxing", "Tutorial", "Review", "Lifestyle"),
        ai=True,
    ),
    Attribute("brand_safe", "Brand safe", "BOOLEAN", ai=True),
    Attribute("review_score", "Review score", "NUMBER"),
    Attribute("approved_on", "Approved on", "DATE"),
    Attribute("editor_note", "Editor's note", "TEXT"),
)
ATTRIBUTES = {"CREATOR": CREATOR_ATTRIBUTES, "ITEM": ITEM_ATTRIBUTES}
_BY_KEY = {
    (entity, attribute.key): attribute
    for entity, attributes in ATTRIBUTES.items()
    for attribute in attributes
}
# Room for the options of one attribute inside an option's number.
_OPTION_ROOM = 64
# Attributes are numbered in their order; those of items start higher, so that no two share one.
_FIRST_NUMBERS = {"CREATOR": 0, "ITEM": 100}
_NUMBERS = {
    (entity, attribute.key): number
    for entity, attributes in ATTRIBUTES.items()
    for number, attribute in enumerate(attributes, _FIRST_NUMBERS[entity])
}


def find_attribute(entity: str, key: str) -> Attribute | None:
    return _BY_KEY.get((entity, key))


def list_options(entity: str, key: str) -> tuple[str, ...]:
    """Return the names of a select's options.

    Raises KeyError for an unknown attribute.
    """
    return _BY_KEY[entity, key].options or ()


def option_number(entity: str, key: str, name: str) -> int:
    """Return the record number of a select's option.

    Raises KeyError for an unknown attribute, ValueError for an unknown option.
    """
    place = list_options(entity, key).index(name)
    return _NUMBERS[entity, key] * _OPTION_ROOM + place
