"""Social profile views: saved searches of the workspace's social profiles."""

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
    DeletedSocialProfileView,
    SocialProfileView,
    SocialProfileViewPayload,
    SocialProfileViewRow,
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
    "{socialProfileViews} lists the views; `filters` and `sort` have the shape that they have "
    "in those. " + ABOUT_CONDITIONS
)


class SocialProfileViewFilterInput(Input):
    """Which social profile views."""

    group_id: Id | None = None


class GetSocialProfileViews(Listing[SocialProfileViewRow]):
    """List social profile views (saved searches of profiles) with their groups. To see the profiles
    in one, pass its id or name to archive_get_social_profiles as `presetId`."""

    operation = "socialProfileViews"
    title = "List social profile views"
    search_hint = (
        "saved account filters, saved searches of accounts, handles, channels, profile segments, "
        "not people, not posts"
    )
    capped = True

    filter: SocialProfileViewFilterInput | None = Field(
        None, description="Restricts the list to one group."
    )

    def notes_if_empty(self) -> list[str]:
        return nothing_in(self.filter)


class GetSocialProfileView(QueryByName[SocialProfileView]):
    """Get a social profile view's conditions, sort and group, but not its profiles."""

    operation = "socialProfileView"
    title = "Get a social profile view"
    search_hint = (
        "how is this account list defined, rules of a saved account filter, criteria, conditions, "
        "settings of one account filter, which accounts qualify, what is the filter behind the "
        "accounts list, account segment, show me how the saved account list is defined, "
        "definition, how is it defined, open the list of accounts, tell me"
    )
    missing = "No social profile view has that id in this workspace."
    instead = (
        "{socialProfileViews} lists the social profile views; ids of creator views do not work."
    )
    kind = "social profile view"
    lists = GetSocialProfileViews

    id: Id = Field(description="View id or name.")


class CreateSocialProfileViewInput(NewStoredView):
    """A new social profile view."""


class UpdateSocialProfileViewInput(ChangedStoredView):
    """What a social profile view becomes."""


class CreateSocialProfileView(OfStoredView, TakesConditions, Mutation[SocialProfileViewPayload]):
    """Save a search of social profiles as a view for the whole workspace. Only conditions narrow
    it, and they are about attributes of creators. Each call makes another view."""

    operation = "createSocialProfileView"
    title = "Create a social profile view"
    search_hint = (
        "save a filter of accounts, new account list, saved accounts list, instagram accounts, "
        "tiktok accounts, channels, engagement rate above percent, set up a list of accounts, "
        "store the account search, keep a list of handles, youtube, subscribers, at least, come "
        "back to it"
    )
    risk = "adds"
    repeatable = False
    selected = "socialProfileView"
    verify = "{socialProfileViews} shows whether there is a view of that name."
    refused = _REFUSED
    conditions_on = "CREATOR"

    input: CreateSocialProfileViewInput = Field(description="The new view.")


# Repeating is harmless, since Archive replaces given parts whole and adds nothing.
class UpdateSocialProfileView(OfStoredView, UpdateView[SocialProfileViewPayload]):
    """Change a social profile view for the whole workspace. What `input` leaves out stays as it is;
    lists and objects are replaced as a whole."""

    operation = "updateSocialProfileView"
    title = "Change a social profile view"
    search_hint = (
        "edit a saved account filter, update the saved accounts list, rename, also include "
        "tiktok, instagram, adjust conditions, accounts filter should, only verified accounts, "
        "new name for the accounts filter, follower limit, raise, in the accounts list, list of "
        "accounts, account search should be called, also take in youtube"
    )
    risk = "changes"
    repeatable = True
    kind = "social profile view"
    reads = GetSocialProfileView
    selected = "socialProfileView"
    verify = "{socialProfileView} shows the view as it is; repeating the change is harmless."
    refused = _REFUSED
    instead = "{socialProfileViews} lists the social profile views."
    conditions_on = "CREATOR"

    input: UpdateSocialProfileViewInput = Field(description="The fields to change.")


# A second deletion answers null, not an error (Archive docs, views): it may be repeated.
class DeleteSocialProfileView(Deletion[DeletedSocialProfileView]):
    """Delete a social profile view; the user is asked first. Its profiles stay in Archive."""

    operation = "deleteSocialProfileView"
    title = "Delete a social profile view"
    search_hint = (
        "drop the saved account filter, remove a saved accounts list, get rid of a profile list, "
        "bin, trash, accounts filter no longer needed, clean up, kill the profile list, obsolete, "
        "handles list, replaced, saved list of handles, saved account search, channels"
    )
    risk = "removes"
    repeatable = True
    selected = "deletedSocialProfileViewId"
    verify = "{socialProfileViews} shows whether it is still there."
    kind = "social profile view"
    reads = GetSocialProfileView
    lists = GetSocialProfileViews
    stays = "Its profiles stay."


class MoveSocialProfileViewToGroup(MoveToGroup[SocialProfileViewPayload]):
    """Put a social profile view into a view group, or take it out of its group."""

    operation = "moveSocialProfileViewToGroup"
    title = "Move a social profile view to a group"
    search_hint = (
        "put a saved account filter, file, organise, sort, take the account list out of its "
        "section, ungroup, sidebar, accounts list belongs under, place the profile filter in the "
        "section, shift the saved account list, youtube section, into the folder"
    )
    risk = "changes"
    repeatable = True
    reads = GetSocialProfileView
    selected = (
        "socialProfileView.id socialProfileView.name socialProfileView.group.id "
        "socialProfileView.group.name"
    )
    verify = "{socialProfileView} shows its group; moving again is harmless."
    refused = "{viewGroups} lists the groups, {socialProfileViews} the views."

    view_id: Id = Field(description="View id.")
