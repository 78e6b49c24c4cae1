"""The lock file satisfies pyproject.toml on every supported Python and system, and names no place.

When one of these fails, `python -m scripts.lock` writes the file anew.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from itertools import chain
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from scripts import lock
from tests.support.paths import ROOT

LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "win32": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}

Environment = dict[str, str]


def environment(python: str, system: str) -> Environment:
    """Return what the markers of requirements are judged by."""
    here: Any = default_environment()
    versions = {"python_version": python, "python_full_version": f"{python}.1"}
    return {**here, **SYSTEMS[system], **versions, "extra": ""}


ENVIRONMENTS = [
    pytest.param(environment(python, system), id=f"{python} {system}")
    for python in PYTHONS
    for system in SYSTEMS
]


def entries() -> list[str]:
    """Return the entries of the lock file: a requirement and its hashes, on one line each."""
    lines = "\n".join(line for line in LOCK.splitlines() if not line.lstrip().startswith("#"))
    return lines.replace("\\\n", " ").splitlines()


def pins(environment: Environment) -> dict[NormalizedName, str]:
    """Return package -> version that is installed in an environment."""
    versions: dict[NormalizedName, str] = {}
    for entry in entries():
        requirement = Requirement(entry.partition("--hash")[0])
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        name = canonicalize_name(requirement.name)
        assert name not in versions, f"{name} is pinned twice"
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        versions[name] = specifier.version
    return versions


def direct_requirements() -> list[Requirement]:
    """Return all that pyproject.toml asks for: to run, as an extra, to test and to build."""
    lists = (
        PROJECT["dependencies"],
        *PROJECT["optional-dependencies"].values(),
        PYPROJECT["dependency-groups"]["dev"],
        PYPROJECT["build-system"]["requires"],
    )
    return [Requirement(line) for line in chain.from_iterable(lists)]


def unsatisfied(
    requirements: list[Requirement], versions: Mapping[NormalizedName, str], where: Environment
) -> Iterator[str]:
    """Yield the requirements that apply in an environment and that no pin meets."""
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate(where):
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement} (pinned: {version})"


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_every_direct_requirement_is_pinned_to_a_version_that_it_allows(
    where: Environment,
) -> None:
    assert list(unsatisfied(direct_requirements(), pins(where), where)) == []


def test_what_the_pinned_packages_require_is_pinned_too() -> None:
    here: Any = {**default_environment(), "extra": ""}
    versions = pins(here)
    missing: dict[str, list[str]] = {}
    for package in metadata.distributions():
        name = canonicalize_name(package.metadata["Name"])
        # Where newer packages are installed, what they require is not what the lock is about.
        if versions.get(name) != package.version:
            continue
        requirements = [Requirement(line) for line in package.requires or ()]
        if lines := list(unsatisfied(requirements, versions, here)):
            missing[name] = lines
    assert missing == {}


def test_every_pin_has_a_hash() -> None:
    pattern = re.compile(r"[\w.-]+==[\w.]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [entry for entry in entries() if not pattern.fullmatch(entry)] == []


def test_no_index_host_or_folder_is_named() -> None:
    # A link, a path and a direct reference need one of these, an option stands first on its line.
    assert re.findall(r"[/@]|\\.|^\s*-(?!-hash=)", LOCK, re.MULTILINE) == []


def test_only_what_runs_the_server_is_synced_by_default() -> None:
    assert PYPROJECT["tool"]["uv"]["default-groups"] == []


def test_what_is_for_development_is_declared_in_one_place() -> None:
    lists = (
        PROJECT["dependencies"],
        *PROJECT["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    )
    names = [
        canonicalize_name(Requirement(line).name)
        for line in chain.from_iterable(lists)
        if isinstance(line, str)  # a group may include another by a table
    ]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (None, []),
        ([], ["--upgrade"]),
        (["ruff", "mypy"], ["--upgrade-package=ruff", "--upgrade-package=mypy"]),
    ],
)
def test_versions_stay_unless_newer_ones_are_asked_for(
    names: list[str] | None, options: list[str]
) -> None:
    assert lock.upgrade_options(names) == options
