"""Each tool that changes something is seen to have changed it on a real server, by looking at the
server: counted from the catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.archivebox.install import ALL_VERSIONS
from tests.support.archivebox.stored import Stored, plain_id
from tests.support.archivebox.targets import Target
from tests.support.paths import SURFACE

STORED, WORK, HERE = "test_stored", "test_stored_work", "test_every_change"
_TAGS = (STORED, "test_tags_are_made_put_on_renamed_taken_off_and_deleted")
_CRAWL = (STORED, "test_a_crawl_is_made_sealed_and_deleted")
_RESULT = (STORED, "test_a_result_is_made_and_gets_a_file")
SEEN = {
    "archivebox_add": (STORED, "test_an_added_page_is_on_disk_with_its_tags"),
    "archivebox_create_archiveresult": _RESULT,
    "archivebox_create_crawl": _CRAWL,
    "archivebox_create_snapshot": (HERE, "test_a_page_is_made_with_all_that_was_asked"),
    "archivebox_create_tag": _TAGS,
    "archivebox_delete_crawl": _CRAWL,
    "archivebox_delete_snapshot": (STORED, "test_a_deleted_page_is_gone_with_its_files"),
    "archivebox_delete_tag": _TAGS,
    "archivebox_get_api_token": (HERE, "test_a_key_is_one_that_the_server_has"),
    "archivebox_remove": (STORED, "test_removed_pages_are_gone_with_their_files"),
    "archivebox_rename_tag": _TAGS,
    "archivebox_schedule": (WORK, "test_each_run_of_a_schedule_is_another_copy"),
    "archivebox_start_export": ("test_points", "test_an_export_has_what_the_database_has"),
    "archivebox_start_remove": (WORK, "test_what_fits_a_query_is_deleted_with_its_files"),
    "archivebox_start_save": (STORED, "test_jobs_tag_and_cancel_pages"),
    "archivebox_tag_snapshot": _TAGS,
    "archivebox_untag_snapshot": _TAGS,
    "archivebox_update": (WORK, "test_an_update_makes_the_output_that_is_missing"),
    "archivebox_update_archiveresult": _RESULT,
    "archivebox_update_crawl": _CRAWL,
    "archivebox_update_snapshot": (STORED, "test_a_change_of_a_page_is_stored"),
}
"""By tool: the file and the test that looks at the server after it."""

since_0_9 = pytest.mark.parametrize("box", ALL_VERSIONS[:2], indirect=True)
newest = pytest.mark.parametrize("box", ALL_VERSIONS[:1], indirect=True)
every_version = pytest.mark.parametrize("box", ALL_VERSIONS, indirect=True)


def test_every_tool_that_changes_something_is_looked_after() -> None:
    tools = [row["tool"] for row in json.loads(SURFACE.read_text())["tools"]]
    changing = {
        tool["name"]
        for tool in tools
        if tool["name"].startswith("archivebox_") and not tool["annotations"]["readOnlyHint"]
    }
    assert changing == SEEN.keys()
    for name, (module, test) in SEEN.items():
        source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
        body = source.partition(f"async def {test}(")[2].partition("\nasync def ")[0]
        assert f'"{name.removeprefix("archivebox_")}"' in body or "target.saved(" in body, name
        assert "stored." in body, name


@since_0_9
async def test_a_page_is_made_with_all_that_was_asked(target: Target, stored: Stored) -> None:
    url = target.fresh.pop()
    page = await target.call(
        "create_snapshot", url=url, status="sealed", title="Low water", tags=["Tides", "Boats"]
    )
    query = "SELECT title, status FROM core_snapshot WHERE url = ?"
    assert stored.rows(query, url) == [("Low water", "sealed")]
    assert stored.tags(page["id"]) == {"Tides", "Boats"}


@newest
async def test_a_page_is_saved_by_the_persona_that_was_asked_for(
    target: Target, stored: Stored
) -> None:
    url = target.fresh.pop()
    added = await target.call("add", urls=[url], persona="Reader")
    await target.archive(added["crawl_id"])
    names = [name for (name,) in stored.rows("SELECT name FROM personas_persona")]
    assert "Reader" in names
    shown = {row["name"] for row in await target.every("list_personas")}
    assert shown == {*names}
    persona = (
        "SELECT name FROM crawls_crawl JOIN personas_persona ON personas_persona.id = persona_id"
        " WHERE crawls_crawl.id = ?"
    )
    assert stored.rows(persona, plain_id(added["crawl_id"])) == [("Reader",)]


@every_version
async def test_a_key_is_one_that_the_server_has(target: Target, stored: Stored) -> None:
    async with target.connect(**target.login) as calls:
        target.calls = calls
        answer: dict[str, Any] = await target.call("get_api_token")
    keys = [key for (key,) in stored.rows("SELECT token FROM api_apitoken")]
    assert any(key.endswith(answer["key"].lstrip(".")) for key in keys)
