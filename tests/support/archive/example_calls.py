"""A sensible call of every tool that stands for an operation of Archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VIEWS = ("content_view", "creator_view", "social_profile_view")


@dataclass(frozen=True)
class Found:
    """Things that exist in the sandbox, to call tools with."""

    items: list[str]
    url: str
    creator: str
    account: str
    provider: str
    operation: str
    brand: str
    group: str
    collection: str
    views: dict[str, str]


def arguments(found: Found) -> dict[str, dict[str, Any]]:
    """Sensible arguments for every tool, in an order in which they can be called."""
    return reading(found) | changing(found)


def reading(found: Found) -> dict[str, dict[str, Any]]:
    """Arguments of the tools that change nothing."""
    emails = {"field": "emails", "operator": "CONTAINS", "type": "TEXT", "value": "@mail.example"}
    vip = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": ["VIP"],
    }
    return {
        "archive_get_workspaces": {"fields": ["id", "name"]},
        "archive_get_workspace": {},
        "archive_get_custom_attribute_schemas": {"entity": "CREATOR"},
        "archive_get_filter_presets": {},
        "archive_search_items": {
            "filter": {"provider": "INSTAGRAM", "takenAt": {"from": "2020-01-01"}},
            "sorting": [{"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}],
            "limit": 5,
        },
        "archive_get_media_contents": {"itemIds": found.items},
        "archive_get_transcriptions": {"itemIds": found.items},
        "archive_get_item_ids_by_url": {"urls": [found.url]},
        "archive_get_engagement_history": {"itemId": found.items[0], "limit": 3},
        "archive_search_creators": {
            "customAttributeConditions": [emails, vip],
            "optionNames": True,
            "limit": 3,
        },
        "archive_get_creator": {"id": found.creator},
        "archive_get_social_profile": {"accountName": found.account, "provider": found.provider},
        "archive_get_social_profiles": {"filter": {"platform": "TIKTOK"}, "limit": 3},
        "archive_get_operations": {"limit": 2},
        "archive_get_operation": {"id": found.operation},
        "archive_get_campaigns": {},
        "archive_get_competitor_brands": {"period": "WEEK", "limit": 3},
        "archive_get_competitor_brand": {"id": found.brand},
        "archive_get_competitor_brand_items": {
            "brandId": found.brand,
            "filter": {"takenAt": {"from": "2020-01-01", "to": "2030-01-01"}},
            "limit": 3,
        },
        "archive_get_collections": {},
        "archive_get_collection": {"id": found.collection},
        "archive_get_view_groups": {},
        "archive_get_view_group": {"id": found.group},
        **{f"archive_get_{kind}s": {} for kind in VIEWS},
        **{f"archive_get_{kind}": {"id": found.views[kind]} for kind in VIEWS},
    }


def changing(found: Found) -> dict[str, dict[str, Any]]:
    """Arguments of the tools that change something; deletes come last."""
    item, own = found.items[0], {"itemId": found.items[0], "collectionNames": ["Q4 Report"]}
    return {
        "archive_add_item_to_collections": {**own, "autoCreate": True},
        "archive_remove_item_from_collections": own,
        "archive_refetch_engagement_bulk": {"itemIds": [item, *found.items[1:2]]},
        "archive_upload_item_from_url": {
            "input": {"url": "https://www.tiktok.com/@mia.stone/video/7311111111111111111"}
        },
        "archive_create_collection": {"input": {"name": "Autumn picks"}},
        "archive_update_collection": {"id": found.collection, "input": {"name": "Renamed"}},
        "archive_move_collection_to_group": {
            "collectionId": found.collection,
            "groupId": found.group,
        },
        "archive_create_view_group": {"input": {"name": "Reports"}},
        "archive_update_view_group": {"id": found.group, "input": {"name": "Renamed"}},
        **{
            f"archive_create_{kind}": {"input": {"name": f"New {kind}", "filters": {}}}
            for kind in VIEWS
        },
        **{
            f"archive_update_{kind}": {
                "id": found.views[kind],
                "input": {"name": f"Renamed {kind}"},
            }
            for kind in VIEWS
        },
        **{
            f"archive_move_{kind}_to_group": {"viewId": found.views[kind], "groupId": found.group}
            for kind in VIEWS
        },
        "archive_reorder_views_in_group": {
            "groupId": found.group,
            "viewIds": [found.views["content_view"]],
        },
        **{f"archive_delete_{kind}": {"id": found.views[kind]} for kind in VIEWS},
        "archive_delete_collection": {"id": found.collection},
        "archive_delete_view_group": {"id": found.group},
    }
