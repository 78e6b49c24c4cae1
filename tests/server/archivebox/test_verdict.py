"""What counts as saved: results as real servers of three versions gave them."""

from __future__ import annotations

from typing import Any

import pytest

from server.archivebox.site_answer import SiteAnswer
from server.archivebox.verdict import explain, judge, needs_answer

Json = dict[str, Any]

HASHES = {"plugin": "hashes", "status": "succeeded", "output_str": "0.0MB 9a76dbf61d3e"}
NO_ICON = {"plugin": "favicon", "status": "failed", "output_str": "No favicon found"}
NO_TEXT = {"plugin": "htmltotext", "status": "noresults", "output_str": "No HTML source found"}
WARC = {"warc/1795910023.warc.gz": {"size": 2855}}
LOG = "on_Snapshot__06_wget.finite.bg.01a224bf5961-c952f4c0bc374cc98810.stderr.log"


def page(*results: Json, status: str | None = "sealed") -> Json:
    return {"id": "1", "url": "https://a.example/", "status": status, "archiveresults": [*results]}


def wget(status: str, output: str, *files: str) -> Json:
    listed = {name: {"size": 137} for name in files}
    return {
        "plugin": "wget",
        "status": status,
        "output_str": output,
        "output_files": {**listed, **WARC},
    }


def ran(plugin: str, status: str = "succeeded", output: str = "") -> Json:
    return {"plugin": plugin, "status": status, "output_str": output}


GOOD = wget("succeeded", "wget/a.example/index.html", "a.example/index.html")


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ([GOOD, NO_ICON, HASHES], "saved"),
        ([GOOD, ran("readability", "failed", "no article"), HASHES], "saved"),
        ([GOOD, ran("parse_html_urls", "failed", "0 URLs"), HASHES], "saved"),
        ([GOOD, ran("ytdlp", "failed", "no media"), HASHES], "saved"),
        ([GOOD, ran("screenshot", "failed", "TimeoutError"), HASHES], "partly"),
        ([wget("failed", "wget failed (exit=4)"), ran("singlefile"), HASHES], "partly"),
        ([wget("failed", "wget failed (exit=8)"), ran("singlefile"), HASHES], "unknown"),
        ([wget("failed", "wget failed (exit=6)"), ran("dom"), HASHES], "unknown"),
        ([wget("failed", "wget failed (exit=8)"), NO_TEXT, HASHES], "failed"),
        ([wget("noresults", "No files downloaded"), NO_TEXT, HASHES], "failed"),
        ([wget("succeeded", f"wget/{LOG}", LOG), NO_TEXT, NO_ICON, HASHES], "failed"),
        ([wget("succeeded", "wget/warc/1795910023.warc.gz"), NO_TEXT, HASHES], "failed"),
        ([HASHES, ran("title"), ran("headers"), ran("favicon")], "failed"),
        ([HASHES, ran("somebodys_own_plugin")], "failed"),
        ([], "failed"),
    ],
)
def test_only_an_output_that_holds_the_page_saves_it(results: list[Json], outcome: str) -> None:
    verdict = judge(page(*results))
    assert verdict.outcome == outcome
    assert verdict.reason or outcome == "saved"


@pytest.mark.parametrize("status", ["queued", "started", "paused"])
def test_what_is_at_work_is_pending(status: str) -> None:
    verdict = judge(page(HASHES, status=status))
    assert verdict.outcome == "pending"
    assert status in (verdict.reason or "")


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (SiteAnswer(404), "failed", "404 Not Found"),
        (SiteAnswer(302, loops=True), "failed", "circle"),
        (SiteAnswer(200), "partly", "error"),
        (SiteAnswer(200, expected=100_000, received=700), "partly", "700 of 100,000"),
    ],
)
def test_the_answer_of_the_site_decides_where_a_browser_got_what_wget_did_not(
    answer: SiteAnswer, outcome: str, words: str
) -> None:
    doubtful = page(wget("failed", "wget failed (exit=8)"), ran("singlefile"), HASHES)
    assert needs_answer(doubtful)
    verdict = judge(doubtful, answer)
    assert verdict.outcome == outcome
    assert words in (verdict.reason or "")


def test_0_8_5_does_not_tell_a_refusal_from_a_dead_host() -> None:
    failed = {
        "extractor": "wget",
        "status": "failed",
        "output": "Wget failed or got an error from the server",
    }
    text = {"extractor": "htmltotext", "status": "succeeded", "output": "htmltotext.txt"}
    doubtful = page(failed, text, status=None)
    assert judge(doubtful).outcome == "unknown"
    assert judge(doubtful, SiteAnswer(401)).outcome == "failed"
    assert judge(doubtful, SiteAnswer(200)).outcome == "partly"


def old(extractor: str, status: str, output: str = "") -> Json:
    return {"extractor": extractor, "status": status, "output": output}


_NO_CONNECTION = old("wget", "failed", "Wget failed or got an error from the server")
_NO_PDF = old("pdf", "failed", "Failed to chmod: output.pdf does not exist")
_EMPTY_DOM = old("dom", "succeeded", "output.html")
_NO_HTML = old("htmltotext", "failed", "htmltotext could not find HTML to parse for article text")


def test_a_browser_that_got_no_page_saved_none_whatever_0_8_5_calls_it() -> None:
    verdict = judge(page(_NO_PDF, _EMPTY_DOM, _NO_CONNECTION, _NO_HTML, status=None))
    assert verdict.outcome == "failed"
    assert verdict.reason == "The host could not be reached, or the site answered with an error."


@pytest.mark.parametrize(
    "results",
    [
        # The text was drawn from the DOM.
        [_EMPTY_DOM, _NO_CONNECTION, old("htmltotext", "succeeded", "htmltotext.txt")],
        # It was drawn from a copy that comes before it, and says nothing about the DOM.
        [old("singlefile", "succeeded", "singlefile.html"), _EMPTY_DOM, _NO_CONNECTION, _NO_HTML],
        # Another copy is there.
        [old("pdf", "succeeded", "output.pdf"), _EMPTY_DOM, _NO_CONNECTION, _NO_HTML],
    ],
)
def test_a_copy_that_may_be_one_is_not_called_none(results: list[Json]) -> None:
    assert judge(page(*results, status=None)).outcome == "unknown"


def test_a_page_of_wget_is_looked_at_only_where_its_answer_was_stored() -> None:
    stored = {"output_files": {"a.example/index.html": {"size": 700}, **WARC}}
    assert not needs_answer(page({**GOOD, "output_files": {}}, HASHES))
    assert needs_answer(page({**GOOD, **stored}, HASHES))


def test_a_page_of_wget_that_broke_off_is_there_in_part() -> None:
    verdict = judge(page(GOOD, HASHES), SiteAnswer(200, is_ended=False))
    assert (verdict.outcome, verdict.reason) == ("partly", "The page broke off before its end.")


def test_an_answer_without_the_page_fails_no_page_of_wget() -> None:
    assert judge(page(GOOD, HASHES), SiteAnswer(405)).outcome == "saved"


def test_an_empty_page_is_saved_and_told() -> None:
    empty = {**GOOD, "output_files": {"a.example/index.html": {"size": 0}, **WARC}}
    assert judge(page(empty, HASHES)).outcome == "saved"
    assert "empty" in (judge(page(empty, HASHES)).reason or "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wget failed (exit=4)", "could not be reached"),
        ("wget failed (exit=5)", "certificate"),
        ("wget failed (exit=6)", "login"),
        ("wget failed (exit=8)", "answered with an error"),
        ("404 Not Found", "404 Not Found"),
        ("Timed out after 30 seconds", "Timed out"),
        ("Command '['/usr/bin/wget', '-e']' timed out after 30 seconds", "Timed out after 30"),
        ("", "no reason"),
    ],
)
def test_reasons_are_for_people(text: str, words: str) -> None:
    assert words in explain("wget", text)


def test_reasons_name_no_path_of_the_server_and_keep_addresses() -> None:
    text = "ImportError in /srv/box/venv/lib/python3.13/plugins/x.py for https://a.example/b/c"
    reason = explain("singlefile", text)
    assert "/srv" not in reason
    assert "https://a.example/b/c" in reason
