"""A collection job of a team whose servers and workers are killed, and whose database restarts."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from server.sandbox import MAIN
from tests.support.sandboxed import sandbox_process
from tests.support.tagging import Site
from tests.support.team.crew import Crew, open_crew
from tests.support.team.engines.postgres import Postgres

WINDOW = 0.01
# A worker on a busy machine may be slow, and must not lose its jobs by that alone.
LEASE = 3.0
TOOL = "archive_start_collection_job"
FINISHED = "SELECT coalesce(sum(records), 0) >= {} FROM job_tallies WHERE state = 'done'"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


def start_tagging(crew: Crew) -> None:
    """Start a job that puts everything into one collection, confirmed by the token, on both
    servers."""
    first, second = crew.servers
    arguments = {
        "collectionNames": ["Everything"],
        "autoCreate": True,
        "search": {},
        "workspace": MAIN,
    }
    refused = crew.call(first, TOOL, **arguments)
    assert "confirm" in refused["error"], refused
    token = refused["error"]["confirm"]

    def wait() -> None:
        # It follows the job for a while, and its server may be killed meanwhile.
        with suppress(httpx.TransportError):
            crew.call(second, TOOL, **arguments, confirm=token)

    threading.Thread(target=wait, daemon=True).start()
    crew.wait_for("SELECT id FROM jobs")


def check_tagging(crew: Crew, site: Site, items: list[str], under_way: Counter[str]) -> None:
    state = crew.wait_for("SELECT state FROM jobs WHERE finished > 0")
    changes = site.changes()
    assert state == "done"
    assert crew.query("SELECT state, records FROM job_tallies WHERE records > 0") == [
        ("done", len(items))
    ]
    # Every item once, and none lost.
    assert sorted(site.members()) == sorted(items)
    assert sorted(changes) == sorted(items)
    too_often = {key: count for key, count in changes.items() if count > 1 + under_way[key]}
    assert too_often == {}
    assert crew.query("SELECT sealed_identity FROM jobs") == [(None,)]


def tag(
    postgres: Postgres,
    url: str,
    folder: Path,
    *,
    items: int,
    worker_kills: int,
    server_kills: int,
    restarts: int,
) -> None:
    """Put so many items into a collection while workers, servers and the database come and go."""
    kills = worker_kills + server_kills
    chance = random.Random(items)
    moments = sorted(chance.sample(range(items // 20, items - items // 10), kills + restarts))
    chosen = chance.sample(moments, restarts + server_kills)
    restart_at, server_at = set(chosen[:restarts]), set(chosen[restarts:])
    under_way: Counter[str] = Counter()
    with (
        sandbox_process(items=items, plan="boundless", window=WINDOW) as sandbox,
        open_crew(sandbox, url, folder, window=WINDOW, lease=LEASE, servers=2, workers=3) as crew,
    ):
        site = Site(sandbox, folder, WINDOW, LEASE)
        mine = site.ids()
        start_tagging(crew)
        for moment in moments:
            crew.wait_for(FINISHED.format(moment))
            if moment in restart_at:
                postgres.restart()
            elif moment in server_at:
                crew.kill_server(chance.choice(list(crew.servers)))
            else:
                under_way.update(crew.kill_worker(chance))
        check_tagging(crew, site, mine, under_way)


def test_a_job_survives_its_workers_and_its_database(
    own_postgres: Postgres, own_database_url: str, tmp_path: Path
) -> None:
    tag(
        own_postgres,
        own_database_url,
        tmp_path,
        items=400,
        worker_kills=3,
        server_kills=1,
        restarts=1,
    )


def test_fourteen_thousand_items_survive_twenty_kills_of_each_process_and_two_restarts(
    own_postgres: Postgres, own_database_url: str, tmp_path: Path
) -> None:
    # Three workers and two servers, twenty times each.
    kills = {"worker_kills": 60, "server_kills": 40}
    tag(own_postgres, own_database_url, tmp_path, items=14_000, **kills, restarts=2)
