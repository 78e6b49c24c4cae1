"""The snapshots of single items, as the lines of a chart and of its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from server.insights.money import Figure
from server.insights.rows import Row, parse_instant, parse_whole_number
from server.pictures.charts import Moment, Panel, Points
from server.pictures.measures import Measure, to_number

Snapshot = Mapping[str, Any]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Timeline:
    """The snapshots of one item, oldest first, under the item's number in the chart."""

    number: int
    row: Row
    snapshots: Sequence[Snapshot]

    def to_dict(self) -> dict[str, Any]:
        """Return the item that the number stands for."""
        return {
            "number": self.number,
            "itemId": self.row.id,
            "account": self.row.account,
            "takenAt": self.row.taken_at,
        }

    def list_lines(self, measures: Sequence[Measure]) -> list[list[Any]]:
        """Return the snapshots as lines of the table."""
        return [
            [self.number, entry["at"], *(_read_figure(entry, measure) for measure in measures)]
            for entry in self.snapshots
        ]

    def list_points(self, measure: Measure, *, by_date: bool) -> Points:
        """Return the points of a line: their x is an instant, or the days since posting."""
        points: list[tuple[Moment, float | None]] = []
        for entry in self.snapshots:
            instant = parse_instant(entry["at"])
            # Days since posting let items of different dates be compared.
            age = (instant - self.row.moment) / _DAY
            moment: Moment = instant.isoformat() if by_date else age
            points.append((moment, to_number(_read_figure(entry, measure))))
        return points

    @property
    def name(self) -> str:
        """The account, or the beginning of the item's id."""
        return f"@{self.row.account}" if self.row.account else self.row.id[:8]

    @property
    def title(self) -> str:
        """Whose post it is, and of which day."""
        return f"{self.name}, posted {self.row.moment.date()}"

    def label(self, points: Points) -> str:
        """Return the name of the item's line."""
        is_unknown = all(value is None for _, value in points)
        # A line without any point does not show, so the legend has to say why.
        suffix = " (unknown)" if is_unknown else ""
        return f"{self.number} {self.name}{suffix}"


def make_timelines(rows: Sequence[Row], histories: Sequence[Sequence[Snapshot]]) -> list[Timeline]:
    """Return the timelines of items, numbered from 1.

    Args:
        histories: for each item its snapshots, in any order.
    """
    return [
        Timeline(number, row, sorted(snapshots, key=_read_instant))
        for number, row, snapshots in zip(count(1), rows, histories, strict=False)
    ]


def make_panel(timelines: Sequence[Timeline], measure: Measure, *, by_date: bool) -> Panel:
    """Return the diagram of one measure, with a line for each item."""
    lines = []
    for timeline in timelines:
        points = timeline.list_points(measure, by_date=by_date)
        lines.append((timeline.label(points), points))
    return Panel(measure.label, lines, measure.form)


def describe_empty(timelines: Sequence[Timeline]) -> list[str]:
    """Return a note on the items that have no snapshot yet."""
    empty = [str(timeline.number) for timeline in timelines if not timeline.snapshots]
    return [f"Items without any snapshot: {', '.join(empty)}."] if empty else []


def _read_instant(entry: Snapshot) -> datetime:
    return parse_instant(entry["at"])


def _read_figure(entry: Snapshot, measure: Measure) -> Figure:
    return measure.figure(parse_whole_number(entry[measure.metric]))
