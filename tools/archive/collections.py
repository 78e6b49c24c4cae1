"""Collections: sets of items that people pick by hand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Sequence
from operator import itemgetter
from typing import Any

from pydantic import Field

from server.archive.context import ArchiveContext
from server.archive.operations import (
    Id,
    Listing,
    MayConfirm,
    Mutation,
    Text,
)
from server.archive.pagination import ROW_CAP
from server.errors import Code, Failure
from server.text import count_noun, quote_title
from server.tool.confirmation import Preview
from server.tool.request import NewName
from server.tool.result import Result
from tools.archive.by_name import QueryByName
from tools.archive.schema.objects import ItemPayload
from tools.archive.schema.saved_objects import Collection, CollectionPayload, DeletedCollection
from tools.archive.views.base import (
    Deletion,
    NamedInput,
    in_group,
    read,
)

_OLDER_STORAGE = (
    "A name is free for one collection ({collections} lists them). Workspaces on Archive's "
    "older collection storage "
    "manage collections in Archive's app only; putting items in ({addItemToCollections}) and "
    "taking them out works "
    "there too."
)
# Collections are often numbered by quarter or year: such names are alike on purpose.
_NUMBERS = re.compile(r"\d+")
_NOT_LISTED = f"{{}} is not among the {ROW_CAP:,} collections that Archive lists"
Row = dict[str, Any]

_CLOSE = 0.8
"""The likeness from which a new name may be a misspelling of an existing one."""


class GetCollections(Listing[Collection]):
    """List collections (folders of items picked by hand) with itemCount and group;
    archive_get_filter_presets returns only names. To read a collection's items, use
    archive_search_items with filter.collectionsIds."""

    operation = "collections"
    title = "List collections"
    always_loaded = True
    search_hint = (
        "boards, moodboards, albums, how many posts are in each folder, biggest folder, most "
        "posts, empty folders, show the folders, names of our folders, folders with sizes, is "
        "there a board yet, content, all boards, every collection, by size"
    )
    capped = True


class GetCollection(QueryByName[Collection]):
    """Get a collection's name, itemCount and group, but not its items."""

    operation = "collection"
    title = "Get a collection"
    search_hint = (
        "one folder, how many posts are in the folder, size of a folder, details of a board, "
        "moodboard, album, count of items in a folder, in which section is the folder, number of "
        "posts in the folder, is the folder empty, about this board, is there a board for, how "
        "many posts sit in, when was the folder last changed, updated, how big is the collection"
    )
    missing = "No collection has that id in this workspace."
    instead = "{collections} lists the collections; ids of content views do not work here."
    kind = "collection"
    lists = GetCollections

    id: Id = Field(description="Collection id or name.")


class CreateCollectionInput(NamedInput):
    """A new collection."""


class UpdateCollectionInput(NamedInput):
    """What a collection becomes."""


class CreateCollection(Mutation[CollectionPayload]):
    """Create an empty collection (folder), whose name must be new. Fill it with
    archive_add_item_to_collections. To collect items by a filter, use
    archive_create_content_view."""

    operation = "createCollection"
    title = "Create a collection"
    search_hint = (
        "make a folder, set up a folder, moodboard, album, empty folder called, start a folder "
        "for a pitch or campaign, open a new board, I'd like a fresh album, new place for posts"
    )
    risk = "adds"
    repeatable = False
    selected = "collection.id collection.name"
    verify = "{collections} shows whether there is a collection of that name."
    refused = _OLDER_STORAGE

    input: CreateCollectionInput = Field(description="The new collection.")


# Workspaces on older storage answer with a userError and no change, which `refused` explains.
class UpdateCollection(Mutation[CollectionPayload]):
    """Rename a collection (folder). Its items and group stay."""

    operation = "updateCollection"
    title = "Rename a collection"
    search_hint = (
        "change the name of a folder, folder should be called, retitle a board, moodboard, album, "
        "misspelled folder name, typo in folder, give the folder another name, call the "
        "collection"
    )
    risk = "changes"
    repeatable = True
    selected = "collection.id collection.name collection.itemCount"
    verify = "{collection} shows its name; repeating the change is harmless."
    refused = _OLDER_STORAGE
    instead = "{collections} lists the collections."

    id: Id = Field(description="Collection id.")
    input: UpdateCollectionInput = Field(description="The new name.")


class DeleteCollection(Deletion[DeletedCollection]):
    """Delete a collection by id or exact name; the user is asked first. Its items stay in Archive.
    To take out single items, use archive_remove_item_from_collections."""

    operation = "deleteCollection"
    title = "Delete a collection"
    search_hint = (
        "bin the folder, remove a folder, get rid of a folder, trash a board, moodboard, album, "
        "posts themselves stay, drop folder, folder no longer needed, throw away, kill the board, "
        "obsolete folder"
    )
    risk = "removes"
    repeatable = True
    selected = "deletedCollectionId"
    verify = "{collections} shows whether it is still there."
    refused = _OLDER_STORAGE
    kind = "collection"
    reads = GetCollection
    lists = GetCollections
    shown = "name itemCount group.name"

    def describe_scope(self, result: dict[str, Any]) -> list[str]:
        return [count_noun(result["itemCount"], "item"), *in_group(result)]

    def summarise(self, result: dict[str, Any]) -> dict[str, Any]:
        return {"name": result["name"], "itemCount": result["itemCount"]}

    def describe_survivors(self, result: dict[str, Any]) -> str:
        return (
            "The items stay in Archive; which of them were in it is lost."
            if result["itemCount"]
            else "It is empty."
        )


class AddItemToCollections(MayConfirm[ItemPayload]):
    """Put one item (a post) into one or more collections, by name or id. An unknown name is an
    error unless `autoCreate` is true; if the name of a new collection is much like an existing one,
    the user is asked first. Adding an item again changes nothing. Pass one item per call."""

    operation = "addItemToCollections"
    title = "Add an item to collections"
    search_hint = (
        "save a post to a folder, put this reel, tiktok, video, story into the folder, add to "
        "moodboard, board, album, add post to several folders, file it under, pin, collect, "
        "bookmark a post, belongs in the folder, favourites, shortlist, favorites, as well, "
        "stick, throw this post into, drop in"
    )
    risk = "adds"
    repeatable = True
    selected = "item.id item.archivePublicUrl"
    verify = (
        "search with filter.collectionsIds ({items}), or simply call again: adding twice is "
        "harmless."
    )
    refused = (
        "{filterPresets} lists the collections that exist; `autoCreate` makes new ones. {items} "
        "finds items."
    )

    item_id: Id = Field(description="Item id.")
    collection_names: list[NewName] | None = Field(None, description="Exact collection names.")
    collection_ids: list[Id] | None = Field(None, description="Collection ids.")
    auto_create: bool = Field(False, description="Create collections whose name does not exist.")

    def check(self) -> None:
        require_collections(self.collection_names, self.collection_ids, " to add the item to")
        if self.auto_create and not self.collection_names:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`autoCreate` needs a name, but `collectionNames` has none.",
                "Pass the new collection's name, or leave `autoCreate` out.",
            )

    async def run(self, context: ArchiveContext) -> Result:
        return await _suggest_names(self.collection_names, context, super().run(context))

    async def preview(self, context: ArchiveContext) -> Preview | None:
        # Without autoCreate Archive refuses an unknown name itself: no question is needed.
        if not (self.auto_create and self.collection_names):
            return None
        # Archive would create a collection for a misspelt name without a word.
        rows = await read(GetCollections(), ["name", "itemCount"], context.api)
        similar = _find_similar(self.collection_names, rows)
        # Asking about each new name would teach people to confirm without reading.
        if not similar:
            return None
        # Archive cuts the list without a word, so a name beyond the cap may exist.
        missing = "There is no collection {}" if len(rows) < ROW_CAP else _NOT_LISTED
        sentences, instead = [], []
        for name, near in similar.items():
            sentences.append(
                f"{missing.format(quote_title(name))}, but there is {quote_title(near['name'])} "
                f"({count_noun(near['itemCount'], 'item')})."
            )
            instead.append(f"'{near['name']}' instead of '{name}'")
        new = "a new one" if len(similar) == 1 else "new ones"
        return Preview(
            f"{' '.join(sentences)} Create {new}?",
            {
                "create": list(similar),
                "similar": list(similar.values()),
                "workspace": context.workspace,
            },
            otherwise=(
                f"Call again with {', '.join(instead)} in `collectionNames`, if that is what is "
                "meant."
            ),
        )


class RemoveItemFromCollections(Mutation[ItemPayload]):
    """Take one item out of one or more collections, by name or id. The item itself stays in
    Archive. Pass one item per call."""

    operation = "removeItemFromCollections"
    title = "Remove an item from collections"
    search_hint = (
        "remove this reel, tiktok, video, story from the folder, doesn't belong in the moodboard, "
        "board, album, kick out, wrong folder, unfile, drop a post from, shouldn't be in the "
        "folder, not part of, take it out again, take it out, pull it from every collection, not "
        "anymore, pull, kick, shouldn't be there"
    )
    risk = "removes"
    repeatable = True
    selected = "item.id item.archivePublicUrl"
    verify = (
        "search with filter.collectionsIds ({items}), or simply call again: removing twice is "
        "harmless."
    )
    refused = (
        "{filterPresets} lists the collections that exist, with their exact names and ids. "
        "{items} finds items."
    )

    item_id: Id = Field(description="Item id.")
    collection_names: list[Text] | None = Field(None, description="Exact collection names.")
    collection_ids: list[Id] | None = Field(None, description="Collection ids.")

    def check(self) -> None:
        require_collections(self.collection_names, self.collection_ids, " to take the item out of")

    async def run(self, context: ArchiveContext) -> Result:
        return await _suggest_names(self.collection_names, context, super().run(context))


async def _suggest_names(
    names: Sequence[str] | None, context: ArchiveContext, work: Awaitable[Result]
) -> Result:
    """Return the result of a change; where it is refused, the hint says which collections unknown
    names probably mean."""
    try:
        return await work
    except Failure as failure:
        suggestions = await _find_meant(names or (), failure, context)
        if suggestions:
            failure.hint = f"Did you mean {', '.join(suggestions)}? {failure.hint}"
        raise


async def _find_meant(names: Sequence[str], failure: Failure, context: ArchiveContext) -> list[str]:
    # Only after a refusal: a call that works pays nothing for it.
    if failure.code is not Code.REJECTED or not names:
        return []
    try:
        rows = await read(GetCollections(), ["name"], context.api)
    except Failure:
        return []
    similar = _find_similar(names, rows)
    return [
        f"{quote_title(near['name'])} instead of {quote_title(name)}"
        for name, near in similar.items()
    ]


def _find_similar(names: Sequence[str], rows: list[Row]) -> dict[str, Row]:
    """Return the collections that were probably meant, by the names that none has."""
    similar = {}
    for name in names:
        near = find_similar_name(name, rows)
        if near is not None:
            similar[name] = near
    return similar


def find_similar_name(name: str, rows: list[Row]) -> Row | None:
    """Return the collection that was probably meant by a name that none has."""

    def rate(row: Row) -> float:
        return _likeness(name, row["name"])

    # An exact name is never a typo, however much it is like another.
    if name in map(itemgetter("name"), rows):
        return None
    close = [row for row in rows if rate(row) >= _CLOSE]
    return max(close, key=rate, default=None)


def _likeness(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1: 1 where only case, blanks or punctuation differ,
    0 where numbers do, since Q3 for Q4 is no typo."""
    if _NUMBERS.findall(one) != _NUMBERS.findall(other):
        return 0.0
    # Names of emojis alone have no letters, and would all be the same.
    if _letters(one) == _letters(other) != "":
        return 1.0
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def require_collections(
    names: Sequence[str] | None, ids: Sequence[str] | None, purpose: str = ""
) -> None:
    """Refuse a call that names no collection; `purpose` says in the message what they are for.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    if not (names or ids):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"Say which collections{purpose}: pass `collectionNames` or `collectionIds`.",
            "{filterPresets} lists collections (accessor COLLECTIONS).",
        )
