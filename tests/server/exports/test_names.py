"""Which names an export may have."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.errors import Code, Failure
from server.exports.names import (
    FORMATS,
    MAX_BYTES,
    MAX_CHARACTERS,
    check_existing_name,
    detect_format,
    make_automatic_name,
    make_file_name,
    number_names,
)

PATHS = [
    "../x",
    "..",
    "../../etc/passwd",
    "a/../b",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "..\\x",
    "\\\\server\\share\\x",
    "./x",
]
DRIVES = ["C:\\x", "C:x", "c:", "x:stream", "\\\\?\\C:\\x", "file:///x"]
CONTROL = [
    "a\0b",
    "a\nb",
    "a\rb",
    "a\tb",
    "\x1b[31m",
    "a\x7fb",
    "a\u202egnp",
    "a\u200bb",
    "a\u2028b",
    "a\ud800b",
    "\ufeffa",
    "a\u00a0b",
]
DEVICES = [
    "CON", "con", "Nul", "PRN", "AUX", "COM1", "com9", "LPT1", "COM0", "COM\u00b9", "lpt\u00b2",
    "CONIN$", "conout$", "CLOCK$", "con.csv", "NUL.tar", "aux .txt", "com1.backup.csv",
    "\uff23\uff2f\uff2e",
]  # fmt: skip
EDGES = ["", ".", ".hidden", ".csv", "x.", "x ", " x", "x..", "x .csv", "...", " "]
FORBIDDEN = ["a<b", "a>b", 'a"b', "a|b", "a?b", "a*b"]


@pytest.mark.parametrize("name", PATHS + DRIVES + CONTROL + DEVICES + EDGES + FORBIDDEN)
def test_a_name_that_is_not_safe_everywhere_is_refused_with_what_to_send(name: str) -> None:
    with pytest.raises(Failure) as caught:
        make_file_name(name, "csv")
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "q4-report" in caught.value.hint


@pytest.mark.parametrize(
    "name", [*PATHS, *DRIVES, *CONTROL, *DEVICES, *EDGES, "report", "report.doc", "jobs.sqlite3"]
)
def test_a_name_given_back_passes_the_same_checks_and_must_be_an_export(name: str) -> None:
    with pytest.raises(Failure) as caught:
        check_existing_name(name)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("q4", "q4.csv"),
        ("q4.csv", "q4.csv"),
        ("Q4.CSV", "Q4.csv"),
        ("q4.parquet", "q4.csv"),
        ("v1.2", "v1.2.csv"),
        ("run.exe", "run.exe.csv"),
        ("Konsole", "Konsole.csv"),
        ("console", "console.csv"),
        ("COM10", "COM10.csv"),
        ("Été 2026 ☀", "Été 2026 ☀.csv"),
        ("E\u0301te\u0301", "Été.csv"),
    ],
)
def test_the_extension_follows_the_format(name: str, given: str) -> None:
    assert make_file_name(name, "csv") == given


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("x" * (MAX_CHARACTERS - 4), True),
        ("x" * (MAX_CHARACTERS - 3), False),
        ("é" * ((MAX_BYTES - 4) // 2), True),
        ("é" * ((MAX_BYTES - 4) // 2 + 1), False),
        ("x" * 100_000, False),
    ],
)
def test_the_length_counts_characters_and_bytes_with_the_extension(name: str, fits: bool) -> None:
    if fits:
        assert make_file_name(name, "csv") == f"{name}.csv"
        return
    with pytest.raises(Failure, match="longer than"):
        make_file_name(name, "csv")


@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="./\\:cCoOnN1 ~$", max_size=12),
        st.sampled_from(DEVICES),
    ),
    st.sampled_from(FORMATS),
)
@example("con.csv.csv", "csv")
@example("a.csv.csv", "csv")
def test_whatever_is_accepted_is_one_plain_visible_component_on_every_system(
    name: str, file_format: str
) -> None:
    try:
        accepted = make_file_name(name, file_format)  # type: ignore[arg-type]  # drawn from FORMATS
    except Failure:
        return
    assert PurePosixPath(accepted).name == PureWindowsPath(accepted).name == accepted
    assert PureWindowsPath(accepted).drive == ""
    assert not accepted.startswith((".", " "))
    assert detect_format(accepted) == file_format
    assert accepted.isprintable()
    assert check_existing_name(accepted) == accepted
    device = accepted.split(".")[0].strip().upper()
    assert not re.fullmatch(r"CON|PRN|AUX|NUL|(COM|LPT)\d", device)


def test_a_name_of_our_own_says_what_and_when() -> None:
    when = datetime(2026, 11, 2, 10, 15, tzinfo=timezone(timedelta(hours=1)))
    assert (
        make_automatic_name("Creators: Été/Northwind", when, "csv")
        == "creators-ete-northwind-2026-11-02-0915.csv"
    )


@given(st.text(max_size=300), st.sampled_from(FORMATS))
def test_a_name_of_our_own_is_always_safe(what: str, file_format: str) -> None:
    # As above.
    name = make_automatic_name(what, datetime(2026, 11, 2, tzinfo=UTC), file_format)  # type: ignore[arg-type]
    assert check_existing_name(name) == name


def test_numbers_come_before_the_extension_and_end_some_time() -> None:
    names = list(number_names("v1.2.csv"))
    assert names[:3] == ["v1.2.csv", "v1.2-2.csv", "v1.2-3.csv"]
    assert len(names) == 999
