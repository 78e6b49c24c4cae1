from __future__ import annotations

import json
import re
from pathlib import Path

from scripts.evals import CASE, FOLDER, README, render_cases, write
from tests.support.evals.requests import REQUESTS


def read_cases(folder: Path) -> dict[str, str]:
    """Return the texts of the cases below a folder, by name."""
    return {file.parent.name: file.read_text(encoding="utf-8") for file in folder.glob(f"*/{CASE}")}


def test_the_committed_cases_are_what_the_requests_say() -> None:
    assert read_cases(FOLDER) == render_cases(), "run: python -m scripts.evals"
    assert (FOLDER / README).is_file()


def test_a_case_has_the_request_and_a_grader_that_the_right_call_passes() -> None:
    texts = {request.text: request.tools for request in REQUESTS}
    for name, case in render_cases().items():
        prompt = json.loads(re.findall(r"prompt: (.*)", case)[0])
        pattern = json.loads(re.findall(r"pattern: (.*)", case)[0])
        tools = [tool for tool in texts[prompt] if re.search(tool, pattern)]
        assert tools, name
        for tool in tools:
            called = f'{{"type":"tool_use","name":"mcp__plugin_archive_archive__{tool}"}}'
            assert re.search(pattern, called), name
        assert not re.search(pattern, '{"name":"mcp__archive__archive_get_nothing"}')


def test_cases_of_before_do_not_stay(tmp_path: Path) -> None:
    old = tmp_path / "evals" / "old" / CASE
    old.parent.mkdir(parents=True)
    old.write_text("name: old", encoding="utf-8")

    assert write(tmp_path / "evals") == len(read_cases(tmp_path / "evals")) > 100
    assert not old.exists()
