"""What the doctor prints, and what it exits with."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from server.doctor import ASSUMPTIONS, examine, render_markdown
from server.doctor.report import (
    Check,
    Finding,
    Report,
    list_advice,
    shorten,
)
from server.main import Product, run
from tests.support.doctored import given, tools
from tests.support.paths import OPENING, ROOT, SURFACE

LIVE = [assumption for assumption in ASSUMPTIONS if assumption.live]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def command(*arguments: str) -> int:
    return run(
        Product(ROOT / "archive_mcp.py", SURFACE, OPENING, "prompts"),
        list(arguments),
    )


def test_json_is_one_object_and_nothing_else_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--sandbox", "doctor", "--json") == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert report["sandbox"] is True
    assert [set(line) for line in report["checks"]] == [{"name", "status", "detail", "hint"}] * len(
        report["checks"]
    )
    assert [workspace["name"] for workspace in report["workspaces"]] == [
        "Northwind Skincare",
        "Northwind Outdoor",
        "Bluebird Coffee",
    ]
    assert [row["id"] for row in report["assumptions"]] == [
        assumption.id for assumption in ASSUMPTIONS
    ]
    assert all("result" not in row for row in report["assumptions"])


def test_text_is_a_line_for_each_check_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--sandbox", "doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    labels = {line[:5].strip() for line in lines[: lines.index("")] if not line.startswith(" ")}
    assert labels <= {"ok", "note", "warn"}
    assert lines[-1] == "All is well with 1 warning."
    assert not any("assumes" in line for line in lines)


def test_names_stand_in_one_column_and_details_in_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("--sandbox", "doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    checks = [line for line in lines[: lines.index("")] if not line.startswith(" ")]
    assert "archivebox key" in {line[6:21].strip() for line in checks}
    assert all(line[20:22] == "  " and line[22] != " " for line in checks)


def test_the_live_check_of_the_sandbox_says_that_it_is_the_sandbox(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("--sandbox", "doctor", "--live") == 0
    out = capsys.readouterr().out
    assert "nothing about the real API" in out
    assert "confirmed     page-size: refused: first must be less than or equal to 100" in out
    assert "contradicted" not in out


def test_with_nothing_configured_it_fails_and_says_what_to_set(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert examine(given(tmp_path), tools(), as_json=False, live=True) == 1
    out = capsys.readouterr().out
    assert "FAIL  token           No Archive token and no ArchiveBox is configured." in out
    assert "-> Run `archive-mcp setup`" in out
    assert "doctor --sandbox" in out
    assert out.splitlines()[-1] == "1 problem."
    # One reason, one line, however many assumptions it leaves open.
    (line,) = (line for line in out.splitlines() if line.startswith("unknown "))
    assert line.startswith(f"unknown       all {len(LIVE)}: not asked, because Archive")
    assert "none of them could be checked now:" in out


def test_a_terminal_without_a_letter_gets_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(
        sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True)
    )
    assert (
        examine(given(tmp_path, ARCHIVE_WORKSPACE_ID="Käse"), tools(), as_json=False, live=False)
        == 1
    )
    assert rb"ARCHIVE_WORKSPACE_ID = K\xe4se (from environment)" in written.getvalue()


def test_only_a_failure_makes_it_not_ok() -> None:
    for status in ("ok", "note", "warn", "skip"):
        assert Report(checks=[Check("x", status, "")]).ok
    assert not Report(checks=[Check("x", "ok", ""), Check("y", "fail", "")]).ok


def test_a_contradicted_assumption_is_a_warning_that_asks_for_a_report() -> None:
    findings = [
        Finding("depth", "contradicted", "it was answered", "report it"),
        Finding("page-size", "confirmed", ""),
    ]
    assert list_advice(findings) == [
        Check("assumption", "warn", "depth: contradicted. it was answered", "report it"),
    ]


def test_the_json_carries_result_and_evidence_of_a_live_check() -> None:
    report = Report(findings=[Finding("depth", "unknown", "HTTP 503")])
    rows = {row["id"]: row for row in json.loads(report.to_json())["assumptions"]}
    assert (rows["depth"]["result"], rows["depth"]["evidence"]) == ("unknown", "HTTP 503")
    assert "result" not in rows["page-size"]


def test_no_secret_comes_out_whole_or_cut() -> None:
    detail = "a arch_live_secret b arch_live_sec... c box_key_9f3a77"
    report = Report(
        ("arch_live_secret", "box_key_9f3a77"),
        checks=[Check("x", "ok", detail, "arch_live_, box_key_")],
    )
    for text in (report.render(), report.to_json()):
        assert "a (secret) b (secret)... c (secret)" in text
        assert "arch_l" not in text
        assert "box_k" not in text


def test_the_first_word_of_a_token_does_not_spoil_a_link() -> None:
    link = "https://archive.sandbox.example/p/1"
    report = Report(("sandbox-token",), checks=[Check("x", "ok", f"{link} sandbox-tok...")])
    assert f"{link} (secret)..." in report.render()


def test_what_could_move_the_cursor_does_not_reach_the_terminal() -> None:
    report = Report(checks=[Check("x", "ok", "a\x1b[2Jb\r\nc\u202ed")])
    assert "a [2Jb  c d" in report.render()


def test_a_long_quotation_is_cut_to_one_line() -> None:
    assert shorten("a\n b") == "a b"
    assert shorten("x" * 161) == "x" * 157 + "..."


def test_each_assumption_has_an_id_of_its_own_a_statement_and_a_way_to_check_it() -> None:
    assert len({assumption.id for assumption in ASSUMPTIONS}) == len(ASSUMPTIONS)
    assert all(
        assumption.id and assumption.statement.endswith(".") and assumption.check
        for assumption in ASSUMPTIONS
    )


def test_the_table_of_the_documents_has_a_row_for_each_assumption() -> None:
    rows = [line for line in render_markdown().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [assumption.id for assumption in ASSUMPTIONS]
    assert all(row.count("|") == 4 for row in rows)
    assert [row.split("|")[3].startswith(" no: ") for row in rows] == [
        not assumption.live for assumption in ASSUMPTIONS
    ]


def test_the_documents_list_the_assumptions_as_the_code_does() -> None:
    page = (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8")
    between = page.partition("<!-- assumptions -->\n")[2].partition("\n<!-- /assumptions -->")[0]
    assert between == render_markdown()
