"""What the check of one package found, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


class CheckError(Exception):
    """A package is wrong: not valid, not to be started, or careless with the secret."""


class UnavailableError(Exception):
    """What the check needs cannot be had on this machine; the message says what is missing."""


@dataclass
class Result:
    """Collect what one check measured; `failure` and `skipped` say why there is nothing.

    Args:
        cold: seconds from start to the list of tools with nothing downloaded yet.
        warm: the same again.
        size: bytes of what is downloaded or installed first.
        credentials: where the token lies afterwards.
    """

    package: str
    validator: str = "-"
    cold: float | None = None
    warm: float | None = None
    size: int | None = None
    tools: int | None = None
    call: str = "-"
    credentials: str = "-"
    notes: list[str] = field(default_factory=list)
    failure: str = ""
    skipped: str = ""

    @property
    def verdict(self) -> str:
        """One word for the table."""
        if self.failure:
            return "FAILED"
        return "not started" if self.skipped else "ok"


def render_table(results: Iterable[Result]) -> str:
    """Return all results as a Markdown table, with the reasons of what is missing below it."""
    head = ("package", "", "validator's words", "cold", "warm", "size", "tools", "call", "secret")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    reasons = []
    for result in results:
        lines.append(f"| {' | '.join(_render_cells(result))} |")
        reasons += [f"{result.package}: {note}" for note in result.notes]
        if reason := result.failure or result.skipped:
            reasons.append(f"{result.package}, {result.verdict}: {reason}")
    return "\n".join([*lines, "", *reasons]) + "\n"


def measure_size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _render_cells(result: Result) -> tuple[str, ...]:
    cells = (
        result.package,
        result.verdict,
        result.validator,
        _render_seconds(result.cold),
        _render_seconds(result.warm),
        f"{result.size / 1e6:.1f} MB" if result.size else "-",
        str(result.tools or "-"),
        result.call,
        result.credentials,
    )
    # A line break or a bar would end the cell.
    return tuple(" ".join(cell.replace("|", "/").split()) for cell in cells)


def _render_seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"
