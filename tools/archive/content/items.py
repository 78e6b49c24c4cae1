"""Archived posts: search, pictures, transcripts, metrics over time."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Annotated, Any, ClassVar

from pydantic import Field

from server.archive.api import Api
from server.archive.attributes import name_options
from server.archive.context import ArchiveContext
from server.archive.operations import (
    Connection,
    Id,
    NamesOptions,
    Text,
)
from server.archive.records import Selection, fields_of
from server.errors import Code, Failure
from server.tool.arguments import parse_in_utc
from server.tool.result import RecordList, Result, select_notes, whole
from tools.archive.content.filters import (
    ItemFilterInput,
    ItemSortingInput,
    check_filter,
    find_types,
)
from tools.archive.content.fitting import (
    describe_ignored,
    describe_misfits,
    drop_misfits,
    find_members,
    list_unseen,
)
from tools.archive.content.naming import find_preset_ids, take_ids_of_names
from tools.archive.content.sorting import SORT_PATHS, sorter
from tools.archive.schema.counting import (
    COUNT_ONLY,
    count_all,
    count_records,
    describe_emptiness,
)
from tools.archive.schema.inputs import (
    NO_SUCH_PLACE,
    Conditions,
    FilterDateRangeInput,
    TakesConditions,
    is_narrow,
)
from tools.archive.schema.objects import (
    Item,
)

Json = dict[str, Any]

# A hundred is Archive's limit for pages and for the lookup of media (Archive docs, media).
ItemIds = Annotated[list[Id], Field(min_length=1, max_length=100)]

_NO_SUCH_ID = (
    "Archive answers an unknown id of a collection or campaign with nothing too; "
    "archive_get_filter_presets and "
    "archive_get_campaigns have the ids."
)
# Ten pages at five requests a second: a client waits for that within one call.
_MOST_READ = 1_000


# What each relation adds to a page of items (Archive docs, rate limiting: 60 without, 183 with
# all).
_RELATION_COST = 20.5


# What messages call a part of the filter.
_FILTER = "filter.{}".format


def estimate_page(selection: Selection) -> float:
    """Return the rate credits of a page of items with these fields."""
    fields = fields_of(Item)
    relations = sum(fields[name].record is not None for name in selection)
    return SearchItems.cost + _RELATION_COST * relations


class SearchItems(TakesConditions, NamesOptions, Connection[Item]):
    """Search archived posts, reels, stories and videos (UGC) in Archive (archive.com), with current
    engagement: "top posts", "posts by @x", words in captions, usage rights, or the content of a
    view or collection (`presetId`). Newest first by default. For post links use
    archive_get_item_ids_by_url; for metrics over time archive_get_engagement_history. Null metrics
    are unavailable, not 0; `units` names EMV's."""

    operation = "items"
    title = "Search Archive content"
    always_loaded = True
    search_hint = (
        "find every post, reels, tiktoks, stories, shorts, videos, UGC, photos, mentioning, "
        "mention, words in captions, caption contains, exact phrase, keyword, posted last week, "
        "last month, today, yesterday, usage rights approved, spark code, whitelisting, verified, "
        "location, about a product, somebody wearing, unboxing, showing, in a folder, in a "
        "campaign, newest, latest posts, likes above, how many posts, show me, tagged us, with "
        "more than views, between, from Berlin, from Germany, small accounts, micro influencers, "
        "gifted, unpaid, paid partnership, rights expired, rights requested, pending rights, ad "
        "code, similar to this picture, looks like, carousel, selfie, untagged, without, posts of "
        "one creator, anybody complained, complaints, complaining, negative, shipping, on "
        "instagram, since monday, praise, reviews, feedback, saying about us, everything with the "
        "hashtag, featuring, less than, fewer, under, over, going viral, right now, trending, "
        "anything about us, what's inside a saved search, what is in the view, contents of a "
        "board, disclosure, sponsored, clips, insta, find me, accounts, followers, weekend, clip, "
        "people talk about, wore, holding, using, mention our product, this week, get me, in "
        "german, english, any language"
    )
    core = True
    # A page without relations (Archive docs, rate limiting).
    cost: ClassVar[float] = 60
    conditions_on = "ITEM"

    filter: ItemFilterInput | None = Field(None, description="An item must meet all conditions.")
    taken_at: FilterDateRangeInput | None = Field(
        None, description="When it was posted: days or instants with zone."
    )
    sorting: list[ItemSortingInput] | None = Field(
        None, min_length=1, description="Sort keys, most important first."
    )
    custom_attribute_conditions: Conditions | None = None
    preset_id: Id | None = Field(
        None,
        description="View or collection, id or name; instead of `filter` and conditions.",
    )
    caption_phrase: Text | None = Field(None, description="Exact words of captions, case aside.")
    count_only: bool = Field(False, description=COUNT_ONLY)
    fields: list[Text] | None = Field(
        None,
        description="Dotted paths to return; `*` means the defaults: "
        '["*", "transcriptions.transcript"].',
    )

    def check(self) -> None:
        # Archive ignores both without a word, and a model would report the whole view as the
        # selection.
        if self.preset_id and any((is_narrow(self.filter), self.conditions, self.taken_at)):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Archive ignores `filter`, `takenAt` and `customAttributeConditions` beside "
                "`presetId`.",
                "For a collection use filter.collectionsIds with the other filters; for a view "
                "drop the filters ({performance} and {top_content} take `takenAt` beside one).",
            )
        if self.taken_at:
            self._narrow_by_time(self.taken_at)
        if self.filter:
            check_filter(self.filter, "filter")

    def _narrow_by_time(self, window: FilterDateRangeInput) -> None:
        """Move `takenAt` to where Archive takes it."""
        choice = self.filter or ItemFilterInput()
        if choice.taken_at not in (None, window):
            raise Failure(
                Code.INVALID_ARGUMENT, "`filter` has a takenAt of its own.", "Give it once."
            )
        choice.taken_at = window
        self.filter, self.taken_at = choice, None

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        if self.preset_id:
            (self.preset_id,) = await find_preset_ids(context, [self.preset_id])
        await take_ids_of_names(context, self.filter)

    def variables(self) -> dict[str, Any]:
        variables = super().variables()
        # Archive has no search for an exact phrase: its fuzzy one finds the candidates.
        searches = self.preset_id or "superSearch" in self.parts
        if self.caption_phrase and not searches:
            search = {"mode": "FUZZY_CAPTION", "searchQuery": self.caption_phrase}
            variables["filter"] = {**variables.get("filter", {}), "superSearch": search}
        return variables

    @property
    def parts(self) -> Json:
        """The filter, under the API's names."""
        if self.filter is None:
            return {}
        return self.filter.model_dump(by_alias=True, exclude_unset=True)

    @property
    def own_paths(self) -> list[str]:
        """What the search itself needs of each item."""
        if self.caption_phrase is None:
            return []
        return ["caption"]

    def keep(self, records: list[Json]) -> list[Json]:
        """Return the items whose caption holds the phrase; all where there is none."""
        if not self.caption_phrase:
            return records
        phrase = _flatten(self.caption_phrase)

        def holds_phrase(record: Json) -> bool:
            return phrase in _flatten(record["caption"])

        return list(filter(holds_phrase, records))

    async def run(self, context: ArchiveContext) -> Result:
        if self.caption_phrase:
            return await self._read_by_phrase(context)
        if self.count_only:
            result = await count_records(self, context)
        else:
            result = await super().run(context)
        return await self._review(context, result)

    async def _read_by_phrase(self, context: ArchiveContext) -> Result:
        """Read what Archive finds, as far as one call can, and keep what holds the phrase."""
        if self.after is not None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`captionPhrase` takes no `after`.",
                "Raise `limit`, or write the items to a file with {export}.",
            )
        query = self.model_copy(update={"fields": [*(self.fields or ["*"]), "caption"]})
        matches, notes = await _read_matches(context.api, query)
        total = None if notes else len(matches)
        notes = [*self.notes(), *notes]
        if not matches:
            notes += self.notes_if_empty()
        if self.count_only:
            return whole({"totalCount": total, "notes": notes})
        selection = query.default_selection()
        names = await self.read_option_names(context, selection, Item)
        if names is not None:
            name_options(matches, Item, selection, names)
        order = self.order()
        if order is not None:
            matches = order(matches)
        records = RecordList(self.limit).fill(matches)
        return records.result({"totalCount": total, "nextCursor": None, "notes": notes})

    async def _review(self, context: ArchiveContext, result: Result) -> Result:
        """Return the result without what provably does not fit, and with what looks as if Archive
        had not applied a filter."""
        parts, answer = self.parts, result.structured
        if not parts and not self.custom_attribute_conditions:
            return result
        nodes = answer.get("nodes", [])
        fitting, broken = drop_misfits(parts, nodes)
        notes = describe_misfits(len(nodes) - len(fitting), broken)

        async def read_members(collection: str) -> set[str] | None:
            return await _read_members(context.api, collection)

        total = answer.get("totalCount")
        notes += await self.find_doubts(context, context.api, total)
        if all("id" in record for record in fitting):
            fitting, about = await find_members(parts, fitting, read_members)
            notes += about
        if len(fitting) < len(nodes):
            result = whole({**answer, "nodes": fitting})
        return result.with_notes(notes)

    async def find_doubts(self, context: ArchiveContext, api: Api, total: int | None) -> list[str]:
        """Return what a result of `total` items says if Archive may not have applied the search."""
        unseen = [*map(_FILTER, list_unseen(self.parts)), *self.describe_conditions()]

        async def count(parts: Json) -> int | None:
            return await count_all(_parse(filter=parts), context, api)

        return await describe_ignored(self.parts, unseen, total or 0, count)

    def credits(self) -> float:
        return estimate_page(self.default_selection())

    def order(self) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None:
        keys = [(entry.sort_key, entry.sort_order) for entry in self._sorted_here]
        if not keys:
            return None
        return sorter(keys)

    @property
    def _sorted_here(self) -> list[ItemSortingInput]:
        # Archive ignores `sorting` beside a preset too: then all pages are read and sorted here.
        if self.preset_id is None or self.sorting is None:
            return []
        return self.sorting

    def extra_paths(self) -> list[str]:
        # Sorting here needs the values, even where the caller does not ask for them.
        return [SORT_PATHS[entry.sort_key] for entry in self._sorted_here]

    def notes(self) -> list[str]:
        return select_notes(
            (self.preset_id, "The preset's own filters decide what is in it."),
            (
                self.caption_phrase,
                "All whose caption holds exactly `captionPhrase`, case aside; only one that "
                "Archive's own word search missed would be missing.",
            ),
        )

    def notes_if_empty(self) -> list[str]:
        parts = self.parts
        notes = describe_emptiness([*map(_FILTER, parts), *self.describe_conditions()])
        notes += select_notes(
            (parts.keys() & {"creatorLocations", "ugcLocations"}, NO_SUCH_PLACE),
            (parts.keys() & {"collectionsIds", "campaignsIds"}, _NO_SUCH_ID),
        )
        for shown, meant in find_types(parts).items():
            notes.append(f"To find what answers show as type {shown}, ask for itemTypes {meant}.")
        return notes


def _parse(**arguments: Any) -> SearchItems:
    return parse_in_utc(SearchItems, arguments)


async def _read_members(api: Api, collection: str) -> set[str] | None:
    """Return the ids that a collection holds; None where they are too many for one call."""
    members: set[str] = set()
    async for page in api.read_pages(_parse(presetId=collection, fields=["id"])):
        members.update(map(itemgetter("id"), page.records))
        if page.has_next and len(members) >= _MOST_READ:
            return None
    return members


async def _read_matches(api: Api, query: SearchItems) -> tuple[list[Json], list[str]]:
    """Return the items that a search by phrase keeps, and a note where there may be more."""
    read, matches = 0, []
    async for page in api.read_pages(query):
        read += len(page.records)
        matches += query.keep(page.records)
        if page.has_next and read >= _MOST_READ:
            note = f"Cut after {read:,} candidates: there may be more. Narrow it by `takenAt`."
            return matches, [note]
    return matches, []


def _flatten(text: str | None) -> str:
    """Return a text as it is compared: without case, blanks and line ends as one blank."""
    return " ".join((text or "").casefold().split())
