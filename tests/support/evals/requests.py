"""Everyday requests with the tools that are right for them, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

FILE = ROOT / "tests" / "evals" / "requests.toml"
SECOND = FILE.with_name("requests_second.toml")
FOURTH = FILE.with_name("requests_fourth.toml")
UNSEEN = FILE.with_name("unseen.toml")
SETS = {"develop", "held_out"}


@dataclass(frozen=True)
class Request:
    """What a person says, the tools that are right first choices, and the set it belongs to."""

    text: str
    tools: frozenset[str]
    kind: str


def read_requests(file: Path = FILE) -> tuple[Request, ...]:
    """Return the requests of the file, in its order."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(
        Request(row["text"], frozenset(row["tools"]), row["set"]) for row in content["request"]
    )


def read_second() -> list[Request]:
    """Return the requests of the second author."""
    return _read_whole_set(SECOND, "second")


def read_fourth() -> list[Request]:
    """Return the requests of the fourth author."""
    return _read_whole_set(FOURTH, "fourth")


def read_unseen() -> list[Request]:
    """Return the requests after which nothing was mended."""
    return _read_whole_set(UNSEEN, "unseen")


def _read_whole_set(file: Path, kind: str) -> list[Request]:
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return [Request(row["text"], frozenset(row["tools"]), kind) for row in content["request"]]


REQUESTS = read_requests()
