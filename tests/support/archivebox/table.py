"""The table of a campaign: what the tools say of each kind of page, beside what the server's
database and disk hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.archivebox.kinds import KINDS
from tests.support.archivebox.stored import Stored

_LONGEST = 60
_NOT_TOLD = ("parse_", "search_")
"""How plugins are called that say nothing about a page."""

Verdicts = Mapping[str, Mapping[str, str]]
"""By way to look: name of a page -> verdict."""


def make_table(
    stored: Stored,
    urls: Mapping[str, str],
    verdicts: Verdicts,
    reasons: Mapping[str, str],
    expected: Mapping[tuple[str, str], set[str]],
) -> str:
    """Return a table in Markdown, a row for each page: the truth, each verdict (marked where it is
    not what is expected), the reason, and what is stored.

    Args:
        urls: name of a page -> its URL.
        reasons: name of a page -> what the tools give as reason.
        expected: by way and name: the verdicts that are right.
    """
    version = stored.real.version
    ways = list(verdicts)
    lines = [
        f"ArchiveBox {version}, {len(urls)} kinds of pages",
        _row(["page", "truth", *ways, "reason", "database", "disk"]),
        _row(["---"] * (len(ways) + 5)),
    ]
    wrong = 0
    for name, url in urls.items():
        cells = []
        for way in ways:
            verdict = verdicts[way].get(name, "not told")
            is_right = verdict in expected[way, name]
            wrong += not is_right
            cells.append(verdict if is_right else f"**{verdict}**")
        about = f"{name} ({KINDS[name].why})"
        held = [describe_outputs(stored, url), describe_files(stored, url)]
        lines.append(_row([about, KINDS[name].truth, *cells, reasons.get(name, ""), *held]))
    return "\n".join([*lines, f"{wrong} of {len(urls) * len(ways)} verdicts are wrong."])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def describe_outputs(stored: Stored, url: str) -> str:
    """Return status and text of each output of the newest copy."""
    parts: list[str] = []
    for identifier in stored.copies(url)[-1:]:
        for plugin, status, text in stored.outputs(identifier):
            if not plugin.startswith(_NOT_TOLD):
                parts.append(f"{plugin} {status} `{' '.join(text.split())[:_LONGEST]}`")
    return "; ".join(parts) or "no output"


def describe_files(stored: Stored, url: str) -> str:
    """Return name and size of the page's own files of the newest copy."""
    paths = [path for identity in stored.copies(url)[-1:] for path in stored.page_files(identity)]
    return ", ".join(f"{path.name} {path.stat().st_size} B" for path in paths[:4]) or "nothing"
