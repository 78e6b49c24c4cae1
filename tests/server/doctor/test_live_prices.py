"""What the live questions find out about prices in rate credits."""

from __future__ import annotations

import pytest

from server.doctor.probe import ProbeResult
from server.http.transport import Reply
from server.sandbox import (
    Answer,
)
from tests.support.doctor.live_rig import Rig

CREDITS = ("credit-headers", "credit-reset", "page-cost", "alias-cost")


@pytest.mark.parametrize("plan", ["growth", "enterprise"])
async def test_prices_are_told_exactly_where_the_api_computes_in_no_time(plan: str) -> None:
    findings = await Rig(plan=plan).findings()
    assert findings["alias-cost"].evidence.startswith("once 5 to 6 credits, five times 25 to 26;")
    assert findings["page-cost"].evidence.startswith("81 to 82 credits for 100 items;")


async def test_prices_are_told_on_the_slowest_plan_too() -> None:
    findings = await Rig(plan="startup").findings()
    assert (findings["alias-cost"].outcome, findings["page-cost"].outcome) == (
        "confirmed",
        "confirmed",
    )


async def test_an_api_without_credit_headers_is_told() -> None:
    findings = await Rig(lambda _, answer: Answer(answer.status, {}, answer.body)).findings()
    outcomes = [findings[id].outcome for id in CREDITS]
    assert outcomes == ["contradicted", "unknown", "unknown", "unknown"]


def result(before: float | None, left: int, seconds: float) -> ProbeResult:
    headers = {"ratelimit-policy": '"growth";q=15000;w=60', "ratelimit": f'"growth";r={left};t=1'}
    return ProbeResult(Reply(200, headers, b""), {}, before, seconds)


async def test_credits_that_came_back_while_it_was_computed_widen_the_price() -> None:
    async with Rig().probe() as probe:
        probe.quickest = 0.1
        assert probe.price_of(result(15000, 14920, 0.1)) == (80, 81)
        assert probe.price_of(result(15000, 14920, 0.3)) == pytest.approx((80, 131))


async def test_a_bucket_that_was_not_full_makes_the_price_vague_by_one_trip() -> None:
    async with Rig().probe() as probe:
        probe.quickest = 0.1
        assert probe.price_of(result(14000, 13920, 0.1)) == (55, 106)
        assert probe.price_of(result(None, 13920, 0.1)) is None


async def test_credits_that_come_back_while_waiting_for_the_turn_count_as_there() -> None:
    rig = Rig(plan="startup")
    async with rig.probe() as probe:
        await probe.ask("{ filterPresets { id } items(first: 100) { nodes { id } } }")
        again = await probe.ask("{ filterPresets { id } }")
    assert rig.clock.slept
    assert again.before == pytest.approx(5000 - 65 + 50 * sum(rig.clock.slept), abs=1)
