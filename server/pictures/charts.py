"""What charts are made of, and their drawing as PNG: in a process of its own, which needs the
memory of matplotlib and holds the interpreter for seconds (`server.pictures.painting`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from server.child import Child, TookTooLong
from server.errors import Code, Failure
from server.pictures.labels import Form

SECONDS = 35.0
"""The most that a chart may take, on a busy computer too: matplotlib alone takes a second or two to
load."""

# An instant as ISO 8601 has it, or a number of days.
Moment = str | float
Points = Sequence[tuple[Moment, float | None]]


@dataclass(frozen=True)
class Heading:
    """What stands above a chart: its title, and lines that say what it is about."""

    title: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Panel:
    """One diagram above the others: the label of its height, and named lines over time."""

    label: str
    lines: Sequence[tuple[str, Points]]
    form: Form = "number"


@dataclass(frozen=True)
class Bars:
    """The bars of one diagram: what their length means, their lengths, and the text at each.

    A value is None where it is unknown.
    """

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]
    form: Form = "number"


@dataclass(frozen=True)
class Slots:
    """The places of upright bars, from left to right: their names, and which ones are hatched.

    `meaning` says what a hatched bar is.
    """

    names: Sequence[str]
    hatched: Sequence[bool]
    meaning: str


def draw_over_time(
    heading: Heading, panels: Sequence[Panel], x_label: str, *, by_date: bool
) -> bytes:
    """Draw panels one above the other over the same time.

    Args:
        x_label: what the points' x is.
        by_date: whether it is an instant, and no number.
    """
    rows = list(map(asdict, panels))
    return _draw("over time", heading, panels=rows, x_label=x_label, by_date=by_date)


def draw_side_by_side(
    heading: Heading, names: Sequence[str], columns: Sequence[Bars], groups: Sequence[str] = ()
) -> bytes:
    """Draw lying bars, the first name on top, with a diagram beside the other for each column.

    Args:
        groups: for each name the group that its colour shows; empty = all alike.
    """
    rows = list(map(asdict, columns))
    return _draw("side by side", heading, names=names, columns=rows, groups=groups)


def draw_upright(heading: Heading, slots: Slots, panels: Sequence[Bars], x_label: str) -> bytes:
    """Draw upright bars, each with its name below and its text above, one panel above the other."""
    rows = list(map(asdict, panels))
    return _draw("upright", heading, slots=asdict(slots), panels=rows, x_label=x_label)


def _draw(kind: str, heading: Heading, **parts: Any) -> bytes:
    """Return what the process draws.

    Raises:
        Failure: `UNAVAILABLE`: it took too long, or more memory than it may have.
    """
    header = {"task": "chart", "kind": kind, "heading": asdict(heading), **parts}
    try:
        answer, png = drawer.ask(header, b"")
    except TookTooLong:
        raise Failure(
            Code.UNAVAILABLE,
            f"Drawing took more than {SECONDS:g} s or too much memory, and was given up.",
            "Try again when this computer has less to do, or draw fewer metrics.",
        ) from None
    if "error" in answer:
        raise RuntimeError(f"the chart could not be drawn: {answer['kind']}: {answer['why']}")
    return png


# Beside that of the pictures: neither waits for the other, and only this one loads matplotlib.
drawer = Child(SECONDS)
"""The process that draws."""
