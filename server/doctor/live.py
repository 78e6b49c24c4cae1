"""`doctor --live`: ask the API, by reading only, whether it behaves as this product assumes.

At most sixteen requests with the user's own token, each through the limiter and sent once: a
question without an answer leaves its assumptions unknown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from server import wall_clock
from server.doctor import verdicts
from server.doctor.assumptions import LIVE
from server.doctor.judging import conclude, leave_open, list_objects, list_records
from server.doctor.live_competitors import ABOUT_BRANDS, ask_about_brands
from server.doctor.live_saved import ABOUT_SAVED, ask_about_saved
from server.doctor.probe import Probe
from server.doctor.report import Finding
from server.errors import Code, Failure

# Neither has anything of a real one: no part of the user's token is sent where it may be logged.
NOBODYS_TOKEN = "archive-mcp-doctor-made-up-token"  # noqa: S105  # made up to be refused
NOBODYS_WORKSPACE = "d0c70900-5e1f-4c8e-9b7a-0a11ce0fba5e"

_ITEMS = (
    "query TopItems($first: Int!) { "
    "items(first: $first, sorting: [{sortKey: EARNED_MEDIA_VALUE, sortOrder: DESC}]) { "
    "nodes { id archivePublicUrl currentEngagement { likes comments views earnedMediaValue } } } }"
)
_WORKSPACES = "query Workspaces { workspaces(first: 1) { nodes { id } } }"
_WORKSPACE = "query Workspace { workspace { id } }"
_PRESETS = "query Presets { filterPresets { id } }"
_ALIASES = " ".join(f"p{number}: filterPresets {{ id }}" for number in range(5))
_FIVE_TIMES = f"query FiveTimes {{ {_ALIASES} }}"
# One view may be sorted or filtered by chance as assumed; more than three cost too many credits.
_MOST_PRESETS = 3
# Eleven levels, one more than Archive takes.
_DEEP = (
    "{ items(first: 1) { nodes { socialProfile { creator { socialProfiles { creator { "
    "socialProfiles { creator { socialProfiles { creator { id } } } } } } } } } } }"
)

# Assumption -> a query that must be refused, and words of which the refusal has at least one.
_REFUSALS = {
    "page-size": ("{ items(first: 101) { nodes { id } } }", "less than or equal to 100"),
    "depth": (_DEEP, "max depth"),
    "introspection": ("{ __schema { queryType { name } } }", "schema", "introspection"),
    "not-viral": (
        "{ items(first: 1, filter: {viralityScore: [NOT_VIRAL]}) { nodes { id } } }",
        "viral",
    ),
    "utc-dates": (
        '{ items(first: 1, filter: {takenAt: {from: "2026-01-01T00:00:00+02:00"}}) '
        "{ nodes { id } } }",
        "cannot coerce",
    ),
}


async def check_assumptions(probe: Probe | None) -> list[Finding]:
    """Return one finding for each assumption that can be checked, in the order of the list.

    Without a probe nothing is asked, and all of them are unknown.
    """
    reason = "not asked, because Archive returned no list of workspaces"
    findings = {id: leave_open(id, reason) for id in LIVE}
    if probe is None:
        return list(findings.values())
    for question, ids in _QUESTIONS:
        for finding in await _ask(question, probe, ids):
            findings[finding.assumption] = finding
    return list(findings.values())


Question = Callable[[Probe], Awaitable[list[Finding]]]


async def _ask(question: Question, probe: Probe, ids: Iterable[str]) -> list[Finding]:
    try:
        return await question(probe)
    except Failure as failure:
        # Trouble with one question says nothing about the next.
        return [leave_open(id, failure.message) for id in ids]


async def _check_without_workspace(_: Probe) -> list[Finding]:
    # The plain checks asked for the list before, or there would be no probe.
    evidence = "the list of workspaces was returned without it"
    return [Finding("without-workspace", "confirmed", evidence)]


async def _check_page(probe: Probe) -> list[Finding]:
    result = await probe.ask(_ITEMS, {"first": 100}, cost=85)
    probe.page = result
    records = list_records(result.data("items"))
    return [
        verdicts.judge_credit_headers(result.reply.headers),
        verdicts.judge_credit_reset(result.reply.headers, wall_clock.utc_now().timestamp()),
        verdicts.judge_big_numbers(records),
        verdicts.judge_sorting(records),
        verdicts.guess_emv_unit(records),
    ]


async def _check_refusals(probe: Probe) -> list[Finding]:
    # One by one: an error 500 may be how Archive refuses a single one of them.
    return [await conclude(id, _check_refusal(probe, id)) for id in _REFUSALS]


async def _check_refusal(probe: Probe, id: str) -> Finding:
    document, *words = _REFUSALS[id]
    result = await probe.ask(document)
    return verdicts.judge_refusal(id, result.payload, words)


async def _check_bad_token(probe: Probe) -> list[Finding]:
    result = await probe.ask(_WORKSPACES, token=NOBODYS_TOKEN)
    return [verdicts.judge_status("bad-token", result.reply, result.payload, 401)]


async def _check_bad_workspace(probe: Probe) -> list[Finding]:
    result = await probe.ask(_WORKSPACE, workspace=NOBODYS_WORKSPACE)
    return [verdicts.judge_status("bad-workspace", result.reply, result.payload, 404)]


async def _check_page_cost(probe: Probe) -> list[Finding]:
    if probe.page is None:
        raise Failure(Code.UNAVAILABLE, "The page of items was not answered.")
    # Only now: the quickest answer has to be known, and that is a refusal.
    price = probe.price_of(probe.page)
    return [verdicts.judge_page_cost(price, len(list_records(probe.page.data("items"))))]


async def _check_presets(probe: Probe) -> list[Finding]:
    once = await probe.ask(_PRESETS)
    five_times = await probe.ask(_FIVE_TIMES, cost=25)
    cost = verdicts.judge_alias_cost(probe.price_of(once), probe.price_of(five_times))
    presets = list_objects(once.data("filterPresets"))
    if not presets:
        reason = "there is no view or collection to try"
        return [cost, *(leave_open(id, reason) for id in _ABOUT_PRESETS)]
    ids = [str(preset["id"]) for preset in presets[:_MOST_PRESETS]]
    return [cost, *await _compare_orders(probe, ids)]


async def _compare_orders(probe: Probe, ids: list[str]) -> list[Finding]:
    """Request each preset in both orders, and filtered to what cannot be in it, all at once."""
    numbers = range(len(ids))
    fields: list[str] = []
    for number in numbers:
        # Likes, because hardly two posts have the same number of them.
        fields += [
            f"{alias}{number}: items(presetId: $p{number}, first: 10, "
            f"sorting: [{{sortKey: LIKE_COUNT, sortOrder: {order}}}]) "
            "{ totalCount nodes { id } }"
            for alias, order in (("up", "ASC"), ("down", "DESC"))
        ]
        # No post is that old.
        fields.append(
            f"old{number}: items(presetId: $p{number}, first: 1, "
            'filter: {takenAt: {to: "1990-01-01T00:00:00Z"}}) { totalCount }'
        )
    declarations = ", ".join(f"$p{number}: ID" for number in numbers)
    document = f"query Presets({declarations}) {{ {' '.join(fields)} }}"
    variables = {f"p{number}": id for number, id in enumerate(ids)}
    result = await probe.ask(document, variables, cost=100)
    trials = [
        (result.data(f"up{number}"), result.data(f"down{number}"), result.data(f"old{number}"))
        for number in numbers
    ]
    return [verdicts.judge_preset_order(trials), verdicts.judge_preset_filter(trials)]


_ABOUT_PRESETS = ("preset-order", "preset-filter")
_ABOUT_PAGE = ("credit-headers", "credit-reset", "big-numbers", "sorting", "emv-cents")
# Every question with the assumptions that stay unknown where it is not answered.
_QUESTIONS: tuple[tuple[Question, tuple[str, ...]], ...] = (
    (_check_without_workspace, ("without-workspace",)),
    (_check_page, _ABOUT_PAGE),
    (_check_refusals, tuple(_REFUSALS)),
    (_check_bad_token, ("bad-token",)),
    (_check_bad_workspace, ("bad-workspace",)),
    # Late: by then the credits of the page have come back, and a full bucket shows exact prices.
    (_check_page_cost, ("page-cost",)),
    (_check_presets, ("alias-cost", *_ABOUT_PRESETS)),
    (ask_about_saved, ABOUT_SAVED),
    (ask_about_brands, ABOUT_BRANDS),
)
