"""Putting items into collections and taking them out."""

from __future__ import annotations

from pydantic import Field

from server.archive.requests import Id, Mutation, Text
from server.errors import Code, Failure

from .records import ItemPayload


class AddItemToCollections(Mutation[ItemPayload]):
    """Add one item to one or more collections, by name or id. An unknown name is an error unless `autoCreate` is true;
    check the spelling in archive_get_filter_presets first, because a misspelt name would create a new collection.
    Adding again changes nothing. One item per call."""

    operation = "addItemToCollections"
    title = "Add an item to collections"
    risk = "adds"
    repeatable = True
    selected = "item.id item.archivePublicUrl"
    verify = "search with filter.collectionsIds ({items}), or simply call again: adding twice is harmless."
    refused = "{filterPresets} lists the collections that exist; `autoCreate` makes new ones."

    item_id: Id = Field(description="Item id.")
    collection_names: list[Text] | None = Field(None, description="Exact names.")
    collection_ids: list[Id] | None = Field(None, description="Ids.")
    auto_create: bool = Field(False, description="Create collections whose name does not exist.")

    def check(self) -> None:
        if not (self.collection_names or self.collection_ids):
            raise _no_collection("add the item to")
        if self.auto_create and not self.collection_names:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`autoCreate` works by name: there is none in `collectionNames`.",
                "Pass the new collection's name, or leave `autoCreate` out.",
            )


class RemoveItemFromCollections(Mutation[ItemPayload]):
    """Take one item out of one or more collections, by name or id. The item itself stays in Archive. One item per
    call."""

    operation = "removeItemFromCollections"
    title = "Remove an item from collections"
    risk = "removes"
    repeatable = True
    selected = "item.id item.archivePublicUrl"
    verify = "search with filter.collectionsIds ({items}), or simply call again: removing twice is harmless."
    refused = "{filterPresets} lists the collections that exist, with their exact names and ids."

    item_id: Id = Field(description="Item id.")
    collection_names: list[Text] | None = Field(None, description="Exact names.")
    collection_ids: list[Id] | None = Field(None, description="Ids.")

    def check(self) -> None:
        if not (self.collection_names or self.collection_ids):
            raise _no_collection("take the item out of")


def _no_collection(what: str) -> Failure:
    return Failure(
        Code.INVALID_ARGUMENT,
        f"Say which collections to {what}: `collectionNames` or `collectionIds`.",
        "{filterPresets} lists collections (accessor COLLECTIONS).",
    )
