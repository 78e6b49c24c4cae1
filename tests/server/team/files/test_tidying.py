"""Exports that are too old are removed, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.team.files.exports import make_digest
from server.team.files.settings import FileSettings
from server.team.files.store import FileStore, open_store
from server.team.files.tidying import Tidying
from tests.support.team.stored import ANNA, BEN, export, exports_of, write


def later(days: float) -> datetime:
    """So many days from now: stores give files the time of their own clocks."""
    return datetime.now(UTC) + timedelta(days=days)


def test_after_the_days_files_and_their_names_are_gone(store: FileStore, tmp_path: Path) -> None:
    folders = [exports_of(store, tmp_path / person, person) for person in (ANNA, BEN)]
    for folder in folders:
        export(folder, "q4.csv")

    early = Tidying(store, tmp_path / "people", 30, now=lambda: later(29.9))
    late = Tidying(store, tmp_path / "people", 30, now=lambda: later(30.1))
    assert early.remove_old() == 0
    assert [len(folder.list_exports()) for folder in folders] == [1, 1]
    assert late.remove_old() == 2
    assert [len(folder.list_exports()) for folder in folders] == [0, 0]
    assert export(folders[0], "q4.csv").name == "q4.csv"
    assert late.remove_old() == 1
    assert late.remove_old() == 0


def test_an_old_claim_stays_while_its_file_is_young(tmp_path: Path) -> None:
    store = open_store(FileSettings(place=str(tmp_path / "shared")), tmp_path)
    folder = exports_of(store, tmp_path / "one", ANNA)
    export(folder, "q4.csv")
    claim = tmp_path / "shared" / "people" / make_digest(ANNA) / "names" / "q4.csv"
    old = later(-40).timestamp()
    os.utime(claim, (old, old))

    assert Tidying(store, tmp_path / "people", 30, now=lambda: later(0)).remove_old() == 0
    assert export(folder, "q4.csv").name == "q4-2.csv"
    assert folder.read_piece("q4.csv").total > 0


def test_what_others_put_into_the_place_stays(store: FileStore, tmp_path: Path) -> None:
    import io

    keys = ("q4.csv", "people/anna/files/q4.csv", f"{make_digest(ANNA)}/files/q4.csv")
    deeper = f"people/{make_digest(ANNA)}/files/more/q4.csv"
    for key in (*keys, deeper):
        store.put(key, io.BytesIO(b"not an export of this program"), 29)

    assert Tidying(store, tmp_path / "people", 1, now=lambda: later(400)).remove_old() == 0
    for key in (*keys, deeper):
        assert store.find(key) is not None


def test_working_files_that_nobody_goes_on_with_are_removed(tmp_path: Path) -> None:
    store = open_store(FileSettings(place=str(tmp_path / "shared")), tmp_path)
    people = tmp_path / "people"
    folder = exports_of(store, people / make_digest(ANNA), ANNA)
    old, young = (write(folder, "q4.csv", b"x", job) for job in ("old", "young"))
    moment = later(-31).timestamp()
    os.utime(folder.path / old.temporary, (moment, moment))
    (folder.path / "notes.txt").write_text("no working file")

    Tidying(store, people, 30, now=lambda: later(0)).remove_old()

    assert sorted(path.name for path in folder.path.iterdir()) == [young.temporary, "notes.txt"]
