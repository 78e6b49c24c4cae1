"""Every endpoint has a tool, and every tool was seen to work and to fail on every ArchiveBox that
has its endpoint.

The last test counts what the others did; `conftest.py` puts it behind them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.archivebox.openapi import Description
from server.errors import Code, Failure
from tests.archivebox.conftest import Ledger
from tests.support.archivebox.targets import Target
from tests.support.paths import OPENAPI, SURFACE

FILES = {
    "0.9.74": "archivebox-0.9.74rc408.json",
    "0.9.73": "archivebox-0.9.73.json",
    "0.9.31": "archivebox-0.9.31.json",
    "0.8.5": "archivebox-0.8.5rc51.json",
}
ENDPOINTS = {
    row["tool"]["name"]: row["tool"]["_meta"]["archive-mcp/endpoint"]
    for row in json.loads(SURFACE.read_text())["tools"]
    if "archive-mcp/endpoint" in row["tool"]["_meta"]
}
LEFT_OUT = {
    "POST /personas/sync": "writes cookies and logins into the server",
    "POST /auth/browser_session": "hands out a session cookie",
}
RENAMED = {"POST /cli/list": "POST /cli/search"}
FILE_ROUTES = "GET /crawls/crawl/{}/files/"

BROKEN = {
    "0.8.5": {
        "archivebox_schedule": "the command asks its arguments for one that they do not have",
        "archivebox_remove": "the command deletes the files and then fails, so it is not used",
    }
}
"""Tools whose endpoint fails on that version whatever it is sent."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "archivebox_create_snapshot": {"url": "https://a.example/"},
    "archivebox_update_snapshot": {"status": "sealed"},
    "archivebox_create_archiveresult": {"plugin": "notes"},
    "archivebox_update_archiveresult": {"file_name": "a.txt", "text": "a"},
    "archivebox_rename_tag": {"name": "b"},
    "archivebox_create_tag": {"name": "b"},
    "archivebox_tag_snapshot": {"tag_name": "b"},
    "archivebox_untag_snapshot": {"tag_name": "b"},
    "archivebox_create_crawl": {"urls": ["https://a.example/"]},
    "archivebox_update_crawl": {"status": "sealed"},
    "archivebox_get_crawl_file": {"path": "a"},
    "archivebox_add": {"urls": ["https://a.example/"]},
    "archivebox_update": {"filter_patterns": ["x"]},
    "archivebox_remove": {"filter_patterns": ["x"]},
    "archivebox_schedule": {"show": True},
}
IDS = (
    "snapshot_id",
    "archiveresult_id",
    "tag_id",
    "crawl_id",
    "machine_id",
    "binary_id",
    "id",
    "name",
)


def description(version: str) -> Description:
    return Description.parse(json.loads((OPENAPI / FILES[version]).read_text()))


def covered(endpoint: str) -> bool:
    """Whether some tool serves an endpoint, given as `GET /core/any/{}`."""
    from server.archivebox.openapi import normalize

    served = {normalize(each) for each in ENDPOINTS.values()}
    wanted = RENAMED.get(endpoint, endpoint)
    if wanted.startswith(FILE_ROUTES):
        wanted = FILE_ROUTES + "{}"
    return wanted in served or wanted in LEFT_OUT


@pytest.mark.parametrize(
    ("version", "count"), [("0.9.74", 47), ("0.9.73", 46), ("0.9.31", 39), ("0.8.5", 14)]
)
def test_every_endpoint_of_a_version_has_its_tool(version: str, count: int) -> None:
    endpoints = [each for each in description(version).endpoints if each != "GET /openapi.json"]
    assert [each for each in endpoints if not covered(each)] == []
    assert len(endpoints) in (count, count - 1), (
        "two crawl routes differ only in their parameters' names"
    )


async def test_every_tool_says_so_when_the_key_is_wrong(target: Target) -> None:
    async with target.connect(ARCHIVEBOX_API_KEY="0" * 32) as calls:
        stranger = Target(target.version, calls, target.archive, [], {}, target.connect)
        for name in ENDPOINTS.keys() - {"archivebox_autocomplete_tags"}:  # that one anybody may ask
            given = _ids(name) | ARGUMENTS.get(name, {})
            with pytest.raises(Failure) as caught:
                await stranger.result(name.removeprefix("archivebox_"), **given)
            assert caught.value.code in (
                Code.UNAUTHENTICATED,
                Code.UNSUPPORTED,
                Code.NOT_CONFIGURED,
            ), name
    target.failed |= stranger.failed


async def test_a_user_name_and_password_are_exchanged_for_a_key_that_is_shown_masked(
    target: Target,
) -> None:
    async with target.connect(**target.login) as calls:
        user = Target(target.version, calls, target.archive, [], {}, target.connect)
        found = await user.call("get_api_token")
    assert found["key"].startswith("...")
    assert len(found["key"]) <= 7
    target.worked |= user.worked


def test_every_tool_worked_and_failed_wherever_its_endpoint_is(
    request: pytest.FixtureRequest, ledger: Ledger
) -> None:
    collected = {item.path for item in request.session.items}
    if (
        request.config.option.keyword
        or not set(Path(__file__).parent.glob("test_*.py")) <= collected
    ):
        pytest.skip("only a part of the suite was run: coverage is counted over all of it")
    missing: dict[str, Any] = {}
    for kind, (worked, failed) in ledger.items():
        version = kind.partition(" ")[2]
        there = _there(description(version))
        lacking = {
            name for name in there if name not in worked and name not in BROKEN.get(version, {})
        }
        unfailed = {
            name for name in there if name not in failed and name != "archivebox_autocomplete_tags"
        }
        if lacking or unfailed:
            missing[kind] = {"never worked": sorted(lacking), "never failed": sorted(unfailed)}
    assert missing == {}


def _there(described: Description) -> Mapping[str, str]:
    renamed = {new: old for old, new in RENAMED.items()}
    return {
        name: endpoint
        for name, endpoint in ENDPOINTS.items()
        if described.has(endpoint) or described.has(renamed.get(endpoint, endpoint))
    }


def _ids(name: str) -> dict[str, str]:
    schema = next(
        row["tool"]["inputSchema"]
        for row in json.loads(SURFACE.read_text())["tools"]
        if row["tool"]["name"] == name
    )
    return {each: "abc" for each in schema.get("required", []) if each in IDS}
