"""Draws charts as PNG with matplotlib's object interface, in the process that may take its time
(`server.child`); nothing else of the server is imported here.

It needs no window system and keeps no figure between charts. Unknown figures are gaps, never zeros.
Colours are those of Okabe and Ito, which the colour-blind can tell apart. Names are untrusted
content and shown as plain text: cut, and without characters that the font does not have.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import compress, cycle
from typing import TYPE_CHECKING, Any, Literal

from server.pictures.labels import FORMS, Form, to_plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_GREY, _PALE = "#666666", "#DDDDDD"
_DPI, _INCHES = 110, 10.0
# The margin around everything, in inches.
_MARGIN = 0.12
_LONGEST_TITLE, _LONGEST_LINE = 76, 130
# Points: the width that all bars of a chart share, and of a letter in a label above one of them.
_SHARED_WIDTH, _LETTER = 630, 5.2
_LARGEST_FONT, _LINE_HEIGHT = 8.5, 1.15


def paint(chart: Mapping[str, Any]) -> bytes:
    """Return a chart as PNG.

    Args:
        chart: its `kind`, its `heading`, and its parts as `server.pictures.charts` writes them.
    """
    _load_matplotlib()
    return _encode_png(_KINDS[chart["kind"]](chart))


def _paint_over_time(chart: Mapping[str, Any]) -> Figure:
    """Return panels one above the other over the same time."""
    panels = chart["panels"]
    figure = _make_figure(chart["heading"], 1.4 + 2.4 * len(panels))
    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    read = datetime.fromisoformat if chart["by_date"] else float
    drawn = [_draw_panel(axes, panel, read) for axes, panel in zip(grid[:, 0], panels, strict=True)]
    _add_subtitle(grid[0, 0], chart["heading"])
    last: Axes = grid[-1, 0]
    last.set_xlabel(to_plain_text(chart["x_label"], _LONGEST_LINE), color=_GREY)
    if chart["by_date"]:
        _format_dates(last)
    names = [name for name, _ in panels[-1]["lines"]]
    _add_legend(figure, drawn[-1], names, 3)
    return figure


def _paint_side_by_side(chart: Mapping[str, Any]) -> Figure:
    """Return lying bars, the first name on top, a diagram beside the other for each column."""
    from matplotlib.patches import Patch

    names, columns, groups = chart["names"], chart["columns"], chart["groups"]
    figure = _make_figure(chart["heading"], 1.8 + 0.42 * max(3, len(names)))
    grid: Any = figure.subplots(1, len(columns), sharey=True, squeeze=False)
    # Colours repeat after the last one.
    palette = dict(zip(dict.fromkeys(groups), cycle(COLOURS), strict=False))
    colours = [palette[group] for group in groups] or [COLOURS[0]] * len(names)
    for axes, column in zip(grid[0], columns, strict=True):
        _draw_lying_bars(axes, column, colours)
    first: Axes = grid[0, 0]
    _add_subtitle(first, chart["heading"])
    first.set_yticks(range(len(names)), list(map(to_plain_text, names)))
    # Python counts from the top, matplotlib from the bottom.
    first.invert_yaxis()
    patches = [Patch(color=colour) for colour in palette.values()]
    _add_legend(figure, patches, list(palette), 5)
    return figure


def _paint_upright(chart: Mapping[str, Any]) -> Figure:
    """Return upright bars, each with its name below and its text above, in panels one above the
    other."""
    slots, panels = chart["slots"], chart["panels"]
    figure = _make_figure(chart["heading"], 1.8 + 2.4 * len(panels))
    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        _draw_upright_bars(axes, panel, slots["hatched"])
    _add_subtitle(grid[0, 0], chart["heading"])
    last: Axes = grid[-1, 0]
    names = list(map(to_plain_text, slots["names"]))
    rotation = 0 if _fit_upright(names) else 90
    last.set_xticks(range(len(names)), names, rotation=rotation)
    last.tick_params(axis="x", labelsize=_choose_font(len(names)))
    last.set_xlabel(to_plain_text(chart["x_label"], _LONGEST_LINE), color=_GREY)
    if any(slots["hatched"]):
        _explain_hatching(figure, slots["meaning"])
    return figure


_KINDS: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
    "over time": _paint_over_time,
    "side by side": _paint_side_by_side,
    "upright": _paint_upright,
}


@cache
def _load_matplotlib() -> None:
    """Import matplotlib without anybody's settings, without a file of its own, and with its own
    fonts alone: looking for all of a machine's takes seconds."""
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ["MPL_IGNORE_SYSTEM_FONTS"] = "1"
    import matplotlib

    # Nothing can be written here: an attempt would leave an empty list of fonts for other programs.
    matplotlib.get_cachedir = lambda: os.devnull


def _make_figure(heading: Mapping[str, Any], height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    margins = ConstrainedLayoutEngine(h_pad=_MARGIN, w_pad=_MARGIN)
    figure = Figure(figsize=(_INCHES, height), dpi=_DPI, layout=margins)
    FigureCanvasAgg(figure)
    title = to_plain_text(heading["title"], _LONGEST_TITLE)
    figure.suptitle(title, fontsize=14, fontweight="bold", x=0.01, ha="left")
    return figure


def _add_subtitle(axes: Axes, heading: Mapping[str, Any]) -> None:
    lines = _join_lines(filter(None, heading["lines"]))
    axes.set_title(lines, loc="left", fontsize=9, color=_GREY)


def _join_lines(lines: Iterable[str]) -> str:
    return "\n".join(to_plain_text(line, _LONGEST_LINE) for line in lines)


def _add_legend(figure: Figure, handles: Sequence[Any], names: Sequence[str], columns: int) -> None:
    """Explain the colours below everything, unless there is only one."""
    if len(names) <= 1:
        return
    # The blank in front: matplotlib leaves out labels that begin with an underscore.
    labels = [f" {to_plain_text(name)}" for name in names]
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def _draw_panel(axes: Axes, panel: Mapping[str, Any], read: Callable[[Any], Any]) -> list[Any]:
    drawn: list[Any] = []
    values: list[float] = []
    for (_, points), colour in zip(panel["lines"], cycle(COLOURS), strict=False):
        xs: Any = [read(x) for x, _ in points]
        # matplotlib leaves a gap where a value is NaN.
        ys = [math.nan if y is None else float(y) for _, y in points]
        values += ys
        drawn += axes.plot(xs, ys, color=colour, marker="o", markersize=4, linewidth=1.8)
    _style_axes(axes, "y", panel["form"])
    axes.set_ylabel(_join_lines(panel["label"].splitlines()))
    if all(map(math.isnan, values)):
        _call_unknown(axes)
    # From zero, so that heights can be compared.
    axes.set_ylim(bottom=0)
    return drawn


def _draw_lying_bars(axes: Axes, bars: Mapping[str, Any], colours: Sequence[str]) -> None:
    lengths = _measure(bars)
    axes.barh(range(len(lengths)), lengths, color=colours, height=0.68)
    place: Any = {"textcoords": "offset points", "va": "center", "fontsize": 9, "color": _GREY}
    for position, (length, text) in enumerate(zip(lengths, bars["texts"], strict=True)):
        axes.annotate(to_plain_text(text), (length, position), (4, 0), **place)
    _style_axes(axes, "x", bars["form"])
    axes.set_xlabel(_join_lines(bars["label"].splitlines()))
    # Room on the right for the label of the longest bar.
    axes.set_xlim(0, 1.2 * _find_longest(lengths))


def _draw_upright_bars(axes: Axes, bars: Mapping[str, Any], hatched: Sequence[bool]) -> None:
    colour, lengths = COLOURS[0], _measure(bars)
    drawn = axes.bar(range(len(lengths)), lengths, color=colour, edgecolor=colour, width=0.78)
    for bar in compress(drawn, hatched):
        bar.set_facecolor("white")
        bar.set_hatch("///")
    texts = list(map(to_plain_text, bars["texts"]))
    rotation, room = (0, 1.16) if _fit_upright(texts) else (90, 1.4)
    place: Any = {
        "textcoords": "offset points",
        "ha": "center",
        "va": "bottom",
        "rotation": rotation,
        "fontsize": _choose_font(len(texts)),
        "color": _GREY,
    }
    for position, (length, text) in enumerate(zip(lengths, texts, strict=True)):
        axes.annotate(text, (position, length), (0, 3), **place)
    _style_axes(axes, "y", bars["form"])
    axes.set_ylabel(_join_lines(bars["label"].splitlines()))
    if set(bars["values"]) <= {None}:
        _call_unknown(axes)
    # Room above the highest bar for its label.
    axes.set_ylim(0, room * _find_longest(lengths))
    axes.set_xlim(-0.7, len(lengths) - 0.3)


def _explain_hatching(figure: Figure, meaning: str) -> None:
    from matplotlib.patches import Patch

    patch = Patch(facecolor="white", edgecolor=COLOURS[0], hatch="///")
    label = to_plain_text(meaning, _LONGEST_LINE)
    figure.legend([patch], [label], loc="outside lower center", frameon=False)


def _measure(bars: Mapping[str, Any]) -> list[float]:
    """Return the length of each bar: nothing for an unknown value, whose text says so."""
    return [value or 0.0 for value in bars["values"]]


def _find_longest(lengths: Sequence[float]) -> float:
    """Return the length of the longest bar, 1 where none has any."""
    return max(lengths, default=0.0) or 1.0


def _call_unknown(axes: Axes) -> None:
    """Say in the middle of an empty diagram why it is empty."""
    centre: Any = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, "unknown", color=_GREY, **centre)
    axes.set_yticks([])


def _fit_upright(texts: Sequence[str]) -> bool:
    """Return whether the texts of upright bars fit beside each other without being turned."""
    longest = max(map(len, texts), default=0)
    return len(texts) * (longest + 1) * _LETTER <= _SHARED_WIDTH


def _choose_font(bars: int) -> float:
    """Return the size of the labels, turned or not, that so many bars leave room for, in points."""
    return min(_LARGEST_FONT, _SHARED_WIDTH / max(1, bars) / _LINE_HEIGHT)


def _style_axes(axes: Axes, along: Literal["x", "y"], form: Form) -> None:
    """Draw thin lines behind, no frame, and numbers that can be read."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    shorten = FORMS[form]
    axis = axes.yaxis if along == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: to_plain_text(shorten(value))))
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
