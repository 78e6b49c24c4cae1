from __future__ import annotations

import importlib

import pytest

from server.tool.catalog import Catalog, Entry
from server.tool.search import group_by_toolset, rank, summarise
from tools.surface import FILE

SURFACE = Catalog.read(FILE, importlib.import_module)

WANTED = [
    ("top posts of last month", "archive_search_items"),
    ("put a post into a collection", "archive_add_item_to_collections"),
    ("take an item out of a collection", "archive_remove_item_from_collections"),
    ("creators with e-mails", "archive_search_creators"),
    ("what is said in the video", "archive_get_transcriptions"),
    ("find a post by its link", "archive_get_item_ids_by_url"),
    ("refresh metrics", "archive_refetch_engagement_bulk"),
    ("engagement over time", "archive_get_engagement_history"),
    ("listWorkspaces", "archive_get_workspaces"),
    ("tracked hashtags", "archive_get_workspace"),
    ("thumbnails", "archive_get_media_contents"),
    ("save a web page", "archivebox_add"),
    ("read an archived page", "archivebox_read_snapshot"),
    ("failed archive results", "archivebox_list_archiveresults"),
    ("stop a crawl", "archivebox_update_crawl"),
    ("rename a tag", "archivebox_rename_tag"),
    ("delete a saved page", "archivebox_delete_snapshot"),
    ("search saved pages", "archivebox_search"),
    ("who are our competitors", "archive_compare_brands"),
]


def names_for(query: str) -> list[str]:
    """Return the names of the tools that fit a query, best first."""
    return [match.entry.name for match in rank(SURFACE.list_callable(), query)]


@pytest.mark.parametrize(("query", "tool"), WANTED)
def test_a_task_in_plain_words_leads_to_its_tool(query: str, tool: str) -> None:
    assert tool in names_for(query)[:4]


@pytest.mark.parametrize("entry", SURFACE.list_callable(), ids=lambda each: each.name)
def test_every_tool_is_found_by_its_own_name_and_title(entry: Entry) -> None:
    tools = SURFACE.list_callable()
    for query in (entry.name, str(entry.tool["title"])):
        assert rank(tools, query)[0].entry is entry, query


@pytest.mark.parametrize("query", ["", "the of a", "zzzz qqqq", "???"])
def test_words_that_say_nothing_find_nothing(query: str) -> None:
    assert rank(SURFACE.list_callable(), query) == []


def test_the_same_question_gets_the_same_answer_in_the_same_order() -> None:
    first = names_for("list views")

    assert first == names_for("list views")
    assert len(first) > 3


def test_a_summary_is_the_first_sentence() -> None:
    for entry in SURFACE.list_callable():
        text = summarise(entry)
        assert entry.tool["description"].startswith(text)
        assert 10 <= len(text) <= 260, entry.name
        assert text.count("(") == text.count(")"), entry.name
        assert "\n" not in text, entry.name


def test_names_are_grouped_by_toolset_without_losing_one() -> None:
    groups = group_by_toolset(SURFACE.list_callable())

    assert sorted(name for names in groups.values() for name in names) == sorted(
        e.name for e in SURFACE.list_callable()
    )
    assert "discover" not in groups
