"""The object types of Archive's schema for what people save: collections, views and their
groups."""

from __future__ import annotations

from server.archive.records import Json, Record
from tools.archive.schema.objects import UserError


class ViewGroup(Record):
    """A group: the collections and views in it, by kind."""

    default = (
        "id name collections.id collections.name contentViews.id contentViews.name "
        "creatorViews.id creatorViews.name "
        "socialProfileViews.id socialProfileViews.name updatedAt"
    )

    id: str
    name: str
    collections: list[Collection]
    content_views: list[ContentView]
    creator_views: list[CreatorView]
    social_profile_views: list[SocialProfileView]
    created_at: str
    updated_at: str


class Collection(Record):
    """A collection: `itemCount`, and the `group` it is in (null = none)."""

    # Without the group's own content: it would list the collection again.
    default = "id name itemCount group.id group.name updatedAt"

    id: str
    name: str
    item_count: int
    group: ViewGroup
    created_at: str
    updated_at: str


class _View(Record):
    """What the three kinds of views have in common."""

    default = (
        "id name filters customAttributeConditions sort showReportingStats group.id group.name "
        "updatedAt"
    )

    id: str
    name: str
    # JSON in Archive's schema: its shape is not documented, so it is passed on as it comes.
    filters: Json
    custom_attribute_conditions: Json
    sort: Json
    show_reporting_stats: bool
    group: ViewGroup
    created_at: str
    updated_at: str


class ContentView(_View):
    """A content view: `filters`, conditions and `sort` decide which items it shows."""


class CreatorView(_View):
    """A creator view: its conditions decide which creators it shows; `filters` are never
    applied."""


class SocialProfileView(_View):
    """A social profile view: its conditions decide which profiles it shows; `filters` are never
    applied."""


# Lists leave out filters and conditions: up to 1,000 views of them would fill any context.
_ROW = "id name group.id group.name updatedAt"


class ContentViewRow(ContentView):
    """A content view; ask for `filters`, `sort` and `customAttributeConditions` by `fields`."""

    default = _ROW


class CreatorViewRow(CreatorView):
    """A creator view; ask for `customAttributeConditions` and `sort` by `fields`."""

    default = _ROW


class SocialProfileViewRow(SocialProfileView):
    """A social profile view; ask for `customAttributeConditions` and `sort` by `fields`."""

    default = _ROW


class CollectionPayload(Record):
    """The collection as it is now."""

    collection: Collection
    user_errors: list[UserError]


class ContentViewPayload(Record):
    """The content view as it is now."""

    content_view: ContentView
    user_errors: list[UserError]


class CreatorViewPayload(Record):
    """The creator view as it is now."""

    creator_view: CreatorView
    user_errors: list[UserError]


class SocialProfileViewPayload(Record):
    """The social profile view as it is now."""

    social_profile_view: SocialProfileView
    user_errors: list[UserError]


class ViewGroupPayload(Record):
    """The group as it is now."""

    view_group: ViewGroup
    user_errors: list[UserError]


class DeletedCollection(Record):
    """The id that was deleted; null = there was none any more."""

    deleted_collection_id: str
    user_errors: list[UserError]


class DeletedContentView(Record):
    """The id that was deleted; null = there was none any more."""

    deleted_content_view_id: str
    user_errors: list[UserError]


class DeletedCreatorView(Record):
    """The id that was deleted; null = there was none any more."""

    deleted_creator_view_id: str
    user_errors: list[UserError]


class DeletedSocialProfileView(Record):
    """The id that was deleted; null = there was none any more."""

    deleted_social_profile_view_id: str
    user_errors: list[UserError]


class DeletedViewGroup(Record):
    """The id that was deleted (null = there was none any more) and the members that are ungrouped
    now."""

    deleted_view_group_id: str
    moved_view_ids: list[str]
    user_errors: list[UserError]
