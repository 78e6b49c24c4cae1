"""Strangers' bytes are worked on in a process that can be ended."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from server.child import Child, TookTooLong
from server.errors import Code

CATASTROPHE = r"(a+)+$"


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(seconds=3.0)
    yield made
    made.close()


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 10)).save(file, kind)
    return file.getvalue()


def test_a_picture_comes_back_as_small_pixels(child: Child) -> None:
    header = {"task": "picture", "longest": 64, "most_pixels": 1 << 20}

    answer, pixels = child.ask(header, picture(200, 100))

    assert answer == {"size": [64, 32]}
    assert pixels[:3] == bytes((200, 10, 10))
    assert len(pixels) == 64 * 32 * 3


def test_what_is_no_picture_is_told_and_the_process_goes_on(child: Child) -> None:
    header = {"task": "picture", "longest": 64, "most_pixels": 1 << 20}

    for data in (b"", b"no picture", picture(9, 9)[:30]):
        assert child.ask(header, data)[0]["error"] == ""
    assert (
        child.ask(header, picture(3_000, 3_000))[0]["error"] == "it unpacks to 3000 x 3000 pixels"
    )
    assert child.ask(header, picture(9, 9))[0] == {"size": [9, 9]}


def test_texts_are_matched_whatever_their_capitals(child: Child) -> None:
    texts = json.dumps(["https://A.example/x", "https://b.example/"]).encode()

    answer, _ = child.ask({"task": "match", "patterns": [r"a\.example", "z"]}, texts)

    assert answer == {"fits": [True, False]}


def test_endless_work_is_given_up_and_the_next_is_done(child: Child) -> None:
    began = time.monotonic()
    texts = json.dumps(["a" * 40 + "!"]).encode()

    with pytest.raises(TookTooLong, match="more than 3 s") as caught:
        child.ask({"task": "match", "patterns": [CATASTROPHE]}, texts)

    assert caught.value.code is Code.BAD_RESPONSE
    assert time.monotonic() - began < 10
    assert child.ask({"task": "match", "patterns": ["a"]}, texts)[0] == {"fits": [True]}


def test_an_idle_process_is_ended(child: Child) -> None:
    short = Child(idle_seconds=0.01)
    short.ask({"task": "match", "patterns": ["a"]}, b'["a"]')

    for _ in range(500):
        if short._process is None:
            break
        time.sleep(0.01)

    assert short._process is None
    assert short.ask({"task": "match", "patterns": ["a"]}, b'["a"]')[0] == {"fits": [True]}
    short.close()


CHART = {
    "task": "chart",
    "kind": "side by side",
    "heading": {"title": "Posts", "lines": []},
    "names": ["a"],
    "columns": [{"label": "Posts", "values": [3], "texts": ["3"], "form": "number"}],
    "groups": [],
}


def test_a_chart_is_drawn_without_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    child = Child(seconds=60)

    answer, png = child.ask(CHART, b"")

    assert answer == {}
    assert Image.open(io.BytesIO(png)).size[0] == 1100
    assert list(tmp_path.iterdir()) == []
    child.close()


def test_what_cannot_be_drawn_is_told_and_the_process_goes_on() -> None:
    slow = Child(seconds=60)

    answer, _ = slow.ask(CHART | {"kind": "pie"}, b"")

    assert answer["kind"] == "KeyError"
    assert slow.ask({"task": "match", "patterns": ["a"]}, b'["a"]')[0] == {"fits": [True]}
    slow.close()


@pytest.mark.skipif(sys.platform != "linux", reason="another system shows no environment")
def test_the_process_has_no_secret_of_the_server(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_APP_TOKEN", "unmistakable-token-4711")
    monkeypatch.setenv("SOME_OTHER_KEY", "unmistakable-key-4711")

    child.ask({"task": "match", "patterns": ["a"]}, b"[]")

    assert child._process is not None
    environment = Path(f"/proc/{child._process.pid}/environ").read_bytes()
    assert environment
    assert b"unmistakable" not in environment
