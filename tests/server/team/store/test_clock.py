"""What a replica knows of the clock of the server that all of them share."""

from __future__ import annotations

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.team.store.clock import StoreClock

PAUSE = 1.21


class Replica:
    """A process whose clock a test moves, and a server whose clock is ahead of it."""

    def __init__(self, ahead: float = 1000.0) -> None:
        self.now = 50.0
        self.ahead = ahead
        self.clock = StoreClock(PAUSE, lambda: self.now)

    def ask(self, there: float = 0.001, back: float = 0.001) -> None:
        """Read the server's clock over a way of so many seconds there and back."""
        asked = self.now
        self.now += there
        server_time = self.now + self.ahead
        self.now += back
        self.clock.observe(asked, self.now, server_time)


def test_before_the_first_reading_nothing_may_be_sent() -> None:
    assert Replica().clock.safe_from == math.inf
    assert Replica().clock.offset == 0.0


def test_a_new_process_waits_until_what_was_sent_before_has_left_the_window() -> None:
    replica = Replica()
    replica.ask()
    assert replica.clock.safe_from == pytest.approx(replica.now + PAUSE)
    before = replica.clock.safe_from
    replica.now += 0.5
    replica.ask()
    assert replica.clock.safe_from == before


def test_a_slow_answer_after_fast_ones_does_not_blur_the_clock() -> None:
    replica = Replica()
    replica.ask()
    replica.ask(there=0.9, back=0.0)
    assert replica.clock.offset == pytest.approx(1000, abs=0.002)


@given(
    st.lists(
        st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 5)), min_size=1, max_size=30
    )
)
def test_the_error_is_at_most_half_of_the_fastest_way_and_the_drift_since(
    ways: list[tuple[float, float, float]],
) -> None:
    replica = Replica()
    passed = 0.0
    for there, back, pause in ways:
        replica.now += pause
        replica.ask(there, back)
        passed += pause + there + back
    fastest = min(there + back for there, back, _ in ways)
    assert abs(replica.clock.offset - 1000) <= fastest / 2 + 0.001 * passed + 1e-6
    assert replica.clock.safe_from <= replica.now + PAUSE


@pytest.mark.parametrize("step", [30.0, -30.0, 0.2, -0.2])
def test_a_clock_that_was_set_is_noticed_and_nothing_is_sent_for_a_moment(
    step: float, caplog: pytest.LogCaptureFixture
) -> None:
    replica = Replica()
    replica.ask()
    replica.now += 100
    replica.ahead += step
    with caplog.at_level(logging.WARNING):
        replica.ask()
    assert replica.clock.offset == pytest.approx(1000 + step, abs=0.002)
    assert replica.clock.safe_from == pytest.approx(replica.now + PAUSE)
    assert "clock" in caplog.text


def test_a_clock_that_drifts_is_followed_without_a_pause() -> None:
    replica = Replica()
    replica.ask()
    before = replica.clock.safe_from
    for _ in range(200):
        replica.now += 1
        replica.ahead += 0.0005
        replica.ask()
    assert replica.clock.offset == pytest.approx(1000.1, abs=0.003)
    assert replica.clock.safe_from == before


def test_a_clock_that_was_known_badly_is_corrected_with_a_pause() -> None:
    replica = Replica()
    replica.ask(there=0.2, back=0.0)
    replica.now += 1
    replica.ask()
    assert replica.clock.offset == pytest.approx(1000, abs=0.002)
    assert replica.clock.safe_from == pytest.approx(replica.now + PAUSE)


def test_a_clock_that_drifted_while_nothing_was_sent_is_corrected_without_a_pause() -> None:
    replica = Replica()
    replica.ask()
    assert replica.clock.is_fresh
    before = replica.clock.safe_from
    replica.now += 3600
    replica.ahead += 0.18
    assert not replica.clock.is_fresh
    replica.ask()
    assert replica.clock.offset == pytest.approx(1000.18, abs=0.002)
    assert replica.clock.safe_from == before


def test_a_lost_connection_begins_a_new_pause_with_the_next_answer() -> None:
    replica = Replica()
    replica.ask()
    replica.now += 5
    replica.clock.distrust()
    assert replica.clock.safe_from == math.inf
    # What is computed meanwhile goes on by the clock as it was.
    assert replica.clock.offset == pytest.approx(1000, abs=0.002)
    replica.ahead = 7.0
    replica.ask()
    assert replica.clock.offset == pytest.approx(7, abs=0.002)
    assert replica.clock.safe_from == pytest.approx(replica.now + PAUSE)
