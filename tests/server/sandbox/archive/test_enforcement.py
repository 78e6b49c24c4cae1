"""The sandbox refuses what the API refuses, in the documented shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from server.sandbox import (
    COFFEE,
    MAIN,
    OUTDOOR,
    PATH,
    TOKEN,
    TOKEN_SINGLE,
    Answer,
    Sandbox,
)
from server.sandbox.archive.failures import FAILURES
from tests.server.sandbox.archive.conftest import NOW, Client

WORKSPACES = "{ workspaces { totalCount nodes { id name } } }"
ITEM = "{ items(first: 1) { nodes { id } } }"


def text_of(answer: Answer) -> Any:
    return json.loads(answer.body)["errors"]


async def request(
    client: Client,
    *,
    method: str = "POST",
    path: str = PATH,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Answer:
    client.clock.seconds += 1
    sent = {
        "authorization": f"Bearer {TOKEN}",
        "workspace-id": MAIN,
        "content-type": "application/json",
    }
    raw = body if isinstance(body, bytes) else json.dumps(body or {"query": ITEM}).encode()
    return await client.sandbox.handle(method, path, {**sent, **(headers or {})}, raw)


async def test_a_plain_request_succeeds(shared: Client) -> None:
    answer = await request(shared)
    assert (answer.status, answer.headers["content-type"]) == (
        200,
        "application/json; charset=utf-8",
    )
    assert "errors" not in json.loads(answer.body)


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer wrong", "sandbox-token", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
async def test_a_missing_or_wrong_token_is_refused_with_a_string(
    shared: Client, value: str
) -> None:
    answer = await request(shared, headers={"authorization": value})
    assert (answer.status, text_of(answer)) == (401, "Missing or invalid authentication token")


async def test_header_names_ignore_case(shared: Client) -> None:
    sent = {
        "AUTHORIZATION": f"Bearer {TOKEN}",
        "Workspace-Id": MAIN,
        "CONTENT-TYPE": "application/json; charset=utf-8",
    }
    shared.clock.seconds += 1
    answer = await shared.sandbox.handle("POST", PATH, sent, json.dumps({"query": ITEM}).encode())
    assert answer.status == 200


@pytest.mark.parametrize(
    "workspace", [None, "", "12345", "00000000-0000-4000-8000-000000000000", MAIN.upper()]
)
async def test_a_missing_or_unknown_workspace_is_refused_with_a_string(
    shared: Client, workspace: str | None
) -> None:
    answer = await shared.send(ITEM, workspace=workspace)
    assert (answer.status, text_of(answer)) == (404, "Shop not found")


async def test_the_list_of_workspaces_needs_no_workspace(shared: Client) -> None:
    listed = await shared.ask(WORKSPACES, workspace=None)
    assert {w["id"]: w["name"] for w in listed["nodes"]} == {
        MAIN: "Northwind Skincare",
        OUTDOOR: "Northwind Outdoor",
        COFFEE: "Bluebird Coffee",
    }
    assert await shared.ask(WORKSPACES) == listed


async def test_nothing_else_may_ride_along_without_a_workspace(shared: Client) -> None:
    for query in (
        "{ workspaces { totalCount } workspace { id } }",
        "{ ...all } fragment all on Query { workspaces { totalCount } workspace { id } }",
        "{ ... { workspace { id } } }",
        "query A { workspace { id } } query B { workspaces { totalCount } }",
        "{ nonsense",
    ):
        assert (await shared.send(query, workspace=None)).status == 404


async def test_the_list_of_workspaces_has_pages(shared: Client) -> None:
    ids = [w["id"] for w in await shared.every("workspaces", "id", workspace=None)]
    first = await shared.ask(
        "{ workspaces(first: 2) { nodes { id } pageInfo { endCursor hasNextPage } } }"
    )
    assert ([w["id"] for w in first["nodes"]], first["pageInfo"]["hasNextPage"]) == (ids[:2], True)


async def test_a_token_sees_only_its_own_workspaces(shared: Client) -> None:
    listed = await shared.ask(WORKSPACES, workspace=None, token=TOKEN_SINGLE)
    assert [w["id"] for w in listed["nodes"]] == [MAIN]
    assert await shared.ask(ITEM, token=TOKEN_SINGLE)
    _, code = await shared.error(ITEM, workspace=OUTDOOR, token=TOKEN_SINGLE)
    assert code == "UNAUTHORIZED"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"path": "/api/v1"}, 404),
        ({"path": "/api/v2/"}, 404),
        ({"path": "/__sandbox__/stats"}, 404),
        ({"headers": {"content-type": ""}}, 415),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "application/graphql"}}, 415),
        ({"body": b"{"}, 400),
        ({"body": b"\xff"}, 400),
        ({"body": [{"query": ITEM}]}, 400),
        ({"body": {"query": ITEM, "variables": "{}"}}, 400),
        ({"body": {"query": ITEM, "operationName": 1}}, 400),
    ],
)
async def test_what_is_no_graphql_request_is_refused(
    shared: Client, how: dict[str, Any], status: int
) -> None:
    answer = await request(shared, **how)
    assert answer.status == status
    assert isinstance(text_of(answer), str)


@pytest.mark.parametrize("body", [{"query": ""}, {"query": 1}, {"variables": {}}])
async def test_a_request_without_a_query_is_refused(shared: Client, body: dict[str, Any]) -> None:
    answer = await request(shared, body=body)
    assert text_of(answer) == [{"message": "No query string was present"}]


async def test_the_operation_must_be_clear(shared: Client) -> None:
    two = f"query A {ITEM} query B {ITEM}"
    assert len(text_of(await request(shared, body={"query": two}))) == 1
    assert len(text_of(await request(shared, body={"query": two, "operationName": "C"}))) == 1
    assert "data" in json.loads(
        (await request(shared, body={"query": two, "operationName": "B"})).body
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nonsense }", "undefinedField"),
        ("{ items { nodes { publishedAt } } }", "undefinedField"),
        ("{ __schema { queryType { name } } }", "undefinedField"),
        ('{ __type(name: "Item") { name } }', "undefinedField"),
        (
            "{ items(sorting: {sortKey: PUBLISHED_AT, sortOrder: ASC}) { totalCount } }",
            "argumentLiteralsIncompatible",
        ),
        ('{ items(first: "ten") { totalCount } }', "argumentLiteralsIncompatible"),
        ("{ items(filter: {nonsense: 1}) { totalCount } }", "argumentLiteralsIncompatible"),
        ("{ items(sorting: {sortKey: TAKEN_AT}) { totalCount } }", "argumentLiteralsIncompatible"),
        (
            "{ items(filter: {viralityScore: [NOT_VIRAL]}) { totalCount } }",
            "argumentLiteralsIncompatible",
        ),
        ("{ creator { id } }", "missingRequiredArguments"),
        ("mutation { addItemToCollections { item { id } } }", "missingRequiredArguments"),
        ("{ items(nonsense: 1) { totalCount } }", None),
        ("{ items }", None),
        ("{ items { ", None),
        ("query($a: Nonsense) { items(first: $a) { totalCount } }", None),
        ("{ items(first: $a) { totalCount } }", None),
    ],
)
async def test_mistakes_in_a_query_have_the_documented_codes(
    shared: Client, query: str, code: str | None
) -> None:
    answer = await shared.send(query)
    assert answer.status == 200
    assert json.loads(answer.body).get("data") is None
    assert (await shared.error(query))[1] == code


@pytest.mark.parametrize(
    ("variable", "value", "argument"),
    [
        ("[ItemSortingInput!]", [{"sortKey": "PUBLISHED_AT", "sortOrder": "ASC"}], "sorting"),
        ("ItemFilterInput", {"creatorLocation": "Berlin"}, "filter"),
        ("ItemFilterInput", {"superSearch": {"query": "x"}}, "filter"),
        ("ItemFilterInput", {"viralityScore": ["NOT_VIRAL"]}, "filter"),
        ("Int", "20", "first"),
        ("Int!", None, "first"),
    ],
)
async def test_mistakes_in_variables_are_refused(
    shared: Client, variable: str, value: Any, argument: str
) -> None:
    query = f"query($v: {variable}) {{ items({argument}: $v) {{ totalCount }} }}"
    assert (await shared.error(query, {"v": value}))[1] == "argumentLiteralsIncompatible"


@pytest.mark.parametrize("first", [-1, 0, 101, 1000])
@pytest.mark.parametrize("list_name", ["items", "creators", "operations", "workspaces"])
async def test_a_page_holds_1_to_100_records(shared: Client, list_name: str, first: int) -> None:
    message, code = await shared.error(f"{{ {list_name}(first: {first}) {{ totalCount }} }}")
    bound = "less than or equal to 100" if first > 0 else "greater than or equal to 1"
    assert (message, code) == (f"first must be {bound}", None)


async def test_a_page_holds_20_records_unless_asked_otherwise(shared: Client) -> None:
    assert len((await shared.ask("{ items { nodes { id } } }"))["nodes"]) == 20
    await shared.error("{ items(first: null) { totalCount } }")


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "aXRlbXMwOjE6MA=", "Y3JlYXRvcnMwOjE6MA", "aXRlbXMwOi0xOjA", "ÿ"]
)
async def test_a_cursor_that_was_never_given_out_is_refused(shared: Client, cursor: str) -> None:
    query = "query($after: String) { items(after: $after) { totalCount } }"
    assert (await shared.error(query, {"after": cursor}))[0] == "Invalid cursor"


async def test_cursors_of_edges_go_on_behind_their_record(shared: Client) -> None:
    edges = (await shared.ask("{ items(first: 5) { edges { cursor node { id } } } }"))["edges"]
    query = (
        "query($after: String) { items(first: 1, after: $after) { nodes { id } pageInfo { "
        "hasPreviousPage } } }"
    )
    page = await shared.ask(query, {"after": edges[2]["cursor"]})
    assert page == {"nodes": [edges[3]["node"]], "pageInfo": {"hasPreviousPage": True}}


async def test_a_cursor_belongs_to_its_workspace(shared: Client) -> None:
    cursor = (await shared.ask("{ items { pageInfo { endCursor } } }"))["pageInfo"]["endCursor"]
    query = "query($after: String) { items(after: $after) { totalCount } }"
    assert (await shared.error(query, {"after": cursor}, workspace=OUTDOOR))[0] == "Invalid cursor"


def deep(levels: int) -> str:
    """A query that is `levels` fields deep, leaf included."""
    names = ["creators", "nodes", *(["socialProfiles", "creator"] * levels)][: levels - 1]
    return "{ " + " { ".join(names) + " { id }" + " }" * (levels - 1)


async def test_ten_levels_are_answered_and_eleven_are_not(shared: Client) -> None:
    await shared.ask(deep(10))
    message, _ = await shared.error(deep(11))
    assert message == "Query has depth of 11, which exceeds max depth of 10"


async def test_fragments_count_for_depth(shared: Client) -> None:
    leaf = (
        "fragment leaf on Creator { socialProfiles { creator { socialProfiles { creator { "
        "id } } } } }"
    )
    middle = (
        "{ creators { nodes { socialProfiles { creator { socialProfiles { creator { "
        "...leaf } } } } } } }"
    )
    assert (await shared.error(middle + leaf))[
        0
    ] == "Query has depth of 11, which exceeds max depth of 10"


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-01",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00+02:00",
        "2026-03-01T00:00:00-05:00",
        "2026-03-01 00:00:00Z",
        "2026-13-01T00:00:00Z",
        "yesterday",
        1_772_323_200,
    ],
)
async def test_moments_that_are_not_utc_cannot_be_coerced(shared: Client, moment: Any) -> None:
    query = "query($f: ItemFilterInput) { items(filter: $f) { totalCount } }"
    message, code = await shared.error(query, {"f": {"takenAt": {"from": moment}}})
    assert (message, code) == (f"Cannot coerce {moment!r} to DateTime", "INTERNAL_SERVER_ERROR")


@pytest.mark.parametrize("literal", ['"2026-03-01"', '"2026-03-01T00:00:00+02:00"', "{a: 1}"])
async def test_moments_written_into_the_query_are_held_to_the_same_rule(
    shared: Client, literal: str
) -> None:
    message, code = await shared.error(
        f"{{ items(filter: {{takenAt: {{to: {literal}}}}}) {{ totalCount }} }}"
    )
    assert message.startswith("Cannot coerce")
    assert code == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize("suffix", ["Z", "+00:00", "-00:00", ".123Z"])
async def test_moments_in_utc_are_read(shared: Client, suffix: str) -> None:
    query = "query($f: ItemFilterInput) { items(filter: $f) { totalCount } }"
    page = await shared.ask(query, {"f": {"takenAt": {"from": f"2026-11-01T00:00:00{suffix}"}}})
    assert 0 < page["totalCount"] < 4000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (json.dumps({"query": "{a" * 3000 + "}" * 3000}).encode(), 200),
        (
            json.dumps({"query": "{ items(first: 99999999999999999999) { totalCount } }"}).encode(),
            200,
        ),
        (
            b'{"query": "query($u: [String!]!) { itemIdsByUrl(urls: $u) { url status } }",'
            b' "variables": {"u": ["http://\\ud83d.example"]}}',
            200,
        ),
    ],
    ids=["nested JSON", "nested query", "huge number", "half a character"],
)
async def test_nothing_that_is_sent_breaks_the_sandbox(
    shared: Client, body: bytes, status: int
) -> None:
    assert (await request(shared, body=body)).status == status


async def test_an_error_of_the_sandbox_itself_is_a_plain_500(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.sandbox.archive.data.items.Item.caption", property(lambda _: 1 / 0))
    answer = await client.send("{ items { nodes { caption } } }")
    assert (answer.status, text_of(answer)) == (500, [{"message": "Internal server error"}])
    assert "ZeroDivisionError" in caplog.text


async def test_every_kind_of_refusal_names_its_source() -> None:
    assert all(
        row.source.startswith(("Archive docs: ", "not documented")) for row in FAILURES.values()
    )


async def test_dates_are_relative_to_the_start() -> None:
    later = Sandbox(items=10, now=lambda: datetime(2031, 1, 1, tzinfo=UTC)).world.workspaces[0]
    assert later.item(0).taken_at > NOW.replace(year=2030)
