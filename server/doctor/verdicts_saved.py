"""From lists of views, groups, collections and brands to what they say about an assumption: no
requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.archive.pagination import ROW_CAP
from server.doctor.report import Finding, excerpt
from server.doctor.verdicts import (
    Record,
    complaint,
    judged,
    records_of,
    total_of,
)

VIEWS = ("contentViews", "creatorViews", "socialProfileViews")
MEMBERS = ("collections", *VIEWS)
LISTS = ("filterPresets", "viewGroups", *MEMBERS)
_ANSWERED = (*LISTS, "campaigns", "socialProfiles")

FILTER_KEYS = frozenset(
    {
        "accountNames",
        "campaignsIds",
        "collectionsIds",
        "contentTypes",
        "creatorLocations",
        "engagement",
        "followersCount",
        "ids",
        "importType",
        "instagramWhitelistingStatus",
        "itemTypes",
        "provider",
        "shopifyProductsIds",
        "socialProfileAccountTypes",
        "socialProfileIds",
        "sourcesIds",
        "superSearch",
        "tagsNames",
        "takenAt",
        "tiktokSparkCodeStatus",
        "tiktokWhitelistingEligibility",
        "ugcLocations",
        "usageRightsStatus",
        "verified",
        "viralityScore",
    }
)
"""What `items` can be filtered by (Archive docs, items)."""
_SORT_KEYS = frozenset({"sortKey", "sortOrder"})

_UNDEFINED = ("undefinedfield", "doesn't exist", "cannot query field")

Rows = list[Record] | None
Lists = Mapping[str, Rows]


def rows(value: Any) -> Rows:
    """The records of a list that has no pages; None where it is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else None


def saved_lists(payload: Mapping[str, Any]) -> Finding:
    """Whether the API knows the lists by these names."""
    message = complaint(payload)
    if message is None:
        data = payload.get("data")
        missing = [
            each for each in _ANSWERED if not isinstance(data, dict) or data.get(each) is None
        ]
        if missing:
            return _unknown("saved-lists", f"not answered: {', '.join(missing)}")
        return judged("saved-lists", True, "all were answered")
    if any(word in message.lower() for word in _UNDEFINED):
        return judged("saved-lists", False, excerpt(message))
    return _unknown("saved-lists", excerpt(message))


def presets_listed(lists: Lists) -> Finding:
    """Whether `filterPresets` has every content view and collection, and nothing of other kinds."""
    id = "presets-listed"
    presets, collections, views = (
        lists["filterPresets"],
        lists["collections"],
        lists["contentViews"],
    )
    if presets is None or collections is None or views is None:
        return _unknown(id, "the lists did not come")
    if max(len(presets), len(collections), len(views)) >= ROW_CAP:
        return _unknown(id, f"a list has {ROW_CAP:,} rows and may have been cut")
    if not (presets or collections or views):
        return _unknown(id, "the workspace has no view and no collection")
    named = {accessor: _ids(presets, accessor) for accessor in ("MEDIA_DECK", "COLLECTIONS")}
    others = {str(each.get("id")) for kind in VIEWS[1:] for each in lists[kind] or []}
    strangers = others & (named["MEDIA_DECK"] | named["COLLECTIONS"])
    complete = named["MEDIA_DECK"] == _ids(views) and named["COLLECTIONS"] == _ids(collections)
    evidence = (
        f"{len(named['MEDIA_DECK'])} of {len(views)} content views, {len(named['COLLECTIONS'])} of {len(collections)} "
        f"collections, {len(strangers)} of {len(others)} other views"
    )
    return judged(id, complete and not strangers, evidence)


def group_members(lists: Lists) -> Finding:
    """Whether groups and what is in them name each other."""
    id = "group-members"
    groups = lists["viewGroups"]
    if groups is None or any(lists[kind] is None for kind in MEMBERS):
        return _unknown(id, "the lists did not come")
    if any(len(each or []) >= ROW_CAP for each in lists.values()):
        return _unknown(id, f"a list has {ROW_CAP:,} rows and may have been cut")
    by_group = {
        (str(group.get("id")), kind, str(each.get("id")))
        for group in groups
        for kind in MEMBERS
        for each in rows(group.get(kind)) or []
    }
    by_member = {
        (str(group["id"]), kind, str(each.get("id")))
        for kind in MEMBERS
        for each in lists[kind] or []
        if isinstance(group := each.get("group"), dict) and "id" in group
    }
    if not by_group and not by_member:
        return _unknown(id, "no group has a member")
    same = len(by_group & by_member)
    return judged(
        id,
        by_group == by_member,
        f"{same} of {len(by_group | by_member)} memberships are told by both",
    )


def view_filters(views: Rows) -> Finding:
    """Whether stored filters and orders look like those of `items`; only keys are told, never
    values."""
    id = "view-filters"
    kept = [each for each in views or [] if _narrows(each.get("filters")) or each.get("sort")]
    if not kept:
        return _unknown(id, "no content view has filters or an order")
    strange = sorted({key for each in kept for key in _strange_keys(each)})
    evidence = f"{len(kept)} content views looked at; " + (
        f"other keys: {excerpt(', '.join(strange))}"
        if strange
        else "all their keys are those of `items`"
    )
    return judged(id, not strange, evidence)


def narrowed_by_filters_only(views: Sequence[Record]) -> Record | None:
    """The first view that has filters and no condition."""
    return next(
        (
            each
            for each in views
            if _narrows(each.get("filters")) and not each.get("customAttributeConditions")
        ),
        None,
    )


def stored_filters(totals: Mapping[str, tuple[int | None, int | None]]) -> Finding:
    """Whether views with nothing but filters hold everybody: (everybody, in the view) for each
    kind."""
    known = {
        field: pair for field, pair in totals.items() if pair[0] is not None and pair[1] is not None
    }
    if not known:
        return _unknown("stored-filters", "no total was given")
    evidence = ", ".join(
        f"{view} of {everybody} {field} in a view" for field, (everybody, view) in known.items()
    )
    return judged(
        "stored-filters", all(view == everybody for everybody, view in known.values()), evidence
    )


def own_brand(page: Record) -> Finding:
    """Whether a first page of one competitor has the own brand in addition."""
    nodes, total = records_of(page), total_of(page)
    if total is None:
        return _unknown("own-brand", "no total was given")
    own = [each for each in nodes if each.get("isOwnBrand")]
    name = f", named {excerpt(str(own[0].get('name')))}" if own else ""
    extra = len(own) == 1 and len(nodes) == 1 + min(1, total)
    evidence = f"{len(nodes)} brands on a page of 1, {len(own)} of them the own one{name}; totalCount {total}"
    return judged("own-brand", extra, evidence)


def why_no_brands(payload: Mapping[str, Any]) -> str:
    """Why competitors could not be looked at, in words."""
    message = complaint(payload)
    if message is None:
        return "neither brands nor an error came"
    if "unauthorized" in message.lower():
        return f"not part of this plan, or closed to this token: {excerpt(message)}"
    return excerpt(message)


def brand_months(now: Any, before: Any) -> Finding:
    """Whether a competitor has no posts of this month while it has earlier ones."""
    this_month, earlier = total_of(now), total_of(before)
    if this_month is None or earlier is None:
        return _unknown("brand-months", "no total was given")
    evidence = f"{this_month} posts of this month, {earlier} of the half-year before"
    if not this_month and not earlier:
        return _unknown("brand-months", evidence)
    return judged("brand-months", not this_month, evidence)


def _strange_keys(view: Record) -> set[str]:
    filters, sort = view.get("filters"), view.get("sort")
    found = (
        set(filters) - FILTER_KEYS
        if isinstance(filters, dict)
        else {"filters is no object"}
        if filters
        else set()
    )
    if not sort:
        return found
    levels = sort if isinstance(sort, list) else [sort]
    keys = {str(key) for each in levels if isinstance(each, dict) for key in each}
    odd = [each for each in levels if not isinstance(each, dict)]
    return (
        found
        | {f"sort.{key}" for key in keys - _SORT_KEYS}
        | ({"sort is no list of objects"} if odd else set())
    )


def _narrows(filters: Any) -> bool:
    return (
        any(value not in (None, [], {}) for value in filters.values())
        if isinstance(filters, dict)
        else bool(filters)
    )


def _ids(records: Sequence[Record], accessor: str | None = None) -> set[str]:
    return {str(each.get("id")) for each in records if accessor in (None, each.get("accessor"))}


def _unknown(id: str, evidence: str) -> Finding:
    return Finding(id, "unknown", evidence)
