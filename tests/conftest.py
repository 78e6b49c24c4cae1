"""What holds for all tests: their time of day, and how made-up inputs are tried."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from server import wall_clock
from tests.support.clocks import now

# The same inputs in every run, and no limit to how long a busy machine takes over one of them.
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def fixed_time_of_day() -> Iterator[None]:
    """Let whatever runs in this process read the moment of the tests instead of the machine's time
    of day; programs that tests start read the machine's."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wall_clock, "utc_now", now)
        yield
