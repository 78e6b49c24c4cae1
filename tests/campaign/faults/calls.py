"""A call of every tool of both APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.tools.watched import Saved, resolved
from tests.support.tools.write_cases_views import CASES
from tools.surface import requests

Json = dict[str, Any]
DAYS = {"takenAt": {"from": "2026-10-01", "to": "2026-10-31"}}


@dataclass(frozen=True)
class Call:
    """A tool with arguments that it accepts; `once` for a change that must not be sent twice."""

    tool: str
    arguments: Json
    writes: bool
    once: bool


_CLASSES: dict[str, Any] = {request.tool_name(): request for request in requests()}


def make_call(tool: str, arguments: Json) -> Call:
    """Return a call of a tool."""
    request = _CLASSES[tool]
    writes = request.risk != "reads"
    return Call(tool, arguments, writes, writes and not request.repeatable)


def archive_calls(saved: Saved, ids: Json) -> list[Call]:
    """Return a call of each tool of Archive, by what is saved there and ids of other records."""
    items = [saved.ids[f"items/{number}"] for number in range(2)]
    views = {
        kind: next(id for label, id in saved.ids.items() if label.startswith(f"{many}/"))
        for kind, many in (
            ("content_view", "contentViews"),
            ("creator_view", "creatorViews"),
            ("social_profile_view", "socialProfileViews"),
            ("view_group", "viewGroups"),
            ("collection", "collections"),
        )
    }
    reads: dict[str, Json] = {
        "archive_get_workspaces": {},
        "archive_get_workspace": {},
        "archive_get_custom_attribute_schemas": {"entity": "CREATOR"},
        "archive_get_filter_presets": {},
        "archive_search_items": {"limit": 150},
        "archive_get_media_contents": {"itemIds": items},
        "archive_get_transcriptions": {"itemIds": items},
        "archive_get_item_ids_by_url": {"urls": [ids["url"]]},
        "archive_get_engagement_history": {"itemId": items[0]},
        "archive_search_creators": {"optionNames": True, "limit": 120},
        "archive_get_creator": {"id": ids["creator"]},
        "archive_get_social_profile": {"id": ids["profile"]},
        "archive_get_social_profiles": {},
        "archive_get_operations": {},
        "archive_get_operation": {"id": ids["operation"]},
        "archive_get_campaigns": {},
        "archive_get_competitor_brands": {},
        "archive_get_competitor_brand": {"id": ids["brand"]},
        "archive_get_competitor_brand_items": {"brandId": ids["brand"], "filter": DAYS},
        "archive_get_collections": {},
        "archive_get_view_groups": {},
        "archive_get_content_views": {},
        "archive_get_creator_views": {},
        "archive_get_social_profile_views": {},
        **{f"archive_get_{kind}": {"id": id} for kind, id in views.items()},
        "archive_get_budget": {},
        "archive_summarize_performance": {"search": {}},
        "archive_get_top_content": {"search": {}},
        "archive_compare_brands": {"previous": True},
        "archive_view_media": {"itemIds": items},
        "archive_chart": {"kind": "engagement_over_time", "itemIds": items},
    }
    changes = {case.tool: resolved(case.given, saved) for case in CASES.values()}
    return [
        make_call(tool, arguments)
        for tool, arguments in {**reads, **changes}.items()
        if tool in _CLASSES
    ]


def archivebox_calls(ids: Json) -> list[Call]:
    """Return a call of each tool of ArchiveBox; `ids` has a snapshot, a crawl and so on."""
    page = {"snapshot_id": ids["snapshot"]}
    tag, crawl = {"tag_id": ids["tag"]}, {"crawl_id": ids["crawl"]}
    result = {"archiveresult_id": ids["archiveresult"]}
    arguments: dict[str, Json] = {
        "archivebox_read_snapshot": page,
        "archivebox_get_screencast": page,
        "archivebox_list_snapshots": {"limit": 30},
        "archivebox_get_snapshot": page,
        "archivebox_create_snapshot": {"url": "https://new.example/"},
        "archivebox_update_snapshot": {**page, "status": "sealed"},
        "archivebox_delete_snapshot": page,
        "archivebox_get_snapshots_feed": {},
        "archivebox_get_any": {"id": ids["snapshot"]},
        "archivebox_list_archiveresults": {},
        "archivebox_get_archiveresult": result,
        "archivebox_create_archiveresult": {**page, "plugin": "notes"},
        "archivebox_update_archiveresult": {**result, "file_name": "a.txt", "text": "a"},
        "archivebox_list_tags": {},
        "archivebox_get_tag": tag,
        "archivebox_search_tags": {"q": "a"},
        "archivebox_autocomplete_tags": {"q": "a"},
        "archivebox_create_tag": {"name": "fresh"},
        "archivebox_rename_tag": {**tag, "name": "renamed"},
        "archivebox_delete_tag": tag,
        "archivebox_tag_snapshot": {**page, "tag_name": "fresh"},
        "archivebox_untag_snapshot": {**page, "tag_name": ids["tag_name"]},
        "archivebox_export_tag_urls": tag,
        "archivebox_export_tag_snapshots": tag,
        "archivebox_list_crawls": {},
        "archivebox_get_crawl": crawl,
        "archivebox_create_crawl": {"urls": ["https://new.example/"]},
        "archivebox_update_crawl": {**crawl, "status": "sealed"},
        "archivebox_delete_crawl": crawl,
        "archivebox_get_crawl_file": {**crawl, "path": "urls.txt"},
        "archivebox_get_api_token": {},
        "archivebox_check_api_token": {},
        "archivebox_add": {"urls": ["https://new.example/"]},
        "archivebox_remove": {"filter_patterns": [ids["url"]], "filter_type": "exact"},
        "archivebox_schedule": {"import_path": "https://new.example/", "every": "daily"},
        "archivebox_search": {"filter_patterns": [ids["url"]], "filter_type": "exact"},
        "archivebox_update": {"filter_patterns": [ids["url"]], "filter_type": "exact"},
        "archivebox_list_machines": {},
        "archivebox_get_current_machine": {},
        "archivebox_get_machine": {"machine_id": ids["machine"]},
        "archivebox_list_binaries": {},
        "archivebox_get_binary": {"binary_id": ids["binary"]},
        "archivebox_get_binaries_by_name": {"name": "wget"},
        "archivebox_list_personas": {},
        "archivebox_get_orchestrator": {},
        "archivebox_list_workers": {},
    }
    return [make_call(tool, given) for tool, given in arguments.items()]
