"""Custom attributes: what a workspace keeps on creators and on items."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One attribute. `options` names the choices of a select; `ai` marks a value filled in by the
    API's own AI."""

    key: str
    name: str
    type: str
    options: tuple[str, ...] | None = None
    ai: bool = False


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
# Room for the options of one attribute inside an option's number.
OPTIONS_EACH = 64


def option_number(entity: str, key: str, name: str) -> int:
    """The record number of a select's option."""
    for place, attribute in enumerate(ATTRIBUTES[entity]):
        if attribute.key == key and attribute.options is not None:
            return (place + 100 * (entity == "ITEM")) * OPTIONS_EACH + attribute.options.index(name)
    raise KeyError(key)
