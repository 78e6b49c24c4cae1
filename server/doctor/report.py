"""What the doctor found, as lines for people or one JSON object for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from server import __version__
from server.doctor.assumptions import ASSUMPTIONS, Assumption

Status = Literal["ok", "note", "warn", "fail", "skip"]
Outcome = Literal["confirmed", "contradicted", "unknown"]

_LABELS: dict[Status, str] = {
    "ok": "ok",
    "note": "note",
    "warn": "warn",
    "fail": "FAIL",
    "skip": "-",
}
_SHORTEST_TOKEN = 6
"""Fewer characters are no token, and blotting them out would blot out words."""


@dataclass(frozen=True)
class Check:
    """One thing looked at; `hint` says what to do next. `skip` means it could not be looked at."""

    name: str
    status: Status
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """What a live check says about an assumption, and by which evidence. `advice` asks the user to
    look at it."""

    assumption: str
    outcome: Outcome
    evidence: str
    advice: str = ""


@dataclass
class Report:
    """All checks, the workspaces that the token sees, and the findings of a live check (None: not
    asked for).

    `secrets` never come out, whoever repeated them: an answer of the API or of a proxy may quote
    what was sent to it.
    """

    secrets: tuple[str, ...] = ()
    password: str = ""
    sandbox: bool = False
    checks: list[Check] = field(default_factory=list)
    workspaces: list[dict[str, str]] = field(default_factory=list)
    findings: list[Finding] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings and contradicted assumptions do not count."""
        return not any(check.status == "fail" for check in self.checks)

    def as_json(self) -> str:
        """One JSON object in ASCII."""
        found = {
            "ok": self.ok,
            "version": __version__,
            "sandbox": self.sandbox,
            "checks": [asdict(check) for check in self.checks],
            "workspaces": self.workspaces,
            "assumptions": [self._assumption(each) for each in ASSUMPTIONS],
        }
        return json.dumps(self._clean(found), indent=2)

    def as_text(self) -> str:
        """Short lines: status, what, and what to do next."""
        lines = [*self._check_lines(), "", *self._assumption_lines(), "", self._verdict()]
        return "\n".join(str(self._clean(line)) for line in lines)

    def _check_lines(self) -> Iterator[str]:
        for check in self.checks:
            yield f"{_LABELS[check.status]:<5} {check.name:<12} {check.detail}"
            if check.hint:
                yield f"{'':<18} -> {check.hint}"

    def _assumption_lines(self) -> Iterator[str]:
        live = [each for each in ASSUMPTIONS if each.live]
        total = len(ASSUMPTIONS)
        if self.findings is None:
            yield f"Assumed of the real API: {total} behaviours; `doctor --live` checks {len(live)} of them."
            return
        yield f"Assumed of the real API: {total} behaviours, {len(live)} of them checked now, only by reading:"
        if self.sandbox:
            yield "(This is the sandbox: it shows what the sandbox enforces, nothing about the real API.)"
        for finding in self.findings:
            yield f"{finding.outcome:<13} {finding.assumption}: {finding.evidence}"
        rest = ", ".join(each.id for each in ASSUMPTIONS if not each.live)
        yield f"{'not checked':<13} {rest} (`--json` and the README say why)"

    def _verdict(self) -> str:
        count = Counter(check.status for check in self.checks)
        warned = f", {_counted(count['warn'], 'warning')}" if count["warn"] else ""
        return (
            f"All is well{warned}." if self.ok else f"{_counted(count['fail'], 'problem')}{warned}."
        )

    def _assumption(self, each: Assumption) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": each.id,
            "statement": each.statement,
            "live": each.live,
            "check": each.check,
        }
        for finding in self.findings or ():
            if finding.assumption == each.id:
                row |= {"result": finding.outcome, "evidence": finding.evidence}
        return row

    def _clean(self, value: Any) -> Any:
        """Without the token, and without what could move a terminal's cursor."""
        if isinstance(value, dict):
            return {key: self._clean(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        if not isinstance(value, str):
            return value
        # Its beginnings too, longest first: a quotation may have been cut.
        if self.password:
            # Whole only: blotting out how a word begins would tell how the password does.
            value = value.replace(self.password, "(secret)")
        for secret in self.secrets:
            for length in range(len(secret), _SHORTEST_TOKEN - 1, -1):
                value = value.replace(secret[:length], "(secret)")
        return "".join(letter if letter.isprintable() else " " for letter in value)


def advised(findings: Iterable[Finding]) -> list[Check]:
    """A warning for each finding that somebody should look at."""
    return [
        Check(
            "assumption", "warn", f"{each.assumption}: {each.outcome}. {each.evidence}", each.advice
        )
        for each in findings
        if each.advice
    ]


def excerpt(text: str, most: int = 160) -> str:
    """Somebody else's words on one line, not at length."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
