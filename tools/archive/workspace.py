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
    names a workspace that you do not know, or when a call fails with WORKSPACE_REQUIRED."""

    operation = "workspaces"
    title = "List Archive workspaces"
    core = True


class GetWorkspace(Query[Workspace]):
    """Show the workspace in use: its name, tracked hashtags and mentions. For keywords and
    connected accounts ask for `fields` ["*", "keywords.name", "integrations.handle",
    "integrations.status"]."""

    operation = "workspace"
    title = "Show the workspace"


class GetCustomAttributeSchemas(Listing[AttributeSchema]):
    """List the custom attributes of creators or items with their key and type and, for selects, the
    options that conditions take by name or id."""

    operation = "customAttributeSchemas"
    title = "List custom attributes"
    core = True
    capped = True

    entity: Entity = Field(description="Whose attributes to list.")


class GetFilterPresets(Listing[FilterPreset]):
    """List content views (MEDIA_DECK: dynamic) and collections (COLLECTIONS: fixed membership) with
    the ids that archive_search_items takes as `presetId`. It does not list creator views and social
    profile views."""

    operation = "filterPresets"
    title = "List views and collections"
    core = True
    capped = True
