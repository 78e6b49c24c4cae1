"""The doctor's report: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from server import __version__
from server.doctor.assumptions import ASSUMPTIONS, LIVE, NOT_LIVE, Assumption
from server.text import change_texts, count_noun, truncate_line

Status = Literal["ok", "note", "warn", "fail", "skip"]
Outcome = Literal["confirmed", "contradicted", "unknown"]

# Only a failure is in capitals: it is what the eye should find.
_LABELS: dict[Status, str] = {
    "ok": "ok",
    "note": "note",
    "warn": "warn",
    "fail": "FAIL",
    "skip": "-",
}
# One more than the longest name, `archivebox key`: with a single blank behind it the line would
# read as a sentence.
_NAME_WIDTH = 15
_HIDDEN = "(secret)"
# A secret with fewer characters is left as it is: replacing it would replace parts of words.
_SHORTEST_SECRET = 6
# The first word of a secret, like `sandbox` in `sandbox-token`, gives nothing away, and a link
# that contains it should stay usable. A long one may be more than a word.
_FIRST_WORD = re.compile(r"[A-Za-z]{1,12}(?=[-_.])")


@dataclass(frozen=True)
class Check:
    """The result of one check. `hint` says what to do next; `skip` means that it could not be
    made."""

    name: str
    status: Status
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """What a live check shows about an assumption, and by which evidence. `advice` tells the user
    what to do about it."""

    assumption: str
    outcome: Outcome
    evidence: str
    advice: str = ""


@dataclass
class Report:
    """Collects all checks, the workspaces that the token sees, and the findings of a live check.

    `findings` is None where no live check was requested. `secrets` and `password` are left out of
    everything that is printed: an answer of the API or of a proxy may quote what was sent to it.
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

    def to_json(self) -> str:
        """Return one JSON object in ASCII."""
        content = {
            "ok": self.ok,
            "version": __version__,
            "sandbox": self.sandbox,
            "checks": [asdict(check) for check in self.checks],
            "workspaces": self.workspaces,
            "assumptions": [self._to_row(assumption) for assumption in ASSUMPTIONS],
        }
        return json.dumps(self._clean(content), indent=2)

    def render(self) -> str:
        """Return short lines: a status, what it is about, and what to do next."""
        lines = [*self._render_checks(), ""]
        if self.findings is not None:
            lines += [*self._render_findings(self.findings), ""]
        lines.append(self._render_verdict())
        # Line by line: the line breaks between them are ours, and stay.
        return "\n".join(str(self._clean(line)) for line in lines)

    def _render_checks(self) -> Iterator[str]:
        indent = " " * (_NAME_WIDTH + 6)
        for check in self.checks:
            yield f"{_LABELS[check.status]:<5} {check.name:<{_NAME_WIDTH}} {check.detail}"
            if check.hint:
                yield f"{indent} -> {check.hint}"

    def _render_findings(self, findings: Sequence[Finding]) -> Iterator[str]:
        count = len(LIVE)
        now = f"{count} of them were checked now, by reading only:"
        if all(finding.outcome == "unknown" for finding in findings):
            now = "none of them could be checked now:"
        yield f"This program assumes {len(ASSUMPTIONS)} behaviours of the real API; {now}"
        if self.sandbox:
            yield "(This is the sandbox: it shows its own behaviour, nothing about the real API.)"
        for (outcome, evidence), ids in _group(findings).items():
            subject = f"all {count}" if len(ids) == count else ", ".join(ids)
            yield f"{outcome:<13} {subject}: {evidence}"
        yield f"{'not checked':<13} {', '.join(NOT_LIVE)} (`--json` and the documents say why)"

    def _render_verdict(self) -> str:
        count = Counter(check.status for check in self.checks)
        parts = [] if self.ok else [count_noun(count["fail"], "problem")]
        if count["warn"]:
            parts.append(count_noun(count["warn"], "warning"))
        if self.ok:
            return " with ".join(["All is well", *parts]) + "."
        return ", ".join(parts) + "."

    def _to_row(self, assumption: Assumption) -> dict[str, Any]:
        row = asdict(assumption)
        for finding in self.findings or ():
            if finding.assumption == assumption.id:
                row |= {"result": finding.outcome, "evidence": finding.evidence}
        return row

    def _clean(self, value: Any) -> Any:
        """Return a value without secrets, and without what could move a terminal's cursor."""
        return change_texts(value, self._clean_text)

    def _clean_text(self, value: str) -> str:
        text = self._hide_secrets(value)
        return "".join(letter if letter.isprintable() else " " for letter in text)

    def _hide_secrets(self, text: str) -> str:
        # Whole only: hiding how a word begins would tell how the password begins.
        if self.password:
            text = text.replace(self.password, _HIDDEN)
        for secret in self.secrets:
            word = _FIRST_WORD.match(secret)
            shortest = max(_SHORTEST_SECRET, word.end() + 1 if word else 0)
            # Its beginnings too, because a quotation may have been cut; the longest first, so
            # that no rest of a longer one stays behind.
            for length in range(len(secret), shortest - 1, -1):
                text = text.replace(secret[:length], _HIDDEN)
        return text


def _group(findings: Iterable[Finding]) -> dict[tuple[Outcome, str], list[str]]:
    """Return the assumptions by outcome and evidence: what one reason leaves open is one line."""
    groups: dict[tuple[Outcome, str], list[str]] = {}
    for finding in findings:
        groups.setdefault((finding.outcome, finding.evidence), []).append(finding.assumption)
    return groups


def list_advice(findings: Iterable[Finding]) -> list[Check]:
    """Return a warning for each finding that the user should act on."""
    return [
        Check(
            "assumption",
            "warn",
            f"{finding.assumption}: {finding.outcome}. {finding.evidence}",
            finding.advice,
        )
        for finding in findings
        if finding.advice
    ]


def shorten(text: str) -> str:
    """Return somebody else's text on one line, at most 160 characters of it."""
    return truncate_line(text, 160)
