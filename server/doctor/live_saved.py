"""Live questions about what people save: collections, views and their groups.

Two requests, both of them reading.
"""

from __future__ import annotations

from typing import Any

from server.doctor import verdicts_saved
from server.doctor.judging import Record, conclude, read_total, require
from server.doctor.probe import Probe, ProbeResult
from server.doctor.report import Finding

ABOUT_SAVED = ("saved-lists", "presets-listed", "group-members", "view-filters", "stored-filters")

_VIEW = "{ id filters sort customAttributeConditions group { id } }"
_SAVED = (
    "query Saved { filterPresets { id accessor } collections { id group { id } } "
    f"contentViews {_VIEW} creatorViews {_VIEW} socialProfileViews {_VIEW} "
    "viewGroups { id collections { id } contentViews { id } creatorViews { id } "
    "socialProfileViews { id } } "
    "campaigns(first: 1) { nodes { id } } socialProfiles(first: 1) { nodes { id } } }"
)
# Kind of view -> the list of the people in it.
_PEOPLE = {"creatorViews": "creators", "socialProfileViews": "socialProfiles"}


async def ask_about_saved(probe: Probe) -> list[Finding]:
    """Return what the lists say about each other, and whether filters stored with views count."""
    result = await probe.ask(_SAVED, cost=80)
    lists = {name: verdicts_saved.list_rows(result.data(name)) for name in verdicts_saved.LISTS}
    return [
        verdicts_saved.judge_saved_lists(result.payload),
        verdicts_saved.judge_presets(lists),
        verdicts_saved.judge_groups(lists),
        verdicts_saved.judge_view_filters(lists["contentViews"]),
        await conclude("stored-filters", _check_stored_filters(probe, lists)),
    ]


async def _check_stored_filters(probe: Probe, lists: dict[str, list[Record] | None]) -> Finding:
    """Compare views that only filters narrow with the list of everybody, all in one request."""
    variables: dict[str, Any] = {}
    for kind, people in _PEOPLE.items():
        view = verdicts_saved.find_filtered_view(lists[kind] or [])
        if view:
            variables[people] = str(view["id"])
    require(variables, "no creator or social profile view is narrowed by filters alone")
    declarations = ", ".join(f"${people}: ID" for people in variables)
    fields = [
        f"{people}_all: {people}(first: 1) {{ totalCount }} "
        f"{people}_view: {people}(first: 1, presetId: ${people}) {{ totalCount }}"
        for people in variables
    ]
    document = f"query Stored({declarations}) {{ {' '.join(fields)} }}"
    # About a hundred credits for each of the four lists.
    result = await probe.ask(document, variables, cost=430)
    totals = {people: _read_totals(result, people) for people in variables}
    return verdicts_saved.judge_stored_filters(totals)


def _read_totals(result: ProbeResult, people: str) -> tuple[int | None, int | None]:
    """Return how many there are at all, and in the view."""
    everybody, view = (result.data(f"{people}_{list_}") for list_ in ("all", "view"))
    return read_total(everybody), read_total(view)
