"""Creator views: saved searches of the workspace's creators."""

from __future__ import annotations

from pydantic import Field

from server.archive.operations import (
    Id,
    Listing,
    Mutation,
)
from server.tool.request import Input
from tools.archive.by_name import QueryByName
from tools.archive.schema.inputs import ABOUT_CONDITIONS, TakesConditions
from tools.archive.schema.saved_objects import (
    CreatorView,
    CreatorViewPayload,
    CreatorViewRow,
    DeletedCreatorView,
)
from tools.archive.views.base import (
    ChangedStoredView,
    Deletion,
    MoveToGroup,
    NewStoredView,
    OfStoredView,
    UpdateView,
    nothing_in,
)

_REFUSED = (
    "{creatorViews} lists the views; `filters` and `sort` have the shape that they have in those. "
    + ABOUT_CONDITIONS
)


class CreatorViewFilterInput(Input):
    """Which creator views."""

    # The only filter that Archive's list of views has (Archive docs, schema).
    group_id: Id | None = None


class GetCreatorViews(Listing[CreatorViewRow]):
    """List creator views (saved searches of creators) with their groups. To see who is in one, pass
    its id or name to archive_search_creators as `presetId`."""

    operation = "creatorViews"
    title = "List creator views"
    search_hint = (
        "influencer lists, saved lists of influencers, saved creator lists, creator segments, "
        "ambassador lists, rosters, saved searches of people, audiences, which segments exist, "
        "creator filters, people list, tier"
    )
    capped = True

    filter: CreatorViewFilterInput | None = Field(
        None, description="Restricts the list to one group."
    )

    def notes_if_empty(self) -> list[str]:
        return nothing_in(self.filter)


class GetCreatorView(QueryByName[CreatorView]):
    """Get a creator view's conditions, sort and group, but not its creators."""

    operation = "creatorView"
    title = "Get a creator view"
    search_hint = (
        "how is this influencer list defined, rules of a creator list, criteria, conditions, "
        "settings of one creator segment, ambassador list, saved influencer list, who qualifies "
        "for the segment, definition of the roster, who counts as, how do we define, what makes "
        "someone part of the list, people list uses which conditions, tier"
    )
    missing = "No creator view has that id in this workspace."
    instead = "{creatorViews} lists the creator views; ids of content views do not work here."
    kind = "creator view"
    lists = GetCreatorViews

    id: Id = Field(description="View id or name.")


# Archive keeps the `filters` of these views and never applies them: only conditions count.
class CreateCreatorViewInput(NewStoredView):
    """A new creator view."""


class UpdateCreatorViewInput(ChangedStoredView):
    """What a creator view becomes."""


class CreateCreatorView(OfStoredView, TakesConditions, Mutation[CreatorViewPayload]):
    """Save a search of creators as a view for the whole workspace. Only conditions narrow it; try
    them with archive_search_creators first. Each call makes another view."""

    operation = "createCreatorView"
    title = "Create a creator view"
    search_hint = (
        "new creator list, make a segment, ambassador list, roster, saved search of creators, "
        "save this creator filter, dynamic list of people, gold tier creators, set up a segment, "
        "automatic, keep a list of people, store the creator search, live list of influencers, "
        "followers, named, list of creators with an email"
    )
    risk = "adds"
    repeatable = False
    selected = "creatorView"
    verify = "{creatorViews} shows whether there is a view of that name."
    refused = _REFUSED
    conditions_on = "CREATOR"

    input: CreateCreatorViewInput = Field(description="The new view.")


# Repeating is harmless, since Archive replaces given parts whole and adds nothing.
class UpdateCreatorView(OfStoredView, UpdateView[CreatorViewPayload]):
    """Change a creator view for the whole workspace. What `input` leaves out stays as it is; lists
    and objects are replaced as a whole. Returns what they `replaced`."""

    operation = "updateCreatorView"
    title = "Change a creator view"
    search_hint = (
        "edit a creator segment, rename a creator list, ambassador list, adjust conditions, "
        "segment should also include, tier, saved influencer list, tighten, widen, update the "
        "roster rules, the list should only have creators with, raise the minimum, new name for "
        "the segment, add a condition to the influencer list, covers only people, followers, "
        "cover, also take in, instagram, tiktok, youtube"
    )
    risk = "changes"
    repeatable = True
    kind = "creator view"
    reads = GetCreatorView
    selected = "creatorView"
    verify = "{creatorView} shows the view as it is; repeating the change is harmless."
    refused = _REFUSED
    instead = "{creatorViews} lists the creator views."
    conditions_on = "CREATOR"

    input: UpdateCreatorViewInput = Field(description="The fields to change.")


# A second deletion answers null, not an error (Archive docs, views): it may be repeated.
class DeleteCreatorView(Deletion[DeletedCreatorView]):
    """Delete a creator view; the user is asked first. Its creators stay in Archive."""

    operation = "deleteCreatorView"
    title = "Delete a creator view"
    search_hint = (
        "remove a creator list, delete the saved influencer segment, drop a segment, get rid of "
        "an ambassador list, bin, roster no longer needed, trash, clean up creator lists, kill "
        "the influencer list, obsolete creator filter"
    )
    risk = "removes"
    repeatable = True
    selected = "deletedCreatorViewId"
    verify = "{creatorViews} shows whether it is still there."
    kind = "creator view"
    reads = GetCreatorView
    lists = GetCreatorViews
    stays = "Its creators stay."


class MoveCreatorViewToGroup(MoveToGroup[CreatorViewPayload]):
    """Put a creator view into a view group, or take it out of its group."""

    operation = "moveCreatorViewToGroup"
    title = "Move a creator view to a group"
    search_hint = (
        "put a creator list, ambassador list under a group, file, organise, sort, take the "
        "creator list out of its section, ungroup, sidebar, segment belongs under, place the "
        "influencer list in the section, shift the saved influencer list to the section, into the "
        "folder"
    )
    risk = "changes"
    repeatable = True
    reads = GetCreatorView
    selected = "creatorView.id creatorView.name creatorView.group.id creatorView.group.name"
    verify = "{creatorView} shows its group; moving again is harmless."
    refused = "{viewGroups} lists the groups, {creatorViews} the views."

    view_id: Id = Field(description="View id.")
