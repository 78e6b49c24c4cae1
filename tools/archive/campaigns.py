"""Campaigns of the workspace."""

from __future__ import annotations

from server.archive.operations import Connection
from tools.archive.schema.market_objects import Campaign


class GetCampaigns(Connection[Campaign]):
    """List the campaigns; they cannot be searched by name. To read a campaign's posts, pass its id
    to archive_search_items as filter.campaignsIds."""

    operation = "campaigns"
    title = "List campaigns"
    search_hint = (
        "campaigns, campaign, which campaigns are running, list of campaigns, launches, "
        "activations, active campaign, past campaigns, campaign id, campaign dates, when did the "
        "campaign start, which campaigns do we have, our campaigns, spring campaign, launch, "
        "brief, any campaign, when does the campaign, activation end, ends, who is in it, "
        "back-to-school, seasonal, influencer campaign, activation dates, participants"
    )
