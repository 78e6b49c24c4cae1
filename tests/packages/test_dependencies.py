"""What everybody installs: the server over stdio, and nothing of a team's."""

from __future__ import annotations

import tomllib

from packaging.requirements import Requirement

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# 45 MB with what they need in turn. Whatever comes to them everybody pays for.
DEFAULT = {
    "anyio",
    "chardet",
    "graphql-core",
    "httpx",
    "justhtml",
    "mcp",
    "pydantic",
    "python-dotenv",
    "truststore",
    "tzdata",
    "uvicorn",
}


def read_names(requirements: list[str]) -> set[str]:
    """The names of requirements."""
    return {Requirement(line).name for line in requirements}


def test_the_default_dependencies_do_not_grow() -> None:
    assert read_names(PROJECT["dependencies"]) == DEFAULT


def test_what_a_team_needs_is_an_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    for name in ("team", "redis", "otel"):
        assert read_names(extras[name]).isdisjoint(DEFAULT)
