"""What the doctor finds out by asking, through the services that tools use."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.doctor.report import Check, Report
from server.http import retry
from server.limiter import (
    Lane,
    Pacer,
    Slot,
    Snapshot,
)
from server.sandbox import (
    MAIN,
    OUTDOOR,
    TOKEN_SINGLE,
    Sandbox,
)
from server.sandbox import TOKEN as SEES_ALL
from server.sandbox.serve import open_server
from tests.support.clocks import fixed_sandbox, now
from tests.support.doctored import (
    AWAY,
    HOME,
    TOKEN,
    Respond,
    answering,
    check,
    examined,
    given,
    http,
    inside,
    listing_first,
    paced,
    workspaces,
)
from tests.support.doubles import Clock

NOWHERE = "http://127.0.0.1:9/api/v2"  # the discard port: nothing listens there
ONE = workspaces((HOME, "Home"))
BUSY = http(
    {
        "errors": [
            {
                "message": "Slow down. Retry after 40 seconds.",
                "extensions": {"code": "RATE_LIMIT_EXCEEDED"},
            }
        ]
    },
    "429 Too Many Requests",
    {"retry-after": "40"},
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again is sent again at once."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)


@pytest.fixture
async def sandbox() -> AsyncIterator[tuple[Sandbox, str]]:
    """A sandbox behind loopback HTTP that never finds a request too fast, and its URL."""
    quick = fixed_sandbox(items=50, plan="growth")
    async with open_server(quick) as url:
        yield quick, url


async def examine_server(folder: Path, respond: Respond) -> Report:
    """The report about a server that answers like this."""
    async with answering(respond) as url:
        return await examined(given(folder, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=TOKEN))


async def test_a_working_token_and_workspace_are_all_well(
    tmp_path: Path, sandbox: tuple[Sandbox, str]
) -> None:
    settings = given(
        tmp_path,
        ARCHIVE_API_URL=sandbox[1],
        ARCHIVE_APP_TOKEN=SEES_ALL,
        ARCHIVE_WORKSPACE_ID="Skincare",
    )
    report = await examined(settings)
    assert report.ok
    assert {line.status for line in report.checks} == {"ok"}
    assert (
        check(report, "workspace").detail
        == f"Northwind Skincare ({MAIN}), from ARCHIVE_WORKSPACE_ID"
    )
    assert "plan growth" in check(report, "credits").detail
    assert (
        "of 15000 rate credits left, 250 come back each second" in check(report, "credits").detail
    )
    assert report.workspaces[1] == {"id": OUTDOOR, "name": "Northwind Outdoor"}


async def test_the_only_workspace_needs_no_setting(
    tmp_path: Path, sandbox: tuple[Sandbox, str]
) -> None:
    report = await examined(
        given(tmp_path, ARCHIVE_API_URL=sandbox[1], ARCHIVE_APP_TOKEN=TOKEN_SINGLE)
    )
    assert check(report, "workspace").detail == f"Northwind Skincare ({MAIN}), the only one"
    assert check(report, "token").detail.startswith("accepted; it sees 1 workspace: ")


async def test_several_workspaces_and_none_configured_is_a_warning(tmp_path: Path) -> None:
    report = await examined(given(tmp_path, sandbox=True))
    assert check(report, "workspace").status == "warn"
    assert "Set ARCHIVE_WORKSPACE_ID" in check(report, "workspace").hint
    assert report.ok


@pytest.mark.parametrize(
    ("configured", "part"),
    [
        (AWAY.replace("b", "c"), "does not see the workspace"),
        ("12345", "No workspace is called '12345'"),
        ("Northwind", "2 workspaces fit 'Northwind'"),
    ],
)
async def test_a_configured_workspace_that_is_none_fails_and_lists_those_there_are(
    tmp_path: Path, configured: str, part: str
) -> None:
    report = await examined(
        given(tmp_path, sandbox=True, ARCHIVE_WORKSPACE_ID=configured), live=True
    )
    line = check(report, "workspace")
    assert (line.status, part in line.detail) == ("fail", True)
    assert f"Northwind Outdoor ({OUTDOOR})" in line.hint
    outcomes = {finding.assumption: finding.outcome for finding in report.findings or ()}
    assert (outcomes["page-size"], outcomes["bad-token"]) == ("unknown", "confirmed")


async def test_a_server_that_cannot_be_reached_fails_and_the_token_stays_unjudged(
    tmp_path: Path,
) -> None:
    report = await examined(
        given(tmp_path, ARCHIVE_API_URL=NOWHERE, ARCHIVE_APP_TOKEN=TOKEN), live=True
    )
    assert check(report, "api").status == "fail"
    assert "http://127.0.0.1:9" in check(report, "api").detail
    assert "ARCHIVE_API_URL" in check(report, "api").hint
    assert check(report, "token").status == "skip"
    assert {finding.outcome for finding in report.findings or ()} == {"unknown"}
    assert not report.ok


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http("<html>Welcome to nginx</html>"), "an HTML page"),
        (http("", "301 Moved", {"location": "https://elsewhere.example"}), "a redirect"),
        (http("oops", "500 Internal Server Error"), "a problem of its own"),
        (BUSY, "40 s"),
    ],
)
async def test_an_answer_that_is_not_archives_fails_as_the_api_and_not_as_the_token(
    tmp_path: Path, answer: bytes, code: str
) -> None:
    report = await examine_server(tmp_path, lambda _: answer)
    assert (check(report, "api").status, check(report, "token").status) == ("fail", "skip")
    assert code in check(report, "api").detail
    assert check(report, "api").hint


@pytest.mark.parametrize("status", ["401 Unauthorized", "200 OK"])
async def test_a_refused_token_fails_and_says_where_to_get_one(tmp_path: Path, status: str) -> None:
    report = await examine_server(
        tmp_path, lambda _: http({"errors": "Missing or invalid authentication token"}, status)
    )
    assert check(report, "api").status == "ok"
    assert check(report, "token").status == "fail"
    assert "Settings > Integrations" in check(report, "token").hint


async def test_a_token_that_sees_no_workspace_fails(tmp_path: Path) -> None:
    report = await examine_server(tmp_path, lambda _: workspaces())
    assert check(report, "token") == Check(
        "token",
        "fail",
        "The token is accepted but sees no workspace.",
        "Use a token of the workspace (or agency) that you mean.",
    )


async def test_a_workspace_that_is_listed_but_refused_fails(tmp_path: Path) -> None:
    refused = http(
        {"errors": [{"message": "Not authorized", "extensions": {"code": "UNAUTHORIZED"}}]}
    )
    report = await examine_server(tmp_path, listing_first(ONE, refused))
    assert check(report, "access").status == "fail"


@pytest.mark.parametrize("answer", [inside(AWAY), http({"data": {"workspace": None}})])
async def test_a_workspace_that_answers_as_another_one_fails(tmp_path: Path, answer: bytes) -> None:
    report = await examine_server(tmp_path, listing_first(ONE, answer))
    assert check(report, "access").detail == "Home: Archive answered for another workspace."
    assert not report.ok


async def test_an_api_that_names_no_credits_is_noted_and_well(tmp_path: Path) -> None:
    report = await examine_server(tmp_path, listing_first(ONE, inside()))
    assert check(report, "credits").status == "note"
    assert report.ok


async def test_contradicted_assumptions_are_warnings_and_no_failure(tmp_path: Path) -> None:
    async with answering(listing_first(ONE, inside())) as url:
        report = await examined(
            given(tmp_path, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=TOKEN), live=True
        )
    warnings = [line for line in report.checks if line.status == "warn"]
    assert "credit-headers: contradicted. ratelimit-policy: missing, ratelimit: missing" in [
        warning.detail for warning in warnings
    ]
    assert all("please report" in warning.hint for warning in warnings)
    assert report.ok


async def test_the_wait_after_a_429_is_told(tmp_path: Path) -> None:
    report = await examine_server(tmp_path, listing_first(ONE, BUSY))
    assert check(report, "access").status == "fail"
    assert check(report, "pace").status == "warn"
    assert "all requests wait 40.0 s more" in check(report, "pace").detail


class Counting(Pacer):
    """Counts the turns it gives."""

    turns = 0

    @asynccontextmanager
    async def slot(
        self,
        key: str,
        *,
        operation: str = "",
        cost: float = 5,
        lane: Lane = "interactive",
        deadline: float | None = None,
    ) -> AsyncIterator[Slot]:
        self.turns += 1
        async with super().slot(
            key, operation=operation, cost=cost, lane=lane, deadline=deadline
        ) as slot:
            yield slot


async def test_every_request_takes_its_turn_at_the_limiter(tmp_path: Path) -> None:
    clock = Clock(time.monotonic())
    strict, pacer = Sandbox(items=50, clock=clock, now=now), paced(Counting, clock)
    async with open_server(strict) as url:
        settings = given(tmp_path, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=SEES_ALL)
        await examined(settings, live=True, pacer=pacer)
    assert 15 <= pacer.turns == strict.requests <= 18
    assert strict.refusals == 0


async def test_a_fault_of_our_own_is_not_passed_off_as_a_finding(tmp_path: Path) -> None:
    class Broken(Pacer):
        async def snapshot(self, key: str) -> Snapshot:
            raise ZeroDivisionError(key)

    with pytest.raises(ZeroDivisionError):
        await examined(given(tmp_path, sandbox=True), pacer=paced(Broken))
