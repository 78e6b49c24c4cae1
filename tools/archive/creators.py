"""Creators in the workspace's CRM, and the social profiles behind them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from server.archive.requests import Connection, Id, Query, Text
from server.errors import Code, Failure
from server.requests import Input

from .inputs import NO_SUCH_PLACE, Conditions, LocationCanonicalInput, Provider, is_narrow
from .records import Creator, SocialProfile


class CreatorFilterInput(Input):
    """What creators must be like."""

    locations: list[LocationCanonicalInput] | None = None


class SearchCreators(Connection[Creator]):
    """Search the creators in the workspace's CRM in Archive (archive.com), newest first: names, e-mails, labels and
    profiles. It does not search all of social media. By name: condition full_name CONTAINS, type TEXT; by e-mail:
    emails, type TEXT. For one account archive_get_social_profile is direct."""

    operation = "creators"
    title = "Search creators"
    cost: ClassVar[float] = 90

    filter: CreatorFilterInput | None = Field(None, description="Places, as Archive spells them.")
    custom_attribute_conditions: Conditions | None = None
    preset_id: Id | None = Field(None, description="Creator view id; excludes `filter` and conditions.")

    def check(self) -> None:
        if self.preset_id and (is_narrow(self.filter) or self.custom_attribute_conditions):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Archive ignores `filter` and `customAttributeConditions` beside `presetId`.",
                "Drop the preset and send all conditions, or drop the conditions.",
            )

    def notes(self) -> list[str]:
        if not self.preset_id:
            return []
        return ["Archive applies a creator view's conditions and order, but not its stored filters."]

    def notes_if_empty(self) -> list[str]:
        return [NO_SUCH_PLACE] if self.filter and self.filter.locations else []


class GetCreator(Query[Creator]):
    """Get one creator by id: custom attributes and social profiles. The id is an item's `creator.id` or comes from
    archive_search_creators."""

    operation = "creator"
    title = "Get a creator"
    missing = "No creator has that id in this workspace."
    instead = "{creators} finds creators by name or e-mail."

    id: Id = Field(description="Creator id.")


class GetSocialProfile(Query[SocialProfile]):
    """Get one account: by `id`, or by `accountName` and `provider`. Looks among the workspace's profiles; with
    `fallback` also on the platform itself (slower)."""

    operation = "socialProfile"
    title = "Get a social profile"
    missing = "No such profile is in this workspace."
    instead = "Check the spelling, or call again with `fallback` true to look on the platform."

    account_name: Text | None = Field(None, description="Handle; needs `provider`.")
    provider: Provider | None = Field(None, description="Platform of `accountName`.")
    id: Id | None = Field(None, description="Profile id, instead of a handle.")
    fallback: bool = Field(False, description="Look on the platform too.")

    def check(self) -> None:
        by_name = self.account_name is not None or self.provider is not None
        if (self.id is not None) == by_name:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give either `id`, or `accountName` with `provider`.",
                "A handle alone is not enough: the same handle exists on several platforms.",
            )
        if by_name and not (self.account_name and self.provider):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`accountName` and `provider` go together.",
                "Add the missing one: provider is INSTAGRAM, TIKTOK, YOUTUBE or INTERNAL.",
            )
        if self.account_name:
            self.account_name = self.account_name.removeprefix("@")
