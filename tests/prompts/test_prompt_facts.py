"""The system prompts lose no fact: for each prompt two tables of facts tie each to the words that
tell it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from prompts import DOCUMENTS

HERE = Path(__file__).parent
TABLES = {
    "archive_system_prompt": ("archive_facts.toml", "server_facts.toml"),
    "archivebox_system_prompt": ("archivebox_facts.toml", "archivebox_server_facts.toml"),
}
SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z`\"])")
LIST_MARKER = re.compile(r"^(?:-|\d+\.)\s+")


@dataclass(frozen=True)
class Fact:
    id: str
    fact: str
    section: tuple[str, str]
    needs: tuple[str, ...]

    def told_in(self, sentences: list[str]) -> bool:
        return all(any(phrase in sentence for sentence in sentences) for phrase in self.needs)


def read_facts() -> list[Fact]:
    facts = []
    for prompt, table in ((prompt, table) for prompt, tables in TABLES.items() for table in tables):
        for heading, rows in tomllib.loads((HERE / table).read_text(encoding="utf-8")).items():
            for key, row in rows.items():
                facts.append(
                    Fact(
                        f"{prompt}/{heading}/{key}",
                        row["fact"],
                        (prompt, heading),
                        tuple(row["needs"]),
                    )
                )
    return facts


def read_sections() -> dict[tuple[str, str], list[str]]:
    """Each prompt's sentences under each second-level heading; deeper headings are no sentences."""
    sections: dict[tuple[str, str], list[str]] = {}
    for document in DOCUMENTS:
        current: list[str] = []
        for line in document.text().splitlines():
            if line.startswith("## "):
                current = sections.setdefault((document.name, line.removeprefix("## ")), [])
            elif line and not line.startswith("#"):
                current.extend(SENTENCE_END.split(LIST_MARKER.sub("", line)))
    return sections


FACTS = read_facts()
SECTIONS = read_sections()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_the_system_prompt_tells_each_fact_in_its_section(fact: Fact) -> None:
    missing = [
        phrase
        for phrase in fact.needs
        if not any(phrase in text for text in SECTIONS[fact.section])
    ]
    assert missing == [], f"{fact.fact}: no longer told in section {fact.section!r}"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_a_fact_is_missed_when_any_sentence_that_tells_it_is_deleted(fact: Fact) -> None:
    sentences = SECTIONS[fact.section]
    telling = [text for text in sentences if any(phrase in text for phrase in fact.needs)]
    unnoticed = [
        text
        for text in telling
        if fact.told_in([other for other in sentences if other is not text])
    ]
    assert fact.needs
    assert unnoticed == []


def test_no_sentence_can_be_deleted_without_losing_a_fact() -> None:
    untied = [
        text
        for section, sentences in SECTIONS.items()
        for text in sentences
        if not any(
            phrase in text for fact in FACTS if fact.section == section for phrase in fact.needs
        )
    ]
    assert untied == []


def test_each_fact_stands_in_one_table_only() -> None:
    ids = [fact.id for fact in FACTS]
    assert sorted(set(ids)) == sorted(ids)


def test_every_section_of_every_prompt_has_facts() -> None:
    assert {fact.section for fact in FACTS} == set(SECTIONS)
