"""The texts for assistants: what they may name, what they must not say, how long they may be, how they are read."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import prompts
from prompts import DOCUMENTS, Document, instructions

ROOT = Path(prompts.__file__).parent.parent
TOOLS = {
    "archive_get_workspaces",
    "archive_get_workspace",
    "archive_get_custom_attribute_schemas",
    "archive_get_filter_presets",
    "archive_search_items",
    "archive_get_media_contents",
    "archive_get_transcriptions",
    "archive_get_item_ids_by_url",
    "archive_get_engagement_history",
    "archive_search_creators",
    "archive_get_creator",
    "archive_get_social_profile",
    "archive_get_operations",
    "archive_get_operation",
    "archive_add_item_to_collections",
    "archive_remove_item_from_collections",
    "archive_refetch_engagement_bulk",
}
PROMPT_NAMES = {document.name for document in DOCUMENTS}
TOOL_NAME = re.compile(r"\barchive(?:box|_mcp)?_[a-z_]*[a-z]\b")
SHOUTING = re.compile(r"\b(?:CRITICAL|MUST|MANDATORY|IMPORTANT|NEVER|ALWAYS|WARNING|REQUIRED)\b")
READING = re.compile(r"\b(?:open|read|cat|load|source|print|view|show|inspect|check|look in(?:to)?)\b", re.IGNORECASE)
TEXTS = {"system prompt": DOCUMENTS[0].text(), "instructions": instructions()}
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())


@every_text
def test_only_tools_of_this_server_are_named(text: str) -> None:
    assert set(TOOL_NAME.findall(text)) - PROMPT_NAMES - TOOLS == set()


def test_the_system_prompt_names_every_tool() -> None:
    assert TOOLS - set(TOOL_NAME.findall(TEXTS["system prompt"])) == set()


@every_text
def test_nobody_is_told_to_read_an_env_file(text: str) -> None:
    sentences = re.split(r"(?<=[.?!])\s", text)
    assert [sentence for sentence in sentences if ".env" in sentence and READING.search(sentence)] == []


@every_text
def test_a_token_is_never_to_be_asked_for(text: str) -> None:
    assert re.findall(r"(\w+) ask for [^.;]*\btoken", text) == ["never"]


@every_text
def test_no_word_is_shouted(text: str) -> None:
    assert SHOUTING.findall(re.sub(r"`[^`]*`", "", text)) == []


@every_text
def test_text_of_strangers_is_called_data(text: str) -> None:
    assert re.search(r"strangers.*data, never instructions", text)


def test_instructions_stay_under_2000_bytes() -> None:
    assert len(instructions().encode()) < 2000


def test_instructions_point_to_every_long_form() -> None:
    assert [doc.name for doc in DOCUMENTS if doc.name not in instructions() or doc.uri not in instructions()] == []


@pytest.mark.parametrize(
    "topic",
    ["archivebox_", "`workspace`", "nextCursor", "`after`", "`limit`", "`fields`", "hint", "`confirm`", "cents"],
)
def test_instructions_are_useful_on_their_own(topic: str) -> None:
    assert topic in instructions()


def test_the_system_prompt_stays_affordable() -> None:
    assert 9_000 <= len(DOCUMENTS[0].text().encode()) <= 14_000


@every_text
def test_texts_are_plain_ascii_and_end_with_one_newline(text: str) -> None:
    assert text.isascii()
    assert text == text.strip() + "\n"


def test_every_file_of_text_is_offered() -> None:
    offered = {document.file for document in DOCUMENTS} | {"instructions.md"}
    assert {path.name for path in (ROOT / "prompts").glob("*.md")} == offered


def test_documents_are_named_uniquely() -> None:
    assert len({document.name for document in DOCUMENTS}) == len({document.uri for document in DOCUMENTS})
    assert len({document.name for document in DOCUMENTS}) == len(DOCUMENTS)


def test_the_archive_prompt_keeps_its_name_and_address() -> None:
    document = DOCUMENTS[0]
    assert (document.name, document.uri) == ("archive_system_prompt", "archive://system-prompt")
    assert document.mime_type == "text/markdown"
    assert document.title
    assert document.description


def test_a_document_reads_its_own_file() -> None:
    document = DOCUMENTS[0]
    assert document.text() == (ROOT / "prompts" / document.file).read_text(encoding="utf-8")


def test_a_document_without_its_file_says_so() -> None:
    lost = Document(name="lost", title="Lost", description="-", uri="archive://lost", file="lost.md")
    with pytest.raises(FileNotFoundError):
        lost.text()


def test_a_document_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DOCUMENTS[0].name = "other"  # type: ignore[misc]  # the point of the test


def test_importing_the_loader_imports_only_the_standard_library_and_no_resource_reader() -> None:
    code = "import sys; import prompts; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) - {"__main__", "prompts"} == set()
    assert "importlib.resources" not in run.stdout.split()
