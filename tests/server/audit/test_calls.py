"""Calls through the whole server over the sandbox: what lands in the audit log."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.audit.event import Event
from server.audit.lines import read_lines
from server.dispatch import Dispatcher
from server.errors import Code, Failure
from server.sandbox import MAIN
from server.services import Services
from server.settings import Settings
from server.tool.catalog import Catalog
from server.tool.elicitation import Asker, Nobody, Reply
from tests.support.clocks import fixed_sandbox
from tests.support.doubles import OpenLimiter, Person
from tests.support.paths import SURFACE

NAME = "Spring secrets"


class Bench:
    """A server over a sandbox that stays, with an audit log."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"
        self.settings = Settings(
            sandbox=True, audit_log=self.path, export_dir=folder / "exports", state_dir=folder
        )
        self._sandbox = fixed_sandbox(items=60)

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        person: Asker | None = None,
        *,
        read_only: bool = False,
    ) -> Any:
        catalog = Catalog.read(SURFACE, importlib.import_module)
        catalog.offer(backends={"archive"}, toolsets=["all"], read_only=read_only)
        async with Services(
            self.settings, limiter=OpenLimiter(), sandbox=self._sandbox
        ) as services:
            calls = Dispatcher(catalog, services, self.settings.timezone)
            everywhere = {"workspace": MAIN, **arguments}
            return (await calls.call(tool, everywhere, person or Nobody())).structured

    async def create(self) -> str:
        answer = await self.call("archive_create_collection", {"input": {"name": NAME}})
        return str(answer["collection"]["id"])

    def events(self) -> list[Event]:
        return list(read_lines(self.path)) if self.path.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_read_leaves_no_record(bench: Bench) -> None:
    await bench.call("archive_get_collections", {})
    assert bench.events() == []


async def test_a_change_names_what_it_made_and_no_text(bench: Bench) -> None:
    collection = await bench.create()
    begin, end = bench.events()
    assert (begin.outcome, end.outcome) == ("begins", "done")
    assert begin.call == end.call
    assert (end.workspace, end.confirmed) == (MAIN, "not needed")
    assert collection in end.ids
    assert NAME not in bench.path.read_text()


async def test_a_deletion_says_how_it_was_confirmed(bench: Bench) -> None:
    collection = await bench.create()
    person = Person([Reply("accept", {"confirm": True})])
    await bench.call("archive_delete_collection", {"id": collection}, person)
    end = bench.events()[-1]
    assert (end.outcome, end.confirmed, end.tool) == ("done", "asked", "archive_delete_collection")
    assert end.preview is not None
    assert len(end.preview) == 16
    assert collection in end.ids


async def test_a_no_is_recorded_and_a_preview_is_not_a_change(bench: Bench) -> None:
    collection = await bench.create()
    person = Person([Reply("decline", {})])
    for asker in (person, Nobody()):
        with pytest.raises(Failure):
            await bench.call("archive_delete_collection", {"id": collection}, asker)
    assert [(event.kind, event.outcome, event.code) for event in bench.events()[2:]] == [
        ("refused", "refused", "DECLINED")
    ]


async def test_what_a_read_only_server_refuses_is_recorded(bench: Bench) -> None:
    with pytest.raises(Failure):
        await bench.call("archive_create_collection", {"input": {"name": NAME}}, read_only=True)
    (event,) = bench.events()
    assert (event.kind, event.code) == ("refused", "READ_ONLY")


async def test_a_file_that_is_handed_out_is_recorded(bench: Bench) -> None:
    await bench.call("archive_start_export", {"search": {}, "name": "all"})
    events = bench.events()
    assert [event.kind for event in events] == ["change", "job", "change", "export"]
    assert events[1].ids == events[3].ids == ("all.csv",)


async def test_the_end_of_a_job_that_changes_something_is_recorded(bench: Bench) -> None:
    person = Person([Reply("accept", {"confirm": True})])
    job = await bench.call(
        "archive_start_collection_job",
        {"collectionNames": [NAME], "autoCreate": True, "search": {}},
        person,
    )
    begin, ended, done, _ = bench.events()
    assert [event.outcome for event in (begin, ended, done)] == ["begins", "done", "done"]
    assert (begin.confirmed, ended.kind, ended.job) == ("asked", "job", job["jobId"])
    assert ended.workspace == MAIN
    assert NAME not in bench.path.read_text()


async def test_a_log_that_cannot_be_written_stops_the_change(bench: Bench) -> None:
    bench.path.mkdir()
    with pytest.raises(Failure) as caught:
        await bench.create()
    assert caught.value.code is Code.UNAVAILABLE
    bench.path.rmdir()
    listing = await bench.call("archive_get_collections", {})
    assert NAME not in [row["name"] for row in listing["nodes"]]
