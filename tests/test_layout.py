"""Who may import whom: the folders depend one way, and each protocol has one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT, SURFACE

CODE = sorted(
    path for folder in ("server", "tools", "prompts") for path in (ROOT / folder).rglob("*.py")
)


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Return the absolute names of what a module imports."""
    return tuple(read_imports(path))


def read_imports(path: Path) -> Iterator[str]:
    """Yield absolute names of what a module imports, relative imports resolved."""
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def outside(name: str, allowed: str | tuple[str, ...]) -> list[str]:
    """Modules beyond `allowed` that import the package `name`."""
    return [
        str(path.relative_to(ROOT))
        for path in CODE
        if any(each.split(".")[0] == name for each in imports_of(path))
        and not str(path.relative_to(ROOT)).startswith(allowed)
    ]


def test_the_server_never_imports_a_tool_or_a_prompt() -> None:
    assert outside("tools", "tools/") == []
    assert outside("prompts", "prompts/") == []


def test_the_server_names_no_tool() -> None:
    import json

    names = [row["tool"]["name"] for row in json.loads((SURFACE).read_text())["tools"]]
    # Clients like any other.
    allowed = {"server/protocol/demo.py", "server/team/demo/play.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in names)
    }
    assert found <= allowed


@pytest.mark.parametrize("folder", ["tools", "prompts", "server/tool", "server/archive"])
def test_the_jobs_know_no_tool_and_no_api(folder: str) -> None:
    package = folder.replace("/", ".")
    assert [
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "server" / "jobs").rglob("*.py")
        for name in imports_of(path)
        if name == package or name.startswith(f"{package}.")
    ] == []


@pytest.mark.parametrize(
    ("package", "place"),
    [
        ("mcp", "server/protocol/"),
        ("mcp_types", "server/protocol/"),
        ("httpx", "server/http/"),
        ("graphql", "server/sandbox/"),
        ("uvicorn", ("server/sandbox/", "server/team/serving/")),
        ("jwt", "server/team/identity/"),
        ("dotenv", "server/settings/env_files.py"),
        ("PIL", ("server/pictures/", "server/child/worker.py")),
        ("matplotlib", "server/pictures/"),
        ("psycopg", "server/team/"),
        ("psycopg_pool", "server/team/store/"),
        ("yoyo", "server/team/store/"),
        ("redis", "server/team/store/"),
    ],
)
def test_each_library_has_one_place(package: str, place: str | tuple[str, ...]) -> None:
    assert outside(package, place) == []


def test_the_time_of_day_is_read_in_one_place_that_tests_can_fix() -> None:
    # The journal is given its clock; the others name a file, and compare with times of files.
    allowed = {"wall_clock.py", "journal.py", "file.py", "database.py", "job_file.py", "oidc.py"}
    reading = re.compile(r"datetime\.now\(|date\.today\(|\btime\.time\b|\butcnow\(")
    found = {path.name for path in CODE if reading.search(path.read_text(encoding="utf-8"))}
    assert found <= allowed


def test_what_is_kept_between_processes_has_two_places_the_pace_and_the_jobs() -> None:
    allowed = ("server/sqlite_file.py", "server/jobs/")
    assert [
        path for path in outside("sqlite3", "server/limiter/") if not path.startswith(allowed)
    ] == []


def test_a_database_is_opened_for_writing_in_one_place() -> None:
    opening = {
        str(path.relative_to(ROOT))
        for path in CODE
        if "sqlite3.connect(" in path.read_text(encoding="utf-8")
    }
    # The second reads only.
    assert opening == {"server/sqlite_file.py", "server/limiter/health.py"}


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        str(path.relative_to(ROOT)): size
        for path in CODE
        if (size := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
