"""Live questions about what people save: collections, views and their groups. Two requests, both
reading."""

from __future__ import annotations

from typing import Any

from server.doctor import verdicts_saved
from server.doctor.look import Heard, Look
from server.doctor.report import Finding
from server.doctor.verdicts import Record
from server.errors import Failure

OF_SAVED = ("saved-lists", "presets-listed", "group-members", "view-filters", "stored-filters")

_VIEW = "{ id filters sort customAttributeConditions group { id } }"
_SAVED = (
    "query Saved { filterPresets { id accessor } collections { id group { id } } "
    f"contentViews {_VIEW} creatorViews {_VIEW} socialProfileViews {_VIEW} "
    "viewGroups { id collections { id } contentViews { id } creatorViews { id } socialProfileViews { id } } "
    "campaigns(first: 1) { nodes { id } } socialProfiles(first: 1) { nodes { id } } }"
)
_BY_KIND = {"creatorViews": "creators", "socialProfileViews": "socialProfiles"}


async def saved(look: Look) -> list[Finding]:
    """What the lists say about each other, and whether filters stored with people's views count."""
    heard = await look.ask(_SAVED, cost=80)
    lists = {name: verdicts_saved.rows(heard.data(name)) for name in verdicts_saved.LISTS}
    return [
        verdicts_saved.saved_lists(heard.payload),
        verdicts_saved.presets_listed(lists),
        verdicts_saved.group_members(lists),
        verdicts_saved.view_filters(lists["contentViews"]),
        await _stored_filters(look, lists),
    ]


async def _stored_filters(look: Look, lists: dict[str, list[Record] | None]) -> Finding:
    """Views that only filters narrow, beside everybody, all in one request."""
    views = {
        field: str(view["id"])
        for kind, field in _BY_KIND.items()
        if (view := verdicts_saved.narrowed_by_filters_only(lists[kind] or []))
    }
    if not views:
        return Finding(
            "stored-filters",
            "unknown",
            "no creator or social profile view is narrowed by filters alone",
        )
    declared = ", ".join(f"${field}: ID" for field in views)
    asked = [
        f"{field}_all: {field}(first: 1) {{ totalCount }} "
        f"{field}_view: {field}(first: 1, presetId: ${field}) {{ totalCount }}"
        for field in views
    ]
    variables: dict[str, Any] = dict(views)
    try:
        heard = await look.ask(
            f"query Stored({declared}) {{ {' '.join(asked)} }}", variables, cost=430
        )
    except Failure as failure:
        return Finding("stored-filters", "unknown", failure.message)
    return verdicts_saved.stored_filters({field: _totals(heard, field) for field in views})


def _totals(heard: Heard, field: str) -> tuple[int | None, int | None]:
    found = [heard.data(f"{field}_{which}") for which in ("all", "view")]
    everybody, view = [each.get("totalCount") if isinstance(each, dict) else None for each in found]
    return everybody, view
