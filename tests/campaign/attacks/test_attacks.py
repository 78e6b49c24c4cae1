"""A page, a message, a picture or an argument cannot stop the server: other work goes on beside
it."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from PIL import Image

from server.archivebox.pages.html_text import read_html
from server.child import Child, TookTooLong
from server.errors import Code, Failure
from server.http.json_body import load_json
from server.http.urls import split_links
from server.tool.result import BUDGET, fit, whole
from tests.campaign.faults.watch import watching
from tests.support.paths import ROOT

BIG = 99_000


def _make_progressive(scans: int) -> bytes:
    """A JPEG whose last scan comes again and again."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def _refuse(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        load_json(text)


READINGS: dict[str, Callable[[], object]] = {
    "unfinished tags": lambda: read_html("<a " * (BIG // 3)),
    "unfinished comments": lambda: read_html("<!--" * (BIG // 4)),
    "nested tags": lambda: read_html("<b>" * (BIG // 3)),
    "an error message": lambda: Failure(Code.REJECTED, "<" * 160_000),
    "an error of blanks": lambda: Failure(Code.REJECTED, " \n" * 80_000),
    "links of blanks": lambda: split_links([" ," * BIG]),
    "links of points": lambda: split_links(["a-." * BIG]),
    "a name of 3 MB": lambda: fit(whole({"title": "N" * 3_000_000})),
    "brackets": lambda: _refuse("[" * BIG),
}


@pytest.mark.parametrize("name", READINGS)
async def test_what_is_read_in_the_server_takes_it_little_time(name: str) -> None:
    # What is imported with the first use takes its time once, however long a text is.
    read_html("<p>")
    with watching() as watch:
        await anyio.lowlevel.checkpoint()
        watch.take_stalls()
        READINGS[name]()
        await anyio.lowlevel.checkpoint()

    assert not watch.stalls, watch.stalls


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"task": "match", "patterns": ["(a+)+$"]}, b'["' + b"a" * 60 + b'!"]'),
        ({"task": "match", "patterns": ["(x|x)*y"]}, b'["' + b"x" * 60 + b'"]'),
        ({"task": "picture", "longest": 64, "most_pixels": 1 << 24}, _make_progressive(60_000)),
    ],
    ids=["nested repetition", "alternatives", "60,000 scans"],
)
async def test_endless_work_is_ended_and_holds_up_nothing(
    header: dict[str, object], data: bytes
) -> None:
    child = Child(seconds=1.5)
    ticks = 0
    over = anyio.Event()

    async def tick() -> None:
        nonlocal ticks
        while not over.is_set():
            ticks += 1
            await anyio.sleep(0.02)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        try:
            answer, _ = await anyio.to_thread.run_sync(child.ask, header, data)
            # A decoder may also be quick, or refuse it.
            assert header["task"] == "picture", answer
        except TookTooLong:
            assert ticks > 5
        over.set()
    child.close()


def test_a_result_is_never_longer_than_its_bound() -> None:
    for value in ({"a": ["\u2028" * 900] * 900}, {"\x00" * 9_000: "\x1b" * 90_000}):
        assert len(fit(whole(value)).text) <= BUDGET


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
def test_a_matplotlibrc_without_an_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").symlink_to("/dev/zero")
    code = "from server.pictures.charts import *\ndraw_side_by_side(Heading(''), ['a'], [])"
    code = code.replace("[])", "[Bars('b', [1], ['1'])])")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-2_000:]


def _make_flat_picture(width: int, height: int) -> bytes:
    """A PNG of a single transparent colour, which is small until it is unpacked."""
    packing = zlib.compressobj(1)
    row = bytes(4 * width + 1)
    pixels = b"".join(packing.compress(row) for _ in range(height)) + packing.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_what_needs_too_much_memory_is_ended_and_the_next_is_done() -> None:
    child = Child(seconds=30)
    header = {"task": "picture", "longest": 64, "most_pixels": 1 << 40}

    with pytest.raises(TookTooLong, match="too much memory"):
        child.ask(header, _make_flat_picture(14_000, 12_000))

    assert child.ask(header, _make_flat_picture(30, 30))[0] == {"size": [30, 30]}
    child.close()
