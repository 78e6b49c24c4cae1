"""Figures, their baselines and goals, and the table they are shown in."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Judged = Literal["ratio", "added", "value"]


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args: value, baseline: medians, in `unit`; without a baseline there is none to compare with.
        best, best_baseline: the least of the runs, where there were several. goal: the bound;
        `judged` says for what: the ratio to the baseline, the difference from it, or the value.
        at_least: whether the goal is a lower bound. runs: how many runs the medians are of.
    """

    name: str
    value: float
    unit: str = ""
    baseline: float | None = None
    best: float | None = None
    best_baseline: float | None = None
    goal: float | None = None
    judged: Judged = "value"
    at_least: bool = False
    runs: int = 1

    @property
    def ratio(self) -> float | None:
        """Value over baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def best_ratio(self) -> float | None:
        """Best value over best baseline: what is left when the machine's noise is not."""
        return self.best / self.best_baseline if self.best and self.best_baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        judged = {
            "ratio": self.ratio,
            "added": self.value - (self.baseline or 0),
            "value": self.value,
        }[self.judged]
        if judged is None:
            return None
        return judged >= self.goal if self.at_least else judged <= self.goal

    def as_json(self) -> dict[str, Any]:
        """Everything, derived figures included."""
        return asdict(self) | {"ratio": self.ratio, "best_ratio": self.best_ratio, "met": self.met}


def compared(
    name: str,
    ours: Sequence[float],
    baseline: Sequence[float],
    unit: str,
    *,
    goal: float | None = None,
    judged: Judged = "ratio",
) -> Figure:
    """A figure of runs that took turns with runs of a baseline."""
    return Figure(
        name,
        statistics.median(ours),
        unit,
        statistics.median(baseline),
        min(ours),
        min(baseline),
        goal,
        judged,
        runs=len(ours),
    )


def table(figures: dict[str, list[Figure]]) -> str:
    """The figures by benchmark, as a table."""
    head = [
        "benchmark",
        "figure",
        "ours",
        "baseline",
        "ratio",
        "best",
        "added",
        "goal",
        "met",
        "runs",
    ]
    rows = [
        [benchmark, *_cells(figure)] for benchmark, found in figures.items() for figure in found
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [_joined(head, widths), _joined(["-" * width for width in widths], widths)]
    return "\n".join([*lines, *(_joined(row, widths) for row in rows)])


def _cells(figure: Figure) -> list[str]:
    added = None if figure.baseline is None else figure.value - figure.baseline
    return [
        figure.name,
        f"{number(figure.value)} {figure.unit}".strip(),
        _or_blank(figure.baseline, number),
        _or_blank(figure.ratio, "{:.2f}x".format),
        _or_blank(figure.best_ratio, "{:.2f}x".format),
        _or_blank(added if figure.judged == "added" else None, number),
        _goal(figure),
        {True: "yes", False: "NO", None: ""}[figure.met],
        str(figure.runs),
    ]


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    sign = ">=" if figure.at_least else "<="
    suffix = {"ratio": "x", "added": f" {figure.unit} added", "value": f" {figure.unit}"}[
        figure.judged
    ]
    return f"{sign} {number(figure.goal)}{suffix}".strip()


def number(value: float) -> str:
    """A number with about three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _or_blank(value: float | None, shown: Callable[[float], str]) -> str:
    return "" if value is None else shown(value)


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
