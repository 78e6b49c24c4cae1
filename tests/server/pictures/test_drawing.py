from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from server.pictures.charts import (
    Bars,
    Heading,
    Panel,
    Slots,
    draw_over_time,
    draw_side_by_side,
    draw_upright,
)
from tests.support.paths import ROOT
from tests.support.tools.figures import watch_figures

NAMES = [
    "mia 🎀✨",
    "$a$b$",
    "\\frac{1}{2}",
    "<b>x</b>",
    "a\nb\tc",
    "\u202eevil",
    "北京美食",
    "é" * 300,
    "",
    "🇫🇷",
    "_",
    "\x00\x07",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_strangers_chose_are_drawn_as_text_without_a_warning(name: str) -> None:
    moment = "2026-11-01T00:00:00+00:00"

    heading, bars = Heading(name, [name]), Bars(name, [1, None], [name, "unknown"])

    assert draw_side_by_side(heading, [name, "b"], [bars], [name, name + "x"])
    assert draw_upright(heading, Slots([name, "b"], [False, True], name), [bars], name)
    assert draw_over_time(
        heading,
        [Panel(name, [(name, [(moment, 1.0)]), ("b", [(moment, None)])])],
        name,
        by_date=True,
    )


def test_a_settings_file_of_matplotlib_in_the_working_folder_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: black\n")
    draw = (
        "sys.stdout.buffer.write(draw_side_by_side(Heading('t'), ['a'], [Bars('c', [1], ['1'])]))"
    )
    script = f"import sys; from server.pictures.charts import *; {draw}"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        check=True,
    )

    assert run.stdout == draw_side_by_side(Heading("t"), ["a"], [Bars("c", [1], ["1"])])


@pytest.mark.parametrize("number", [1, 2, 27, 104])
def test_the_highest_of_many_bars_has_room_for_its_label(number: int) -> None:
    values = [float(place) for place in range(number)]
    texts = [f"{place * 1000:,}" for place in range(number)]
    slots = Slots([f"Jul {place}" for place in range(number)], [False] * number, "")
    heading, figures = Heading("Northwind: posts by week", ["all posts"]), list[Any]()

    with watch_figures(figures):
        draw_upright(heading, slots, [Bars("Posts", values, texts)], "Week")

    (axes,) = figures[0].axes
    renderer = figures[0].canvas.get_renderer()
    top = axes.get_window_extent(renderer).y1
    labels = [text.get_window_extent(renderer) for text in axes.texts]
    assert len(labels) == number
    assert all(label.y1 <= top for label in labels)
    # No label lies over its neighbour.
    assert all(left.x1 <= right.x0 + 1 for left, right in pairwise(labels))
