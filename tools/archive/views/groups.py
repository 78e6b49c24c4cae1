"""View groups: the folders that views and collections are listed in."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any

from pydantic import Field

from server.archive.operations import (
    Id,
    Listing,
    Mutation,
)
from server.errors import Code, Failure
from server.text import count_noun
from server.tool.cursor import scope_of
from server.tool.result import drop_empty
from tools.archive.by_name import QueryByName
from tools.archive.collections import GetCollection
from tools.archive.schema.saved_objects import (
    CollectionPayload,
    DeletedViewGroup,
    ViewGroup,
    ViewGroupPayload,
)
from tools.archive.views.base import (
    MOST_NAMES,
    Deletion,
    MoveToGroup,
    NamedInput,
    join_quoted,
)

_KINDS = {
    "collections": "collection",
    "contentViews": "content view",
    "creatorViews": "creator view",
    "socialProfileViews": "social profile view",
}


class GetViewGroups(Listing[ViewGroup]):
    """List the view groups, each with the views and collections in it. Views and collections
    without a group are not in this list."""

    operation = "viewGroups"
    title = "List view groups"
    search_hint = (
        "how are views and folders organised, sidebar, headings, structure, categories, which "
        "groups exist, show the sections, how is everything organised, menu, tree, top-level, "
        "which folders are there, left menu, what's in them, saved lists"
    )
    capped = True


class GetViewGroup(QueryByName[ViewGroup]):
    """Get a view group with the views and collections in it."""

    operation = "viewGroup"
    title = "Get a view group"
    search_hint = (
        "what's inside a section, contents of one section, lists and folders in a group, heading, "
        "open the section, which folders are under, what belongs to the group, show section, what "
        "have we put in the folder, sidebar folder, what is in the folder"
    )
    missing = "No view group has that id in this workspace."
    instead = "{viewGroups} lists the groups."
    kind = "view group"
    lists = GetViewGroups

    id: Id = Field(description="Group id or name.")


class CreateViewGroupInput(NamedInput):
    """A new group."""


class UpdateViewGroupInput(NamedInput):
    """What a group becomes."""


class CreateViewGroup(Mutation[ViewGroupPayload]):
    """Create an empty group for views and collections; the move tools put them into it."""

    operation = "createViewGroup"
    title = "Create a view group"
    search_hint = (
        "make a section, add a section, set up a group for views and folders, heading in the "
        "sidebar, category, organise lists under a new heading, parent folder, start a group "
        "called, sidebar folder"
    )
    risk = "adds"
    repeatable = False
    selected = "viewGroup.id viewGroup.name"
    verify = "{viewGroups} shows whether there is a group of that name."
    refused = "A name must not be blank."

    input: CreateViewGroupInput = Field(description="The new group.")


class UpdateViewGroup(Mutation[ViewGroupPayload]):
    """Rename a view group. The views and collections in it stay."""

    operation = "updateViewGroup"
    title = "Rename a view group"
    search_hint = (
        "change the name of a section, section should be called, heading, retitle a group, "
        "misspelled section name, give the section another name, relabel the group, fix the "
        "spelling of a section, sidebar section is called, misspelt, rename the folder, folder, "
        "call the heading, header, category called"
    )
    risk = "changes"
    repeatable = True
    selected = "viewGroup.id viewGroup.name"
    verify = "{viewGroup} shows its name; repeating the change is harmless."
    refused = "{viewGroups} lists the groups."
    instead = "{viewGroups} lists the groups."

    id: Id = Field(description="Group id.")
    input: UpdateViewGroupInput = Field(description="The new name.")


class DeleteViewGroup(Deletion[DeletedViewGroup]):
    """Delete a view group; the user is asked first. The views and collections in it stay and have
    no group then."""

    operation = "deleteViewGroup"
    title = "Delete a view group"
    search_hint = (
        "get rid of a group, dissolve a heading, bin, drop a section, lists and folders stay, we "
        "no longer need the section, remove the group but keep, close the section, remove the "
        "folder from the sidebar, folder, don't lose what was in it"
    )
    risk = "removes"
    repeatable = True
    # The ids of what is ungrouped now: the group, asked afterwards, could not tell.
    selected = "deletedViewGroupId movedViewIds"
    verify = "{viewGroups} shows whether it is still there."
    kind = "view group"
    reads = GetViewGroup
    lists = GetViewGroups
    shown = "name collections.name contentViews.name creatorViews.name socialProfileViews.name"

    def describe_scope(self, result: dict[str, Any]) -> list[str]:
        # A group has no filters, and what is in it is said by `describe_survivors`.
        return []

    def summarise(self, result: dict[str, Any]) -> dict[str, Any]:
        return {"name": result["name"], "holds": self.details(result)["holds"]}

    def details(self, result: dict[str, Any]) -> dict[str, Any]:
        content = _list_content(result)
        return {
            "name": result["name"],
            "holds": {kind: len(names) for kind, names in content.items()},
            "first": {kind: names[:MOST_NAMES] for kind, names in content.items()},
            # The confirmation is bound to all names, though only a few are shown.
            "version": scope_of(content),
        }

    def describe_survivors(self, result: dict[str, Any]) -> str:
        content = _list_content(result)
        if not content:
            return "It is empty."
        parts = [
            f"{count_noun(len(names), _KINDS[key])} ({join_quoted(names)})"
            for key, names in content.items()
        ]
        return f"What is in it stays, in no group: {', '.join(parts)}."


def _list_content(group: dict[str, Any]) -> dict[str, list[str]]:
    """Return the names of what is in a group, by kind."""
    content = {kind: list(map(itemgetter("name"), group[kind])) for kind in _KINDS}
    return drop_empty(content)


class MoveCollectionToGroup(MoveToGroup[CollectionPayload]):
    """Put a collection into a view group, or take it out of its group."""

    operation = "moveCollectionToGroup"
    title = "Move a collection to a group"
    search_hint = (
        "put a board, album, moodboard under a group, file a folder, organise folders, take the "
        "folder out of its section, ungroup, sidebar, folder belongs under, drag the folder, "
        "nest, place the folder in the section, shift"
    )
    risk = "changes"
    repeatable = True
    reads = GetCollection
    moves = "collection_id"
    selected = "collection.id collection.name collection.group.id collection.group.name"
    verify = "{collection} shows its group; moving again is harmless."
    refused = (
        "{viewGroups} lists the groups. Workspaces on Archive's older collection storage have "
        "no groups of collections."
    )

    collection_id: Id = Field(description="Collection id.")


class ReorderViewsInGroup(Mutation[ViewGroupPayload]):
    """Order the views of a group: the listed views come first. They must already be in the group.
    Collections cannot be ordered."""

    operation = "reorderViewsInGroup"
    title = "Order the views of a group"
    search_hint = (
        "change the order of views, reorder lists in a section, sort order, put the list first, "
        "at the bottom, last, above, before, arrange, rearrange, sequence, come first, show "
        "first, swap, up, down, move to the top, at the top of the folder, then, next, second, "
        "alphabetically, move up"
    )
    risk = "changes"
    repeatable = True
    selected = "viewGroup"
    verify = "{viewGroup} shows the order; ordering again is harmless."
    refused = "{viewGroup} shows which views are in the group. {viewGroups} lists the groups."
    instead = "{viewGroups} lists the groups, with what is in them."

    group_id: Id = Field(description="Group id.")
    # Views that are left out keep their order behind these (Archive docs, view groups).
    view_ids: Annotated[list[Id], Field(min_length=1)] = Field(
        description="View ids, first to last."
    )

    def check(self) -> None:
        twice = sorted(
            {identity for identity in self.view_ids if self.view_ids.count(identity) > 1}
        )
        if twice:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`viewIds` names some views twice: {', '.join(twice[:5])}.",
                "List each view once.",
            )
