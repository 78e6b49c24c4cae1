"""The live questions: what they ask, how often, and what they make of an API that is not as
assumed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from server.archive.client import Archive
from server.doctor import ASSUMPTIONS
from server.doctor.live import NOBODYS_TOKEN, NOBODYS_WORKSPACE, check_assumptions
from server.doctor.probe import Probe, ProbeResult
from server.doctor.report import Finding
from server.http.client import Http
from server.http.transport import Reply
from server.limiter import Pacer
from server.sandbox import (
    MAIN,
    TOKEN,
    Answer,
    Sandbox,
)
from server.sandbox.archive.data.brands import load_brands
from tests.support.clocks import now
from tests.support.doubles import Clock

URL = "https://archive.test/api/v2"
LIVE = [assumption.id for assumption in ASSUMPTIONS if assumption.live]
COFFEE = next(brand.id for brand in load_brands() if brand.insights is None)
CREDITS = ("credit-headers", "credit-reset", "page-cost", "alias-cost")

Change = Callable[["Request", Answer], Answer]


@dataclass(frozen=True)
class Request:
    """A request that arrived."""

    query: str
    token: str
    workspace: str | None


@dataclass
class Rig:
    """A sandbox whose clock is the pacer's, behind something that may change its answers."""

    change: Change = lambda _, answer: answer
    plan: str = "growth"
    clock: Clock = field(default_factory=Clock)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(items=300, plan=self.plan, clock=self.clock, now=now)

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        token = headers["authorization"].removeprefix("Bearer ")
        request = Request(json.loads(body)["query"], token, headers.get("workspace-id"))
        self.requests.append(request)
        return self.change(request, await self.sandbox.handle(method, path, headers, body))

    @asynccontextmanager
    async def probe(self, workspace: str | None = MAIN) -> AsyncIterator[Probe]:
        pacer = Pacer(None, clock=self.clock, sleep=self.clock.sleep)
        async with Http(URL, "Archive", in_process=self.handle) as http:
            archive = Archive(
                url=URL, token=TOKEN, http=http, limiter=pacer, user_agent="test", clock=self.clock
            )
            yield Probe(archive, pacer, workspace)
        pacer.close()

    async def findings(self, workspace: str | None = MAIN) -> dict[str, Finding]:
        """What the live questions find, after the plain ones: those leave the limiter knowing the
        credits."""
        async with self.probe(workspace) as probe:
            await probe.ask("query Plain { workspace { id } }", workspace=MAIN)
            self.requests.clear()
            return {finding.assumption: finding for finding in await check_assumptions(probe)}


def with_body(answer: Answer, body: Any, status: int = 200) -> Answer:
    return Answer(status, answer.headers, json.dumps(body).encode())


async def test_the_sandbox_behaves_as_assumed_and_the_unit_of_a_value_stays_open() -> None:
    findings = await Rig().findings()
    assert list(findings) == LIVE
    assert {id for id, finding in findings.items() if finding.outcome != "confirmed"} == {
        "emv-cents"
    }
    assert findings["emv-cents"].evidence.startswith("looks like cents: the top post has ")


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


async def test_it_takes_sixteen_requests_all_of_them_reading_and_none_too_fast() -> None:
    rig = Rig()
    await rig.findings()
    assert len(rig.requests) == 16
    assert all(request.query.startswith(("query ", "{ ")) for request in rig.requests)
    assert rig.sandbox.refusals == 0


async def test_only_the_real_token_and_a_made_up_one_that_has_nothing_of_it_are_sent() -> None:
    rig = Rig()
    await rig.findings()
    assert [request.token for request in rig.requests if request.token != TOKEN] == [NOBODYS_TOKEN]
    assert {request.workspace for request in rig.requests} == {MAIN, NOBODYS_WORKSPACE, None}
    assert [request for request in rig.requests if request.workspace is None] == [
        request for request in rig.requests if request.token != TOKEN
    ]


async def test_without_a_workspace_only_what_needs_none_is_asked() -> None:
    findings = await Rig().findings(None)
    assert {id for id, finding in findings.items() if finding.outcome == "confirmed"} == {
        "without-workspace",
        "bad-token",
        "bad-workspace",
    }
    assert findings["depth"].evidence == "There is no workspace to ask in."


async def test_where_nothing_could_be_listed_nothing_is_asked() -> None:
    assert {finding.outcome for finding in await check_assumptions(None)} == {"unknown"}
    assert [finding.assumption for finding in await check_assumptions(None)] == LIVE


async def test_an_api_without_credit_headers_is_told() -> None:
    findings = await Rig(lambda _, answer: Answer(answer.status, {}, answer.body)).findings()
    outcomes = [findings[id].outcome for id in CREDITS]
    assert outcomes == ["contradicted", "unknown", "unknown", "unknown"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_with_one_question_leaves_only_its_assumptions_unknown(status: int) -> None:
    def trouble(request: Request, answer: Answer) -> Answer:
        return (
            Answer(status, {}, b"")
            if "TopItems" in request.query or "first: 101" in request.query
            else answer
        )

    findings = await Rig(trouble).findings()
    unknown = {id for id, finding in findings.items() if finding.outcome == "unknown"}
    page = {"credit-headers", "credit-reset", "page-cost", "big-numbers", "sorting", "emv-cents"}
    assert unknown == {"page-size", *page}
    assert findings["page-size"].evidence == f"Archive answered HTTP {status}."
    assert findings["page-cost"].evidence == "The page of items was not answered."


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b"[" * 100_000, b'{"data": null}', b'{"data": {"items": []}}']
)
async def test_answers_that_make_no_sense_confirm_nothing(body: bytes) -> None:
    findings = await Rig(lambda _, answer: Answer(200, {}, body)).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "confirmed"} == {
        "without-workspace"
    }


@pytest.mark.parametrize(
    ("id", "within"),
    [
        ("page-size", "first: 101"),
        ("depth", "socialProfiles"),
        ("introspection", "__schema"),
        ("not-viral", "NOT_VIRAL"),
        ("utc-dates", "+02:00"),
        ("bad-token", "workspaces(first: 1)"),
        ("bad-workspace", "query Workspace {"),
    ],
)
async def test_what_should_be_refused_and_is_answered_contradicts(id: str, within: str) -> None:
    def lenient(request: Request, answer: Answer) -> Answer:
        return (
            with_body(answer, {"data": {"items": {"nodes": []}}})
            if within in request.query
            else answer
        )

    findings = await Rig(lenient).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {id}


async def test_presets_that_obey_order_and_filter_contradict() -> None:
    def obedient(request: Request, answer: Answer) -> Answer:
        body = json.loads(answer.body)
        for alias, connection in (body.get("data") or {}).items():
            if alias.startswith("up"):
                connection["nodes"].reverse()
            if alias.startswith("old"):
                connection["totalCount"] = 0
        return with_body(answer, body, answer.status)

    findings = await Rig(obedient).findings()
    contradicted = {id for id, finding in findings.items() if finding.outcome == "contradicted"}
    assert contradicted == {"preset-order", "preset-filter"}


async def test_without_a_view_or_collection_presets_stay_unknown() -> None:
    def none(request: Request, answer: Answer) -> Answer:
        return (
            with_body(answer, {"data": {"filterPresets": []}})
            if "query Presets {" in request.query
            else answer
        )

    rig = Rig(none)
    findings = await rig.findings()
    assert (findings["preset-order"].outcome, findings["preset-filter"].outcome) == (
        "unknown",
        "unknown",
    )
    assert len(rig.requests) == 15


def change_data(within: str, change: Callable[[dict[str, Any]], None]) -> Rig:
    """A rig whose answers to the queries that hold `within` have their data changed."""

    def alter(request: Request, answer: Answer) -> Answer:
        if within not in request.query:
            return answer
        body = json.loads(answer.body)
        change(body["data"])
        return with_body(answer, body, answer.status)

    return Rig(alter)


def _hides_a_view(data: dict[str, Any]) -> None:
    data["filterPresets"] = [
        preset for preset in data["filterPresets"] if preset["id"] != data["contentViews"][0]["id"]
    ]


def _lists_a_creator_view(data: dict[str, Any]) -> None:
    data["filterPresets"].append({"id": data["creatorViews"][0]["id"], "accessor": "MEDIA_DECK"})


def _groups_on_one_side(data: dict[str, Any]) -> None:
    data["contentViews"][0]["group"] = {"id": "nobody-knows-it"}


def _names_a_filter_otherwise(data: dict[str, Any]) -> None:
    data["contentViews"][0]["filters"] = {"platforms": ["TIKTOK"]}


def _applies_filters(data: dict[str, Any]) -> None:
    data["creators_view"]["totalCount"] = 1


def _counts_the_own_brand(data: dict[str, Any]) -> None:
    data["competitorBrands"]["nodes"].pop()


def _has_posts_of_today(data: dict[str, Any]) -> None:
    data["now"]["totalCount"] = 3


@pytest.mark.parametrize(
    ("id", "within", "change"),
    [
        ("presets-listed", "query Saved", _hides_a_view),
        ("presets-listed", "query Saved", _lists_a_creator_view),
        ("group-members", "query Saved", _groups_on_one_side),
        ("view-filters", "query Saved", _names_a_filter_otherwise),
        ("stored-filters", "query Stored", _applies_filters),
        ("own-brand", "query Brands", _counts_the_own_brand),
        ("brand-months", "query Months", _has_posts_of_today),
    ],
)
async def test_what_is_otherwise_in_lists_and_brands_contradicts(
    id: str, within: str, change: Callable[[dict[str, Any]], None]
) -> None:
    findings = await change_data(within, change).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {id}


async def test_a_half_open_window_that_is_answered_contradicts() -> None:
    def lenient(request: Request, answer: Answer) -> Answer:
        body: dict[str, Any] = {"data": {"competitorBrandItems": {"nodes": []}}}
        return with_body(answer, body) if "query HalfOpen" in request.query else answer

    findings = await Rig(lenient).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {
        "brand-window"
    }


async def test_a_plan_without_competitors_is_no_fault_and_stops_asking_about_them() -> None:
    rig = Rig()
    findings = await rig.findings(COFFEE)
    brands = [findings[id] for id in ("own-brand", "brand-window", "brand-months")]
    assert {brand.outcome for brand in brands} == {"unknown"}
    assert all(
        brand.evidence.startswith("not part of this plan") and not brand.advice for brand in brands
    )
    assert sum("competitorBrand" in request.query for request in rig.requests) == 1


async def test_without_a_competitor_only_the_own_brand_is_judged() -> None:
    def alone(data: dict[str, Any]) -> None:
        page = data["competitorBrands"]
        page["nodes"], page["totalCount"] = (
            [brand for brand in page["nodes"] if brand["isOwnBrand"]],
            0,
        )

    findings = await change_data("query Brands", alone).findings()
    assert [findings[id].outcome for id in ("own-brand", "brand-window", "brand-months")] == [
        "confirmed",
        "unknown",
        "unknown",
    ]


async def test_without_a_view_that_only_filters_narrow_nothing_more_is_asked() -> None:
    def narrow(data: dict[str, Any]) -> None:
        for view in data["creatorViews"] + data["socialProfileViews"]:
            view["filters"] = {"locations": [], "platform": None}

    rig = change_data("query Saved", narrow)
    findings = await rig.findings()
    assert findings["stored-filters"].outcome == "unknown"
    assert not [request for request in rig.requests if "query Stored" in request.query]


@pytest.mark.parametrize(
    ("within", "unknown"),
    [
        (
            "query Saved",
            {"saved-lists", "presets-listed", "group-members", "view-filters", "stored-filters"},
        ),
        ("query Stored", {"stored-filters"}),
        ("query Brands", {"own-brand", "brand-window", "brand-months"}),
        ("query HalfOpen", {"brand-window"}),
        ("query Months", {"brand-months"}),
    ],
)
async def test_trouble_with_lists_and_brands_leaves_only_what_they_tell_unknown(
    within: str, unknown: set[str]
) -> None:
    findings = await Rig(
        lambda request, answer: Answer(503, {}, b"") if within in request.query else answer
    ).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "unknown"} == {
        "emv-cents",
        *unknown,
    }


async def test_a_list_that_the_api_does_not_know_contradicts() -> None:
    def refuse(request: Request, answer: Answer) -> Answer:
        error = {
            "message": "Field 'viewGroups' doesn't exist",
            "extensions": {"code": "undefinedField"},
        }
        return with_body(answer, {"errors": [error]}) if "query Saved" in request.query else answer

    findings = await Rig(refuse).findings()
    assert findings["saved-lists"].outcome == "contradicted"
    assert findings["presets-listed"].outcome == "unknown"


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
