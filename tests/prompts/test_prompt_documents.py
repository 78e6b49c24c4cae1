"""The texts for assistants: what they may name, what they must not say, how long they may be, how
they are read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import prompts
from prompts import DOCUMENTS, Document, instructions
from tests.support.paths import SURFACE

ROOT = Path(prompts.__file__).parent.parent
SURFACE = json.loads((SURFACE).read_text(encoding="utf-8"))["tools"]
ARCHIVE_TOOLS = {name for row in SURFACE if (name := row["tool"]["name"]).startswith("archive_")}
ARCHIVEBOX_TOOLS = {
    "archivebox_list_snapshots",
    "archivebox_get_snapshot",
    "archivebox_create_snapshot",
    "archivebox_update_snapshot",
    "archivebox_delete_snapshot",
    "archivebox_get_snapshots_feed",
    "archivebox_get_screencast",
    "archivebox_get_any",
    "archivebox_list_archiveresults",
    "archivebox_get_archiveresult",
    "archivebox_create_archiveresult",
    "archivebox_update_archiveresult",
    "archivebox_list_tags",
    "archivebox_get_tag",
    "archivebox_search_tags",
    "archivebox_autocomplete_tags",
    "archivebox_create_tag",
    "archivebox_rename_tag",
    "archivebox_delete_tag",
    "archivebox_tag_snapshot",
    "archivebox_untag_snapshot",
    "archivebox_export_tag_urls",
    "archivebox_export_tag_snapshots",
    "archivebox_list_crawls",
    "archivebox_get_crawl",
    "archivebox_create_crawl",
    "archivebox_update_crawl",
    "archivebox_delete_crawl",
    "archivebox_get_crawl_file",
    "archivebox_add",
    "archivebox_update",
    "archivebox_schedule",
    "archivebox_search",
    "archivebox_remove",
    "archivebox_list_machines",
    "archivebox_get_current_machine",
    "archivebox_get_machine",
    "archivebox_list_binaries",
    "archivebox_get_binary",
    "archivebox_get_binaries_by_name",
    "archivebox_get_orchestrator",
    "archivebox_list_workers",
    "archivebox_list_personas",
    "archivebox_get_api_token",
    "archivebox_check_api_token",
    "archivebox_read_snapshot",
    "archivebox_start_save",
    "archivebox_start_export",
    "archivebox_start_remove",
}
JOB_TOOLS = {"archive_mcp_get_job", "archive_mcp_list_jobs", "archive_mcp_cancel_job"}
"""Those of the server itself that belong to both products."""
TOOLS_OF_PROMPT = {
    "archive_system_prompt": ARCHIVE_TOOLS,
    "archivebox_system_prompt": ARCHIVEBOX_TOOLS | JOB_TOOLS,
}
BYTES_OF_PROMPT = {
    "archive_system_prompt": (9_000, 22_100),
    "archivebox_system_prompt": (8_000, 13_500),
}
ADDRESSES = {
    "archive_system_prompt": "archive://system-prompt",
    "archivebox_system_prompt": "archivebox://system-prompt",
}
FIELD_NAMES = {"archive_path"}
PROMPT_NAMES = {document.name for document in DOCUMENTS}
TOOL_NAME = re.compile(r"\barchive(?:box|_mcp)?_[a-z_]*[a-z]\b")
SHOUTING = re.compile(r"\b(?:CRITICAL|MUST|MANDATORY|IMPORTANT|NEVER|ALWAYS|WARNING|REQUIRED)\b")
READING = re.compile(
    r"\b(?:open|read|cat|load|source|print|view|show|inspect|check|look in(?:to)?)\b", re.IGNORECASE
)
TEXTS = {document.name: document.text() for document in DOCUMENTS} | {
    "instructions": instructions()
}
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
every_prompt = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def tools_named_in(text: str) -> set[str]:
    return set(TOOL_NAME.findall(text)) - PROMPT_NAMES - FIELD_NAMES


@every_text
def test_only_tools_of_this_server_are_named(text: str) -> None:
    assert tools_named_in(text) - ARCHIVE_TOOLS - ARCHIVEBOX_TOOLS == set()


@every_prompt
def test_a_system_prompt_names_every_tool_of_its_product_and_none_of_the_other(
    document: Document,
) -> None:
    assert tools_named_in(document.text()) == TOOLS_OF_PROMPT[document.name]


@every_text
def test_nobody_is_told_to_read_an_env_file(text: str) -> None:
    sentences = re.split(r"(?<=[.?!])\s", text)
    assert [
        sentence for sentence in sentences if ".env" in sentence and READING.search(sentence)
    ] == []


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
    assert [
        doc.name
        for doc in DOCUMENTS
        if doc.name not in instructions() or doc.uri not in instructions()
    ] == []


@pytest.mark.parametrize(
    "topic",
    [
        "`workspace`",
        "nextCursor",
        "`after`",
        "`limit`",
        "`fields`",
        "hint",
        "`confirm`",
        "cents",
        "archivebox_add",
        "archivebox_list_snapshots",
        "archivebox_read_snapshot",
        "`status` failed",
        "`sealed` means ended, not cancelled",
        "UNSUPPORTED",
        "archive_mcp_find_tools",
        "archive_mcp_call_write_tool",
        "start a job",
        "archive_start_collection_job",
        "archivebox_start_save",
        "archive_summarize_performance",
    ],
)
def test_instructions_are_useful_on_their_own(topic: str) -> None:
    assert topic in instructions()


def test_instructions_treat_both_products_as_there() -> None:
    assert "when listed" not in instructions()


@every_prompt
def test_a_system_prompt_stays_affordable(document: Document) -> None:
    least, most = BYTES_OF_PROMPT[document.name]
    assert least <= len(document.text().encode()) <= most


@every_text
def test_texts_are_plain_ascii_and_end_with_one_newline(text: str) -> None:
    assert text.isascii()
    assert text == text.strip() + "\n"


def test_every_file_of_text_is_offered() -> None:
    offered = {document.file for document in DOCUMENTS} | {"instructions.md"}
    assert {path.name for path in (ROOT / "prompts").glob("*.md")} == offered


def test_documents_are_named_uniquely() -> None:
    assert len({document.name for document in DOCUMENTS}) == len(
        {document.uri for document in DOCUMENTS}
    )
    assert len({document.name for document in DOCUMENTS}) == len(DOCUMENTS)


def test_prompts_keep_their_names_and_addresses() -> None:
    assert {document.name: document.uri for document in DOCUMENTS} == ADDRESSES


@every_prompt
def test_a_prompt_says_what_it_is(document: Document) -> None:
    assert document.mime_type == "text/markdown"
    assert document.title
    assert document.description


@every_prompt
def test_a_document_reads_its_own_file(document: Document) -> None:
    assert document.text() == (ROOT / "prompts" / document.file).read_text(encoding="utf-8")


def test_a_document_without_its_file_says_so() -> None:
    lost = Document(
        name="lost", title="Lost", description="-", uri="archive://lost", file="lost.md"
    )
    with pytest.raises(FileNotFoundError):
        lost.text()


def test_a_document_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DOCUMENTS[0].name = "other"  # type: ignore[misc]  # the point of the test


def test_importing_the_loader_imports_only_the_standard_library_and_no_resource_reader() -> None:
    code = "import sys; import prompts; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) - {"__main__", "prompts"} == set()
    assert "importlib.resources" not in run.stdout.split()
