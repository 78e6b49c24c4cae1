"""Campaigns of the workspace."""

from __future__ import annotations

from server.archive.operations import Connection
from tools.archive.schema.market_objects import Campaign


class GetCampaigns(Connection[Campaign]):
    """List the campaigns; they cannot be searched by name. To read a campaign's posts, pass its id
    or name to archive_search_items as filter.campaignsIds."""

    operation = "campaigns"
    title = "List campaigns"
    search_hint = (
        "which campaigns are running, launches, active campaign, past campaigns, campaign id, "
        "campaign dates, when did the campaign start, spring campaign, launch, brief, when does "
        "the campaign, activation end, back-to-school, seasonal, influencer campaign, "
        "participants, list all our campaigns, how many creators are on it, live, ongoing, "
        "upcoming, finished, ended, scheduled, budget, takes part"
    )
