"""What a run found, for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome

from scripts.mutants.configuration import ROOT, Module, Reasons
from scripts.mutants.trial import TIMEOUT


@dataclass(frozen=True)
class Mutant:
    """A change of a module: the line as it was and as it became."""

    path: str
    number: int
    before: str
    after: str
    reason: str = ""
    """Why it may stay unnoticed; empty if it may not."""


@dataclass(frozen=True)
class Figures:
    """How many mutants there were, were noticed, and may stay unnoticed for a reason."""

    count: int
    noticed: int
    accepted: int

    @property
    def share(self) -> float:
        """The part of all mutants that was noticed, accepted ones included."""
        return self.noticed / max(1, self.count)

    @property
    def unexplained(self) -> float:
        """The part of all mutants that stayed unnoticed without a reason."""
        return (self.count - self.noticed - self.accepted) / max(1, self.count)

    def __str__(self) -> str:
        share = f"{100 * self.share:.1f} %"
        return f"{self.noticed} of {self.count} noticed ({share}), {self.accepted} accepted"


def report_module(module: Module, reasons: Reasons) -> Figures:
    """Print the figures of a module's session and what stayed unnoticed."""
    with use_db(str(module.session), WorkDB.Mode.open) as database:
        results = [
            result
            for _, result in database.results
            if result.worker_outcome is WorkerOutcome.NORMAL
        ]
    mutants = [
        (_read_mutant(module, result.diff or "", reasons), result.is_killed) for result in results
    ]
    mutants.sort(key=lambda entry: entry[0].number)
    survivors = [mutant for mutant, is_noticed in mutants if not is_noticed]
    # Of two equal lines one may be noticed and the other not.
    unnoticed = {(mutant.before, mutant.after) for mutant in survivors}
    accepted = sum(bool(survivor.reason) for survivor in survivors)
    figures = Figures(len(results), len(results) - len(survivors), accepted)
    late = sum(result.output == TIMEOUT for result in results)
    print(f"{module.path}: {figures}, {late} by time-out")
    for survivor in survivors:
        sign = "accepted" if survivor.reason else "UNNOTICED"
        print(f"  {sign} line {survivor.number}: {survivor.before}\n      -> {survivor.after}")
        if survivor.reason:
            print(f"      {survivor.reason}")
    for mutant, is_noticed in mutants:
        if is_noticed and mutant.reason and (mutant.before, mutant.after) not in unnoticed:
            print(f"  noticed, accepted without need: {mutant.before}\n      -> {mutant.after}")
    sys.stdout.flush()
    return figures


def _read_mutant(module: Module, diff: str, reasons: Reasons) -> Mutant:
    number, before, after = diff.split("\n")
    reason = reasons.get((module.path, before, after), "")
    return Mutant(module.path, int(number), before, after, reason)


def report_all(figures: Mapping[str, Figures], threshold: float, reasons: Reasons) -> int:
    """Print the sum, the weak modules, and reasons that no longer apply; 1 if any is too weak."""
    parts = figures.values()
    total = Figures(
        sum(part.count for part in parts),
        sum(part.noticed for part in parts),
        sum(part.accepted for part in parts),
    )
    print(f"All: {total}")
    for path, before, _ in reasons:
        if path in figures and before not in _lines_of(path):
            print(f"There is no such line any more in {path}: {before}")
    weak = [path for path, part in figures.items() if part.unexplained > 1 - threshold]
    if weak:
        print(f"Too few noticed in: {', '.join(weak)}")
    return 1 if weak or total.share < threshold else 0


def _lines_of(path: str) -> set[str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return {" ".join(line.split()) for line in lines}
