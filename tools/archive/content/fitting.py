"""Whether what Archive answers fits what was asked: a filter that it did not apply shows nowhere
else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from server.insights.rows import parse_instant
from server.tool.result import drop_nulls

Json = dict[str, Any]

_FEW = 20
MIXED = (
    "Read a collection or content view by `presetId`, or name the items, to have the right ones."
)
"""What to do where Archive did not apply a filter."""

# Platform and type of what `filter.itemTypes` means; None fits any. The filter has more words than
# the answers: a TikTok video comes back as POST, a Short as SHORT (Archive docs, items).
_TYPES: dict[str, tuple[str | None, frozenset[str]]] = {
    "POST": (None, frozenset({"POST"})),
    "REEL": (None, frozenset({"REEL"})),
    "STORY": (None, frozenset({"STORY"})),
    "TIKTOK": ("TIKTOK", frozenset({"POST", "REEL", "SHORT"})),
    "TIKTOK_STORY": ("TIKTOK", frozenset({"STORY"})),
    "YOUTUBE": ("YOUTUBE", frozenset({"POST", "REEL", "SHORT", "STORY"})),
    "YOUTUBE_SHORT": ("YOUTUBE", frozenset({"SHORT", "REEL"})),
}


def drop_misfits(parts: Json, records: Iterable[Json]) -> tuple[list[Json], list[str]]:
    """Return the records that fit the filter where they show it, and the parts that others do not.

    Args:
        parts: the filter, under the API's names.
    """
    fitting = list(records)
    broken: list[str] = []
    for name in _list_seen(parts):
        rest = list(filter(partial(_CHECKS[name], parts[name]), fitting))
        if len(rest) < len(fitting):
            broken.append(name)
        fitting = rest
    return fitting, broken


def list_paths(parts: Json) -> list[str]:
    """Return the fields that show whether a record fits; none that would make a page dearer."""
    paths: list[str] = []
    for name in _list_seen(parts):
        paths += _PATHS.get(name, ())
    return paths


def list_unseen(parts: Json) -> list[str]:
    """Return the parts of a filter that no record shows whether it fits."""
    return sorted(parts.keys() - _CHECKS.keys())


def describe_misfits(count: int, parts: Iterable[str]) -> list[str]:
    """Return what a result says about items that came although they do not fit."""
    if not count:
        return []
    names = ", ".join(map("filter.{}".format, parts))
    return [f"Archive did not apply {names}: {count} items that do not fit are left out. {MIXED}"]


def add_misfits(counters: Mapping[str, Any], count: int, parts: Iterable[str]) -> Json:
    """Return the counters of a job with so many more items left out that do not fit."""
    return {
        "misfits": counters.get("misfits", 0) + count,
        "broken": list(dict.fromkeys([*counters.get("broken", ()), *parts])),
    }


def describe_counted_misfits(counters: Mapping[str, Any]) -> list[str]:
    """Return what the result of a job says about the items that its counters have as left out."""
    return describe_misfits(counters.get("misfits", 0), counters.get("broken", ()))


async def describe_ignored(
    parts: Json,
    unseen: Sequence[str],
    total: int,
    count: Callable[[Json], Awaitable[int | None]],
    instead: str = MIXED,
) -> list[str]:
    """Return what a result says where as many records came as without some conditions.

    Args:
        unseen: the conditions that no record shows whether it fits.
        total: how many records came with them.
        count: returns how many records a filter finds.
        instead: how to ask otherwise.
    """
    # Fewer than a page are hardly all that there is, and not worth a request.
    if any((not unseen, total <= _FEW, "ids" in parts)):
        return []
    checked = {name: parts[name] for name in _list_seen(parts)}
    if await count(checked) != total:
        return []
    return [
        f"As many ({total:,}) came as without {', '.join(unseen)}: either all fit, or Archive did "
        f"not apply it. {instead}"
    ]


async def find_members(
    parts: Json, records: list[Json], read_members: Callable[[str], Awaitable[set[str] | None]]
) -> tuple[list[Json], list[str]]:
    """Return which of the items in `filter.ids` are in the collection of `filter.collectionsIds`,
    and what is to be said about it.

    Args:
        records: what came for both, with their ids.
        read_members: returns the ids that a collection holds; None where they are too many.
    """
    ids, collections = set(parts.get("ids", ())), parts.get("collectionsIds", [])
    # Only where all came back is there reason to doubt.
    if any((not ids, len(collections) != 1, len(records) < len(ids))):
        return records, []
    members = await read_members(collections[0])
    if members is None:
        return records, [
            "All of `ids` came back, and the collection is too large to compare with: if not all "
            "can be in it, Archive did not apply `collectionsIds`."
        ]
    inside = [record for record in records if record["id"] in members]
    if len(inside) == len(records):
        return records, []
    return inside, [
        "Archive did not apply `collectionsIds` beside `ids`: compared here with all that the "
        "collection holds."
    ]


def _list_seen(parts: Json) -> list[str]:
    """Return the parts of a filter that records show whether they fit."""
    return sorted(parts.keys() & _CHECKS.keys())


def _is_one_of(values: list[str], value: str | None) -> bool:
    # What was not asked for, or is not there, proves nothing.
    if value is None:
        return True
    return value.casefold() in map(str.casefold, values)


def _has_account(names: list[str], record: Json) -> bool:
    profile = record.get("socialProfile")
    if profile is None:
        return True
    handles = [name.removeprefix("@") for name in names]
    return _is_one_of(handles, profile.get("accountName"))


def _has_type(types: list[str], record: Json) -> bool:
    if not {"provider", "type"} <= record.keys():
        return True
    return any(map(partial(_is_of_type, record), types))


def _is_of_type(record: Json, name: str) -> bool:
    # A word that is new to us allows everything.
    if name not in _TYPES:
        return True
    platform, kinds = _TYPES[name]
    return platform in (None, record["provider"]) and record["type"] in kinds


def _is_in_window(window: Json, record: Json) -> bool:
    moment = record.get("takenAt")
    if moment is None:
        return True
    # An open side is where the item itself is.
    bounds = {"from": moment, "to": moment, **drop_nulls(window)}
    first, last = parse_instant(bounds["from"]), parse_instant(bounds["to"])
    return first <= parse_instant(moment) <= last


_CHECKS: dict[str, Callable[[Any, Json], bool]] = {
    "ids": lambda ids, record: _is_one_of(ids, record.get("id")),
    "provider": lambda provider, record: _is_one_of([provider], record.get("provider")),
    "itemTypes": _has_type,
    "accountNames": _has_account,
    "takenAt": _is_in_window,
}
# The account of `accountNames` is a relation, which costs rate credits of its own.
_PATHS = {
    "ids": ("id",),
    "provider": ("provider",),
    "itemTypes": ("provider", "type"),
    "takenAt": ("takenAt",),
}
