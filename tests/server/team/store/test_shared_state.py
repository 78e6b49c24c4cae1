"""What is remembered of a principal between calls, in memory and in the team's database: the same
behaviour, and over several replicas the same answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import anyio
import pytest

from server.errors import Code, Failure
from server.shared_state import SharedState
from server.team.store.database import Database
from server.team.store.spending import PostgresSpending
from server.team.store.state import make_shared_state
from tests.support.team.engines.postgres import Postgres

ANN, BOB = "oidc:ann", "oidc:bob"
ACCOUNT = "token-of-the-team"


@dataclass(frozen=True)
class Replicas:
    """Databases as several replicas have them open, and the states they make."""

    databases: list[Database]

    def state(self, replica: int = 0, principal_id: str = ANN, per_day: int = 20) -> SharedState:
        return make_shared_state(
            self.databases[replica], principal_id, account=ACCOUNT, credits_a_day=per_day
        )


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        databases = [Database(database_url, size=20) for _ in range(2)]
        for database in databases:
            await stack.enter_async_context(database)
        yield Replicas(databases)


@pytest.fixture(params=["memory", "postgresql"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[SharedState]:
    if request.param == "memory":
        yield SharedState.in_memory()
        return
    async with Database(request.getfixturevalue("database_url")) as database:
        yield make_shared_state(database, ANN, account=ACCOUNT)


async def count_winners(calls: Sequence[Callable[[], Awaitable[bool]]]) -> int:
    """Make all calls at once and return how many of them were told yes."""
    answers: list[bool] = []

    async def run(call: Callable[[], Awaitable[bool]]) -> None:
        answers.append(await call())

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(run, call)
    assert len(answers) == len(calls)
    return sum(answers)


async def test_a_token_counts_once_for_what_it_was_issued_for(state: SharedState) -> None:
    token = await state.tokens.issue("basis")
    assert len(token) == 12
    assert not await state.tokens.redeem(token, "another basis")
    assert not await state.tokens.redeem("x" * 12, "basis")
    assert await state.tokens.redeem(token, "basis")
    assert not await state.tokens.redeem(token, "basis")


@pytest.mark.parametrize("token", ["", "\0", "ü" * 500, "\ud800"])
async def test_whatever_a_model_sends_as_a_token_is_only_wrong(
    state: SharedState, token: str
) -> None:
    assert not await state.tokens.redeem(token, "basis")


async def test_a_reply_counts_once(state: SharedState) -> None:
    mark = state.replies.issue()
    marks = [mark, mark, state.replies.issue(), ""]
    assert [await state.replies.redeem(mark) for mark in marks] == [True, False, True, False]


async def test_the_chosen_workspace_is_the_last_one(state: SharedState) -> None:
    assert await state.choice.read() is None
    await state.choice.write("one")
    await state.choice.write("two")
    assert await state.choice.read() == "two"


async def test_credits_without_a_limit_are_never_refused(state: SharedState) -> None:
    await state.spending.reserve(10**9)
    await state.spending.give_back(10**9)


async def test_another_replica_knows_tokens_replies_and_the_choice(replicas: Replicas) -> None:
    here, there = replicas.state(0), replicas.state(1)
    token, mark = await here.tokens.issue("basis"), here.replies.issue()
    assert await there.tokens.redeem(token, "basis")
    assert not await here.tokens.redeem(token, "basis")
    assert await there.replies.redeem(mark)
    assert not await here.replies.redeem(mark)
    await there.choice.write("workspace")
    assert await here.choice.read() == "workspace"


async def test_nothing_of_one_person_counts_for_another(replicas: Replicas) -> None:
    ann, bob = replicas.state(0, ANN), replicas.state(1, BOB)
    token, mark = await ann.tokens.issue("basis"), ann.replies.issue()
    assert not await bob.tokens.redeem(token, "basis")
    assert await ann.tokens.redeem(token, "basis")
    # Bob's use of a mark of hers takes nothing from her.
    await bob.replies.redeem(mark)
    assert await ann.replies.redeem(mark)
    await ann.choice.write("hers")
    assert await bob.choice.read() is None
    await ann.spending.reserve(20)
    await bob.spending.reserve(20)


async def test_a_choice_belongs_to_the_account_it_was_made_with(replicas: Replicas) -> None:
    await replicas.state().choice.write("workspace")
    other = make_shared_state(replicas.databases[0], ANN, account="another-token")
    assert await other.choice.read() is None


async def test_of_twenty_that_redeem_a_token_at_once_one_alone_wins(replicas: Replicas) -> None:
    states = [replicas.state(number % 2) for number in range(20)]
    for _ in range(5):
        token = await states[0].tokens.issue("basis")
        calls = [partial(state.tokens.redeem, token, "basis") for state in states]
        assert await count_winners(calls) == 1


async def test_of_twenty_that_use_a_reply_at_once_one_alone_wins(replicas: Replicas) -> None:
    states = [replicas.state(number % 2) for number in range(20)]
    for _ in range(5):
        mark = states[0].replies.issue()
        calls = [partial(state.replies.redeem, mark) for state in states]
        assert await count_winners(calls) == 1


async def test_of_forty_reservations_at_once_the_limit_allows_exactly_as_many_as_fit(
    replicas: Replicas,
) -> None:
    async def reserve(state: SharedState) -> bool:
        try:
            await state.spending.reserve(3)
        except Failure as failure:
            if failure.code != Code.FORBIDDEN:
                raise
            return False
        return True

    states = [replicas.state(number % 2, per_day=50) for number in range(40)]
    assert await count_winners([partial(reserve, state) for state in states]) == 16
    assert await replicas.databases[0].execute("SELECT credits FROM spending") == [(48,)]


async def test_a_restart_of_the_database_in_the_middle_lets_no_token_count_twice(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with Database(own_database_url, size=20, patience=60) as database:
        state = make_shared_state(database, ANN, account=ACCOUNT)
        tokens = [await state.tokens.issue("basis") for _ in range(30)]
        wins: dict[str, int] = dict.fromkeys(tokens, 0)

        async def redeem(token: str) -> None:
            for _ in range(3):
                wins[token] += await state.tokens.redeem(token, "basis")

        async with anyio.create_task_group() as group:
            for token in tokens:
                group.start_soon(redeem, token)
            await anyio.to_thread.run_sync(own_postgres.kill)
            await anyio.to_thread.run_sync(own_postgres.start)
        # One whose answer was lost counts for nobody: the user is asked once more.
        assert set(wins.values()) <= {0, 1}
        assert not [token for token in tokens if await state.tokens.redeem(token, "basis")]


async def test_the_refusal_says_what_is_left_and_until_when(replicas: Replicas) -> None:
    spending = replicas.state(per_day=20).spending
    await spending.reserve(17)
    with pytest.raises(Failure) as failure:
        await spending.reserve(4)
    assert failure.value.code == Code.FORBIDDEN
    assert not failure.value.retryable
    assert "3 are left until" in failure.value.message
    assert failure.value.details["left"] == 3
    [(tomorrow,)] = await replicas.databases[0].execute(
        "SELECT ((now() AT TIME ZONE 'UTC')::date + 1)::text"
    )
    assert failure.value.details["until"] == f"{tomorrow}T00:00:00Z"
    await spending.reserve(3)


async def test_a_refused_reservation_counts_nothing(replicas: Replicas) -> None:
    spending = replicas.state(per_day=5).spending
    with pytest.raises(Failure):
        await spending.reserve(6)
    assert await replicas.databases[0].execute("SELECT * FROM spending") == []
    await spending.reserve(5)


async def test_what_costs_nothing_is_not_counted(replicas: Replicas) -> None:
    spending = replicas.state(per_day=5).spending
    await spending.reserve(0)
    await spending.reserve(-1)
    assert await replicas.databases[0].execute("SELECT * FROM spending") == []


async def test_a_limit_lowered_below_what_was_spent_leaves_nothing(replicas: Replicas) -> None:
    await replicas.state(per_day=20).spending.reserve(17)
    with pytest.raises(Failure) as failure:
        await replicas.state(per_day=5).spending.reserve(1)
    assert failure.value.details["left"] == 0


async def test_a_single_credit_can_be_given_back(replicas: Replicas) -> None:
    spending = replicas.state(per_day=5).spending
    await spending.reserve(5)
    await spending.give_back(1)
    await spending.reserve(1)


async def test_credits_given_back_can_be_spent_again_on_any_replica(replicas: Replicas) -> None:
    here, there = replicas.state(0).spending, replicas.state(1).spending
    await here.reserve(20)
    with pytest.raises(Failure):
        await there.reserve(1)
    await here.give_back(5)
    await there.reserve(5)
    with pytest.raises(Failure):
        await there.reserve(1)


async def test_more_given_back_than_was_reserved_gives_no_credit(replicas: Replicas) -> None:
    spending = replicas.state(per_day=20).spending
    await spending.give_back(5)
    await spending.reserve(1)
    await spending.give_back(500)
    await spending.reserve(20)
    with pytest.raises(Failure):
        await spending.reserve(1)


async def test_a_new_day_begins_with_the_whole_limit_and_gets_nothing_of_the_day_before(
    replicas: Replicas,
) -> None:
    spending = PostgresSpending(replicas.databases[0], ANN, 20)
    await spending.reserve(20)
    [database, _] = replicas.databases
    await database.execute("UPDATE spending SET day = day - 1")
    await replicas.state(1).spending.reserve(20)
    # As if the answer to a request from before midnight came after it.
    assert spending._day is not None
    spending._day -= timedelta(days=1)
    await spending.give_back(20)
    rows = await database.execute("SELECT credits FROM spending ORDER BY day")
    assert rows == [(0,), (20,)]


async def test_the_limit_of_a_day_does_not_depend_on_the_time_zone_of_the_session(
    replicas: Replicas, database_url: str
) -> None:
    await replicas.state().spending.reserve(20)
    name = database_url.rpartition("/")[2]
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await replicas.databases[0].execute(f"ALTER DATABASE {name} SET timezone TO '{zone}'")
        async with Database(database_url) as database:
            state = make_shared_state(database, ANN, account=ACCOUNT, credits_a_day=20)
            with pytest.raises(Failure):
                await state.spending.reserve(1)


async def test_what_has_run_out_does_not_count_and_is_forgotten(replicas: Replicas) -> None:
    state = replicas.state()
    [database, _] = replicas.databases
    token, mark = await state.tokens.issue("basis"), state.replies.issue()
    assert await state.replies.redeem(mark)
    for table in ("confirmation_tokens", "used_replies"):
        await database.execute(f"UPDATE {table} SET expires_at = now() - interval '1 second'")  # noqa: S608
    assert not await state.tokens.redeem(token, "basis")
    await state.tokens.issue("another")
    await state.replies.redeem(state.replies.issue())
    for table in ("confirmation_tokens", "used_replies"):
        assert await database.execute(f"SELECT count(*) FROM {table}") == [(1,)]  # noqa: S608


async def test_the_database_holds_no_token_in_clear(replicas: Replicas) -> None:
    token = await replicas.state().tokens.issue("basis")
    [(row,)] = await replicas.databases[0].execute("SELECT t::text FROM confirmation_tokens t")
    assert token not in row
    assert token.encode().hex() not in row


async def test_the_limit_of_a_person_who_may_spend_nothing(replicas: Replicas) -> None:
    with pytest.raises(Failure, match="0 are left"):
        await replicas.state(per_day=0).spending.reserve(1)
    await replicas.state(per_day=0).spending.reserve(0)
