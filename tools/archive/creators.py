"""Creators in the workspace's CRM, and the social profiles behind them."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.archive.operations import (
    Connection,
    Id,
    NamesOptions,
    Query,
    Text,
)
from server.errors import Code, Failure
from server.tool.request import Input
from server.tool.result import Result
from tools.archive.content.fitting import describe_ignored
from tools.archive.content.naming import CREATOR_VIEWS, PROFILE_VIEWS, find_preset_ids
from tools.archive.schema.counting import (
    COUNT_ONLY,
    count_all,
    count_records,
    describe_emptiness,
)
from tools.archive.schema.inputs import (
    NO_SUCH_PLACE,
    Conditions,
    LocationCanonicalInput,
    Provider,
    TakesConditions,
    is_narrow,
)
from tools.archive.schema.objects import Creator, SocialProfile

_NARROWED_COST = 340.0
"""Rate credits of a page of creators that conditions or a view narrow (Archive docs, rate
limiting)."""

_INSTEAD = "A creator view of Archive, read by `presetId`, has the right ones."


class CreatorFilterInput(Input):
    """What creators must be like."""

    locations: list[LocationCanonicalInput] | None = None


class SearchCreators(TakesConditions, NamesOptions, Connection[Creator]):
    """Search the creators (influencers) in the workspace's CRM in Archive (archive.com), newest
    first: names, e-mails, labels and profiles. It does not search all of social media. Names and
    e-mails are custom attributes, often `full_name` and `emails`, but keys differ between
    workspaces: archive_get_custom_attribute_schemas with `entity` CREATOR lists them. To look up
    one account, use archive_get_social_profile."""

    operation = "creators"
    title = "Search creators"
    search_hint = (
        "find creators, influencers, ambassadors, contacts, affiliates, talent, who mentioned us, "
        "how often, posted more than times, hasn't posted, inactive, e-mail, phone, tier, gold, "
        "label, country, city, located in, based in, CRM, customers, by name, number of creators, "
        "most active, new creators, who lives in, micro, nano, gifted creators, product seeding, "
        "shipping address, without email, women, speak, mothers, runners, over 100k followers, "
        "joined, added this month, status signed, work with us, partner, people tagged, top fans, "
        "biggest supporters, loyal, who loves us, superfans, posting about us this week, people "
        "who started posting, labelled, labels, VIP, how many influencers, french, language, "
        "speaks, contacted, reach out, who posted the most, list of people, handle of a person, "
        "have a tiktok, insta, followers, find me, verified, who could we invite, database, "
        "network, Italy, influencers in, nationality, collaborated, worked with us, mailing, "
        "phone numbers, repeat"
    )
    # A page without conditions or a view (Archive docs, rate limiting).
    cost: ClassVar[float] = 90
    conditions_on = "CREATOR"
    instead = "{creatorViews} lists the creator views."

    filter: CreatorFilterInput | None = Field(None, description="Places as Archive spells them.")
    custom_attribute_conditions: Conditions | None = None
    preset_id: Id | None = Field(
        None, description="Creator view, id or name; instead of `filter` and conditions."
    )
    count_only: bool = Field(False, description=COUNT_ONLY)

    def check(self) -> None:
        # Archive ignores both without a word, and a model would report the whole view as the
        # selection.
        if self.preset_id and (is_narrow(self.filter) or self.custom_attribute_conditions):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Archive ignores `filter` and `customAttributeConditions` beside `presetId`.",
                "Drop the preset and send all conditions, or drop the conditions.",
            )

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        if self.preset_id:
            (self.preset_id,) = await find_preset_ids(context, [self.preset_id], kind=CREATOR_VIEWS)

    def credits(self) -> float:
        # Narrowing pays only where fewer than one in four creators remain.
        if self.preset_id or self.custom_attribute_conditions:
            return _NARROWED_COST
        return self.cost

    def notes(self) -> list[str]:
        if not self.preset_id:
            return []
        return [
            "Archive applies a creator view's conditions and order, but not its stored filters."
        ]

    def notes_if_empty(self) -> list[str]:
        notes = describe_emptiness([*self._list_places(), *self.describe_conditions()])
        if self._list_places():
            notes.append(NO_SUCH_PLACE)
        return notes

    def _list_places(self) -> list[str]:
        """Return the part of the filter that is about places, if it has that."""
        if self.filter is None or not self.filter.locations:
            return []
        return ["filter.locations"]

    async def run(self, context: ArchiveContext) -> Result:
        if self.count_only:
            result = await count_records(self, context)
        else:
            result = await super().run(context)
        total = result.structured["totalCount"]
        return result.with_notes(await self.find_doubts(context, context.api, total))

    async def find_doubts(self, context: ArchiveContext, api: Api, total: int | None) -> list[str]:
        """Return what a result of `total` creators says if Archive may not have narrowed them."""
        narrowed = [*self.describe_conditions(), *self._list_places()]

        async def count(_: dict[str, Any]) -> int | None:
            return await count_all(SearchCreators(), context, api)

        return await describe_ignored({}, narrowed, total or 0, count, _INSTEAD)


class GetCreator(NamesOptions, Query[Creator]):
    """Get one creator (influencer) by id, with custom attributes and social profiles. The id is an
    item's `creator.id` or comes from archive_search_creators."""

    operation = "creator"
    title = "Get a creator"
    search_hint = (
        "everything we know about a person, profile of one influencer, contact details, email, "
        "e-mail address, phone, shipping address, notes, all handles of a creator, ambassador "
        "record, full profile, card, who is this person, info about a creator, where does she "
        "live, size, linked accounts, what tier is he, besides, other accounts, have a tiktok, "
        "insta, person behind the account, tell me about, dossier, address, background, mail"
    )
    missing = "No creator has that id in this workspace."
    instead = (
        "{creators} finds creators by name or e-mail, {socialProfile} by handle (`creator.id`)."
    )

    id: Id = Field(description="Creator id.")


class GetSocialProfile(Query[SocialProfile]):
    """Get one account by `id`, or by `accountName` and `provider`. It looks among the workspace's
    profiles and, with `fallback`, also on the platform itself, which is slower."""

    operation = "socialProfile"
    title = "Get a social profile"
    search_hint = (
        "one account by handle, @username, follower count, how many followers, bio, biography, is "
        "verified, instagram account, tiktok account, youtube channel, profile picture, look up a "
        "handle, stats of an account, audience size, check the account, does this handle exist, "
        "look on the platform, how big is the account, subscribers, engagement rate of the "
        "account, insta, ig, how big, followers of @, reach"
    )
    missing = "No such profile is in this workspace."
    instead = "Check the spelling, or call again with `fallback` true to look on the platform."

    account_name: Text | None = Field(None, description="Handle of the account; needs `provider`.")
    provider: Provider | None = Field(None, description="Platform of the account.")
    id: Id | None = Field(None, description="Profile id, instead of a handle.")
    fallback: bool = Field(False, description="Also look on the platform itself.")

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
            # People write @name; Archive stores the handle without it.
            self.account_name = self.account_name.removeprefix("@")


class SocialProfileFilterInput(Input):
    """Which profiles."""

    platform: Provider | None = None


class GetSocialProfiles(Connection[SocialProfile]):
    """List the accounts archived in the workspace, of one platform or a saved view; there is no
    other filter. For one account use archive_get_social_profile, for people
    archive_search_creators."""

    operation = "socialProfiles"
    title = "List social profiles"
    search_hint = (
        "instagram accounts, tiktok accounts, youtube channels, handles, usernames, accounts "
        "archived, followers of each, accounts in a saved account list, biggest accounts, which "
        "accounts mention us, every account, verified accounts, list of accounts that tagged us, "
        "accounts that have tagged us, biggest following, between followers, french"
    )
    # A page of profiles (Archive docs, rate limiting).
    cost: ClassVar[float] = 45
    instead = "{socialProfileViews} lists the social profile views."

    filter: SocialProfileFilterInput | None = Field(
        None, description="Restricts the list to one platform."
    )
    preset_id: Id | None = Field(
        None, description="Social profile view, id or name; instead of `filter`."
    )

    def check(self) -> None:
        if self.preset_id and is_narrow(self.filter):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Archive ignores `filter` beside `presetId`.",
                "Drop one of them: to have the view's accounts of one platform, keep those with "
                "that `provider`.",
            )

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        if self.preset_id:
            (self.preset_id,) = await find_preset_ids(context, [self.preset_id], kind=PROFILE_VIEWS)

    def notes(self) -> list[str]:
        if not self.preset_id:
            return []
        return [
            "Archive applies a social profile view's conditions and order, but not its stored "
            "filters."
        ]
