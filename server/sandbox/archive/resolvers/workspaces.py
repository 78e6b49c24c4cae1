"""Workspaces, attributes and presets: Archive docs, workspaces, custom attributes, filter
presets."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.attributes import ATTRIBUTES
from server.sandbox.archive.data.saved import Record
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.archive.resolvers.groups import MOST
from server.sandbox.ids import Kind


def workspaces(_: None, info: Info, *, first: int | None, after: str | None) -> Page:
    """What the token may see."""
    context = info.context
    visible = {home.index: home for home in context.visible}
    return page("workspaces", list(visible), visible.__getitem__, first=first, after=after)


def workspace(_: None, info: Info) -> Workspace:
    """The workspace of the header."""
    context = info.context
    return context.workspace


def custom_attribute_schemas(_: None, info: Info, *, entity: str) -> list[dict[str, Any]]:
    """Attributes with the option ids of selects."""
    home = info.context.workspace
    return [
        {
            "key": attribute.key,
            "name": attribute.name,
            "type": attribute.type,
            "ai_generated": attribute.ai,
            "options": None
            if attribute.options is None
            else [
                {"id": home.option_id(entity, attribute.key, name), "name": name}
                for name in attribute.options
            ],
        }
        for attribute in ATTRIBUTES[entity]
    ]


def filter_presets(_: None, info: Info) -> list[dict[str, str]]:
    """Content views and collections; views of creators and of profiles are not listed."""
    home = info.context.workspace
    found: list[tuple[Record, str]] = [
        (v, "MEDIA_DECK") for v in home.saved.views[Kind.CONTENT_VIEW].oldest_first()
    ]
    found += [(collection, "COLLECTIONS") for collection in home.collections]
    return [
        {"id": record.id, "name": record.name, "accessor": accessor}
        for record, accessor in found[:MOST]
    ]


TABLE: dict[str, Resolver] = {
    "workspaces": workspaces,
    "workspace": workspace,
    "customAttributeSchemas": custom_attribute_schemas,
    "filterPresets": filter_presets,
}
