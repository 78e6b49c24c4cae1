"""Charts as PNG, drawn with matplotlib's object interface: no window system, and no figure kept
between calls.

Unknown figures are gaps, never zeros. Colours are those of Okabe and Ito, which the colour-blind
can tell apart. Names that strangers chose are shown as plain text: cut, and without characters that
the font does not have.
"""

from __future__ import annotations

import io
import math
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LONGEST_NAME = 32
_MISSING = "\N{WHITE SQUARE}"
_GREY, _PALE = "#666666", "#DDDDDD"
_DPI, _INCHES = 110, 10.0
_MARGIN = 0.12
"""Inches around everything."""
_WIDEST_BAR = 5.0
"""Days that a bar of a weekly chart is wide."""
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_drawing = threading.Lock()
"""matplotlib does not promise that two threads may draw at once."""

Moment = datetime | float
Points = Sequence[tuple[Moment, float | None]]


@dataclass(frozen=True)
class Panel:
    """One diagram above the others: what its height means, and one or more named lines (or bars)
    over time."""

    label: str
    lines: Sequence[tuple[str, Points]]
    style: Literal["lines", "bars"] = "lines"


@dataclass(frozen=True)
class Column:
    """One diagram beside the others: what the length of its bars means, and the bars, None where
    unknown."""

    label: str
    values: Sequence[float | None]


def over_time(title: str, panels: Sequence[Panel], x_label: str, note: str = "") -> bytes:
    """Panels one above the other over the same time: instants, or numbers where `x_label` says of
    what.

    Args:
        note: a line below the title.
    """
    with _drawing:
        figure = _figure(title, 1.4 + 2.4 * len(panels))
        grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        drawn = [_draw_panel(axes, panel) for axes, panel in zip(grid[:, 0], panels, strict=True)]
        _subtitle(grid[0, 0], note)
        last: Axes = grid[-1, 0]
        last.set_xlabel(plain(x_label), color=_GREY)
        if any(
            isinstance(x, datetime)
            for panel in panels
            for _, points in panel.lines
            for x, _ in points
        ):
            _date(last)
        names = [name for name, _ in panels[-1].lines]
        _legend(figure, drawn[-1], names, 3)
        return _png(figure)


def bars(
    title: str,
    names: Sequence[str],
    columns: Sequence[Column],
    groups: Sequence[str] = (),
    note: str = "",
) -> bytes:
    """Horizontal bars, the first name on top, for each column a diagram.

    Args:
        groups: for each name what it belongs to, shown as its colour; empty = all alike.
        note: a line below the title.
    """
    with _drawing:
        from matplotlib.patches import Patch

        figure = _figure(title, 1.8 + 0.42 * max(3, len(names)))
        grid: Any = figure.subplots(1, len(columns), sharey=True, squeeze=False)
        kinds = list(dict.fromkeys(groups))
        colours = [COLOURS[kinds.index(each) % len(COLOURS)] for each in groups] or [
            COLOURS[0]
        ] * len(names)
        for axes, column in zip(grid[0], columns, strict=True):
            _draw_column(axes, column, colours)
        first: Axes = grid[0, 0]
        _subtitle(first, note)
        first.set_yticks(range(len(names)), [plain(name) for name in names])
        first.invert_yaxis()
        _legend(
            figure,
            [Patch(color=COLOURS[place % len(COLOURS)]) for place in range(len(kinds))],
            kinds,
            5,
        )
        return _png(figure)


def plain(text: str, most: int = LONGEST_NAME) -> str:
    """A text as the font can show it, at most so many characters long, with nothing that matplotlib
    would interpret."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_char_index
    letters = []
    for letter in unicodedata.normalize("NFC", text):
        if letter.isspace():
            letters.append(" ")
        elif letter.isprintable() and not unicodedata.combining(letter):
            letters.append(letter if known(ord(letter)) else _MISSING)
    shown = "".join(letters)
    shown = shown if len(shown) <= most else shown[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return shown.replace("$", r"\$")


def short(value: float) -> str:
    """A number as people say it: 950, 12.3k, 4.1M."""
    for step, letter in _STEPS:
        if abs(value) >= step:
            return f"{value / step:.1f}".removesuffix(".0") + letter
    return f"{value:.1f}".removesuffix(".0")


def _figure(title: str, height: float) -> Figure:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    matplotlib.rcdefaults()  # a settings file in the folder where the server was started says nothing here
    margins = ConstrainedLayoutEngine(h_pad=_MARGIN, w_pad=_MARGIN)
    figure = Figure(figsize=(_INCHES, height), dpi=_DPI, layout=margins)
    FigureCanvasAgg(figure)
    figure.suptitle(plain(title, 90), fontsize=14, fontweight="bold", x=0.01, ha="left")
    return figure


def _subtitle(axes: Axes, note: str) -> None:
    if note:
        axes.set_title(plain(note, 120), loc="left", fontsize=9, color=_GREY)


def _legend(figure: Figure, handles: Sequence[Any], names: Sequence[str], columns: int) -> None:
    """What the colours mean, below everything; nothing where there is only one."""
    if len(names) > 1:
        labels = [
            f" {plain(each)}" for each in names
        ]  # matplotlib leaves out those that begin with an underscore
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def _draw_panel(axes: Axes, panel: Panel) -> list[Any]:
    drawn: list[Any] = []
    for place, (_, points) in enumerate(panel.lines):
        xs: Any = [x for x, _ in points]
        ys = [_or_gap(y) for _, y in points]
        colour = COLOURS[place % len(COLOURS)]
        if panel.style == "bars":
            drawn.append(axes.bar(xs, ys, width=_WIDEST_BAR, color=colour))
        else:
            drawn += axes.plot(xs, ys, color=colour, marker="o", markersize=4, linewidth=1.8)
    _dress(axes, "y")
    axes.set_ylabel(plain(panel.label, 48))
    if all(y is None for _, points in panel.lines for _, y in points):
        axes.text(
            0.5, 0.5, "unknown", transform=axes.transAxes, ha="center", va="center", color=_GREY
        )
        axes.set_yticks([])
    axes.set_ylim(bottom=0)
    return drawn


def _draw_column(axes: Axes, column: Column, colours: Sequence[str]) -> None:
    places = range(len(column.values))
    axes.barh(places, [value or 0.0 for value in column.values], color=colours, height=0.68)
    for place, value in zip(places, column.values, strict=True):
        text = "unknown" if value is None else short(value)
        axes.annotate(
            text,
            (value or 0.0, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=_GREY,
        )
    _dress(axes, "x")
    axes.set_xlabel(plain(column.label, 48))
    axes.set_xlim(0, 1.14 * max([value for value in column.values if value] or [1.0]))


def _dress(axes: Axes, along: Literal["x", "y"]) -> None:
    """Thin lines behind, no frame, and numbers that can be read."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.yaxis if along == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis=along, color=_PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left" if along == "y" else "bottom"]].set_visible(False)
    axes.tick_params(length=0)


def _date(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]  # matplotlib.dates has no types
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above


def _or_gap(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
