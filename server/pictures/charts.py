"""Draws charts as PNG with matplotlib's object interface.

It needs no window system and keeps no figure between calls. Unknown figures are gaps, never zeros.
Colours are those of Okabe and Ito, which the colour-blind can tell apart. Names are untrusted
content and shown as plain text: cut, and without characters that the font does not have.
"""

from __future__ import annotations

import io
import math
import os
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LONGEST_NAME = 32
_MISSING = "\N{WHITE SQUARE}"
_GREY, _PALE = "#666666", "#DDDDDD"
_DPI, _INCHES = 110, 10.0
# The margin around everything, in inches.
_MARGIN = 0.12
# The width of a bar in a weekly chart, in days.
_WIDEST_BAR = 5.0
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
# matplotlib does not promise that two threads may draw at once.
_drawing = threading.Lock()

Moment = datetime | float
Points = Sequence[tuple[Moment, float | None]]


@dataclass(frozen=True)
class Panel:
    """One diagram above the others: the label of its height, and named lines or bars over time."""

    label: str
    lines: Sequence[tuple[str, Points]]
    style: Literal["lines", "bars"] = "lines"


@dataclass(frozen=True)
class Column:
    """One diagram beside the others: the label of its bars' length, and the bars.

    A value is None where it is unknown.
    """

    label: str
    values: Sequence[float | None]


def draw_over_time(title: str, panels: Sequence[Panel], x_label: str, note: str = "") -> bytes:
    """Draw panels one above the other over the same time.

    Args:
        x_label: what the points' x is, where it is a number and no instant.
        note: a line below the title.
    """
    with _drawing:
        figure = _make_figure(title, 1.4 + 2.4 * len(panels))
        grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        drawn = [_draw_panel(axes, panel) for axes, panel in zip(grid[:, 0], panels, strict=True)]
        _add_subtitle(grid[0, 0], note)
        last: Axes = grid[-1, 0]
        last.set_xlabel(to_plain_text(x_label), color=_GREY)
        if any(
            isinstance(x, datetime)
            for panel in panels
            for _, points in panel.lines
            for x, _ in points
        ):
            _format_dates(last)
        names = [name for name, _ in panels[-1].lines]
        _add_legend(figure, drawn[-1], names, 3)
        return _encode_png(figure)


def draw_bars(
    title: str,
    names: Sequence[str],
    columns: Sequence[Column],
    groups: Sequence[str] = (),
    note: str = "",
) -> bytes:
    """Draw horizontal bars, the first name on top, with a diagram for each column.

    Args:
        groups: for each name the group that its colour shows; empty = all alike.
        note: a line below the title.
    """
    with _drawing:
        from matplotlib.patches import Patch

        figure = _make_figure(title, 1.8 + 0.42 * max(3, len(names)))
        grid: Any = figure.subplots(1, len(columns), sharey=True, squeeze=False)
        # Colours repeat after the last one.
        palette = dict(zip(dict.fromkeys(groups), cycle(COLOURS), strict=False))
        colours = [palette[group] for group in groups] or [COLOURS[0]] * len(names)
        for axes, column in zip(grid[0], columns, strict=True):
            _draw_column(axes, column, colours)
        first: Axes = grid[0, 0]
        _add_subtitle(first, note)
        first.set_yticks(range(len(names)), [to_plain_text(name) for name in names])
        # Python counts from the top, matplotlib from the bottom.
        first.invert_yaxis()
        patches = [Patch(color=colour) for colour in palette.values()]
        _add_legend(figure, patches, list(palette), 5)
        return _encode_png(figure)


def to_plain_text(text: str, most: int = LONGEST_NAME) -> str:
    """Return a text as the font can show it, with nothing that matplotlib would interpret.

    Args:
        most: the most characters.
    """
    from matplotlib.font_manager import findfont, get_font

    find_glyph = get_font(findfont("DejaVu Sans")).get_char_index
    letters = []
    # NFC first: a letter and its accent may be one glyph, and accents alone are dropped.
    for letter in unicodedata.normalize("NFC", text):
        if letter.isspace():
            letters.append(" ")
        elif not letter.isprintable() or unicodedata.combining(letter):
            continue
        elif find_glyph(ord(letter)):
            letters.append(letter)
        else:
            letters.append(_MISSING)
    if len(letters) > most:
        letters[most - 1 :] = "\N{HORIZONTAL ELLIPSIS}"
    # A pair of dollar signs would start a formula.
    return "".join(letters).replace("$", r"\$")


def shorten_number(value: float) -> str:
    """Return a number as people say it: 950, 12.3k, 4.1M."""
    for step, letter in _STEPS:
        if abs(value) >= step:
            return f"{value / step:.1f}".removesuffix(".0") + letter
    return f"{value:.1f}".removesuffix(".0")


def _make_figure(title: str, height: float) -> Figure:
    with _away_from_settings():
        import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Without this, a `matplotlibrc` in the folder where the server was started would count.
    matplotlib.rcdefaults()
    margins = ConstrainedLayoutEngine(h_pad=_MARGIN, w_pad=_MARGIN)
    figure = Figure(figsize=(_INCHES, height), dpi=_DPI, layout=margins)
    FigureCanvasAgg(figure)
    figure.suptitle(to_plain_text(title, 90), fontsize=14, fontweight="bold", x=0.01, ha="left")
    return figure


@contextmanager
def _away_from_settings() -> Iterator[None]:
    """Let matplotlib be imported without a `matplotlibrc`, which may be a link to something without
    an end: it looks into the working folder before the place that the variable names."""
    os.environ["MATPLOTLIBRC"] = os.devnull
    if "matplotlib" in sys.modules or not os.path.lexists("matplotlibrc"):
        yield
        return
    # Only where there is such a file: the folder is the whole process's.
    folder = Path.cwd()
    os.chdir(folder.anchor)
    try:
        yield
    finally:
        os.chdir(folder)


def _add_subtitle(axes: Axes, note: str) -> None:
    if note:
        axes.set_title(to_plain_text(note, 120), loc="left", fontsize=9, color=_GREY)


def _add_legend(figure: Figure, handles: Sequence[Any], names: Sequence[str], columns: int) -> None:
    """Explain the colours below everything, unless there is only one."""
    if len(names) <= 1:
        return
    # The blank in front: matplotlib leaves out labels that begin with an underscore.
    labels = [f" {to_plain_text(name)}" for name in names]
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def _draw_panel(axes: Axes, panel: Panel) -> list[Any]:
    drawn: list[Any] = []
    values: list[float] = []
    for (_, points), colour in zip(panel.lines, cycle(COLOURS), strict=False):
        xs: Any = [x for x, _ in points]
        # matplotlib leaves a gap where a value is NaN.
        ys = [math.nan if y is None else float(y) for _, y in points]
        values += ys
        if panel.style == "bars":
            drawn.append(axes.bar(xs, ys, width=_WIDEST_BAR, color=colour))
        else:
            drawn += axes.plot(xs, ys, color=colour, marker="o", markersize=4, linewidth=1.8)
    _style_axes(axes, "y")
    axes.set_ylabel(to_plain_text(panel.label, 48))
    if all(map(math.isnan, values)):
        centre: Any = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "unknown", color=_GREY, **centre)
        axes.set_yticks([])
    # From zero, so that heights can be compared.
    axes.set_ylim(bottom=0)
    return drawn


def _draw_column(axes: Axes, column: Column, colours: Sequence[str]) -> None:
    # An unknown value has a bar of no length, and a label that says so.
    lengths = [value or 0.0 for value in column.values]
    axes.barh(range(len(lengths)), lengths, color=colours, height=0.68)
    for position, value in enumerate(column.values):
        text = "unknown" if value is None else shorten_number(value)
        axes.annotate(
            text,
            (lengths[position], position),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=_GREY,
        )
    _style_axes(axes, "x")
    axes.set_xlabel(to_plain_text(column.label, 48))
    # Room on the right for the label of the longest bar.
    axes.set_xlim(0, 1.14 * (max(lengths, default=0.0) or 1.0))


def _style_axes(axes: Axes, along: Literal["x", "y"]) -> None:
    """Draw thin lines behind, no frame, and numbers that can be read."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.yaxis if along == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: shorten_number(value)))
    axis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis=along, color=_PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left" if along == "y" else "bottom"]].set_visible(False)
    axes.tick_params(length=0)


def _format_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib.dates has no types.
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _encode_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # Without the software's version the same chart is the same file on every machine.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
