"""Writes the everyday requests as eval cases of the plugin: `python -m scripts.evals`.

Hosts that run evaluations with a model take them from `evals/`. A case passes where the model calls
one of the tools that are right for the request, whatever the call returns.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REQUESTS = ROOT / "tests" / "evals" / "requests.toml"
FOLDER = ROOT / "evals"
README = "README.md"
CASE = "case.yaml"

Row = dict[str, Any]

# They reach other tools, and are listed only where those are not.
_REACHING = re.compile(r"archive_mcp_(find|describe|call_\w+)_tools?")
# One search for the tool, the call, and an answer.
_MOST_TURNS = 5
_LONGEST_NAME = 48

_README = """\
# Evals

Everyday requests, each with the tools that are right for it, as cases for hosts that run
evaluations of a plugin with a model. They are generated from `tests/evals/requests.toml`
(`python -m scripts.evals`); the tests of this project run no model.

    claude plugin eval . --mocks off --allow-tools 'mcp__*' --ablation none --runs 1

Each run is paid for by your account. A case passes where the model calls a right tool; without a
token the call answers what to set, which is enough for that.
"""


def render_cases() -> dict[str, str]:
    """Return the text of each case, by the name of its folder."""
    content = tomllib.loads(REQUESTS.read_text(encoding="utf-8"))
    cases: dict[str, str] = {}
    for row in content["request"]:
        tools = [name for name in row["tools"] if not _REACHING.fullmatch(name)]
        if tools:
            name = _make_name(row["text"], cases)
            cases[name] = _render_case(name, row["text"], tools)
    return cases


def write(folder: Path) -> int:
    """Write the cases below a folder, without those of before; return how many there are."""
    shutil.rmtree(folder, ignore_errors=True)
    cases = render_cases()
    for name, text in cases.items():
        (folder / name).mkdir(parents=True)
        (folder / name / CASE).write_text(text, encoding="utf-8")
    (folder / README).write_text(_README, encoding="utf-8")
    return len(cases)


def _render_case(name: str, text: str, tools: list[str]) -> str:
    # The host puts the names of server and plugin before a tool's.
    pattern = rf'"name":\s*"mcp__[\w-]+__(?:{"|".join(tools)})"'
    # JSON's texts are YAML's too.
    return f"""\
schema_version: "1.1"
name: {name}
execution:
  prompt: {json.dumps(text, ensure_ascii=False)}
  max_turns: {_MOST_TURNS}
graders:
  - type: regex
    name: calls-a-right-tool
    target: trace
    pattern: {json.dumps(pattern)}
"""


def _make_name(text: str, existing: dict[str, str]) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:_LONGEST_NAME].strip("-")
    name, number = words, 2
    while name in existing:
        name, number = f"{words}-{number}", number + 1
    return name


if __name__ == "__main__":
    sys.stdout.write(f"evals: {write(FOLDER)} cases\n")
