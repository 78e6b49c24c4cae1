"""What goes wrong on the way to an ArchiveBox, over real HTTP on loopback: redirects, crashes,
crowds, secrets."""

from __future__ import annotations

import json
import logging

import anyio
import httpx
import pytest

from server.archivebox.failures.wording import hide_internals
from server.errors import Code, Failure
from server.sandbox.archivebox import (
    KEY,
    PASSWORD,
    USERNAME,
    Answer,
)
from server.sandbox.serve import open_server
from server.services import Services
from server.settings import load
from tests.support.archivebox.front import (
    Asked,
    Front,
    Instead,
    call,
    calls_with,
    fronted,
    refused,
    told,
)
from tests.support.places import NO_FILES
from tools.archivebox import records

JSON = {"content-type": "application/json"}
TRACEBACK = (
    'Traceback (most recent call last):\n  File "/app/archivebox/api/v1_core.py", line 7, in view\n'
)


def moved(location: str, part: str = "/core/", status: int = 302) -> Instead:
    """Sends every request with this in its address elsewhere, unless it was sent there."""

    async def instead(asked: Asked) -> Answer | None:
        if part not in asked.target or "moved=1" in asked.target:
            return None
        return Answer(status, {"location": location}, b"")

    return instead


def crash(status: int, kind: str) -> Instead:
    """ArchiveBox's answer to an exception of its own, traceback and all."""
    report = {"succeeded": False, "message": f"{kind}: in {TRACEBACK}", "errors": [TRACEBACK]}

    async def instead(asked: Asked) -> Answer | None:
        return (
            Answer(status, JSON, json.dumps(report).encode()) if "/core/" in asked.target else None
        )

    return instead


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_on_the_same_address_is_followed_for_a_read(status: int) -> None:
    front = Front(instead=moved("/api/v1/core/snapshots?limit=3&moved=1", status=status))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
    assert front.keys() == [KEY, KEY]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_for_a_change(status: int) -> None:
    front = Front(instead=moved("/api/v1/cli/add?moved=1", "/cli/add", status))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "add", urls=["https://new.example/"])
    # Who redirects may have passed the request on before.
    assert failed.code is Code.OUTCOME_UNKNOWN
    assert [each.method for each in front.asked if "/cli/add" in each.target] == ["POST"]
    assert front.times("moved=1") == 0


@pytest.mark.parametrize("tool", ["list_snapshots", "add"])
async def test_a_redirect_to_another_address_is_not_followed_and_the_key_stays(tool: str) -> None:
    elsewhere = Front()
    async with open_server(elsewhere) as other:
        front = Front(instead=moved(f"{other}/box/api/v1/core/snapshots", "/c"))
        async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
            failed = await refused(
                calls, tool, **({"urls": ["https://new.example/"]} if tool == "add" else {})
            )
    # Whoever answered could name any address: nobody is told to send the key to it.
    assert (failed.code, other in failed.hint) == (Code.NOT_CONFIGURED, False)
    assert elsewhere.asked == []


@pytest.mark.parametrize("location", ["/api/v1/core/snapshots", "", "http://["])
async def test_a_redirect_that_leads_nowhere_ends_the_call_soon(location: str) -> None:
    front = Front(instead=moved(location))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        assert (await refused(calls, "list_snapshots")).code is Code.BAD_RESPONSE
    assert front.times("/core/") <= 3


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (503, "OperationalError", Code.UNAVAILABLE),
        (503, "ZeroDivisionError", Code.INVALID_ARGUMENT),
        (503, "MultipleObjectsReturned", Code.AMBIGUOUS),
        (503, "archivebox.core.models.Snapshot.DoesNotExist", Code.NOT_FOUND),
        (404, "PermissionDenied", Code.NOT_FOUND),
    ],
)
async def test_a_crash_inside_is_told_by_its_kind_without_its_traceback_and_not_tried_again(
    status: int, kind: str, code: Code
) -> None:
    front = Front(instead=crash(status, kind))
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "list_tags")
    assert failed.code is code
    assert "v1_core" not in told(failed)
    assert front.times("/core/") == 1


async def test_a_crash_during_a_change_leaves_its_outcome_unknown_and_is_not_repeated() -> None:
    async def instead(asked: Asked) -> Answer | None:
        return (
            await crash(503, "OperationalError")(Asked("POST", "/core/", {}, b""))
            if "/add" in asked.target
            else None
        )

    front = Front(instead=instead)
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "add", urls=["https://new.example/"])
    assert (failed.code, front.times("/cli/add")) == (Code.OUTCOME_UNKNOWN, 1)


async def test_a_gateway_that_fails_once_is_asked_again_for_a_read() -> None:
    failing = [502, 504]

    async def instead(asked: Asked) -> Answer | None:
        return (
            Answer(failing.pop(), {}, b"<html>bad gateway</html>")
            if failing and "/core/" in asked.target
            else None
        )

    front = Front(instead=instead)
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
    assert front.times("/core/") == 3


async def test_what_the_server_can_do_is_read_once_for_many_calls() -> None:
    front = Front()
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls, anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(call, calls, "list_tags")
    assert front.times("openapi.json") == 1
    assert front.times("/core/tags") >= 8


async def test_no_more_than_four_requests_are_under_way_at_once() -> None:
    """Each request waits until it is let go; a bare request in between shows that nothing else is
    on its way."""
    waiting: list[anyio.Event] = []
    arrived = anyio.Semaphore(0)

    async def instead(asked: Asked) -> Answer | None:
        if "/core/" in asked.target:
            waiting.append(anyio.Event())
            arrived.release()
            with anyio.move_on_after(10):  # or the server would not end when this test fails
                await waiting[-1].wait()
        return None

    front = Front(instead=instead)
    async with (
        open_server(front) as url,
        calls_with(ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY) as calls,
    ):
        await call(calls, "get_current_machine")
        async with httpx.AsyncClient(trust_env=False) as bare, anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(call, calls, "list_tags")
            for _ in range(3):
                with anyio.fail_after(10):
                    for _ in range(4):
                        await arrived.acquire()
                for _ in range(5):
                    await bare.get(f"{url}/health/")
                assert len(waiting) == 4
                for each in waiting:
                    each.set()
                waiting.clear()


async def test_neither_key_nor_password_is_in_a_log_or_a_representation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with fronted(Front(), ARCHIVEBOX_API_KEY=KEY) as calls:
        await call(calls, "list_tags")
    login = {"ARCHIVEBOX_USERNAME": USERNAME, "ARCHIVEBOX_PASSWORD": f"{PASSWORD}-never-to-be-seen"}
    async with fronted(Front(), **login) as calls:
        await refused(calls, "list_tags")
    settings = load(
        {"ARCHIVEBOX_URL": "http://127.0.0.1:1", "ARCHIVEBOX_API_KEY": KEY, **login},
        environment={},
        folder=NO_FILES,
        home=NO_FILES,
    )
    async with Services(settings) as services:
        client = (await services.archivebox()).client
        shown = f"{settings!r} {services!r} {client!r} {client.keys!r} {vars(client.keys)!r}"
    assert caplog.records, "there was a log to look at"
    for text in (caplog.text, shown):
        assert KEY not in text
        assert "never-to-be-seen" not in text
        assert "Basic " not in text


async def test_the_same_words_of_a_refusal_reach_the_caller_without_markup() -> None:
    async def instead(asked: Asked) -> Answer | None:
        detail = {"detail": "<b>Cannot</b> \x1b[31mdo\x1b[0m that"}
        return Answer(409, JSON, json.dumps(detail).encode()) if "/core/" in asked.target else None

    async with fronted(Front(instead=instead), ARCHIVEBOX_API_KEY=KEY) as calls:
        failed: Failure = await refused(calls, "list_tags")
    assert (failed.code, failed.message) == (
        Code.REJECTED,
        "ArchiveBox refused it as it stands: Cannot do that",
    )


def test_the_secrets_among_a_crawls_settings_are_kept_back() -> None:
    config = {
        "TIMEOUT": 60,
        "SECRET_KEY": "s1",
        "COOKIES_FILE": "/c.txt",
        "plugins": [{"API_TOKEN": "s2", "DEPTH": 1}],
    }
    shown = records.crawl(
        {"TYPE": "crawls.models.Crawl", "id": "1", "config": config}, with_config=True
    )
    assert shown["config"]["TIMEOUT"] == 60
    assert shown["config"]["plugins"][0]["DEPTH"] == 1
    assert not any(secret in str(shown) for secret in ("s1", "s2", "/c.txt"))


async def test_what_a_remove_had_deleted_before_it_was_stopped_is_still_reported() -> None:
    deleted: list[str] = []

    async def second_forbidden(asked: Asked) -> Answer | None:
        if asked.method != "DELETE":
            return None
        deleted.append(asked.target)
        return Answer(403, JSON, b'{"detail": "no"}') if len(deleted) == 2 else None

    front = Front(instead=second_forbidden)
    wanted = {"filter_patterns": ["example"], "filter_type": "substring", "bookmarked_after": 0}
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        asked = await refused(calls, "remove", **wanted)
        done = await call(calls, "remove", **wanted, confirm=asked.details["confirm"])
    assert len(deleted) == 2
    assert done["deleted"] + done["queued"] == 1
    assert len(done["failed"]) == asked.details["preview"]["snapshots"] - 1
    assert done["failed"][-1]["reason"] == "Not tried after that."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Is a directory: '/data/archive/1/127.0.0.1'", "Is a directory: '127.0.0.1'"),
        ("C:\\Users\\a\\b.txt is missing", "b.txt is missing"),
        ("core.models.Snapshot.DoesNotExist", "DoesNotExist"),
        ("(internal) archivebox.extractors.htmltotext", "(internal) htmltotext"),
        ("see http://a.example/b/c.html", "see http://a.example/b/c.html"),
        ("wget/a.example/b.html", "wget/a.example/b.html"),
        ("at web.archivebox.localhost", "at web.archivebox.localhost"),
    ],
)
def test_folders_and_modules_of_the_server_are_not_shown(text: str, shown: str) -> None:
    assert hide_internals(text) == shown
