"""Which modules are changed, how, and which changes may stay unnoticed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(__file__).with_name("modules.toml")
ACCEPTED = Path(__file__).with_name("accepted.toml")
SESSIONS = ROOT / ".mutants"
"""The results of each module's last run, a Cosmic Ray session per module."""

Reasons = dict[tuple[str, str, str], str]
"""Why a mutant may stay unnoticed, by module, line before and line after."""


@dataclass(frozen=True)
class Module:
    """A module to mutate and the tests that have to notice."""

    path: str
    tests: tuple[str, ...]

    @property
    def session(self) -> Path:
        """Where the results of its last run are."""
        return SESSIONS / f"{self.path.removesuffix('.py').replace('/', '.')}.sqlite"


@dataclass(frozen=True)
class Configuration:
    """What `modules.toml` says. Times in seconds."""

    modules: tuple[Module, ...]
    operators: re.Pattern[str]
    excluded: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    preload: tuple[str, ...]
    slack: float
    threshold: float


def load_configuration(file: Path = MODULES) -> Configuration:
    """Read the modules, their tests, and which mutants count."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    excluded = [
        (re.compile(entry["operator"]), re.compile(entry["line"])) for entry in data["excluded"]
    ]
    return Configuration(
        modules=tuple(Module(row["path"], tuple(row["tests"])) for row in data["module"]),
        operators=re.compile("|".join(f"(?:{pattern})" for pattern in data["operators"])),
        excluded=tuple(excluded),
        preload=tuple(data["preload"]),
        slack=data["slack"],
        threshold=data["threshold"],
    )


def load_reasons(file: Path = ACCEPTED) -> Reasons:
    """Read why some mutants may stay unnoticed, by module, line before and line after."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        (path, entry["before"], entry["after"]): entry["reason"]
        for path, entries in data.items()
        for entry in entries
    }
