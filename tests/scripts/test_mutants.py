"""What `python -m scripts.mutants` is told to do exists; the run itself is not in the suite."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scripts" / "mutants"
CONFIGURATION: dict[str, Any] = tomllib.loads((FOLDER / "modules.toml").read_text())
ACCEPTED: dict[str, Any] = tomllib.loads((FOLDER / "accepted.toml").read_text())
MODULES = {row["path"]: row["tests"] for row in CONFIGURATION["module"]}


@pytest.mark.parametrize("path", MODULES)
def test_a_module_and_its_tests_are_there(path: str) -> None:
    names = [test for test in MODULES[path] if not test.startswith("-k ")]
    tests = [name.removeprefix("--deselect=").split("::")[0] for name in names]

    assert [name for name in (path, *tests) if not (ROOT / name).is_file()] == []
    assert len(MODULES[path]) == len(set(MODULES[path]))


@pytest.mark.parametrize("folder", ["server/jobs", "server/jobs/sqlite", "server/limiter"])
def test_every_module_of_a_folder_with_hard_rules_is_mutated(folder: str) -> None:
    without_code = {
        "server/jobs/sqlite/__init__.py",
        "server/limiter/__init__.py",
        "server/limiter/pace_store.py",
        "server/jobs/__init__.py",
        "server/jobs/interface.py",
    }
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("*.py")}

    assert modules - without_code - MODULES.keys() == set()


def test_every_accepted_mutant_is_of_a_mutated_module_and_has_a_reason() -> None:
    assert ACCEPTED.keys() - MODULES.keys() == set()
    entries = [entry for entries in ACCEPTED.values() for entry in entries]
    assert [entry for entry in entries if len(entry["reason"]) < 10] == []


def test_what_is_excluded_is_so_for_a_reason() -> None:
    for entry in CONFIGURATION["excluded"]:
        assert re.compile(entry["operator"])
        assert re.compile(entry["line"])
        assert entry["reason"].endswith(".")
