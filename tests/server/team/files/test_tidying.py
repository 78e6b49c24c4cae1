"""Exports that are too old are removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.team.files.exports import PersonFiles, make_digest
from server.team.files.settings import FileSettings
from server.team.files.store import FileStore, open_store
from server.team.files.tidying import Tidying
from tests.support.paths import ROOT
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


def test_a_name_that_nothing_was_stored_under_is_free_after_a_day(
    store: FileStore, tmp_path: Path
) -> None:
    folder = exports_of(store, tmp_path / "one", ANNA)
    # As a worker does that is killed before it has stored the file.
    assert PersonFiles(store, ANNA).claim("q4.csv", write(folder, "q4.csv", b"x", "killed"))

    Tidying(store, tmp_path / "people", 30, now=lambda: later(0.9)).remove_old()
    assert export(folder, "q4.csv").name == "q4-2.csv"
    Tidying(store, tmp_path / "people", 30, now=lambda: later(1.1)).remove_old()
    assert export(folder, "q4.csv").name == "q4.csv"


_STORES_SLOWLY = """
import sys, time
from pathlib import Path
from server.team.files.settings import FileSettings
from server.team.files.store import open_store

class Slow:
    def __init__(self):
        self.pieces = 0
    def read(self, size=-1):
        self.pieces += 1
        if self.pieces == 3:
            print("under way", flush=True)
            time.sleep(60)
        return b"x" * 2**23
    def readinto(self, buffer):
        data = self.read()[:len(buffer)]
        buffer[:len(data)] = data
        return len(data)
    def seek(self, offset, whence=0):
        return 2**28 if whence == 2 else 0
    def tell(self):
        return 0

store = open_store(FileSettings(place=sys.argv[1]), Path(sys.argv[1]))
store.put(sys.argv[2], Slow(), 2**28)
"""


def test_what_a_killed_process_had_begun_to_store_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "shared"
    store = open_store(FileSettings(place=str(place)), tmp_path)
    folder = exports_of(store, tmp_path / "one", ANNA)
    export(folder, "q4#7.csv")
    key = f"people/{make_digest(ANNA)}/files/long.csv"
    command = [sys.executable, "-c", _STORES_SLOWLY, str(place), key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"under way\n"
        process.kill()
    files = place / "people" / make_digest(ANNA) / "files"
    staged = {path.name for path in files.iterdir()} - {"q4#7.csv"}
    assert len(staged) == 1, staged
    # Nobody sees it meanwhile.
    assert [entry.name for entry in folder.list_exports()] == ["q4#7.csv"]

    Tidying(store, tmp_path / "people", 30, now=lambda: later(0.9)).remove_old()
    assert staged <= {path.name for path in files.iterdir()}
    Tidying(store, tmp_path / "people", 30, now=lambda: later(1.1)).remove_old()
    assert [path.name for path in files.iterdir()] == ["q4#7.csv"]


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
