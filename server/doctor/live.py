"""`doctor --live`: asks the API, by reading only, whether it behaves as this product assumes.

At most sixteen requests with the user's own token, each through the limiter and sent once: a
question that is not answered leaves its assumptions unknown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server import wall_clock
from server.doctor import verdicts
from server.doctor.assumptions import ASSUMPTIONS
from server.doctor.live_competitors import OF_BRANDS, brands
from server.doctor.live_saved import OF_SAVED, saved
from server.doctor.look import Look
from server.doctor.report import Finding
from server.errors import Code, Failure

NOBODYS_TOKEN = "archive-mcp-doctor-made-up-token"  # noqa: S105  # made up to be refused
NOBODYS_WORKSPACE = "d0c70900-5e1f-4c8e-9b7a-0a11ce0fba5e"

_ITEMS = (
    "query TopItems($first: Int!) { items(first: $first, sorting: [{sortKey: EARNED_MEDIA_VALUE, sortOrder: DESC}]) "
    "{ nodes { id archivePublicUrl currentEngagement { likes comments views earnedMediaValue } } } }"
)
_WORKSPACES = "query Workspaces { workspaces(first: 1) { nodes { id } } }"
_WORKSPACE = "query Workspace { workspace { id } }"
_PRESETS = "query Presets { filterPresets { id } }"
_FIVE_TIMES = (
    "query FiveTimes { " + " ".join(f"p{n}: filterPresets {{ id }}" for n in range(5)) + " }"
)
_MOST_PRESETS = 3

_REFUSALS = {
    "page-size": ("{ items(first: 101) { nodes { id } } }", "less than or equal to 100"),
    "depth": (
        "{ items(first: 1) { nodes { socialProfile { creator { socialProfiles { creator { socialProfiles { creator "
        "{ socialProfiles { creator { id } } } } } } } } } } }",
        "max depth",
    ),
    "introspection": ("{ __schema { queryType { name } } }", "schema", "introspection"),
    "not-viral": (
        "{ items(first: 1, filter: {viralityScore: [NOT_VIRAL]}) { nodes { id } } }",
        "viral",
    ),
    "utc-dates": (
        '{ items(first: 1, filter: {takenAt: {from: "2026-01-01T00:00:00+02:00"}}) { nodes { id } } }',
        "cannot coerce",
    ),
}
"""Assumption -> a query that must be refused, and words of which the refusal has at least one."""


async def live_findings(look: Look | None) -> list[Finding]:
    """One finding for each assumption that can be checked, in the order of the list; None asks
    nothing."""
    found: dict[str, Finding] = {}
    reason = "not asked: Archive did not give a list of workspaces"
    if look is not None:
        reason = "not asked"
        for question, concerned in _QUESTIONS:
            try:
                answers = await question(look)
            except Failure as failure:
                answers = [Finding(each, "unknown", failure.message) for each in concerned]
            found |= {each.assumption: each for each in answers}
    return [
        found.get(each.id) or Finding(each.id, "unknown", reason)
        for each in ASSUMPTIONS
        if each.live
    ]


async def _without_workspace(_: Look) -> list[Finding]:
    return [Finding("without-workspace", "confirmed", "the list of workspaces came without it")]


async def _page(look: Look) -> list[Finding]:
    look.page = heard = await look.ask(_ITEMS, {"first": 100}, cost=85)
    records = verdicts.records_of(heard.data("items"))
    return [
        verdicts.credit_headers(heard.reply.headers),
        verdicts.credit_reset(heard.reply.headers, wall_clock.utc_now().timestamp()),
        verdicts.big_numbers(records),
        verdicts.sorting(records),
        verdicts.emv_unit(records),
    ]


async def _refused(look: Look) -> list[Finding]:
    findings = []
    for id, (document, *words) in _REFUSALS.items():
        try:
            findings.append(verdicts.refusal(id, (await look.ask(document)).payload, words))
        except Failure as failure:
            findings.append(Finding(id, "unknown", failure.message))
    return findings


async def _bad_token(look: Look) -> list[Finding]:
    heard = await look.ask(_WORKSPACES, token=NOBODYS_TOKEN)
    return [verdicts.plain_refusal("bad-token", heard.reply, heard.payload, 401)]


async def _bad_workspace(look: Look) -> list[Finding]:
    heard = await look.ask(_WORKSPACE, workspace=NOBODYS_WORKSPACE)
    return [verdicts.plain_refusal("bad-workspace", heard.reply, heard.payload, 404)]


async def _page_cost(look: Look) -> list[Finding]:
    """Told late: the quickest answer must be known, and it is a refusal."""
    if look.page is None:
        raise Failure(Code.UNAVAILABLE, "The page of items was not answered.")
    return [
        verdicts.page_cost(look.spent(look.page), len(verdicts.records_of(look.page.data("items"))))
    ]


async def _presets(look: Look) -> list[Finding]:
    once = await look.ask(_PRESETS)
    five_times = await look.ask(_FIVE_TIMES, cost=25)
    findings = [verdicts.alias_cost(look.spent(once), look.spent(five_times))]
    listed = once.data("filterPresets")
    ids = (
        [str(each["id"]) for each in listed if isinstance(each, dict)]
        if isinstance(listed, list)
        else []
    )
    if not ids:
        return [
            *findings,
            *(Finding(each, "unknown", "no view or collection to try") for each in _OF_PRESETS),
        ]
    return findings + await _orders(look, ids[:_MOST_PRESETS])


async def _orders(look: Look, ids: list[str]) -> list[Finding]:
    """Each preset in both orders, and filtered to what cannot be in it, all in one request."""
    fields = []
    for number in range(len(ids)):
        for alias, order in (("up", "ASC"), ("down", "DESC")):
            fields.append(
                f"{alias}{number}: items(presetId: $p{number}, first: 10, sorting: [{{sortKey: LIKE_COUNT, "
                f"sortOrder: {order}}}]) {{ totalCount nodes {{ id }} }}"
            )
        fields.append(
            f"old{number}: items(presetId: $p{number}, first: 1, filter: "
            '{takenAt: {to: "1990-01-01T00:00:00Z"}}) { totalCount }'
        )
    declared = ", ".join(f"$p{number}: ID" for number in range(len(ids)))
    variables = {f"p{number}": id for number, id in enumerate(ids)}
    heard = await look.ask(
        f"query Presets({declared}) {{ {' '.join(fields)} }}", variables, cost=100
    )
    tried = [
        tuple(heard.data(f"{alias}{number}") for alias in ("up", "down", "old"))
        for number in range(len(ids))
    ]
    return [verdicts.preset_order(tried), verdicts.preset_filter(tried)]


_OF_PRESETS = ("preset-order", "preset-filter")
_OF_PAGE = ("credit-headers", "credit-reset", "big-numbers", "sorting", "emv-cents")
_QUESTIONS: tuple[tuple[Callable[[Look], Awaitable[list[Finding]]], tuple[str, ...]], ...] = (
    (_without_workspace, ("without-workspace",)),
    (_page, _OF_PAGE),
    (_refused, tuple(_REFUSALS)),
    (_bad_token, ("bad-token",)),
    (_bad_workspace, ("bad-workspace",)),
    # Late: by then the credits of the page have come back, and a full bucket tells prices exactly.
    (_page_cost, ("page-cost",)),
    (_presets, ("alias-cost", *_OF_PRESETS)),
    (saved, OF_SAVED),
    (brands, OF_BRANDS),
)
