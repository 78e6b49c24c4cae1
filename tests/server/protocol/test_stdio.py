from __future__ import annotations

import asyncio

from server.protocol.stdio import _read_line


async def test_a_line_over_the_limit_is_dropped_to_its_end() -> None:
    reader = asyncio.StreamReader(limit=16)
    lines = asyncio.create_task(_lines(reader))
    for part in (b"first\n", b"x" * 40, b'{"id": 7}', b"x" * 40, b"{}\n", b"last\n", b"rest"):
        reader.feed_data(part)
        await asyncio.sleep(0)
    reader.feed_eof()

    assert await lines == [b"first\n", b"\n", b"last\n", b"rest"]


async def test_the_end_within_a_line_over_the_limit_is_the_end() -> None:
    reader = asyncio.StreamReader(limit=16)
    reader.feed_data(b"x" * 40)
    reader.feed_eof()

    assert await _lines(reader) == []


async def _lines(reader: asyncio.StreamReader) -> list[bytes]:
    lines: list[bytes] = []
    while line := await _read_line(reader):
        lines.append(line)
    return lines
