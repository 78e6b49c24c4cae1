"""Requests per second and credits."""

from __future__ import annotations

import json

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
from tests.server.sandbox.archive.conftest import NOW, Client, Clock

ITEM = "{ items(first: 1) { nodes { id } } }"
WORKSPACES = "{ workspaces { totalCount } }"


async def burst(
    client: Client, count: int, query: str = ITEM, workspace: str | None = MAIN
) -> list[int]:
    return [(await client.send(query, workspace=workspace, pause=0.0)).status for _ in range(count)]


def message_of(answer: Answer) -> str:
    (error,) = json.loads(answer.body)["errors"]
    assert error["extensions"] == {"code": "RATE_LIMIT_EXCEEDED"}
    return str(error["message"])


async def test_the_sixth_request_within_a_second_is_refused(client: Client) -> None:
    assert await burst(client, 6) == [200] * 5 + [429]


async def test_the_refusal_says_how_long_to_wait(client: Client) -> None:
    await burst(client, 5)
    answer = await client.send(ITEM, pause=0.6)
    assert (
        message_of(answer) == "Rate limit exceeded: 5 requests per second. Retry after 0.4 seconds."
    )
    assert answer.headers["retry-after"] == "1"
    assert "ratelimit" in answer.headers


async def test_waiting_as_long_as_the_refusal_says_is_enough(client: Client) -> None:
    await burst(client, 5)
    client.clock.seconds += 0.2345678
    wait = float(message_of(await client.send(ITEM, pause=0.0)).split()[-2])
    assert (await client.send(ITEM, pause=wait)).status == 200


async def test_the_window_slides(client: Client) -> None:
    statuses = [(await client.send(ITEM, pause=0.2)).status for _ in range(25)]
    assert statuses == [200] * 25
    assert (await client.send(ITEM, pause=0.19)).status == 429


async def test_two_bursts_around_the_turn_of_a_second_are_one_burst(client: Client) -> None:
    client.clock.seconds = 1000.9
    assert await burst(client, 5) == [200] * 5
    client.clock.seconds = 1001.1
    assert await burst(client, 1) == [429]


async def test_refused_requests_do_not_lengthen_the_wait(client: Client) -> None:
    await burst(client, 5)
    client.clock.seconds += 0.5
    assert await burst(client, 4) == [429] * 4
    client.clock.seconds += 0.5
    assert await burst(client, 6) == [200] * 5 + [429]


async def test_workspaces_and_the_query_without_one_have_budgets_of_their_own(
    client: Client,
) -> None:
    for workspace in (MAIN, OUTDOOR, COFFEE):
        assert await burst(client, 6, workspace=workspace) == [200] * 5 + [429]
    assert await burst(client, 6, WORKSPACES, workspace=None) == [200] * 5 + [429]
    other = await client.send(WORKSPACES, workspace=None, token=TOKEN_SINGLE, pause=0.0)
    assert other.status == 200
    assert (await client.send(ITEM, token=TOKEN_SINGLE, pause=0.0)).status == 429


async def test_requests_with_mistakes_count_too(client: Client) -> None:
    assert await burst(client, 6, "{ nonsense }") == [200] * 5 + [429]


async def test_requests_without_a_token_do_not_count(client: Client) -> None:
    for _ in range(9):
        assert (await client.send(ITEM, token="wrong", pause=0.0)).status == 401
    assert await burst(client, 5) == [200] * 5


async def test_rate_and_window_can_be_scaled() -> None:
    clock = Clock()
    sandbox = Sandbox(items=10, rate=2, window=0.1, clock=clock, now=lambda: NOW)
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "WORKSPACE-ID": MAIN,
        "Content-Type": "application/json",
    }
    body = json.dumps({"query": ITEM}).encode()
    seen = []
    for pause in (0.0, 0.0, 0.05, 0.05):
        clock.seconds += pause
        seen.append((await sandbox.handle("POST", PATH, headers, body)).status)
    assert seen == [200, 200, 429, 200]


async def test_admitted_changes_are_counted_by_item_whatever_they_are_answered(
    client: Client,
) -> None:
    item = (await client.ask(ITEM))["nodes"][0]["id"]
    add = (
        "mutation M($itemId: ID!) { addItemToCollections(itemId: $itemId) { userErrors { "
        "message } } }"
    )
    for _ in range(2):
        await client.ask(add, {"itemId": item})
    await burst(client, 5)
    await client.send(add, {"itemId": item}, pause=0.0)

    assert client.sandbox.stats()["changes"] == {item: 2}


async def test_arrivals_and_refusals_are_counted_by_key(client: Client) -> None:
    await burst(client, 6)
    await client.send(WORKSPACES, workspace=None)
    await client.send(ITEM, token="wrong")
    stats = client.sandbox.stats()
    assert (stats["requests"], stats["refused"]) == (8, 1)
    assert stats["keys"] == {
        MAIN: {"arrivals": [1000.0] * 6, "refused": 1},
        f"token:{TOKEN}": {"arrivals": [1001.0], "refused": 0},
    }
    assert client.sandbox.arrivals == {
        key: counts["arrivals"] for key, counts in stats["keys"].items()
    }


@pytest.mark.parametrize(
    ("plan", "policy", "left"),
    [
        ("startup", '"startup";q=5000;w=100', '"startup";r=4994;t='),
        ("growth", '"growth";q=15000;w=60', '"growth";r=14994;t='),
        ("enterprise", '"enterprise";q=60000;w=60', '"enterprise";r=59994;t='),
    ],
)
async def test_answers_carry_plan_and_credits(
    make_client: type[Client], plan: str, policy: str, left: str
) -> None:
    client = make_client(items=10, plan=plan)
    headers = (await client.send(ITEM)).headers
    assert headers["ratelimit-policy"] == policy
    assert headers["ratelimit"] == f"{left}{int(NOW.timestamp()) + 1}"


@pytest.mark.parametrize(
    ("query", "credits"),
    [
        ("{ workspace { id } }", 5),
        ("{ items(first: 100) { nodes { id } } }", 60),
        ("query($n: Int = 100) { items(first: $n) { edges { node { id } } } }", 60),
        ("{ items { totalCount } }", 16),
        (
            "{ items(first: 100) { nodes { aiFilterReasons { key } creator { id } "
            "currentEngagement { likes }"
            " location { city } socialProfile { id } transcriptions { transcript } } } }",
            183,
        ),
        (
            "{ items(first: 100) { edges { node { ...all } } } } fragment all on Item { "
            "aiFilterReasons { key }"
            " creator { id } currentEngagement { likes } location { city } socialProfile { id }"
            " transcriptions { transcript } }",
            183,
        ),
        ("{ creators(first: 100) { nodes { id } } }", 90),
        ('{ creators(first: 100, presetId: "x") { nodes { id } } }', 340),
        (
            "{ creators(first: 100, customAttributeConditions: "
            '{field: "age", operator: IS_EMPTY, type: NUMBER}) {'
            " totalCount } }",
            340,
        ),
        ("{ socialProfiles(first: 100) { totalCount } }", 45),
        ('{ engagementHistory(itemId: "x", first: 100) { totalCount } }', 6),
        ("mutation { refetchEngagementBulk(itemIds: []) { operationId } }", 55),
        ("{ a: workspace { id } b: workspace { id } }", 10),
    ],
)
async def test_calls_cost_what_the_documentation_says(
    make_client: type[Client], query: str, credits: int
) -> None:
    client = make_client(items=200, plan="startup")
    left = (await client.send(query)).headers["ratelimit"].split("r=")[1].split(";")[0]
    assert 5000 - int(left) == credits


async def test_each_alias_costs_as_much_as_a_call_of_its_own(make_client: type[Client]) -> None:
    client = make_client(plan="startup")
    item = client.sandbox.world.workspaces[0].item(0).id
    history = f'engagementHistory(itemId: "{item}", first: 100) {{ nodes {{ at }} }}'
    pack = " ".join(f"a{number}: {history}" for number in range(40))
    left = (
        await client.send(f"{{ {pack} page: items(first: 100) {{ nodes {{ id }} }} }}")
    ).headers["ratelimit"]
    assert left.split(";")[1] == f"r={5000 - 40 * 6 - 60}"


async def test_an_empty_bucket_refuses_and_refills(make_client: type[Client]) -> None:
    client = make_client(items=200, plan="startup")
    expensive = '{ creators(first: 100, presetId: "%s") { totalCount } }'
    home = client.sandbox.world.workspaces[0]
    query = expensive % home.collections[0].id
    answers = [await client.send(query, pause=0.2) for _ in range(16)]
    assert [answer.status for answer in answers] == [200] * 15 + [429]
    assert (
        message_of(answers[-1])
        == "Rate limit exceeded: credit budget is empty. Retry after 5.8 seconds."
    )
    assert answers[-1].headers["retry-after"] == "6"
    assert (await client.send(query, pause=5.0)).status == 429
    assert (await client.send(query, pause=0.8)).status == 200
    assert client.sandbox.refusals == 2


async def test_credits_come_back_up_to_the_size_of_the_bucket(make_client: type[Client]) -> None:
    client = make_client(items=10, plan="startup")
    lefts = [
        (await client.send("{ creators(first: 100) { totalCount } }", pause=p)).headers
        for p in (1, 1, 3600)
    ]
    assert [headers["ratelimit"].split(";")[1] for headers in lefts] == [
        "r=4910",
        "r=4870",
        "r=4910",
    ]


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="platinum"):
        Sandbox(plan="platinum")
    with pytest.raises(ValueError, match="at least 1"):
        Sandbox(items=0)
