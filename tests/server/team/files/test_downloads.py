"""Links of files: whose they are, for how long, and what is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from starlette.applications import Starlette

from server.audit.lines import JsonLines
from server.settings import Secret
from server.team.files.downloads import Downloads
from server.team.files.links import LIFE, Links
from server.team.files.store import FileStore
from server.team.identity.archive_token import TRUSTED_SECONDS
from server.team.observing import RefusalAudit
from server.team.policy import Identity, Policy, Rights
from server.team.policy.policy import Person
from server.team.sealing import Seal
from tests.support.team.stored import NOW, export, exports_of

KEYS = (bytes(range(32)),)
URL = "https://archive-mcp.example.com"
ANNA, BEN = Identity("oidc", "anna", "Anna"), Identity("oidc", "ben", "Ben")


@dataclass
class Site:
    """The links of a server, whose clock and policy the test sets."""

    store: FileStore
    folder: Path
    client: httpx2.AsyncClient = field(init=False)
    now: datetime = NOW
    policy: Policy = field(
        default_factory=lambda: Policy(people=[Person(Rights(), "anna"), Person(Rights(), "ben")])
    )

    def __post_init__(self) -> None:
        """Put the route into an app."""
        self.links = self.make_links()
        lines = JsonLines(self.folder / "audit.jsonl")
        downloads = Downloads(self.store, self.links, lines, RefusalAudit(lines))
        app = Starlette(routes=[downloads.make_route()])
        transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
        self.client = httpx2.AsyncClient(transport=transport, base_url=URL, trust_env=False)

    def read_audit(self) -> list[tuple[str, str, list[str]]]:
        """Who loaded what, in order."""
        file = self.folder / "audit.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        events = [json.loads(line) for line in lines]
        return [(event["principal"], event["tool"], event.get("ids", [])) for event in events]

    def read_refusals(self) -> list[tuple[str, str, str]]:
        """Who was refused what, and why."""
        lines = (self.folder / "audit.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        refused = [event for event in events if event["outcome"] == "refused"]
        return [(event["principal"], event["tool"], event["code"]) for event in refused]

    def make_links(self, keys: tuple[bytes, ...] = KEYS) -> Links:
        """The links of a server with these keys."""
        return Links(URL, keys, lambda: self.policy, lambda: self.now)

    def export(self, identity: Identity, name: str, data: bytes) -> str:
        """Export something, and return the link to it."""
        person = identity.principal.id
        file = export(exports_of(self.store, self.folder / identity.subject, person), name, data)
        return self.link(identity, file.name)

    def link(self, identity: Identity, name: str) -> str:
        """A link to somebody's file."""
        download = self.links.make(identity, name)
        assert download is not None
        return download.url


@pytest.fixture
async def site(store: FileStore, tmp_path: Path) -> AsyncIterator[Site]:
    """The links of a server."""
    site = Site(store, tmp_path)
    async with site.client:
        yield site


async def test_a_link_loads_the_file(site: Site) -> None:
    data = "naïve,☕\r\n".encode() * 1000
    answer = await site.client.get(site.export(ANNA, "Café q4.csv", data))

    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-length"] == str(len(data))
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith(
        "attachment; filename=\"Caf_ q4.csv\"; filename*=UTF-8''Caf%C3%A9"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ['a%2F"b.csv', "a\r\nset-cookie: x.csv", "日本語 100 %.csv"])
async def test_a_name_never_changes_the_headers(site: Site, name: str) -> None:
    clean = name.replace('"', "").replace("\r\n", " ").replace(":", "")
    answer = await site.client.get(site.export(ANNA, clean, b"x"))

    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith(quote(clean, safe=""))
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("requested", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=990-", 206, 990, 1000),
        ("bytes=-10", 206, 990, 1000),
        ("bytes=500-99999", 206, 500, 1000),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=-99999", 206, 0, 1000),
        ("bytes=5-2", 200, 0, 1000),
        ("bytes=0-1,5-6", 200, 0, 1000),
        ("lines=0-1", 200, 0, 1000),
        ("bytes=-", 200, 0, 1000),
    ],
)
async def test_ranges(site: Site, requested: str, status: int, start: int, end: int) -> None:
    data = bytes(number % 251 for number in range(1000))
    link = site.export(ANNA, "q4.csv", data)
    answer = await site.client.get(link, headers={"range": requested})

    assert (answer.status_code, answer.content) == (status, data[start:end])
    expected = f"bytes {start}-{end - 1}/1000" if status == 206 else None
    assert answer.headers.get("content-range") == expected
    head = await site.client.head(link, headers={"range": requested})
    assert (head.status_code, head.content) == (status, b"")
    assert head.headers["content-length"] == str(end - start)


async def test_a_range_beyond_the_end_and_an_empty_file(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"x" * 10)
    for requested in ("bytes=10-", "bytes=99-100", "bytes=-0"):
        answer = await site.client.get(link, headers={"range": requested})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")
    empty = await site.client.get(site.export(ANNA, "empty.csv", b""))
    assert (empty.status_code, empty.content) == (200, b"")


async def test_a_download_goes_on_only_with_the_same_file(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"0123456789")
    tag = (await site.client.get(link)).headers["etag"]
    same = await site.client.get(link, headers={"range": "bytes=5-", "if-range": tag})
    other = await site.client.get(link, headers={"range": "bytes=5-", "if-range": '"x"'})

    assert (same.status_code, same.content) == (206, b"56789")
    assert (other.status_code, other.content) == (200, b"0123456789")


async def test_an_old_link_says_what_to_do(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"x")
    site.now += LIFE - timedelta(seconds=1)
    assert (await site.client.get(link)).status_code == 200
    site.now += timedelta(seconds=1)
    answer = await site.client.get(link)

    assert answer.status_code == 410
    assert "15 minutes" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


async def test_forged_links_do_not_work(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"x")
    sealed = link.rpartition("/")[2]
    other_keys = site.make_links((bytes(range(1, 33)),)).make(ANNA, "q4.csv")
    other_purpose = Seal(KEYS, "identity of a job").close('["{}", "q4.csv", 9999999999]')
    assert other_keys is not None
    changed = [
        sealed[:position] + ("A" if sealed[position] != "A" else "B") + sealed[position + 1 :]
        for position in range(0, len(sealed), 7)
    ]
    for forged in (
        *changed,
        sealed[:-1],
        sealed + "AAAA",
        other_keys.url.rpartition("/")[2],
        other_purpose,
        "x",
        "A" * 20_000,
        "q4.csv",
        quote("../../etc/passwd", safe=""),
    ):
        answer = await site.client.get(f"/files/{forged}")
        assert answer.status_code in (403, 404), forged
        assert answer.content != b"x"


async def test_an_old_key_still_opens_and_a_removed_one_does_not(site: Site) -> None:
    download = site.make_links((bytes(range(1, 33)),)).make(ANNA, "q4.csv")
    assert download is not None
    sealed = download.url.rpartition("/")[2]

    rotated = site.make_links((bytes(range(2, 34)), bytes(range(1, 33))))
    assert rotated.open(sealed)[1] == "q4.csv"


async def test_a_link_leads_to_the_files_of_its_owner_alone(site: Site) -> None:
    site.export(ANNA, "hers.csv", b"hers")
    site.export(BEN, "both.csv", b"his")
    mine = site.export(ANNA, "both.csv", b"hers")

    assert (await site.client.get(site.link(BEN, "hers.csv"))).status_code == 404
    assert (await site.client.get(site.link(BEN, "both.csv"))).content == b"his"
    assert (await site.client.get(mine)).content == b"hers"


async def test_whoever_left_the_policy_loses_their_links(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"x")
    site.policy = Policy(people=[Person(Rights(), "ben")])
    answer = await site.client.get(link)

    assert answer.status_code == 403
    assert "administrators" in answer.text
    assert site.read_refusals() == [("oidc:anna", "download", "unknown")]


async def test_a_link_of_one_s_own_token_works_no_longer_than_the_token_is_trusted(
    site: Site,
) -> None:
    identity = Identity("token", "0f" * 16, "Archive token 0f0f0f0f", token=Secret("a-token-12345"))
    site.policy = Policy(own_tokens=Rights())
    link = site.export(identity, "q4.csv", b"x")
    site.now = NOW + timedelta(seconds=TRUSTED_SECONDS - 1)
    assert (await site.client.get(link)).status_code == 200
    site.now = NOW + timedelta(seconds=TRUSTED_SECONDS)
    assert (await site.client.get(link)).status_code == 410


async def test_a_link_holds_no_token_and_only_the_groups_that_count(site: Site) -> None:
    groups = frozenset({f"group-{number}" for number in range(500)} | {"marketing"})
    identity = Identity("oidc", "carl", "Carl", groups=groups, token=Secret("a-token-1234567"))
    site.policy = Policy(claims={"marketing": Rights()})
    sealed = site.link(identity, "q4.csv").rpartition("/")[2]
    owner, _ = site.links.open(sealed)

    assert owner.groups == {"marketing"}
    assert owner.token is None
    assert len(sealed) < 500


async def test_a_file_that_was_removed_is_said_so(site: Site) -> None:
    answer = await site.client.get(site.link(ANNA, "never.csv"))
    assert (answer.status_code, "not there" in answer.text) == (404, True)


async def test_other_methods_do_nothing(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"x")
    for method in ("POST", "PUT", "DELETE"):
        assert (await site.client.request(method, link)).status_code == 405
    assert (await site.client.get(link)).status_code == 200


async def test_who_loaded_what_is_in_the_audit_log(site: Site) -> None:
    link = site.export(ANNA, "q4.csv", b"0123456789")
    await site.client.head(link)
    assert site.read_audit() == []
    await site.client.get(f"{link[:-4]}AAAA")
    assert site.read_audit() == [("unknown", "download", [])]
    assert site.read_refusals() == [("unknown", "download", "invalid")]
    for first in ("0", "5"):
        await site.client.get(link, headers={"range": f"bytes={first}-"})

    assert site.read_audit()[1:] == [("oidc:anna", "download", ["q4.csv"])]
