"""The exports of each person in the team's store: names, two people, two machines."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from server.errors import Code, Failure
from server.exports import find_published, list_leftovers, publish
from server.exports import store as store_data
from server.team.files.exports import PersonFiles
from server.team.files.settings import FileSettings
from server.team.files.store import FileStore, open_store
from tests.support.team.engines.s3 import S3
from tests.support.team.stored import ANNA, BEN, export, exports_of, write

ODD_NAMES = (
    "Café ☕ q4.csv",
    "a%2Fb.csv",
    "100 % #1.csv",
    "x#1.csv",
    "a&b+c=d@e!~^`{}[]'$,;().csv",
    "日本語 レポート.csv",
    "%2e%2e.csv",
    f"{'é' * 90}.csv",
)


def test_what_is_published_is_listed_and_read_from_any_machine(
    store: FileStore, tmp_path: Path
) -> None:
    here, there = (exports_of(store, tmp_path / machine, ANNA) for machine in ("one", "two"))
    data = b"".join(b"row %d\r\n" % number for number in range(1000))

    published = export(here, "q4.csv", data)

    assert (published.name, published.path) == ("q4.csv", "archive://exports/q4.csv")
    (entry,) = there.list_exports()
    assert (entry.name, entry.format, entry.bytes) == ("q4.csv", "csv", len(data))
    first = there.read_piece("q4.csv", 0, 100)
    assert first.data.endswith(b"\n")
    assert first.total == len(data)
    read = first.data
    offset = first.next_offset
    while offset is not None:
        piece = there.read_piece("q4.csv", offset, 3000)
        read += piece.data
        offset = piece.next_offset
    assert read == data
    assert there.read_piece("q4.csv", len(data)).data == b""
    assert list_leftovers(here) == []


def test_the_files_of_two_people_are_apart(store: FileStore, tmp_path: Path) -> None:
    anna, ben = (exports_of(store, tmp_path / person, person) for person in (ANNA, BEN))
    export(anna, "secret.csv", b"hers\r\n")

    assert ben.list_exports() == []
    with pytest.raises(Failure) as failure:
        ben.read_piece("secret.csv")
    assert failure.value.code is Code.NOT_FOUND
    # The name is free for him, and what he stores there leaves hers alone.
    assert ben.choose_target("secret", "csv").name == "secret.csv"
    assert export(ben, "secret.csv", b"his\r\n").name == "secret.csv"
    assert anna.read_piece("secret.csv").data == b"hers\r\n"
    assert ben.read_piece("secret.csv").data == b"his\r\n"


def test_no_name_leads_out_of_one_s_own_files(store: FileStore, tmp_path: Path) -> None:
    anna, ben = (exports_of(store, tmp_path / person, person) for person in (ANNA, BEN))
    export(anna, "secret.csv")
    key = PersonFiles(store, ANNA).key("secret.csv")
    digest = key.split("/")[1]
    tries = (
        key,
        f"../../{digest}/files/secret.csv",
        f"..%2F..%2F{digest}%2Ffiles%2Fsecret.csv",
        f"..\\..\\{digest}\\files\\secret.csv",
        f"/{key}",
        "../names/secret.csv",
        ".secret.csv",
        "",
        "secret.csv\0",
        "sécret.csv",
    )
    for name in tries:
        with pytest.raises(Failure) as failure:
            ben.read_piece(name)
        assert failure.value.code in (Code.INVALID_ARGUMENT, Code.NOT_FOUND), name


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_stay_as_they_are(store: FileStore, tmp_path: Path, name: str) -> None:
    folder = exports_of(store, tmp_path / "one", ANNA)
    data = name.encode()

    assert export(folder, name, data).name == name
    assert folder.read_piece(name).data == data
    assert [entry.name for entry in folder.list_exports()] == [name]
    second = export(folder, name, b"another")
    assert second.name != name
    assert folder.read_piece(name).data == data
    assert folder.read_piece(second.name).data == b"another"


def test_two_workers_never_store_the_same_name(store: FileStore, tmp_path: Path) -> None:
    folders = [exports_of(store, tmp_path / f"machine{number}", ANNA) for number in range(6)]
    drafts = [
        write(folder, "q4.csv", b"%d\r\n" % number * 1000, f"job{number}")
        for number, folder in enumerate(folders)
    ]

    with ThreadPoolExecutor(6) as pool:
        exports = list(pool.map(publish, folders, drafts))

    names = {"q4.csv", "q4-2.csv", "q4-3.csv", "q4-4.csv", "q4-5.csv", "q4-6.csv"}
    assert {entry.name for entry in exports} == names
    for number, entry in enumerate(exports):
        assert folders[0].read_piece(entry.name).data == b"%d\r\n" % number * 1000


def test_a_worker_that_takes_over_sees_that_the_file_is_there(
    store: FileStore, tmp_path: Path
) -> None:
    first, second = (exports_of(store, tmp_path / machine, ANNA) for machine in ("one", "two"))
    export(first, "q4.csv", b"an older file\r\n")
    draft = write(first, "q4.csv", b"the job's\r\n")

    assert find_published(second, draft) is None
    with pytest.raises(Failure) as failure:
        publish(second, draft)
    assert failure.value.code is Code.NOT_FOUND  # then the rows are gathered again

    published = publish(first, draft)
    assert published.name == "q4-2.csv"
    assert find_published(second, draft) == published
    assert find_published(first, draft) == published


def test_a_chosen_name_is_free_in_the_store(store: FileStore, tmp_path: Path) -> None:
    first, second = (exports_of(store, tmp_path / machine, ANNA) for machine in ("one", "two"))
    export(first, "q4.csv")

    assert second.choose_target("q4", "csv").name == "q4-2.csv"
    assert second.choose_target(None, "csv").name == "export-2026-11-02-0915.csv"
    assert store_data(second, second.choose_target("q4", "png"), b"png").name == "q4.png"


def break_folder(place: Path) -> Callable[[], None]:
    """Take the folder away; what is returned brings it back."""
    aside = place.with_name("aside")
    place.rename(aside)
    place.write_text("no folder")

    def mend() -> None:
        place.unlink()
        aside.rename(place)

    return mend


def test_a_store_that_goes_away_leaves_nothing_half_there(tmp_path: Path) -> None:
    place = tmp_path / "shared"
    store = open_store(FileSettings(place=str(place)), tmp_path / "unused")
    folder = exports_of(store, tmp_path / "one", ANNA)
    export(folder, "old.csv", b"old\r\n")
    draft = write(folder, "q4.csv", b"new\r\n")

    mend = break_folder(place)
    for attempt in (
        lambda: publish(folder, draft),
        folder.list_exports,
        lambda: folder.read_piece("old.csv"),
        lambda: folder.choose_target("q5", "csv"),
        lambda: find_published(folder, draft),
    ):
        with pytest.raises(Failure) as failure:
            attempt()
        assert failure.value.code is Code.UNAVAILABLE
        assert str(place) in failure.value.message
    mend()

    assert [entry.name for entry in folder.list_exports()] == ["old.csv"]
    # The draft waited on this machine.
    assert publish(folder, draft).name == "q4.csv"
    assert folder.read_piece("q4.csv").data == b"new\r\n"


@pytest.mark.slow
def test_a_bucket_that_goes_away_is_said_so(own_s3: S3, tmp_path: Path) -> None:
    store = open_store(own_s3.make_bucket("short-lived"), tmp_path / "unused")
    folder = exports_of(store, tmp_path / "one", ANNA)
    draft = write(folder, "q4.csv", os.urandom(2**20))
    own_s3.stop()

    with pytest.raises(Failure) as failure:
        publish(folder, draft)

    assert failure.value.code is Code.UNAVAILABLE
    assert "s3://short-lived/of/the-team" in failure.value.message
    assert "nothing half-written" in failure.value.message
    assert [leftover.name for leftover in list_leftovers(folder)] == [draft.temporary]


class FailingOnce(FileStore):
    """A store that a file does not get into."""

    has_failed = False

    def put(self, key: str, file: BinaryIO, size: int) -> None:
        """Fail the first time."""
        if not self.has_failed:
            self.has_failed = True
            raise Failure(Code.UNAVAILABLE, "It failed just now.")
        super().put(key, file, size)


def test_a_file_that_was_not_stored_gives_its_name_back(
    store: FileStore, file_settings: FileSettings, tmp_path: Path
) -> None:
    failing = FailingOnce(store._store, store.place, store._folder)
    folder = exports_of(failing, tmp_path / "one", ANNA)
    draft = write(folder, "q4.csv", b"first")
    with pytest.raises(Failure):
        publish(folder, draft)

    other = exports_of(store, tmp_path / "two", ANNA)
    assert export(other, "q4.csv").name == "q4.csv"
    # Resumed, the first one takes the next name, and the other's file stays what it is.
    assert publish(folder, draft).name == "q4-2.csv"
    assert other.read_piece("q4-2.csv").data == b"first"


def test_a_chart_that_cannot_be_stored_leaves_no_working_file(tmp_path: Path) -> None:
    place = tmp_path / "shared"
    store = open_store(FileSettings(place=str(place)), tmp_path / "unused")
    folder = exports_of(store, tmp_path / "one", ANNA)
    target = folder.choose_target("chart", "png")
    break_folder(place)

    with pytest.raises(Failure):
        store_data(folder, target, b"png")
    assert list_leftovers(folder) == []
