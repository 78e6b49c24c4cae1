"""Charts are drawn beside the server, which goes on meanwhile."""

from __future__ import annotations

import sys

import anyio
import anyio.to_thread
import pytest

from server.child import Child
from server.errors import Code, Failure
from server.pictures import charts
from server.pictures.charts import Bars, Heading, Slots, draw_side_by_side, draw_upright
from tests.campaign.faults.watch import watching

WEEKS = 26


def draw_many_weeks() -> bytes:
    values = [float(place) for place in range(WEEKS)]
    slots = Slots([f"Jul {place}" for place in range(WEEKS)], [False] * WEEKS, "")
    panels = [Bars("Posts", values, [str(value) for value in values])]
    return draw_upright(Heading("Posts by week"), slots, panels, "Week")


async def test_the_event_loop_does_not_stand_still_and_matplotlib_stays_outside() -> None:
    loaded = "matplotlib" in sys.modules
    with watching() as watch:
        png = await anyio.to_thread.run_sync(draw_many_weeks)

    assert png.startswith(b"\x89PNG")
    assert not watch.stalls
    assert ("matplotlib" in sys.modules) is loaded


def test_a_chart_that_takes_too_long_is_given_up_and_the_next_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasty = Child(seconds=0.001)
    with monkeypatch.context() as patched:
        patched.setattr(charts, "drawer", hasty)
        with pytest.raises(Failure, match="was given up") as caught:
            draw_many_weeks()

    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.hint
    hasty.close()
    assert draw_side_by_side(Heading("t"), ["a"], [Bars("c", [1], ["1"])])
