"""Nothing tells anybody to install `archive-mcp`: on PyPI that name is another program's, which
would then run with the user's token."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The name alone: no other word continues it, and it is no folder or file of a path.
OLD = r"(?<![\w./\\-])archive[-_.]mcp(?![\w./\\-]|:main)"
# Programs that take a package from an index, with options between them and the name.
INSTALLERS = (
    r"(?:uvx|pipx(?:\s+\w+)?|pip3?\s+(?:install|download|wheel)|uv\s+(?:tool\s+(?:run|install)|add"
    r"|pip\s+install)|--from|--spec|--with)"
)
# After `--from` and `--spec` the next word is a command, not a package.
OPTIONS = r"(?:[\s=]+-(?!-from|-spec)[\w-]+(?:[= ](?!archive)[\w.:+/-]+)?)*"
BY_THE_OLD_NAME = (
    re.compile(rf"{INSTALLERS}{OPTIONS}[\s=]+[\"']?{OLD}", re.IGNORECASE),
    # With extras it is a requirement, whatever stands before it.
    re.compile(rf"{OLD}\[[\w,]+\]", re.IGNORECASE),
    # A field of a manifest, and the arguments of a link.
    re.compile(rf"\"(?:identifier|package)\":\s*\"{OLD}\"", re.IGNORECASE),
    re.compile(rf"\"uvx\",\s*\"args\":\s*\[\s*\"{OLD}\"", re.IGNORECASE),
    re.compile(rf"[?&]arg={OLD}", re.IGNORECASE),
    re.compile(r"/p(?:roject)?/archive-mcp/?(?:$|[\s)\"])", re.IGNORECASE),
)
# This file has the old name in its examples, and so it is left out.
ENDINGS = {".py", ".md", ".json", ".toml", ".yml", ".yaml", ".lock", ".txt", ".sh", ".cfg", ""}


def documents() -> Iterator[Path]:
    """Yield the text files of the repository, this one left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in ENDINGS and path.is_file() and path != Path(__file__):
            yield path


def installs_by_the_old_name(text: str) -> list[str]:
    """Return the parts of a text that would install the other program."""
    plain = unquote(text)
    return [match.group() for pattern in BY_THE_OLD_NAME for match in pattern.finditer(plain)]


def test_the_distribution_has_a_name_of_its_own() -> None:
    assert PROJECT["name"] == "archive-mcp-server"
    # `uvx archive-mcp-server` runs the script of that name; people and older configurations type
    # the other.
    assert PROJECT["scripts"] == {
        "archive-mcp": "archive_mcp:main",
        "archive-mcp-server": "archive_mcp:main",
    }


def test_nothing_installs_by_the_bare_old_name() -> None:
    matches = {
        str(path.relative_to(ROOT)): found
        for path in documents()
        if (found := installs_by_the_old_name(path.read_text(encoding="utf-8")))
    }
    assert matches == {}


@pytest.mark.parametrize(
    "text",
    [
        "uvx archive-mcp",
        "uvx --python 3.13 archive-mcp@latest",
        "pip install archive-mcp",
        "pip install --upgrade 'archive-mcp'",
        "python -m pip install archive_mcp",
        "pipx install archive-mcp",
        "pipx run --spec archive-mcp archive-mcp",
        "uv tool install archive-mcp",
        'uvx --from "archive-mcp" archive-mcp-server',
        'installs it as "archive-mcp[charts]"',
        '"registryType": "pypi", "identifier": "archive-mcp"',
        '{"command": "uvx", "args": ["archive-mcp"]}',
        "goose://extension?cmd=uvx&arg=archive-mcp&id=archive",
        "https://index.example/project/archive-mcp/",
        "vscode:mcp/install?%7B%22command%22%3A%22uvx%22%2C%22args%22%3A%5B%22archive-mcp%22%5D%7D",
    ],
)
def test_ways_to_install_by_the_old_name_are_noticed(text: str) -> None:
    assert installs_by_the_old_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "uvx archive-mcp-server",
        "uvx --from git+https://example.org/team/archive-mcp archive-mcp-server",
        "uvx --from dist/archive_mcp_server-0.1.0-py3-none-any.whl archive-mcp",
        "git clone <this repository> archive-mcp && cd archive-mcp",
        ".venv/bin/pip install . && .venv/bin/archive-mcp demo",
        'pip install "archive-mcp-server[charts]"',
        '"name": "archive-mcp"',
    ],
)
def test_other_uses_of_the_name_pass(text: str) -> None:
    assert installs_by_the_old_name(text) == []
