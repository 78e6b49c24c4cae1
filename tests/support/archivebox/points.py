"""The table of what was done on each real version, and what its database and disk then held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.archivebox.install import ALL_VERSIONS, Version, package_of

Record = Callable[[int, str, str], None]
"""Records a row: the point, what was done, and what the server then held."""


# Deeds that several tests do, each on other versions.
SCHEDULED = "a daily schedule, run three times"
DELETED = "`delete_snapshot` of a saved page, then the runner"
REMOVED = "`remove` of a saved page by its URL, then the runner"
TAGGED_AGAIN = "`add` of a saved page with the tag Later"
LISTED_ONLY = "`add` with `index_only`, then the runner"
CANCELLED = "`start_save` cancel right after a save, then the runner"
ODD_TITLE = "a question about a page with an odd title"
CHANGED = "`update_snapshot` to sealed, with the tag Mills"


@dataclass
class Points:
    """What the tests of this session saw, by point and deed, and by version."""

    cells: dict[tuple[int, str], dict[Version, str]] = field(default_factory=dict)

    def record(self, version: Version, point: int, deed: str, state: str) -> None:
        """Keep what a server held after something was done."""
        self.cells.setdefault((point, deed), {})[version] = state

    def make_table(self) -> str:
        """Return the rows in Markdown, in the order of the points."""
        packages = [package_of(version) for version in ALL_VERSIONS]
        lines = [_row(["point", "done", *packages]), _row(["---"] * (2 + len(packages)))]
        for (point, deed), states in sorted(self.cells.items(), key=lambda cell: cell[0][0]):
            versions = [states.get(version, "-") for version in ALL_VERSIONS]
            lines.append(_row([str(point), deed, *versions]))
        return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"
