"""Which items a workflow is about: a search, or items named by id or link."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from server.archive.api import Api, Page
from server.archive.context import ArchiveContext
from server.archive.operations import Id
from server.errors import Code, Failure
from server.tool.arguments import parse, parse_in_utc
from server.tool.request import Input, Links, Meaning, Request
from tools.archive.content.fitting import drop_misfits, list_paths
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetItemIdsByUrl

SEARCHED_BY = (
    "filter",
    "takenAt",
    "customAttributeConditions",
    "presetId",
    "sorting",
    "captionPhrase",
)
"""Arguments of the search that say which items, and in which order."""
# Arguments of the search that models pass beside it, and the one that belongs to no source.
_ELSEWHERE = {
    **dict.fromkeys(SEARCHED_BY, "it belongs in `search`"),
    "fields": "archive_search_items takes it",
}
_OTHER_SOURCES = ("item_ids", "urls", "undo", "resume")
_MOST_COUNTED = 1_000
AT_ONCE = 100
"""Ids or links that one request takes (Archive docs, items and lookup by URL)."""

PAGE_COST = 80.0
"""Rate credits of a page of items with their accounts (Archive docs, rate limiting: 60, and 20 for
a relation)."""
NAME_FIELDS = ["id", "socialProfile.accountName"]
"""The fields by which people know an item."""

Q = TypeVar("Q", bound=Request[Any, Any])


def read_account(item: dict[str, Any]) -> str | None:
    """Return whose item it is; None where a partial answer lacks that."""
    profile = item.get("socialProfile") or {}
    name: str | None = profile.get("accountName")
    return name


@dataclass(frozen=True)
class Batch:
    """Some of the items, and where to go on after them; `missing` are links that lead to none, with
    their status, and `unknown` the ids that name none.

    Items that came although they do not fit the search are left out: `misfits` counts them, and
    `broken` are the parts of the filter that Archive did not apply.
    """

    items: list[dict[str, Any]]
    cursor: Any
    missing: list[dict[str, Any]]
    partial: bool = False
    """Whether Archive could not compute some values now."""
    repeats: int = 0
    """Records left out because they came before."""
    misfits: int = 0
    broken: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page) -> Self:
        """Return the records of a page."""
        return cls(page.records, page.end, [], page.partial, page.repeats)

    def describe_missing(self, longest: int | None = None) -> list[str]:
        """Return the links that lead to no item, cut to so many characters, with their status."""
        return [f"{entry['url'][:longest]} ({entry['status']})" for entry in self.missing]


class ItemSource(Input):
    """Arguments that say which items; exactly one of the three."""

    takes_all: ClassVar[bool] = False
    """Whether no source means all items: so for what only reads them."""
    elsewhere: ClassVar[Mapping[str, str]] = _ELSEWHERE

    # Everything there is: `search` {}.
    search: Annotated[dict[str, Any], Meaning("empty")] | None = Field(
        None, description="Arguments of archive_search_items, without fields and paging."
    )
    item_ids: list[Id] | None = Field(
        None, min_length=1, max_length=20_000, description="Item ids, instead of a search."
    )
    urls: Links | None = Field(
        None, min_length=1, max_length=5_000, description="Post links, instead of a search."
    )

    @field_validator("search")
    @classmethod
    def _is_a_search(
        cls, value: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        if value is None:
            return None
        return _dump(parse_search(SearchItems, value, info, cls, SEARCHED_BY))

    @model_validator(mode="after")
    def _without_filler(self) -> Self:
        """Take an empty search out beside another source: some clients fill in every argument."""
        if self.search == {} and self.has_other_source():
            self.search = None
            self.model_fields_set.discard("search")
        return self

    @property
    def names(self) -> list[str]:
        """The ids or links that say which items; none where a search does."""
        return self.item_ids or self.urls or []

    @property
    def preset(self) -> str:
        """The view or collection that is searched; empty where it is none."""
        return str(self.search_argument("presetId") or "")

    @property
    def search_filter(self) -> dict[str, Any]:
        """The filter of the search as it was given; empty where there is none."""
        return self.search_argument("filter") or {}

    def search_argument(self, name: str) -> Any:
        """Return an argument of the search as it was given; None where there is none."""
        return None if self.search is None else self.search.get(name)

    def has_other_source(self) -> bool:
        """Return whether something beside `search` says what the call is about."""
        return any(getattr(self, name, None) is not None for name in _OTHER_SOURCES)

    def require_source(self) -> None:
        """Refuse none and several.

        Raises:
            Failure: `INVALID_ARGUMENT`.
        """
        sources = [self.search, self.item_ids, self.urls]
        missing = sources.count(None)
        if missing == len(sources) and self.takes_all:
            self.search = {}
            return
        # Elsewhere none is not "everything": a call that forgot its source must not change the
        # whole workspace.
        if missing != len(sources) - 1:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give exactly one of `search`, `itemIds` and `urls`.",
                "For everything in the workspace pass `search` {}. "
                'For a view or collection pass `search` {"presetId": "..."}.',
            )

    async def prepare(self, context: ArchiveContext) -> None:
        """Put ids in place of the option names in the search's conditions."""
        if self.search is None:
            return
        query = self.query()
        await query.prepare(context)
        # Kept with ids: an option that is renamed later must not change what the job means.
        self.search = _dump(query)

    def query(self, fields: list[str] | None = None, **more: Any) -> SearchItems:
        """Return the search for these items, asking for these fields."""
        requested = {**(self.search or {}), **more}
        if fields:
            requested["fields"] = fields
        return parse_in_utc(SearchItems, requested)

    async def total(self, api: Api) -> int | None:
        """Return how many items there are (links: at most), by one request at most.

        Where they are narrowed here, up to a thousand are read, and more are counted unnarrowed.
        """
        total = await self._count(api)
        if not self.own_paths or total is None or total > _MOST_COUNTED:
            return total
        count = 0
        async for batch in self.batches(api, None, ["id"]):
            count += len(batch.items)
        return count

    async def _count(self, api: Api) -> int | None:
        if self.names:
            return len(set(self.names))
        # The count comes with any page, so the smallest one will do.
        page = await api.read_page(self.query(["id"]), size=1)
        return page.total

    @property
    def is_filtered(self) -> bool:
        """Whether Archive applies filters to the source: not to a preset, nor to named items."""
        return self.search is not None and "presetId" not in self.search

    async def find_doubts(self, context: ArchiveContext, api: Api, total: int | None) -> list[str]:
        """Return what an answer about `total` items says if Archive may not have applied the
        search."""
        if not self.is_filtered:
            return []
        return await self.query().find_doubts(context, api, total)

    async def batches(self, api: Api, cursor: Any, fields: list[str]) -> AsyncIterator[Batch]:
        """Yield the items with these fields, batch by batch, from a batch's cursor on (None =
        the beginning).

        Ids that name no item are left out without a word: Archive does so too.
        """
        paths = [*fields, *self.own_paths, *list_paths(self.query().parts)]
        if self.search is None:
            async for batch in self._named_batches(api, int(cursor or 0), paths):
                yield batch
            return
        async for page in api.read_pages(self.query(paths), cursor):
            yield self.make_batch(Batch.of(page))

    async def _named_batches(self, api: Api, begin: int, paths: list[str]) -> AsyncIterator[Batch]:
        # An item named twice would be read, and perhaps changed, twice.
        matching = list(dict.fromkeys(self.names))
        # The cursor of a list is a position: it holds as long as the list, which is journalled.
        for start in range(begin, len(matching), AT_ONCE):
            piece = matching[start : start + AT_ONCE]
            ids, missing = (piece, []) if self.urls is None else await _look_up(api, piece)
            items, partial = await self._from_names(api, ids, paths)
            batch = Batch(items, start + len(piece), missing, partial)
            if self.urls is None:
                batch = replace(batch, unknown=_list_unknown(ids, items))
            yield self.make_batch(batch, {"ids": ids})

    @property
    def own_paths(self) -> list[str]:
        """What the source itself needs of each item."""
        return self.query().own_paths

    def make_batch(self, batch: Batch, parts: dict[str, Any] | None = None) -> Batch:
        """Return a batch without the items that do not fit the search, which Archive may send.

        Args:
            parts: the filter that was sent; the search's own where it is left out.
        """
        query = self.query()
        fitting, broken = drop_misfits(parts or query.parts, batch.items)
        misfits = len(batch.items) - len(fitting)
        return replace(batch, items=query.keep(fitting), misfits=misfits, broken=broken)

    async def _from_names(
        self, api: Api, ids: list[str], fields: list[str]
    ) -> tuple[list[dict[str, Any]], bool]:
        # An empty list of ids is no filter: Archive could answer with everything.
        if not ids:
            return [], False
        page = await api.read_page(self.query(fields, filter={"ids": ids}), size=AT_ONCE)
        # Archive matches UUIDs without case, as a user may paste them in capitals.
        places = dict(zip(map(str.lower, ids), range(len(ids)), strict=True))

        def find_place(item: dict[str, Any]) -> int:
            return places.get(item.get("id", "").lower(), len(places))

        # Archive answers in its own order; callers expect that of their list.
        return sorted(page.records, key=find_place), page.partial


def parse_search(
    request: type[Q],
    value: dict[str, Any],
    info: ValidationInfo,
    owner: type[Input],
    arguments: Sequence[str],
) -> Q:
    """Return the search that an argument of another tool holds, with its days as instants.

    So a job that goes on later means the same.

    Args:
        owner: the arguments of that tool.
        arguments: what the search may have.

    Raises:
        ValueError: it has others.
    """
    unknown = [name for name in value if name not in arguments]
    # Paging and fields are the tool's own business: what a caller sets there would be lost.
    if unknown:
        raise ValueError(f"takes {', '.join(arguments)}; not {', '.join(unknown)}.")
    # A copy: what the search notes about its days is not the outer call's.
    context = dict(info.context or {})
    inside = str(info.field_name)
    # For the message: the error is about the tool that was called, not about the search.
    if issubclass(owner, Request):
        return parse(request, value, context, inside=inside, tool=owner.tool_name())
    return parse(request, value, context, inside=inside)


def _list_unknown(ids: list[str], items: list[dict[str, Any]]) -> list[str]:
    # Archive leaves out unknown ids silently: only the difference shows them.
    unknown = {identity.lower(): identity for identity in ids}
    for item in items:
        unknown.pop(item["id"].lower(), None)
    return list(unknown.values())


async def _look_up(api: Api, urls: list[str]) -> tuple[list[str], list[dict[str, Any]]]:
    page = await api.read_whole(GetItemIdsByUrl.model_validate({"urls": urls}))
    missing = [record for record in page.records if record["status"] != "FOUND"]
    # Several links may lead to one item, such as /p/ and /reel/.
    ids = dict.fromkeys(record["itemId"] for record in page.records)
    # What was not found has no id.
    ids.pop(None, None)
    return list(ids), missing


def _dump(query: SearchItems) -> dict[str, Any]:
    # Unset parts stay out, or the defaults of today would be fixed in the journal.
    return query.model_dump(by_alias=True, exclude_unset=True, mode="json", include=_NAMES)


_NAMES = {"filter", "custom_attribute_conditions", "preset_id", "sorting", "caption_phrase"}
