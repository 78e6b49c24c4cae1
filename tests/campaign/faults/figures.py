"""What was injected, what came of it, and which of that may not be."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from server.errors import Code, Failure
from server.sandbox import TOKEN
from server.sandbox.archivebox import KEY
from server.tool.result import Result

WRONGS = {
    "crash": "crashes",
    "hang": "hangs",
    "lost": "lost",
    "doubled": "doubled",
    "untrue about a write": "untrue about a write",
    "without a hint": "without a hint",
    "leak": "leaks",
    "stall": "event-loop stalls over 250 ms",
    "no JSON": "results that are no JSON",
    "too long": "results over 40,000 characters",
}
LONGEST_RESULT = 40_000
CERTAIN = (Code.REJECTED, Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.BAD_RESPONSE, Code.FORBIDDEN)
"""Failures that a reader takes for "it did not happen"."""
_SECRETS = re.compile("|".join(map(re.escape, (TOKEN, KEY))))


@dataclass
class Figures:
    """Counts of faults, and everything that was wrong."""

    faults: int = 0
    kinds: set[str] = field(default_factory=set)
    wrong: Counter[str] = field(default_factory=Counter)
    cases: list[str] = field(default_factory=list)

    def count(self, kind: str) -> None:
        """Count a fault of a kind."""
        self.faults += 1
        self.kinds.add(kind)

    def blame(self, wrong: str, case: str) -> None:
        """Count something that may not be."""
        assert wrong in WRONGS
        self.wrong[wrong] += 1
        self.cases.append(f"{wrong}: {case}")

    def judge_failure(self, failure: Failure, case: str, *, harmless: bool = False) -> None:
        """Look at how a call failed."""
        text = f"{failure.message} {failure.hint} {failure.details}"
        if failure.code is Code.INTERNAL:
            self.blame("crash", f"{case}: {text}")
        elif harmless:
            self.blame("crash", f"{case}: it should not notice: {failure.code} {text}")
        if not failure.hint:
            self.blame("without a hint", f"{case}: {failure.code} {text}")
        self.judge_text(text, case)
        if len(text) > LONGEST_RESULT:
            self.blame("too long", f"{case}: a failure of {len(text):,}")

    def judge_result(self, result: Result, case: str) -> None:
        """Look at what a call answered."""
        self.judge_text(result.text, case)
        if len(result.text) > LONGEST_RESULT:
            self.blame("too long", f"{case}: {len(result.text):,}")
        try:
            json.dumps(result.structured, allow_nan=False).encode()
        except ValueError as error:
            self.blame("no JSON", f"{case}: {error}")

    def judge_text(self, text: str, case: str) -> None:
        """Look for secrets in what goes out."""
        if match := _SECRETS.search(text):
            around = text[max(0, match.start() - 60) : match.end() + 20]
            self.blame("leak", f"{case}: {around}")

    def __str__(self) -> str:
        wrongs = ", ".join(f"{self.wrong[wrong]} {words}" for wrong, words in WRONGS.items())
        return f"{self.faults:,} faults of {len(self.kinds)} kinds: {wrongs}"


def merge_figures(parts: list[Figures]) -> Figures:
    """Return the sum of several figures."""
    total = Figures()
    for part in parts:
        total.faults += part.faults
        total.kinds |= part.kinds
        total.wrong += part.wrong
        total.cases += part.cases
    return total


def show(value: Any) -> str:
    """Return a value shortly, for a case."""
    return json.dumps(value, default=str)[:200]
