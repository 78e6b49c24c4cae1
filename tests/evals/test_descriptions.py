"""Whether the texts that models read say enough, each in whole sentences and each unlike others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from tools.surface import rows

Schema = dict[str, Any]

TOOLS: dict[str, Schema] = {row["tool"]["name"]: row["tool"] for row in rows()}
each_tool = pytest.mark.parametrize("name", TOOLS)

# The share of words that two descriptions may have in common (Jaccard).
MOST_ALIKE = 0.7
# What is saved: the tools for each kind are twins, and their descriptions as well.
KINDS = re.compile(r"(content|creator|social_profile)_view|collection")
# Words with which a description says when it is the other tool's turn.
WHEN = re.compile(
    r"\b(use|instead|unlike|for|with|after|where|if|when|before|at|as|only|pass|by name|to)\b", re.I
)
# Verbs with which a description begins.
BEGINNING = re.compile(r"[A-Z][a-z]+,? ")
# Tools that have a sister for which they are easily taken: each names it.
SISTERS = {
    "archive_get_collections": "archive_search_items",
    "archive_create_collection": "archive_create_content_view",
    "archive_create_content_view": "archive_create_collection",
    "archive_get_social_profiles": "archive_search_creators",
    "archive_search_creators": "archive_get_social_profile",
    "archive_search_items": "archive_get_item_ids_by_url",
    "archive_upload_item_from_url": "archive_get_item_ids_by_url",
    "archive_view_media": "archive_get_media_contents",
    "archive_chart": "archive_summarize_performance",
    "archive_compare_brands": "archive_get_competitor_brands",
    "archive_get_engagement_history": "archive_search_items",
    "archive_start_collection_job": "archive_add_item_to_collections",
    "archivebox_add": "archivebox_start_save",
    "archivebox_create_snapshot": "archivebox_add",
    "archivebox_create_crawl": "archivebox_add",
    "archivebox_search": "archivebox_list_snapshots",
    "archivebox_list_snapshots": "archivebox_search",
    "archivebox_get_snapshot": "archivebox_read_snapshot",
    "archivebox_remove": "archivebox_delete_snapshot",
    "archivebox_update": "archivebox_start_save",
    "archivebox_tag_snapshot": "archivebox_start_save",
    "archivebox_export_tag_snapshots": "archivebox_start_export",
    "archivebox_get_screencast": "archivebox_read_snapshot",
    "archivebox_list_archiveresults": "archivebox_list_snapshots",
}
# Where descriptions use the words that people use for these things.
PEOPLES_WORDS = {
    "label": "archivebox_create_tag",
    "article": "archivebox_read_snapshot",
    "PDF": "archivebox_read_snapshot",
    "bookmark": "archivebox_list_snapshots",
    "weekly": "archivebox_schedule",
    "website|whole site": "archivebox_create_crawl",
    "folder": "archive_create_collection",
    "influencer": "archive_search_creators",
    "UGC": "archive_search_items",
    "caption": "archive_search_items",
    "usage rights": "archive_search_items",
    "webhook": "archive_create_content_view",
}


def words(text: str) -> set[str]:
    """Return the words of a text, in small letters."""
    return set(re.findall(r"[a-z]+", text.lower()))


def fields(schema: Schema, about: str = "") -> Iterator[tuple[Schema, str]]:
    """Yield the arguments of a tool and the fields within them, each with the texts about it."""
    for field in schema.get("properties", {}).values():
        text = f"{about} {field.get('description', '')}".strip()
        yield field, text
        yield from fields(field, text)
        yield from fields(field.get("items", {}), text)


@each_tool
def test_the_first_sentence_says_what_the_tool_does(name: str) -> None:
    first = TOOLS[name]["description"].split(". ")[0]

    assert BEGINNING.match(first), first
    assert len(first.split()) >= 3


@each_tool
def test_every_sentence_is_complete(name: str) -> None:
    # A colon may begin a list; what follows a full stop begins a sentence.
    for sentence in re.split(r"(?<=[.])\s+(?=[A-Z`])", TOOLS[name]["description"]):
        assert sentence.endswith((".", ":")), sentence
        assert len(sentence.split()) >= 2, sentence


@pytest.mark.parametrize("name", SISTERS)
def test_a_tool_with_a_sister_says_when_to_use_that_one(name: str) -> None:
    description = TOOLS[name]["description"]

    assert SISTERS[name] in description
    assert WHEN.search(description.partition(SISTERS[name])[0])


def test_no_two_tools_are_described_alike() -> None:
    texts = {name: words(tool["description"]) for name, tool in TOOLS.items()}
    pairs = [
        (one, other)
        for one, other in combinations(texts, 2)
        if KINDS.sub("", one) != KINDS.sub("", other)
    ]
    alike = [
        (one, other)
        for one, other in pairs
        if len(texts[one] & texts[other]) / len(texts[one] | texts[other]) > MOST_ALIKE
    ]

    assert alike == []


@each_tool
def test_no_argument_is_described_in_a_word_or_a_fragment(name: str) -> None:
    for argument, schema in TOOLS[name]["inputSchema"]["properties"].items():
        text = schema["description"]
        assert len(text.split()) >= 2, argument
        assert text.endswith("."), argument
        assert text[0].isupper() or text[0] in "`_" or text.split()[0] in argument_values(schema)


def argument_values(schema: Schema) -> set[str]:
    """Return the first words with which a text may begin in small letters: values themselves."""
    return {"daily,", *schema.get("enum", [])}


@each_tool
def test_every_choice_is_explained(name: str) -> None:
    for schema, text in fields(TOOLS[name]["inputSchema"]):
        values = schema.get("enum") or schema.get("items", {}).get("enum")
        if values:
            assert len(text.split()) >= 2, values


@pytest.mark.parametrize("word", PEOPLES_WORDS)
def test_descriptions_use_the_words_that_people_use(word: str) -> None:
    assert re.search(word, TOOLS[PEOPLES_WORDS[word]]["description"], re.I)
