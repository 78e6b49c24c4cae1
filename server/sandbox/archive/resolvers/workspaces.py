"""Workspaces, attributes and presets: Archive docs, workspaces, custom attributes, filter
presets."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.attributes import ATTRIBUTES
from server.sandbox.archive.data.saved import Record
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.context import MAX_ROWS, Info, Resolver
from server.sandbox.ids import Kind


def workspaces(_: None, info: Info, *, first: int | None, after: str | None) -> Page:
    """Return the workspaces the token can see."""
    # A client asks this before it knows any id, so no header may be needed here.
    visible = {workspace.index: workspace for workspace in info.context.visible}
    return paginate("workspaces", list(visible), visible.__getitem__, first=first, after=after)


def workspace(_: None, info: Info) -> Workspace:
    """Return the workspace of the header."""
    return info.context.workspace


def custom_attribute_schemas(_: None, info: Info, *, entity: str) -> list[dict[str, Any]]:
    """Return attributes with the option ids of selects."""
    schemas: list[dict[str, Any]] = []
    for attribute in ATTRIBUTES[entity]:
        # Null where there is nothing to choose, unlike the empty list of a select.
        options: list[dict[str, str]] | None = None
        if attribute.options is not None:
            option_id = info.context.workspace.option_id
            options = [
                {"id": option_id(entity, attribute.key, name), "name": name}
                for name in attribute.options
            ]
        schemas.append(
            {
                "key": attribute.key,
                "name": attribute.name,
                "type": attribute.type,
                "ai_generated": attribute.ai,
                "options": options,
            }
        )
    return schemas


def filter_presets(_: None, info: Info) -> list[dict[str, str]]:
    """Return content views and collections; views of creators and of profiles are not listed."""
    library = info.context.workspace.library
    # Only what `items` takes as a preset: it refuses views of creators and of profiles.
    views = library.views[Kind.CONTENT_VIEW].oldest_first()
    rows: list[tuple[Record, str]] = [(view, "MEDIA_DECK") for view in views]
    rows += [(collection, "COLLECTIONS") for collection in library.collections.oldest_first()]
    return [
        {
            "id": record.id,
            "name": record.name,
            "accessor": accessor,
        }
        for record, accessor in rows[:MAX_ROWS]
    ]


TABLE: dict[str, Resolver] = {
    "workspaces": workspaces,
    "workspace": workspace,
    "customAttributeSchemas": custom_attribute_schemas,
    "filterPresets": filter_presets,
}
