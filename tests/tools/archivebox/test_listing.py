"""Lists of saved pages: odd arguments, a tag's spellings, and outcomes that only a file of the page
tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pagination import whole_list
from server.errors import Code, Failure
from server.http.transport import Reply
from tests.support.archivebox.keeping import Json, keeper
from tools.archivebox.snapshots import outcomes
from tools.archivebox.snapshots.outcomes import Judging
from tools.archivebox.snapshots.snapshots import ListSnapshots


@dataclass
class Files:
    """A client that has one file for every path, and counts how often it is read."""

    body: bytes
    reads: list[str] = field(default_factory=list)

    async def file(self, path: str, deadline: float, **options: Any) -> Reply:
        self.reads.append(path)
        return Reply(200, {}, self.body, new_connection=False)

    def now(self) -> float:
        return 0.0


def refused_page(number: int) -> Json:
    """A page of 0.8.5 that a browser got, and wget did not."""
    results = [
        {"extractor": "headers", "status": "succeeded", "output": "headers.json"},
        {"extractor": "dom", "status": "succeeded", "output": "output.html"},
        {"extractor": "wget", "status": "failed", "output": "404 Not Found"},
        {"extractor": "htmltotext", "status": "succeeded", "output": "htmltotext.txt"},
    ]
    return {
        "id": str(number),
        "timestamp": f"{number}.0",
        "url": f"https://a.example/{number}",
        "archiveresults": results,
    }


async def _outcomes(files: Files, pages: Sequence[Json], seconds: float = 45.0) -> list[str]:
    api = ArchiveBoxApi(cast("Any", files), cast("Any", None), seconds)
    judged, total = await Judging(api, whole_list([*pages])).fetch(0, len(pages))
    assert total == len(pages)
    return [page["outcome"] for page in judged]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"Status-Code": "404 Not Found"}', "failed"),
        (b'{"Status-Code": "200 OK"}', "partly"),
        (b"<html>no headers", "unknown"),
    ],
)
async def test_what_the_outputs_do_not_tell_is_read(body: bytes, outcome: str) -> None:
    files = Files(body)
    assert await _outcomes(files, [refused_page(1)]) == [outcome]
    assert files.reads == ["/archive/1.0/headers.json"]


async def test_a_list_reads_no_more_files_than_it_has_time_for() -> None:
    pages = list(map(refused_page, range(outcomes._MOST_READ + 2)))
    files = Files(b'{"Status-Code": "404 Not Found"}')
    found = await _outcomes(files, pages)
    assert len(files.reads) == outcomes._MOST_READ
    assert found == ["failed"] * outcomes._MOST_READ + ["unknown"] * 2
    assert await _outcomes(Files(b""), pages[:1], seconds=10.0) == ["unknown"]


@pytest.mark.parametrize("version", ["0.9.73", "0.9.31"])
async def test_a_tag_is_found_in_any_capitals_by_one_small_request(version: Any) -> None:
    async with keeper(version) as one:
        exact = await one.call(ListSnapshots, tag="docs", limit=1)
        other = await one.call(ListSnapshots, tag="DOCS", limit=1)
        looks = one.sandbox.times("GET /core/tag/|GET /core/tags[?]")
    assert exact["totalCount"] == other["totalCount"] > 0
    assert looks == 0


async def test_what_no_request_can_hold_is_refused() -> None:
    async with keeper("0.9.73") as one:
        for argument in ({"search": "a" * 100_000}, {"offset": 10**30}):
            with pytest.raises(Failure) as caught:
                await one.call(ListSnapshots, **argument)
            assert caught.value.code is Code.INVALID_ARGUMENT
