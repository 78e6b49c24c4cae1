"""Content views: saved searches of the workspace's content."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from server.archive.context import ArchiveContext
from server.archive.operations import (
    Id,
    Listing,
    Mutation,
)
from server.tool.names import suggest
from server.tool.request import ApiType, Input, argument_names
from server.tool.result import drop_nulls
from tools.archive.by_name import QueryByName
from tools.archive.content.filters import ItemFilterInput, ItemSortingInput, check_filter
from tools.archive.content.naming import take_ids_of_names
from tools.archive.schema.inputs import ABOUT_CONDITIONS, TakesConditions
from tools.archive.schema.saved_objects import (
    ContentView,
    ContentViewPayload,
    ContentViewRow,
    DeletedContentView,
)
from tools.archive.views.base import (
    Deletion,
    MoveToGroup,
    Name,
    UpdateView,
    ViewConditions,
    ViewInput,
    add_notes,
    nothing_in,
)


def _without_nulls(value: Any) -> Any:
    """A view that is read back names what it does not narrow by, as null."""
    if isinstance(value, list):
        return list(map(_without_nulls, value))
    if not isinstance(value, dict):
        return value
    narrowing = drop_nulls(value)
    return dict(zip(narrowing, map(_without_nulls, narrowing.values()), strict=True))


class ViewFilters(ItemFilterInput):
    """The filters of a view: those of the search, and what else Archive's app may keep there: no
    document tells."""

    # Refusing keys that Archive's app stores would make views that were read back impossible to
    # save.
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _refuse_typos(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = argument_names(cls).values()
        for name in value.keys() - set(names):
            # Only what resembles a filter is refused: that is a typo, and what it should narrow by
            # would be lost.
            if suggestion := suggest(name, names):
                raise ValueError(f"`{name}` is no filter.{suggestion}")
        return value


ItemFilters = Annotated[
    ViewFilters,
    ApiType("JSON"),
    # A view that was read is sent back with one change: its nulls mean no narrowing.
    BeforeValidator(_without_nulls),
    Field(description="As `filter` of archive_search_items."),
]
ItemSort = Annotated[
    list[ItemSortingInput],
    ApiType("JSON"),
    Field(description="As `sorting` of archive_search_items."),
]


def _leave_unchecked(filters: ViewFilters | None) -> str:
    if filters is None or not filters.model_extra:
        return ""
    return f"Sent as they are, unknown here: {', '.join(filters.model_extra)}."


_REFUSED = (
    "{contentViews} lists the views; `filters` and `sort` have the shape that they have in those. "
    + ABOUT_CONDITIONS
)


class ContentViewFilterInput(Input):
    """Which content views."""

    group_id: Id | None = None


class GetContentViews(Listing[ContentViewRow]):
    """List content views (saved searches of content) with their groups; archive_get_filter_presets
    returns only names. To read a view's items, pass its id to archive_search_items as
    `presetId`."""

    operation = "contentViews"
    title = "List content views"
    search_hint = (
        "saved post filters, saved searches, saved search of posts, smart lists, dynamic lists, "
        "overview of content views, feeds, boards with rules, dashboards, post searches"
    )
    capped = True

    filter: ContentViewFilterInput | None = Field(
        None, description="Restricts the list to one group."
    )

    def notes_if_empty(self) -> list[str]:
        return nothing_in(self.filter)


class GetContentView(QueryByName[ContentView]):
    """Get a content view's filters, conditions, sort and group; archive_search_items reads its
    items."""

    operation = "contentView"
    title = "Get a content view"
    search_hint = (
        "what does this view filter, definition of a view, rules, criteria, conditions and "
        "settings of one saved search, smart list, how is the view set up, why is a post in the "
        "view, what exactly is in the filter, which hashtags does the view use, how does it sort, "
        "what is it defined as, which filters are set in the saved search"
    )
    missing = "No content view has that id in this workspace."
    instead = (
        "{contentViews} lists the content views; ids of collections and creator views do not work."
    )
    kind = "content view"
    lists = GetContentViews

    id: Id = Field(description="View id or name.")


class _ContentViewInput(ViewInput):
    custom_attribute_conditions: ViewConditions | None = Field(
        None, description="As in archive_search_items."
    )


class CreateContentViewInput(_ContentViewInput):
    """A new content view."""

    name: Name
    filters: ItemFilters
    sort: ItemSort | None = None


class UpdateContentViewInput(_ContentViewInput):
    """What a content view becomes."""

    name: Name | None = None
    filters: ItemFilters | None = None
    sort: ItemSort | None = None


class CreateContentView(TakesConditions, Mutation[ContentViewPayload]):
    """Save a search of content as a view for the whole workspace; try it with archive_search_items
    first. For items picked by hand use archive_create_collection. Each call makes another view. To
    be notified of new posts in a view, the user sets up a webhook for it in Archive's settings."""

    operation = "createContentView"
    title = "Create a content view"
    search_hint = (
        "save this search, saved search, make a view, smart list, dynamic list that always shows "
        "new posts, keeps itself up to date, set up a feed, automatic list, come back to it, "
        "hashtag, mentioning, reels, plays, notify me, alert me, notification when new posts "
        "appear, keep an eye on, watch for new posts, store this filter, live list of posts, save "
        "a search for me, videos over views, call it, saved filter, so I always see, stories"
    )
    risk = "adds"
    repeatable = False
    selected = "contentView"
    verify = "{contentViews} shows whether there is a view of that name."
    refused = _REFUSED
    conditions_on = "ITEM"

    input: CreateContentViewInput = Field(description="The new view.")

    def check(self) -> None:
        check_filter(self.input.filters, "input.filters")

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        await take_ids_of_names(context, self.input.filters)

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        return add_notes(payload, _leave_unchecked(self.input.filters))


class UpdateContentView(UpdateView[ContentViewPayload]):
    """Change a content view for the whole workspace. What `input` leaves out stays as it is; lists
    and objects are replaced as a whole. Returns what they `replaced`."""

    operation = "updateContentView"
    title = "Change a content view"
    search_hint = (
        "change a saved search, edit a view, rename a saved post filter, adjust filters, add a "
        "hashtag to the view, change conditions, smart list should also include, only show, "
        "widen, narrow, update the saved filter, remove the hashtag from the view, sort the view "
        "by likes, exclude, from now on, new name for the view, should only include, above, also "
        "take in youtube, tiktok, instagram, should also cover"
    )
    risk = "changes"
    repeatable = True
    kind = "content view"
    reads = GetContentView
    selected = "contentView"
    verify = "{contentView} shows the view as it is; repeating the change is harmless."
    refused = _REFUSED
    instead = "{contentViews} lists the content views."
    conditions_on = "ITEM"

    input: UpdateContentViewInput = Field(description="The fields to change.")

    def check(self) -> None:
        super().check()
        if self.input.filters:
            check_filter(self.input.filters, "input.filters")

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        await take_ids_of_names(context, self.input.filters)

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        return add_notes(payload, _leave_unchecked(self.input.filters))


class DeleteContentView(Deletion[DeletedContentView]):
    """Delete a content view; the user is asked first. Its items stay in Archive."""

    operation = "deleteContentView"
    title = "Delete a content view"
    search_hint = (
        "remove a saved search, drop the saved post filter, get rid of a smart list, bin, throw "
        "away a view, saved filter of posts no longer needed, trash, clean up old views, we don't "
        "need the view any more, kill the view, obsolete"
    )
    risk = "removes"
    repeatable = True
    selected = "deletedContentViewId"
    verify = "{contentViews} shows whether it is still there."
    kind = "content view"
    reads = GetContentView
    lists = GetContentViews
    stays = "Its items stay."


class MoveContentViewToGroup(MoveToGroup[ContentViewPayload]):
    """Put a content view into a view group, or take it out of its group."""

    operation = "moveContentViewToGroup"
    title = "Move a content view to a group"
    search_hint = (
        "put a saved search under a group, file a post filter under, smart list, organise, sort "
        "views into sections, take the view out of its section, ungroup, sidebar, view belongs "
        "under, drag, place the filter in the section, shift, into the folder"
    )
    risk = "changes"
    repeatable = True
    reads = GetContentView
    selected = "contentView.id contentView.name contentView.group.id contentView.group.name"
    verify = "{contentView} shows its group; moving again is harmless."
    refused = "{viewGroups} lists the groups, {contentViews} the views."

    view_id: Id = Field(description="View id.")
