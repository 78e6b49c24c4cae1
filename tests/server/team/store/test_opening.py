"""What a server needs of the team's database and Redis before it takes calls, and while it does."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from server.errors import Failure
from server.redaction import redact
from server.settings import Secret, SettingsError
from server.shared_state import SharedState
from server.team.policy import Access, Identity, Rights
from server.team.settings import TeamSettings
from server.team.store.addresses import reveal_address
from server.team.store.opening import TeamStore, check_store
from server.team.store.parts import StoredParts
from server.team.store.postgres_pace import PostgresPace
from server.team.store.redis_pace import RedisPace
from server.team.store.schema import list_migrations
from tests.support.machine.ports import closed_port
from tests.support.settings import Places
from tests.support.team.engines.postgres import Postgres

DATABASE, REDIS = "ARCHIVE_MCP_DATABASE_URL", "ARCHIVE_MCP_REDIS_URL"
ANN = Identity("oidc", "ann", "Ann")


def make_team(url: str, redis: str | None = None) -> TeamSettings:
    return TeamSettings(database_url=Secret(url), redis_url=Secret(redis) if redis else None)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (DATABASE, "host=db dbname=team password=of-the-team"),
        (DATABASE, "mysql://ann:of-the-team@db/team"),
        (DATABASE, "postgresql://ann:of-the-team@db"),
        (DATABASE, "postgresql:///team"),
        (DATABASE, "postgresql://[db/team"),
        (REDIS, "http://:of-the-team@redis/0"),
        (REDIS, "unix:///run/redis"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example_and_not_repeated(
    variable: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=rf"{variable} is not an address like \w+://") as error:
        reveal_address(variable, Secret(value))
    assert "of-the-team" not in str(error.value)


def test_an_address_that_is_not_set_is_named() -> None:
    with pytest.raises(SettingsError, match=f"{DATABASE} is not set"):
        reveal_address(DATABASE, None)


def test_the_password_is_a_secret_of_the_process_in_any_spelling() -> None:
    reveal_address(DATABASE, Secret("postgresql://ann:pass%2Fword-of-ann@db/team"))
    reveal_address(REDIS, Secret("rediss://:word-of-redis@db"))
    assert redact("pass/word-of-ann, word-of-redis") == "[secret], [secret]"


def test_a_server_starts_only_on_the_schema_of_its_version(
    postgres: Postgres, empty_database: str, database_url: str
) -> None:
    check_store(make_team(database_url))
    with pytest.raises(SettingsError, match="archive-mcp migrate"):
        check_store(make_team(empty_database))
    name = database_url.rpartition("/")[2]
    last = list_migrations()[-1]
    postgres.execute(
        f"UPDATE _yoyo_migration SET migration_id = '9999_later' "  # noqa: S608
        f"WHERE migration_id = '{last}'",
        name,
    )
    with pytest.raises(SettingsError, match="newer version"):
        check_store(make_team(database_url))


def test_a_database_that_cannot_be_reached_keeps_a_server_from_starting() -> None:
    with closed_port() as port:
        team = make_team(f"postgresql://ann:password@127.0.0.1:{port}/team")
        with pytest.raises(SettingsError, match=DATABASE):
            check_store(team, patience=0.2)


async def test_the_pace_is_in_redis_where_there_is_one(database_url: str, redis_url: str) -> None:
    async with TeamStore(make_team(database_url)) as store:
        assert isinstance(store.limiter._store, PostgresPace)
        async with store.limiter.slot("key"):
            pass
    async with TeamStore(make_team(database_url, redis_url)) as store:
        assert isinstance(store.limiter._store, RedisPace)
        async with store.limiter.slot("key"):
            pass


async def test_readiness_says_when_the_database_is_lost_and_when_it_is_back(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with TeamStore(make_team(own_database_url)) as store:
        assert await store.find_problem() == ""
        await anyio.to_thread.run_sync(own_postgres.stop)
        assert "cannot be reached" in await store.find_problem()
        await anyio.to_thread.run_sync(own_postgres.start)
        assert await store.find_problem() == ""


async def test_what_a_person_may_spend_and_chose_follows_their_rights_and_their_token(
    database_url: str, tmp_path: Path
) -> None:
    settings = Places(tmp_path).load()
    async with TeamStore(make_team(database_url)) as store:
        parts = StoredParts(store.database, (b"k" * 32,))

        def make(token: str, *, may_spend: bool = True, a_day: int | None = None) -> SharedState:
            access = Access("archive", Secret(token))
            rights = Rights(archive=access, may_spend=may_spend, credits_a_day=a_day)
            return parts(ANN, rights, settings).state

        first = make("first-token", a_day=5)
        assert first.keys == (b"k" * 32,)
        await first.choice.write("workspace")
        assert await make("first-token").choice.read() == "workspace"
        assert await make("other-token").choice.read() is None
        await make("first-token").spending.reserve(100)
        await first.spending.reserve(5)
        with pytest.raises(Failure, match="0 are left"):
            await make("other-token", a_day=5).spending.reserve(1)
        with pytest.raises(Failure, match="may not spend"):
            await make("first-token", may_spend=False).spending.reserve(1)
