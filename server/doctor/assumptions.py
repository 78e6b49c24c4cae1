"""What this product assumes of the real API, because it could not be called while this was built.

The statements come from Archive's documentation pages; where two of them disagree, the newer one
counts and both readings are handled. They stand in `assumptions.toml`, and the list in
`docs/assumptions.md` is generated from there.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Assumption:
    """State one behaviour, and how it is checked or (where `live` is false) why it cannot be."""

    id: str
    statement: str
    check: str
    live: bool


def _load() -> tuple[Assumption, ...]:
    # Beside this module rather than by package name: that differs between repository and wheel.
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return tuple(Assumption(**row) for row in tomllib.loads(text)["assumption"])


ASSUMPTIONS = _load()
LIVE = tuple(assumption.id for assumption in ASSUMPTIONS if assumption.live)
"""The ids of the assumptions that `doctor --live` checks."""
NOT_LIVE = tuple(assumption.id for assumption in ASSUMPTIONS if not assumption.live)


def render_markdown() -> str:
    """Return the list of the documents: a count and a table, without a line break at the end."""
    lines = [
        f"{len(ASSUMPTIONS)} behaviours, "
        f"{len(LIVE)} of them checked by `archive-mcp doctor --live`:",
        "",
        "| id | assumed | checked by `--live` |",
        "|---|---|---|",
    ]
    for assumption in ASSUMPTIONS:
        check = assumption.check if assumption.live else f"no: {assumption.check}"
        lines.append(f"| `{assumption.id}` | {assumption.statement} | {check} |")
    return "\n".join(lines)
