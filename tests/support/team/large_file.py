"""Exports a large file and loads it by its link, in a process of its own whose memory is measured:

    python -m tests.support.team.large_file PLACE ENDPOINT MEGABYTES

PLACE is a folder or `s3://...`; without a bucket ENDPOINT is empty.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import anyio
from starlette.requests import Request

from server.exports import Target, publish
from server.exports.publish import write_draft
from server.settings import Secret
from server.team.files.downloads import Downloads
from server.team.files.exports import PersonFiles, StoredExports
from server.team.files.links import Links
from server.team.files.settings import FileSettings
from server.team.files.store import open_store
from server.team.policy import Identity, Policy, Rights
from server.team.policy.policy import Person

_KEYS = (bytes(range(32)),)
_MEGABYTE = bytes(range(256)) * 4096


def read_peak() -> float:
    """The most memory that this process ever had, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("Linux tells it")


async def load(downloads: Downloads, sealed: str) -> int:
    """Load a file, and return how many bytes came."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/files/{sealed}",
        "path_params": {"sealed": sealed},
        "headers": [],
        "query_string": b"",
    }
    received = 0

    async def receive() -> dict[str, object]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        nonlocal received
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        received += len(body)

    response = await downloads.answer(Request(scope, receive))
    await response(scope, receive, send)  # type: ignore[arg-type]
    return received


def main(place: str, endpoint: str, megabytes: int) -> None:
    """Print the growth of the memory, in MiB, and the bytes that were loaded."""
    settings = FileSettings(place=place)
    if endpoint:
        settings = FileSettings(
            place, endpoint=endpoint, region="us-east-1", key_id="a-key-id", secret=Secret("secret")
        )
    identity = Identity("oidc", "anna", "Anna")
    policy = Policy(people=[Person(Rights(), "anna")])

    def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
        for _ in range(megabytes):
            file.write(_MEGABYTE)
        return 1, ("a",)

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(settings, Path(folder))
        links = Links("http://127.0.0.1", _KEYS, lambda: policy, lambda: datetime.now(UTC))
        exports = StoredExports(
            Path(folder) / "workshop", PersonFiles(store, "oidc:anna"), lambda name: None
        )
        # A small one first, which opens what is opened once.
        publish(exports, write_draft(exports, Target("small.csv", "csv"), lambda file: (0, ())))
        draft = write_draft(exports, Target("large.csv", "csv"), fill)
        before = read_peak()
        publish(exports, draft)
        published = read_peak()
        download = links.make(identity, "large.csv")
        assert download is not None
        sealed = download.url.rpartition("/")[2]
        received = anyio.run(load, Downloads(store, links), sealed)
        figures = {
            "publish": round(published - before, 1),
            "load": round(read_peak() - published, 1),
            "bytes": received,
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
