"""From lists of views, groups, collections and brands to what they say about an assumption.

No requests are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.archive.pagination import ROW_CAP
from server.doctor.judging import (
    Record,
    Undecided,
    Verdict,
    judges,
    list_objects,
    list_records,
    read_error,
    read_total,
    require,
)
from server.doctor.probe import read_field
from server.doctor.report import shorten

VIEWS = ("contentViews", "creatorViews", "socialProfileViews")
MEMBERS = ("collections", *VIEWS)
LISTS = ("filterPresets", "viewGroups", *MEMBERS)
_ANSWERED = (*LISTS, "campaigns", "socialProfiles")

# What `items` can be filtered by (Archive docs, items).
FILTER_KEYS = frozenset(
    """
    accountNames campaignsIds collectionsIds contentTypes creatorLocations engagement
    followersCount ids importType instagramWhitelistingStatus itemTypes provider
    shopifyProductsIds socialProfileAccountTypes socialProfileIds sourcesIds superSearch
    tagsNames takenAt tiktokSparkCodeStatus tiktokWhitelistingEligibility ugcLocations
    usageRightsStatus verified viralityScore
    """.split()  # noqa: SIM905  # twenty-five lines with a name each say no more
)
_SORT_KEYS = frozenset({"sortKey", "sortOrder"})

# How GraphQL servers word a field that they do not have.
_UNDEFINED = ("undefinedfield", "doesn't exist", "cannot query field")

_NO_TOTAL = "no total was returned"

Rows = list[Record] | None
Lists = Mapping[str, Rows]


def list_rows(rows: Any) -> Rows:
    """Return the records of a list that has no pages; None where it is no list."""
    return list_objects(rows) if isinstance(rows, list) else None


@judges("saved-lists")
def judge_saved_lists(payload: Mapping[str, Any]) -> Verdict:
    """Judge whether the API knows the lists by these names."""
    message = shorten(read_error(payload) or "")
    if any(word in message.lower() for word in _UNDEFINED):
        return False, message
    # Any other error says nothing about names.
    require(not message, message)
    data = require(payload.get("data"), "no list was answered")
    missing = [name for name in _ANSWERED if data.get(name) is None]
    require(not missing, f"not answered: {', '.join(missing)}")
    return True, "all were answered"


@judges("presets-listed")
def judge_presets(lists: Lists) -> Verdict:
    """Judge whether `filterPresets` has every content view and collection, and no other kind."""
    presets, collections, views = _require_rows(
        lists, "filterPresets", "collections", "contentViews"
    )
    require(presets or collections or views, "the workspace has no view and no collection")
    preset_views = _select_ids(presets, "MEDIA_DECK")
    preset_collections = _select_ids(presets, "COLLECTIONS")
    others = {id for kind in VIEWS[1:] for id in _select_ids(lists[kind] or [])}
    misplaced = others & (preset_views | preset_collections)
    evidence = (
        f"it lists {len(preset_views)} of {len(views)} content views, "
        f"{len(preset_collections)} of {len(collections)} collections, "
        f"{len(misplaced)} of {len(others)} other views"
    )
    listed = (preset_views, preset_collections, misplaced)
    return listed == (_select_ids(views), _select_ids(collections), set()), evidence


@judges("group-members")
def judge_groups(lists: Lists) -> Verdict:
    """Judge whether groups and their members name each other."""
    groups, *members = _require_rows(lists, "viewGroups", *MEMBERS)
    # With the kind: ids of different kinds need not differ.
    by_group = {
        (str(group.get("id")), kind, id)
        for group in groups
        for kind in MEMBERS
        for id in _select_ids(list_objects(group.get(kind)))
    }
    by_member = {
        (group, kind, str(member.get("id")))
        for kind, rows in zip(MEMBERS, members, strict=True)
        for member in rows
        for group in _list_groups(member)
    }
    everything = require(by_group | by_member, "no group has a member")
    same = len(by_group & by_member)
    return by_group == by_member, f"both sides name {same} of {len(everything)} memberships"


@judges("view-filters")
def judge_view_filters(views: Rows) -> Verdict:
    """Judge whether stored filters and orders look like those of `items`.

    The evidence names keys, never values: those are the user's.
    """
    narrowed = list(filter(_is_narrowed, views or []))
    require(narrowed, "no content view has filters or an order")
    strange = sorted(set().union(*map(_list_strange_keys, narrowed)))
    keys = "all their keys are those of `items`"
    if strange:
        keys = f"other keys: {shorten(', '.join(strange))}"
    return not strange, f"looked at {len(narrowed)} content views; {keys}"


def find_filtered_view(views: Sequence[Record]) -> Record | None:
    """Return the first view that has filters and no condition."""
    for view in views:
        if _narrows(view.get("filters")) and not view.get("customAttributeConditions"):
            return view
    return None


@judges("stored-filters")
def judge_stored_filters(totals: Mapping[str, tuple[int | None, int | None]]) -> Verdict:
    """Judge whether views with nothing but filters contain everybody.

    Args:
        totals: for each kind of people how many there are at all, and in the view.
    """
    complete = {people: pair for people, pair in totals.items() if None not in pair}
    require(complete, _NO_TOTAL)
    evidence = ", ".join(
        f"{view} of {everybody} {people} in a view"
        for people, (everybody, view) in complete.items()
    )
    return all(view == everybody for everybody, view in complete.values()), evidence


@judges("own-brand")
def judge_own_brand(page: Record) -> Verdict:
    """Judge whether a first page of one competitor has the own brand in addition."""
    brands, total = list_records(page), _require_total(page)
    own = [brand for brand in brands if brand.get("isOwnBrand")]
    names = "".join(f", named {shorten(str(brand.get('name')))}" for brand in own[:1])
    evidence = (
        f"{len(brands)} brands on a page of 1, {len(own)} of them your own{names}; "
        f"totalCount {total}"
    )
    # Without a competitor the page holds the own brand alone.
    return (len(own), len(brands)) == (1, 1 + min(1, total)), evidence


def explain_no_brands(payload: Mapping[str, Any]) -> str:
    """Return why no competitors came."""
    message = shorten(read_error(payload) or "neither brands nor an error came")
    # A plan without Competitor Insights answers so: no fault of the API's.
    if "unauthorized" in message.lower():
        return f"not part of this plan, or closed to this token: {message}"
    return message


@judges("brand-months")
def judge_brand_months(now: Any, before: Any) -> Verdict:
    """Judge whether a competitor has no posts of this month while it has earlier ones."""
    this_month, earlier = _require_total(now), _require_total(before)
    evidence = f"{this_month} posts of this month, {earlier} of the half-year before"
    # A brand that never posts shows nothing.
    require(this_month + earlier, evidence)
    return not this_month, evidence


def _require_rows(lists: Lists, *names: str) -> list[list[Record]]:
    """Return these lists, if all of them came, and came whole."""
    rows = [lists[name] for name in names]
    complete = [list_ for list_ in rows if list_ is not None]
    require(len(complete) == len(rows), "the lists did not come")
    is_cut = any(len(list_) >= ROW_CAP for list_ in complete)
    require(not is_cut, f"a list has {ROW_CAP:,} rows and may have been cut")
    return complete


def _require_total(connection: Any) -> int:
    total = read_total(connection)
    # Not `require`: a total of 0 says something.
    if total is None:
        raise Undecided(_NO_TOTAL)
    return total


def _list_groups(member: Record) -> list[str]:
    id = read_field(member.get("group"), "id")
    return [] if id is None else [str(id)]


def _list_strange_keys(view: Record) -> set[str]:
    """Return the keys of a view's filters and order that `items` does not take."""
    sort = view.get("sort")
    strange = _list_unknown(view.get("filters"), FILTER_KEYS, "", "filters is no object")
    for level in sort if isinstance(sort, list) else [sort]:
        strange |= _list_unknown(level, _SORT_KEYS, "sort.", "sort is no list of objects")
    return strange


def _list_unknown(value: Any, keys: frozenset[str], prefix: str, problem: str) -> set[str]:
    """Return the keys of an object beside `keys`, or the problem where there is no object."""
    if isinstance(value, dict):
        return {prefix + key for key in set(value) - keys}
    # What is empty holds nothing strange.
    return {problem} if value else set()


def _is_narrowed(view: Record) -> bool:
    return _narrows(view.get("filters")) or bool(view.get("sort"))


def _narrows(filters: Any) -> bool:
    # Keys with empty values are how Archive stores a filter that somebody emptied.
    if isinstance(filters, dict):
        return any(value not in (None, [], {}) for value in filters.values())
    return bool(filters)


def _select_ids(records: Sequence[Record], accessor: str | None = None) -> set[str]:
    """Return the ids, where an accessor is asked for only of records that have it."""
    return {
        str(record.get("id")) for record in records if accessor in (None, record.get("accessor"))
    }
