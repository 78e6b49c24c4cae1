from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from server.exports import ExportFolder, FolderEntry
from server.resources.exports import BYTES_PIECE, MOST_LISTED, TEXT_PIECE
from tests.server.protocol.conftest import Build

PREFIX = "archive://exports/"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where exports go; it is not there yet."""
    return tmp_path / "exports"


@pytest.fixture
async def client(build: Build, era: str, out: Path) -> AsyncIterator[Client]:
    """A client of a server with that export folder."""
    async with Client(build(ARCHIVE_MCP_EXPORT_DIR=str(out)), mode=era) as connected:
        yield connected


def put(out: Path, name: str, data: bytes = b"id\r\n1\r\n", at: float = 1_800_000_000) -> None:
    out.mkdir(exist_ok=True)
    (out / name).write_bytes(data)
    os.utime(out / name, (at, at))


def made(out: Path) -> bool:
    return out.exists()


async def exports(client: Client) -> list[types.Resource]:
    return [
        resource
        for resource in (await client.list_resources()).resources
        if str(resource.uri).startswith(PREFIX)
    ]


async def pieces(
    client: Client, uri: str
) -> AsyncIterator[types.TextResourceContents | types.BlobResourceContents]:
    """The pieces of an export, as somebody reads them who follows what each says."""
    following: str | None = uri
    while following:
        content, *told = (await client.read_resource(following)).contents
        assert str(content.uri) == following
        yield content
        following = None
        for each in told:
            assert isinstance(each, types.TextResourceContents)
            assert each.text.endswith(f"Next piece: {each.uri}")
            following = str(each.uri)


async def refused(client: Client, uri: str) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return caught.value


async def test_a_missing_folder_holds_no_exports_and_is_not_made(client: Client, out: Path) -> None:
    assert await exports(client) == []
    assert not made(out)


async def test_a_folder_that_cannot_be_read_does_not_hide_the_documents(
    client: Client, out: Path
) -> None:
    put(out.parent, out.name)

    assert len((await client.list_resources()).resources) == 2


async def test_finished_exports_are_listed_newest_first_with_type_and_size(
    client: Client, out: Path
) -> None:
    put(out, "old.csv", at=1_800_000_000)
    put(out, "Q4 büro.parquet", b"PAR1", at=1_800_000_060)
    put(out, "new.jsonl", at=1_800_000_120)
    for hidden in (".x.csv.job_1.part", ".x.csv.job_1.00ff.tmp", "notes.md"):
        put(out, hidden)
    found = await exports(client)

    assert [(str(entry.uri), entry.name, entry.mime_type, entry.size) for entry in found] == [
        (f"{PREFIX}new.jsonl", "new.jsonl", "application/jsonl", 7),
        (f"{PREFIX}Q4%20b%C3%BCro.parquet", "Q4 büro.parquet", "application/vnd.apache.parquet", 4),
        (f"{PREFIX}old.csv", "old.csv", "text/csv", 7),
    ]
    assert found[2].annotations is not None
    assert found[2].annotations.last_modified == "2027-01-15T08:00:00Z"


async def test_at_most_fifty_are_listed(client: Client, out: Path) -> None:
    for number in range(MOST_LISTED + 5):
        put(out, f"e{number:03}.csv", at=1_800_000_000 + number)
    names = [export.name for export in await exports(client)]

    assert (len(names), names[0], names[-1]) == (MOST_LISTED, "e054.csv", "e005.csv")


async def test_listing_and_contents_are_nobody_elses_and_never_kept(
    build: Build, out: Path
) -> None:
    put(out, "a.csv")
    async with Client(build(ARCHIVE_MCP_EXPORT_DIR=str(out)), mode="2026-07-28") as client:
        listed = await client.list_resources()
        content = await client.read_resource(f"{PREFIX}a.csv")
    for each in (listed, content):
        assert (each.ttl_ms, each.cache_scope) == (0, "private")


async def test_text_is_read_in_pieces_of_whole_lines(client: Client, out: Path) -> None:
    lines = [
        json.dumps({"n": n, "caption": "été 😀" * (n % 7)}, ensure_ascii=False) for n in range(9000)
    ]
    data = ("\n".join(lines) + "\n").encode()
    put(out, "big.jsonl", data)
    found: list[str] = []
    async for piece in pieces(client, f"{PREFIX}big.jsonl"):
        assert isinstance(piece, types.TextResourceContents)
        assert piece.mime_type == "application/jsonl"
        assert len(piece.text.encode()) <= TEXT_PIECE
        assert [json.loads(line) for line in piece.text.splitlines()]
        found.append(piece.text)

    assert len(found) > 2
    assert "".join(found).encode() == data


async def test_parquet_is_read_in_pieces_of_bytes(client: Client, out: Path) -> None:
    data = os.urandom(400_000)
    put(out, "big.parquet", data)
    found: list[bytes] = []
    async for piece in pieces(client, f"{PREFIX}big.parquet"):
        assert isinstance(piece, types.BlobResourceContents)
        assert len(piece.blob) <= TEXT_PIECE
        found.append(base64.b64decode(piece.blob))

    assert [len(entry) for entry in found] == [BYTES_PIECE, BYTES_PIECE, 100_000]
    assert b"".join(found) == data


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("gone.csv", "no such file"),
        ("..%2Fsecret.csv", "contains a path"),
        ("..", "dot"),
        ("%2Fetc%2Fpasswd", "contains a path"),
        (".x.csv.job_1.part", "dot"),
        ("notes.md", "is not an export"),
        ("con.csv", "device"),
        ("a.csv?offset=8", "between 0 and 7"),
        ("a.csv?offset=-1", "is not the address"),
        ("a.csv?offset=x", "is not the address"),
        ("a/b.csv", "is not the address"),
        ("", "is not the address"),
    ],
)
async def test_what_is_no_export_is_refused_by_name(
    client: Client, out: Path, address: str, said: str
) -> None:
    put(out, "a.csv")
    put(out, "notes.md")
    put(out.parent, "secret.csv")
    error = await refused(client, PREFIX + address)

    assert error.code == types.INVALID_PARAMS
    assert said in error.message


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right there")
async def test_a_link_out_of_the_folder_is_neither_listed_nor_read(
    client: Client, out: Path, tmp_path: Path
) -> None:
    put(out, "a.csv")
    (tmp_path / "secret").write_text("secret")
    (out / "b.csv").symlink_to(tmp_path / "secret")

    assert [export.name for export in await exports(client)] == ["a.csv"]
    assert "no such file" in (await refused(client, f"{PREFIX}b.csv")).message


async def test_the_folder_is_only_looked_at_when_resources_are_asked_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[ExportFolder] = []

    def listing(folder: ExportFolder) -> list[FolderEntry]:
        seen.append(folder)
        return []

    monkeypatch.setattr(ExportFolder, "list_exports", listing)
    await client.list_tools()
    await client.list_resource_templates()
    before = len(seen)
    await client.list_resources()

    assert (before, len(seen)) == (0, 1)
