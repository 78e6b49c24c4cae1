"""Workspaces, and what is set up in one: attributes, views and collections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.archive.operations import Listing, Query, ReadPages
from server.tool.request import ApiType
from tools.archive.schema.objects import AttributeSchema, FilterPreset, Workspace

Entity = Annotated[Literal["CREATOR", "ITEM"], ApiType("CustomAttributeSchemaEntity")]


# Not a `Connection`: this is the one query that Archive answers without a WORKSPACE-ID.
class GetWorkspaces(ReadPages[Workspace]):
    """List the Archive (archive.com) workspaces that the token can use. Start here when the user
    names a workspace that you do not know, or a call fails with WORKSPACE_REQUIRED."""

    operation = "workspaces"
    title = "List Archive workspaces"
    search_hint = (
        "teams, customers or accounts do I have access to, client names and ids, switch to "
        "another client, agency, brands I manage, which companies can you see, other workspace, "
        "change workspace, time zone of a workspace, which accounts can I see, clients we manage, "
        "organisations, companies, brands set up, list clients, what does this login see, look "
        "at, only one or several brands, sign in"
    )
    core = True


class GetWorkspace(Query[Workspace]):
    """Show the workspace in use: its name, tracked hashtags and mentions. For keywords and
    connected accounts ask for `fields` ["*", "keywords.name", "integrations.handle",
    "integrations.status"]."""

    operation = "workspace"
    title = "Show the workspace"
    search_hint = (
        "our workspace settings: tracked hashtags, mentions, keywords, monitored brand words, "
        "connected instagram and tiktok accounts, integrations, what are we tracking, listening "
        "to, following, workspace name, which hashtags do we follow, our own handles, connection "
        "broken, time zone, timezone, currency, language, what is set, plan, account we're using, "
        "details of the account, handles connected, linked, hooked up, monitoring"
    )


class GetCustomAttributeSchemas(Listing[AttributeSchema]):
    """List the custom attributes of creators or items with their key and type and, for selects, the
    options that conditions take by name or id."""

    operation = "customAttributeSchemas"
    title = "List custom attributes"
    search_hint = (
        "columns, properties, dropdown options, CRM fields such as tier, status or e-mail, which "
        "fields can I filter by, what fields exist for creators, influencers, what info do we "
        "keep about creators, possible values, choices, custom data, what is the field called, "
        "which labels can a post have, granted, pending, statuses, our setup, tag values, what "
        "values can they have, options for influencers, label choices, custom fields, columns of "
        "our own, fill in, per creator"
    )
    capped = True

    entity: Entity = Field(description="Whose attributes to list.")


class GetFilterPresets(Listing[FilterPreset]):
    """List content views (MEDIA_DECK: dynamic) and collections (COLLECTIONS: fixed membership) with
    the ids that archive_search_items takes as `presetId`. Creator and social profile views are not
    among them."""

    operation = "filterPresets"
    title = "List views and collections"
    search_hint = (
        "presets, list of everything saved, id of a view or folder by name, one overview of all "
        "saved filters and folders, not sure what kind it is, find the folder or view called, "
        "names and ids of folders and views, sidebar, searches and folders both, ready-made "
        "filters, smart filters, saved filter to choose from"
    )
    core = True
    capped = True
