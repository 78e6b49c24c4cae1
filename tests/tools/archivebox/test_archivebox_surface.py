"""The tools of ArchiveBox as hosts see them: names, endpoints and risks are a contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.paths import OPENAPI
from tools.surface import requests, rows

ROWS = {row["tool"]["name"]: row for row in rows() if row["backend"] == "archivebox"}
CLASSES = {each.tool_name(): each for each in requests() if each.backend == "archivebox"}

READ, ADD, CHANGE, DELETE, ASKED = "read", "add", "change", "delete", "change, asked"
# tool: endpoint, toolset, and what it does: read, add (changes nothing that exists), change
# (replaces or cancels), delete (asks first); `asked` asks first too
CONTRACT = {
    "archivebox_list_snapshots": ("GET /core/snapshots", "snapshots", READ),
    "archivebox_get_snapshot": ("GET /core/snapshot/{snapshot_id}", "snapshots", READ),
    "archivebox_create_snapshot": ("POST /core/snapshots", "snapshots", ADD),
    "archivebox_update_snapshot": ("PATCH /core/snapshot/{snapshot_id}", "snapshots", CHANGE),
    "archivebox_delete_snapshot": ("DELETE /core/snapshot/{snapshot_id}", "snapshots", DELETE),
    "archivebox_get_snapshots_feed": ("GET /core/snapshots.rss", "snapshots", READ),
    "archivebox_get_screencast": (
        "GET /core/snapshot/{snapshot_id}/screencast.jpg",
        "snapshots",
        READ,
    ),
    "archivebox_get_any": ("GET /core/any/{id}", "snapshots", READ),
    "archivebox_list_archiveresults": ("GET /core/archiveresults", "results", READ),
    "archivebox_get_archiveresult": ("GET /core/archiveresult/{archiveresult_id}", "results", READ),
    "archivebox_create_archiveresult": ("POST /core/archiveresults", "results", ADD),
    "archivebox_update_archiveresult": (
        "PATCH /core/archiveresult/{archiveresult_id}",
        "results",
        CHANGE,
    ),
    "archivebox_list_tags": ("GET /core/tags", "tags", READ),
    "archivebox_get_tag": ("GET /core/tag/{tag_id}", "tags", READ),
    "archivebox_search_tags": ("GET /core/tags/search/", "tags", READ),
    "archivebox_autocomplete_tags": ("GET /core/tags/autocomplete/", "tags", READ),
    "archivebox_create_tag": ("POST /core/tags/create/", "tags", ADD),
    "archivebox_rename_tag": ("POST /core/tag/{tag_id}/rename", "tags", CHANGE),
    "archivebox_delete_tag": ("DELETE /core/tag/{tag_id}", "tags", DELETE),
    "archivebox_tag_snapshot": ("POST /core/tags/add-to-snapshot/", "tags", ADD),
    "archivebox_untag_snapshot": ("POST /core/tags/remove-from-snapshot/", "tags", CHANGE),
    "archivebox_export_tag_urls": ("GET /core/tag/{tag_id}/urls.txt", "tags", READ),
    "archivebox_export_tag_snapshots": ("GET /core/tag/{tag_id}/snapshots.jsonl", "tags", READ),
    "archivebox_list_crawls": ("GET /crawls/crawls", "crawls", READ),
    "archivebox_get_crawl": ("GET /crawls/crawl/{crawl_id}", "crawls", READ),
    "archivebox_create_crawl": ("POST /crawls/crawls", "crawls", ADD),
    "archivebox_update_crawl": ("PATCH /crawls/crawl/{crawl_id}", "crawls", CHANGE),
    "archivebox_delete_crawl": ("DELETE /crawls/crawl/{crawl_id}", "crawls", DELETE),
    "archivebox_get_crawl_file": ("GET /crawls/crawl/{crawl_id}/files/{path}", "crawls", READ),
    "archivebox_add": ("POST /cli/add", "cli", ADD),
    "archivebox_update": ("POST /cli/update", "cli", CHANGE),
    "archivebox_schedule": ("POST /cli/schedule", "cli", ASKED),
    "archivebox_search": ("POST /cli/search", "cli", READ),
    "archivebox_remove": ("POST /cli/remove", "cli", DELETE),
    "archivebox_list_machines": ("GET /machine/machines", "machine", READ),
    "archivebox_get_current_machine": ("GET /machine/machine/current", "machine", READ),
    "archivebox_get_machine": ("GET /machine/machine/{machine_id}", "machine", READ),
    "archivebox_list_binaries": ("GET /machine/binaries", "machine", READ),
    "archivebox_get_binary": ("GET /machine/binary/{binary_id}", "machine", READ),
    "archivebox_get_binaries_by_name": ("GET /machine/binary/by-name/{name}", "machine", READ),
    "archivebox_get_orchestrator": ("GET /workers/orchestrator", "workers", READ),
    "archivebox_list_workers": ("GET /workers/workers", "workers", READ),
    "archivebox_list_personas": ("GET /personas/personas", "personas", READ),
    "archivebox_get_api_token": ("POST /auth/get_api_token", "auth", ADD),
    "archivebox_check_api_token": ("POST /auth/check_api_token", "auth", READ),
    "archivebox_read_snapshot": ("read_snapshot", "snapshots", READ),
    "archivebox_start_save": ("save", "jobs", CHANGE),
    "archivebox_start_export": ("export_snapshots", "jobs", ADD),
    "archivebox_start_remove": ("remove_snapshots", "jobs", DELETE),
}
WORKFLOWS = ("read_snapshot", "save", "export_snapshots", "remove_snapshots")
SOMETIMES_ASKS = {
    "archivebox_start_save",
    "archivebox_start_remove",
    "archivebox_update_snapshot",
}
"""Tools that ask first for some of what they do."""
HINTS = {
    READ: (True, False),
    ADD: (False, False),
    CHANGE: (False, True),
    DELETE: (False, True),
    ASKED: (False, True),
}
"""Kind -> read-only, destructive."""
SAFE_TO_REPEAT = {
    "archivebox_update_snapshot",
    "archivebox_delete_snapshot",
    "archivebox_create_tag",
    "archivebox_rename_tag",
    "archivebox_delete_tag",
    "archivebox_tag_snapshot",
    "archivebox_untag_snapshot",
    "archivebox_update_crawl",
    "archivebox_delete_crawl",
    "archivebox_update",
    "archivebox_remove",
    "archivebox_get_api_token",
}
"""Changes that are the same when made twice."""
LEFT_OUT = {
    "POST /personas/sync": "writes cookies and logins into the server",
    "POST /auth/browser_session": "hands out a session cookie",
}
SERVED_BY = {
    "POST /cli/list": "POST /cli/search",
    "GET /crawls/crawl/{}/files/{}/{}": "GET /crawls/crawl/{}/files/{}",
    "GET /crawls/crawl/{}/files/{}/{}/{}": "GET /crawls/crawl/{}/files/{}",
}
"""Routes that a tool of another route serves."""


def test_there_are_exactly_the_tools_of_the_contract() -> None:
    assert ROWS.keys() == CONTRACT.keys()


@pytest.mark.parametrize("name", CONTRACT)
def test_names_endpoints_and_toolsets_are_a_contract(name: str) -> None:
    endpoint, toolset, _ = CONTRACT[name]
    row = ROWS[name]
    kind = "workflow" if endpoint in WORKFLOWS else "endpoint"

    assert (row["operation"], row["toolset"]) == (endpoint, toolset)
    assert row["tool"]["_meta"][f"archive-mcp/{kind}"] == endpoint
    assert row["module"].startswith("tools.archivebox.")
    assert getattr(__import__(row["module"], fromlist=["x"]), row["class_name"]) is CLASSES[name]


@pytest.mark.parametrize("name", CONTRACT)
def test_the_hints_tell_the_truth(name: str) -> None:
    kind = CONTRACT[name][2]
    reads, destructive = HINTS[kind]

    assert ROWS[name]["tool"]["annotations"] == {
        "title": ROWS[name]["tool"]["title"],
        "readOnlyHint": reads,
        "destructiveHint": destructive,
        "idempotentHint": reads or name in SAFE_TO_REPEAT,
        "openWorldHint": True,
    }


@pytest.mark.parametrize("name", CONTRACT)
def test_deletes_and_schedules_ask_first_and_take_the_token_of_their_preview(name: str) -> None:
    # A job asks with its plan, and not where there is nothing to do.
    asks = CONTRACT[name][2] in (DELETE, ASKED) and name not in SOMETIMES_ASKS

    assert CLASSES[name].confirmed == asks
    takes_token = "confirm" in ROWS[name]["tool"]["inputSchema"]["properties"]
    assert takes_token == (asks or name in SOMETIMES_ASKS)


@pytest.mark.parametrize("name", CONTRACT)
def test_a_list_that_goes_on_has_a_limit_and_a_cursor(name: str) -> None:
    tool = ROWS[name]["tool"]
    properties = tool["inputSchema"]["properties"]

    if "nodes" in tool.get("outputSchema", {}).get("properties", {}):
        assert {"limit", "after", "offset"} <= properties.keys()
    assert not {"first", "page", "api_key", "token", "password", "username"} & properties.keys()


@pytest.mark.parametrize("file", sorted(OPENAPI.glob("*.json")), ids=lambda file: file.stem)
def test_every_route_of_every_version_has_a_tool_or_is_left_out_for_a_reason(file: Path) -> None:
    tools = {_shape(endpoint) for endpoint, *_ in CONTRACT.values()}
    paths = json.loads(file.read_text(encoding="utf-8"))["paths"]
    routes = {
        _shape(f"{method.upper()} {path}") for path, methods in paths.items() for method in methods
    }

    assert {SERVED_BY.get(each, each) for each in routes} - tools <= LEFT_OUT.keys()


def _shape(endpoint: str) -> str:
    """An endpoint without the names of what stands in its path."""
    return re.sub(r"\{[^}]+\}", "{}", endpoint).replace("/api/v1", "").rstrip("/")
