"""The fixtures: what runs is the ArchiveBox it says, with pages that it archived itself, asked over
bare HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.support.archivebox.pages import FAILING, PAGES
from tests.support.archivebox.server import OwnServer, RealArchiveBox, RealServer
from tests.support.paths import OPENAPI

RECORDED = {"0.9.73": "archivebox-0.9.73.json", "0.8.5": "archivebox-0.8.5rc51.json"}
READABLE = sorted(name for name in PAGES if name not in {*FAILING, "moved", "notes"})

Snapshots = Mapping[str, dict[str, Any]]


@pytest.fixture
def client(real: RealArchiveBox) -> Iterator[httpx.Client]:
    with real.client() as client:
        yield client


def read(
    server: RealArchiveBox, snapshot: Mapping[str, Any], plugin: str, file: str
) -> httpx.Response:
    return httpx.get(server.address(snapshot, plugin, file), trust_env=False, timeout=60)


def statuses(snapshot: Mapping[str, Any]) -> dict[str, str]:
    """Plugin (0.8.5: extractor) -> status of its result."""
    return {
        result.get("plugin", result.get("extractor")): result["status"]
        for result in snapshot["archiveresults"]
    }


def test_the_server_is_healthy(real: RealArchiveBox) -> None:
    answer = httpx.get(f"{real.url}/health/", trust_env=False)
    assert (answer.status_code, answer.text.strip()) == (200, "OK")


def test_the_server_describes_the_endpoints_that_were_recorded(
    real: RealArchiveBox, client: httpx.Client
) -> None:
    recorded = json.loads((OPENAPI / RECORDED[real.version]).read_text())["paths"]
    described = client.get("/openapi.json").json()["paths"]
    assert {path: sorted(methods) for path, methods in described.items()} == {
        path: sorted(methods) for path, methods in recorded.items()
    }


def test_the_key_opens_the_api_and_another_key_does_not(
    real: RealArchiveBox, client: httpx.Client
) -> None:
    assert client.get("/core/snapshots").status_code == 200
    assert (
        client.get("/core/snapshots", headers={"X-ArchiveBox-API-Key": "0" * 32}).status_code == 401
    )


def test_the_key_is_the_one_that_username_and_password_are_exchanged_for(
    real: RealArchiveBox, client: httpx.Client
) -> None:
    who = {"username": real.username, "password": real.password}
    assert client.post("/auth/get_api_token", json=who).json()["token"] == real.key


def test_bad_credentials_come_with_status_200(real: RealArchiveBox, client: httpx.Client) -> None:
    answer = client.post(
        "/auth/get_api_token", json={"username": real.username, "password": "wrong"}
    )
    assert (answer.status_code, answer.json()["success"]) == (200, False)


def test_every_page_is_listed_under_its_tag(
    real: RealArchiveBox, client: httpx.Client, archived: Snapshots
) -> None:
    listed = client.get("/core/snapshots", params={"tag": "stock", "limit": 100}).json()
    assert {item["url"] for item in listed["items"]} == set(real.pages.values())
    assert listed["total_items"] == len(archived) == len(real.pages)


@pytest.mark.parametrize("name", READABLE)
def test_the_text_of_an_archived_page_is_readable(
    real: RealArchiveBox, archived: Snapshots, name: str
) -> None:
    answer = read(real, archived[name], "htmltotext", "htmltotext.txt")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert PAGES[name].says in answer.content.decode()


def test_a_long_page_is_archived_to_its_end(real: RealArchiveBox, archived: Snapshots) -> None:
    text = read(real, archived["long"], "htmltotext", "htmltotext.txt").content.decode()
    assert len(text) > 30_000
    assert "Here the long read ends." in text


def test_a_plain_text_file_is_kept_as_it_was(real: RealArchiveBox, archived: Snapshots) -> None:
    site = httpx.URL(real.pages["notes"]).netloc.decode().replace(":", "+")
    assert read(real, archived["notes"], "wget", f"{site}/notes.txt").content == PAGES["notes"].body


def test_the_pictures_of_a_page_are_archived_with_it(
    real: RealArchiveBox, archived: Snapshots
) -> None:
    site = httpx.URL(real.pages["gallery"]).netloc.decode().replace(":", "+")
    answer = read(real, archived["gallery"], "wget", f"{site}/images/fluss.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_a_redirect_leaves_the_text_of_where_it_led(
    real: RealArchiveBox, archived: Snapshots
) -> None:
    outcome = statuses(archived["moved"])["htmltotext"]
    if outcome != "succeeded":
        # Its plugins give up on a machine that is too busy; then there is no text to look at.
        pytest.skip(f"ArchiveBox made no text of the page that moved: {outcome}")
    assert PAGES["tides"].says in read(real, archived["moved"], "htmltotext", "htmltotext.txt").text


@pytest.mark.parametrize("name", FAILING)
def test_a_page_that_answers_an_error_has_a_failed_result(
    real: RealArchiveBox, archived: Snapshots, name: str
) -> None:
    assert statuses(archived[name])["wget"] == "failed"
    assert statuses(archived["tides"])["wget"] == "succeeded"


@pytest.mark.parametrize("name", FAILING)
def test_only_the_old_release_keeps_the_text_of_an_error_page(
    real: RealArchiveBox, archived: Snapshots, name: str
) -> None:
    answer = read(real, archived[name], "htmltotext", "htmltotext.txt")
    expected = {"0.9.73": (404, "noresults"), "0.8.5": (200, "succeeded")}
    assert (answer.status_code, statuses(archived[name])["htmltotext"]) == expected[real.version]


def test_the_tag_of_the_pages_is_known(
    real: RealArchiveBox, client: httpx.Client, archived: Snapshots
) -> None:
    tags = {tag["name"]: tag["num_snapshots"] for tag in client.get("/core/tags").json()["items"]}
    assert tags["stock"] == len(archived)


def test_a_new_server_holds_nothing(own_server: OwnServer) -> None:
    with own_server("0.9.73") as server, server.client() as client:
        assert client.get("/core/snapshots").json()["total_items"] == 0


def test_a_crawl_waits_until_it_is_archived_on_demand(real_server: RealServer) -> None:
    server = real_server("0.9.73")
    with server.client() as client:
        url = server.pages["bread"] + "?crawled"
        crawl = client.post("/crawls/crawls", json={"urls": [url]}).json()["id"]
        assert client.get(f"/crawls/crawl/{crawl}").json()["status"] == "queued"
        server.archive_now(crawl)
        assert client.get(f"/crawls/crawl/{crawl}").json()["status"] == "sealed"
        assert (
            client.get("/core/snapshots", params={"url": url}).json()["items"][0]["status"]
            == "sealed"
        )


def test_a_deleted_snapshot_stays_until_queued_work_is_done(real_server: RealServer) -> None:
    server = real_server("0.9.73")
    url = server.pages["bread"] + "?deleted"
    address = f"/core/snapshot/{server.save(url)[url]['id']}"
    with server.client() as client:
        assert client.delete(address).json()["queued_count"] == 1
        assert client.get(address).json()["status"] == "deleting"
        server.work_off()
        assert client.get(address).status_code == 404


def test_the_old_release_archives_while_it_answers(real_server: RealServer) -> None:
    server = real_server("0.8.5")
    url = server.pages["bread"] + "?at-once"
    assert statuses(server.save(url)[url])["htmltotext"] == "succeeded"
