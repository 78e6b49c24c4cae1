from __future__ import annotations

from datetime import UTC
from typing import Any

import httpx
import pytest
from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate

from server.archive.batching import MOST, BatchReader, build_document
from server.archive.failures import Answer
from server.archive.operations import ArchiveRequest, Read
from server.archive.records import fields_of
from server.archive.selection import MAX_PATH, select
from server.errors import Code
from server.limiter import Pacer
from server.sandbox import MAIN
from server.sandbox.archive.rules import depth
from tests.support.archive.batches import (
    COMPLEX,
    Json,
    bench,
    codes,
    nodes,
    said,
)
from tests.support.doubles import Clock, OpenLimiter
from tests.support.paths import SCHEMA
from tools.archive.content.lookups import GetEngagementHistory
from tools.archive.operations import GetOperation, GetOperations
from tools.surface import requests

READS = [each for each in requests() if issubclass(each, ArchiveRequest) and issubclass(each, Read)]
CONTEXT: dict[str, Any] = {"timezone": UTC, "instants": []}
MADE_OF: Json = {
    "entity": "ITEM",
    "urls": ["https://www.instagram.com/p/x/"],
    "filter": {"takenAt": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"}},
}
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


def some(kind: type[Read[Any]], count: int) -> list[Read[Any]]:
    """Requests that differ in their ids."""
    names = [info.alias or name for name, info in kind.model_fields.items() if info.is_required()]
    return [
        kind.model_validate(
            {name: MADE_OF.get(name, f"{name}-{number}") for name in names}, context=CONTEXT
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("kind", READS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("count", [1, 2, MOST])
def test_a_packed_document_is_one_that_archive_accepts(
    schema: GraphQLSchema, kind: type[Read[Any]], count: int
) -> None:
    for paths in (None, [*_deepest(kind), *fields_of(kind.record())]):
        document, variables = build_document(some(kind, count), select(kind.record(), paths))
        parsed = parse(document)

        assert validate(schema, parsed) == [], document
        assert depth(parsed) <= 10
        (operation,) = parsed.definitions
        assert isinstance(operation, OperationDefinitionNode)
        declared = {each.variable.name.value for each in operation.variable_definitions or ()}
        assert variables.keys() == declared
        fields = [
            each for each in operation.selection_set.selections if isinstance(each, FieldNode)
        ]
        assert [each.alias and each.alias.value for each in fields] == [
            f"a{number}" for number in range(count)
        ]


def _deepest(kind: type[Read[Any]]) -> list[str]:
    """A path through objects that goes as deep as one may."""
    path: list[str] = []
    record = kind.record()
    while len(path) < MAX_PATH:
        inner = next(
            ((name, field.record) for name, field in fields_of(record).items() if field.record),
            None,
        )
        if inner is None:
            break
        path.append(inner[0])
        record = inner[1]
    return [".".join(path)] if path else []


def test_what_is_the_same_for_all_is_one_variable_and_what_a_read_leaves_out_stays_out() -> None:
    window = {"capturedAt": {"from": "2026-01-01T00:00:00Z"}}
    given = [{"itemId": each, "filter": window} for each in "xy"]
    pair = [GetEngagementHistory.model_validate(each, context=CONTEXT) for each in given]
    document, variables = build_document(pair, {"at": {}})

    assert variables == {"first": 100, "filter": window, "itemId0": "x", "itemId1": "y"}
    assert document.count("$filter: EngagementHistoryFilterInput") == 1
    _, lone = build_document(
        [pair[0], GetEngagementHistory.model_validate({"itemId": "z"})], {"at": {}}
    )
    assert lone == {"first": 100, "filter0": window, "itemId0": "x", "itemId1": "z"}


async def test_packs_grow_from_five_and_bring_what_single_reads_bring() -> None:
    async with bench() as there:
        found = await there.read(*there.ids)

        assert there.sandbox.sizes == [5, 10, 20, 40, 25]
        assert nodes(found) == await there.singly(*there.ids)


async def test_the_price_of_a_read_is_learned_from_the_headers_before_more_are_packed() -> None:
    clock = Clock()
    pacer = Pacer(None, clock=clock, sleep=clock.sleep)
    async with bench(pacer, plan="startup", rate=5, clock=clock) as there:
        await there.read(*there.ids)

        assert there.sandbox.sizes == [5, 10, 20, 40, 25]
        assert there.reader.batch_size.cost == pytest.approx(6, abs=1)
        assert there.sandbox.refusals == 0
        bucket = there.sandbox.meters.of(MAIN).bucket
        refilled = bucket.plan.refill * sum(clock.slept)
        assert 5000 - bucket.left + refilled == pytest.approx(6 * 100 + 60)


@pytest.mark.parametrize("allowed", [1, 2, 7, 15])
async def test_a_pack_that_the_api_calls_too_complex_travels_in_smaller_ones_from_then_on(
    allowed: int,
) -> None:
    async with bench() as there:
        there.sandbox.objection = lambda size, _: said(COMPLEX) if size > allowed else None
        found = await there.read(*there.ids)
        refused = [size for size in there.sandbox.sizes if size > allowed]

        assert nodes(found) == await there.singly(*there.ids)
        assert len(refused) <= 2
        assert there.reader.size <= allowed


async def test_where_aliases_are_not_understood_every_read_goes_alone() -> None:
    unknown = {
        "errors": [{"message": "Aliases are not allowed", "extensions": {"code": "ALIASES"}}]
    }
    async with bench() as there:
        there.sandbox.objection = lambda size, _: said(unknown) if size else None
        found = await there.read(*there.ids[:20])

        assert len(nodes(found)) == 20
        assert there.sandbox.sizes == [5, 2, *[0] * 20]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(said(HTML, 502), id="a page of a gateway"),
        pytest.param(said({"errors": [{"message": "timeout"}]}, 500), id="an internal error"),
        pytest.param(said(b'{"data": {"a0": {"nodes": ['), id="half an answer"),
        pytest.param(httpx.ReadTimeout("too slow"), id="no answer in time"),
    ],
)
async def test_large_packs_that_break_the_api_are_given_up_without_losing_a_read(
    trouble: Any,
) -> None:
    async with bench() as there:
        there.sandbox.objection = lambda size, _: trouble if size > 10 else None
        found = await there.read(*there.ids)

        assert there.sandbox.sizes == [5, 10, 20, 10, 20, *[10] * 7, 5]
        assert nodes(found) == await there.singly(*there.ids)


async def test_after_an_outage_packs_are_as_large_as_before() -> None:
    async with bench() as there:
        await there.read(*there.ids)
        there.sandbox.objection = lambda *_: said(HTML, 504)
        down = await there.read(*there.ids[:40])
        assert there.reader.size == 1
        there.sandbox.objection = lambda *_: None
        up = await there.read(*there.ids)

        assert codes(down) == dict.fromkeys(there.ids[:40], Code.UNAVAILABLE)
        assert len(nodes(up)) == 100
        assert there.reader.size == MOST


async def test_an_unknown_item_is_the_failure_of_its_read_alone() -> None:
    async with bench() as there:
        ids = [*there.ids[:3], "gone-1", *there.ids[3:6], "gone-2"]
        found = await there.read(*ids)

        assert there.sandbox.sizes == [5, 7, 6]
        assert nodes(found) == await there.singly(*there.ids[:6])
        assert codes(found) == {"gone-1": Code.NOT_FOUND, "gone-2": Code.NOT_FOUND}


async def test_nulls_with_errors_that_name_nobody_are_read_one_by_one() -> None:
    async with bench() as there:
        expected = await there.singly(*there.ids[:5])
        good = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}, "totalCount": 0}
        error = {"message": "Something is wrong", "extensions": {"code": "STRANGE"}}
        answer = said(
            {"data": {"a0": good, **dict.fromkeys(["a1", "a2", "a3", "a4"])}, "errors": [error]}
        )
        there.sandbox.objection = lambda size, _: answer if size == 5 else None
        found = await there.read(*there.ids[:5])

        assert nodes(found) == {**expected, there.ids[0]: []}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said({"errors": "Missing or invalid authentication token"}, 401), Code.UNAUTHENTICATED),
        (
            said({"errors": [{"message": "no", "extensions": {"code": "UNAUTHORIZED"}}]}),
            Code.FORBIDDEN,
        ),
        (
            said(
                {
                    "data": None,
                    "errors": [
                        {"message": "no", "path": ["a0"], "extensions": {"code": "UNAUTHORIZED"}}
                    ],
                }
            ),
            Code.FORBIDDEN,
        ),
        (said({"errors": "Shop not found"}, 404), Code.NOT_FOUND),
    ],
)
async def test_what_no_smaller_pack_would_change_is_told_at_once(answer: Any, code: Code) -> None:
    async with bench() as there:
        there.sandbox.objection = lambda *_: answer
        found = await there.read(*there.ids[:5])

        assert codes(found) == dict.fromkeys(there.ids[:5], code)
        assert there.sandbox.sizes == [5]


async def test_a_429_is_told_to_the_limiter_and_the_same_pack_sent_again() -> None:
    refusals = [
        said({"errors": [{"message": "Retry after 0.01 seconds."}]}, 429, **{"retry-after": "0"})
    ]
    limiter = OpenLimiter()
    async with bench(limiter) as there:
        limiter.slots.clear()
        there.sandbox.objection = lambda *_: refusals.pop() if refusals else None
        found = await there.read(*there.ids[:5])

        assert len(nodes(found)) == 5
        assert there.sandbox.sizes == [5, 5]
    told = [
        (each.operation, each.cost, each.lane, each.status, each.retry_after)
        for each in limiter.slots
    ]
    assert told == [
        ("engagementHistory", 30, "job", 429, 0.01),
        ("engagementHistory", 30, "job", 200, None),
    ]


async def test_every_send_is_admitted_and_a_veto_keeps_it_from_leaving() -> None:
    class Lost(Exception):
        """Another process took over."""

    admitted: list[int] = []

    async def admit() -> None:
        if len(admitted) == 2:
            raise Lost
        admitted.append(len(there.sandbox.sizes))

    async with bench() as there:
        with pytest.raises(Lost):
            await there.read(*there.ids, admit=admit)

        assert admitted == [0, 1]
        assert there.sandbox.sizes == [5, 10]


async def test_lookups_of_one_record_travel_together_too() -> None:
    async with bench() as there:
        listed = (await there.api.read_page(GetOperations())).records
        kinds: list[Json] = [{"id": each["id"]} for each in listed[:4]] + [{"id": "unknown"}]
        there.sandbox.sizes.clear()
        reader = BatchReader(there.api, GetOperation, ["id", "status"])
        pairs = [GetOperation.model_validate(each) for each in kinds]
        found = {place: each async for place, each in reader.read(pairs)}

        assert there.sandbox.sizes == [5]
        assert [found[place] for place in range(4)] == [
            Answer({"id": each["id"], "status": each["status"]}, partial=False)
            for each in listed[:4]
        ]
        assert found[4] == Answer(None, partial=False)
