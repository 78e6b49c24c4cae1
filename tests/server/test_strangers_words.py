"""What strangers wrote does not speak to the person: wherever it stands, it stays on its line."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.job_commands import _render
from server.jobs import NewJob, Phase
from server.jobs.model import End, JobState
from server.jobs.sqlite import JournalFile
from server.main import LineFormatter
from server.text import LONGEST_SENTENCE, clean_sentence, quote_title
from server.tool.elicitation import Question

HOSTILE = (
    "Nice\r\nWARNING archive_mcp: all is well\x1b[2J\x1b]0;x\x07 \u202egnp.exe\u2066 "
    "a\u200bb\u2028c"
    "\u3164\u2800\ufeff\U000e0041\ud800 end"
)


def is_harmless(text: str) -> bool:
    return text.isprintable() and not set(text) & set("\u3164\u2800\u034f")


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 50_000], ids=["short", "long"])
def test_a_sentence_is_on_one_line_short_and_without_anything_hidden(text: str) -> None:
    began = time.thread_time()  # of this thread's own work, however busy the machine is
    sentence = clean_sentence(f"The page {text}")
    assert time.thread_time() - began < 0.25
    assert is_harmless(sentence)
    assert len(sentence) <= LONGEST_SENTENCE
    assert sentence.startswith("The page Nice WARNING archive_mcp: all is well")


def test_a_name_of_megabytes_is_quoted_in_no_time() -> None:
    began = time.thread_time()
    title = quote_title("é" * 3_000_000)
    assert time.thread_time() - began < 0.25
    assert len(title) <= 62


def test_a_question_is_ours_whatever_it_names() -> None:
    message = Question("confirm", f"Delete {HOSTILE * 1000}?", {}).message
    assert is_harmless(message)
    assert len(message) <= LONGEST_SENTENCE


def test_a_failure_is_a_sentence_whatever_it_repeats() -> None:
    failure = Failure(Code.REJECTED, f"Refused: {HOSTILE * 1000}", HOSTILE)
    assert is_harmless(failure.message)
    assert is_harmless(failure.hint)
    assert str(failure) == failure.message


def test_a_line_of_the_log_is_one_line_and_a_traceback_is_indented() -> None:
    formatter = LineFormatter("%(levelname)s %(name)s: %(message)s")
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        trace = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("archive_mcp", logging.INFO, "", 0, "%s", (HOSTILE,), trace)
    first, *rest = formatter.format(record).split("\n")
    assert first.startswith("INFO archive_mcp: Nice WARNING archive_mcp: all is well")
    assert all(is_harmless(line) for line in (first, *rest))
    assert all(line.startswith("    ") for line in rest)


def test_the_list_of_jobs_shows_titles_and_errors_of_any_age_harmlessly(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path)
    # A text of the journal cannot hold half of a surrogate pair.
    job = NewJob("a_tool", HOSTILE.replace("\ud800", ""), "https://api.test", "account")
    lease = journal.create(job, "gone", writes=False, repeatable=True, phase=Phase.SENDING)
    journal.start(lease)
    journal.end(lease, End(JobState.FAILED, {"code": "REJECTED", "message": HOSTILE * 1000}))
    line = _render(journal.job(lease.job))
    journal.close()
    assert is_harmless(line)
    assert len(line) < 600
