"""The ways in which a new user configures an ArchiveBox, over real HTTP on loopback: what works,
and what is said."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.errors import Code
from server.sandbox.archivebox import (
    KEY,
    KEY_EXPIRED,
    KEY_READER,
    PASSWORD,
    USERNAME,
    Answer,
    ArchiveBoxSandbox,
    Version,
)
from server.sandbox.serve import open_server
from server.settings import SettingsError, load
from server.tool.elicitation import Nobody
from tests.server.http import test_tls as test_http_tls
from tests.support.archivebox.front import (
    Asked,
    Front,
    call,
    calls_with,
    fronted,
    refused,
    secured,
)
from tests.support.clocks import fixed_archivebox
from tests.support.machine.ports import closed_port
from tests.support.places import NO_FILES

certificate = test_http_tls.certificate

LOGIN = {"ARCHIVEBOX_USERNAME": USERNAME, "ARCHIVEBOX_PASSWORD": PASSWORD}
VERSIONS: list[Version] = ["0.9.73", "0.9.31", "0.8.5"]
JSON = {"content-type": "application/json"}


def box(version: Version) -> ArchiveBoxSandbox:
    return fixed_archivebox(version=version, snapshots=20)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_address_and_a_key_are_enough(version: Version) -> None:
    async with fronted(Front(box(version)), ARCHIVEBOX_API_KEY=KEY) as calls:
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_user_name_and_password_are_exchanged_on_first_use_and_only_then(
    version: Version,
) -> None:
    front = Front(box(version))
    async with fronted(front, **LOGIN) as calls:
        assert not front.asked
        for _ in range(3):
            assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
    assert front.times("get_api_token") == 1
    assert set(front.keys()) == {KEY}
    assert all(
        PASSWORD.encode() not in each.body
        for each in front.asked
        if "get_api_token" not in each.target
    )


async def default_0_9_73(asked: Asked) -> Answer | None:
    """A 0.9.73 as it is installed: under another name than its own, a POST needs credentials in a
    header."""
    if asked.method == "POST" and asked.key is None and "authorization" not in asked.headers:
        body = b"ArchiveBox is running with the control plane disabled on this host."
        return Answer(403, {"content-type": "text/html"}, body)
    return None


async def test_a_user_name_and_password_are_enough_for_a_default_0_9_73_by_its_number() -> None:
    front = Front(instead=default_0_9_73)
    async with fronted(front, **LOGIN) as calls:
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
        assert await call(calls, "add", urls=["https://new.example/"])
    assert [each.target for each in front.asked if "authorization" in each.headers] == [
        "/api/v1/auth/get_api_token"
    ]


async def test_a_server_that_refuses_changes_under_this_name_says_under_which_it_takes_them() -> (
    None
):
    async def instead(asked: Asked) -> Answer | None:
        return await default_0_9_73(Asked(asked.method, asked.target, {}, b""))

    async with fronted(Front(instead=instead), ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "add", urls=["https://new.example/"])
    assert (failed.code, "ARCHIVEBOX_URL=" in failed.hint, "BASE_URL" in failed.hint) == (
        Code.FORBIDDEN,
        True,
        True,
    )


async def test_the_exchange_shows_the_end_of_the_key_and_when_it_ends() -> None:
    async with fronted(Front(), **LOGIN) as calls:
        shown = await call(calls, "get_api_token")
    assert (shown["key"], bool(shown["expires"])) == (f"...{KEY[-4:]}", True)
    assert KEY not in json.dumps(shown)


async def test_there_is_nothing_to_exchange_without_a_user_name_and_password() -> None:
    async with fronted(Front(), ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "get_api_token")
    assert (failed.code, "ARCHIVEBOX_USERNAME" in failed.hint) == (Code.NOT_CONFIGURED, True)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_wrong_password_is_told_although_the_server_answers_200(version: Version) -> None:
    front = Front(box(version))
    wrong = {**LOGIN, "ARCHIVEBOX_PASSWORD": "never-to-be-seen"}
    async with fronted(front, **wrong) as calls:
        failed = await refused(calls, "list_snapshots")
    assert (failed.code, "ARCHIVEBOX_PASSWORD" in failed.hint) == (Code.UNAUTHENTICATED, True)
    assert front.keys() == []


class Issuing:
    """Gives keys of its own for a login, each of which can be withdrawn."""

    def __init__(self, *, anew: bool) -> None:
        self.issued = 0
        self.withdrawn = False
        self._anew = anew

    async def __call__(self, asked: Asked) -> Answer | None:
        if "get_api_token" in asked.target:
            self.issued += 1
            self.withdrawn &= not self._anew
            return Answer(
                200,
                JSON,
                json.dumps({"success": True, "token": self._key(), "expires": None}).encode(),
            )
        if asked.key is None or (asked.key == self._key() and not self.withdrawn):
            return await Front().handle(
                asked.method, asked.target, {**asked.headers, "x-archivebox-api-key": KEY}, b""
            )
        return Answer(401, JSON, b'{"detail": "Unauthorized"}')

    def _key(self) -> str:
        return f"never-to-be-seen-{self.issued if self._anew else 0}"


async def test_a_key_that_is_no_longer_accepted_is_renewed_once_and_the_call_goes_on() -> None:
    issuing = Issuing(anew=True)
    async with fronted(Front(instead=issuing), **LOGIN) as calls:
        await call(calls, "list_snapshots", limit=1)
        issuing.withdrawn = True
        assert (await call(calls, "list_snapshots", limit=1))["totalCount"] == 20
    assert issuing.issued == 2


async def test_a_renewal_that_brings_the_same_key_again_ends_the_call() -> None:
    issuing = Issuing(anew=False)
    front = Front(instead=issuing)
    async with fronted(front, **LOGIN) as calls:
        await call(calls, "list_snapshots", limit=1)
        issuing.withdrawn = True
        before = len(front.asked)
        assert (await refused(calls, "list_snapshots", limit=1)).code is Code.UNAUTHENTICATED
    assert len(front.asked) == before + 2, "the call, and the exchange"


@pytest.mark.parametrize("key", ["never-to-be-seen", KEY_EXPIRED])
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_wrong_or_expired_key_is_told_with_where_to_make_one(
    version: Version, key: str
) -> None:
    front = Front(box(version))
    async with fronted(front, ARCHIVEBOX_API_KEY=key) as calls:
        failed = await refused(calls, "list_snapshots")
    assert failed.code is Code.UNAUTHENTICATED
    assert "/admin/api/apitoken/add/" in failed.hint
    assert front.times("/core/") == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_key_of_somebody_who_is_no_superuser_is_told(version: Version) -> None:
    async with fronted(Front(box(version)), ARCHIVEBOX_API_KEY=KEY_READER) as calls:
        failed = await refused(calls, "list_snapshots")
    assert (failed.code, "superuser" in failed.message) == (Code.FORBIDDEN, True)


async def test_without_any_key_it_is_said_what_to_set() -> None:
    front = Front()
    async with fronted(front) as calls:
        failed = await refused(calls, "list_snapshots")
    assert failed.code is Code.NOT_CONFIGURED
    assert "ARCHIVEBOX_API_KEY" in failed.hint
    assert front.times("/core/") == 0


async def test_a_server_that_is_down_is_told_as_such_with_its_address() -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        async with calls_with(ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY) as calls:
            failed = await refused(calls, "list_snapshots")
    assert (failed.code, failed.retryable, url in failed.message) == (Code.UNAVAILABLE, True, True)


async def test_a_server_that_was_down_at_first_is_used_once_it_is_up() -> None:
    with ExitStack() as until_it_is_up:
        port = until_it_is_up.enter_context(closed_port())
        url = f"http://127.0.0.1:{port}"
        async with calls_with(ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY) as calls:
            await refused(calls, "list_snapshots")
            until_it_is_up.close()
            async with open_server(Front(), port):
                assert (await call(calls, "list_snapshots", limit=1))["totalCount"] == 20


@pytest.mark.parametrize("ending", ["/", "/api/v1", "/api/v1/"])
async def test_a_slash_or_the_path_of_the_api_in_the_address_does_no_harm(ending: str) -> None:
    async with (
        open_server(Front()) as url,
        calls_with(ARCHIVEBOX_URL=url + ending, ARCHIVEBOX_API_KEY=KEY) as calls,
    ):
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20


@pytest.mark.parametrize("ending", ["", "/", "/api/v1/"])
async def test_a_server_behind_a_path_prefix_is_reached_files_included(ending: str) -> None:
    front = Front(prefix="/box")
    async with (
        open_server(front) as url,
        calls_with(ARCHIVEBOX_URL=f"{url}/box{ending}", ARCHIVEBOX_API_KEY=KEY) as calls,
    ):
        pages = (await call(calls, "list_snapshots", limit=20))["nodes"]
        page = next(
            each
            for each in pages
            if "docs.lantern.example" in each["url"] and each["status"] == "sealed"
        )
        result = await calls.call("archivebox_read_snapshot", {"snapshot_id": page["id"]}, Nobody())
    assert len(str(result)) > 500, "the page's text"
    assert front.times(f"/box/snapshot/{page['id']}/") >= 1
    assert {each.target[:5] for each in front.asked} == {"/box/"}


@pytest.mark.parametrize(
    ("status", "kind", "body", "code"),
    [
        (200, "text/html", "<html><h1>My router</h1></html>", Code.BAD_RESPONSE),
        (404, "text/html", "<html><h1>Not Found</h1></html>", Code.UNSUPPORTED),
        (404, "application/json", '{"detail": "Not Found"}', Code.UNSUPPORTED),
        (
            200,
            "application/json",
            '{"info": {"title": "Pets", "version": "1"}, "paths": {}}',
            Code.UNSUPPORTED,
        ),
        (200, "application/json", "[]", Code.UNSUPPORTED),
        (200, "application/json", "null", Code.UNSUPPORTED),
        (405, "text/plain", "Method not allowed", Code.UNSUPPORTED),
        (401, "text/html", "<html><h1>Who are you?</h1></html>", Code.UNAVAILABLE),
    ],
)
async def test_something_else_than_an_archivebox_is_told_and_gets_no_key(
    status: int, kind: str, body: str, code: Code
) -> None:
    async def other(asked: Asked) -> Answer:
        return Answer(status, {"content-type": kind}, body.encode())

    front = Front(instead=other)
    async with fronted(front, ARCHIVEBOX_API_KEY=KEY) as calls:
        failed = await refused(calls, "list_snapshots")
    assert (failed.code, "ARCHIVEBOX_URL" in failed.message + failed.hint) == (code, True)
    assert (len(front.asked), front.keys()) == (1, [])


async def test_a_server_that_signs_its_own_certificate_is_reached_with_its_ca_file(
    certificate: Path,
) -> None:
    async with (
        open_server(Front()) as plain,
        secured(plain, certificate) as url,
        calls_with(
            ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY, ARCHIVEBOX_CA_BUNDLE=str(certificate)
        ) as calls,
    ):
        assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20


async def test_a_server_that_signs_its_own_certificate_is_not_talked_to_without_its_ca_file(
    certificate: Path,
) -> None:
    front = Front()
    async with (
        open_server(front) as plain,
        secured(plain, certificate) as url,
        calls_with(ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY) as calls,
    ):
        failed = await refused(calls, "list_snapshots")
    assert (failed.code, "certificate is not trusted" in failed.message) == (Code.UNAVAILABLE, True)
    assert front.asked == []


async def test_a_name_below_localhost_is_reached_on_this_machine_under_its_own_name() -> None:
    front = Front()
    async with open_server(front) as url:
        named = url.replace("127.0.0.1", "web.archivebox.localhost")
        async with calls_with(ARCHIVEBOX_URL=named, ARCHIVEBOX_API_KEY=KEY) as calls:
            assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
    assert {each.headers["host"] for each in front.asked} == {named.removeprefix("http://")}


def test_another_machine_on_plain_http_is_refused_before_anything_is_sent_unless_allowed() -> None:
    lan = {"ARCHIVEBOX_URL": "http://nas.lan:8000", "ARCHIVEBOX_API_KEY": KEY}
    with pytest.raises(SettingsError, match="ARCHIVE_MCP_ALLOW_INSECURE") as caught:
        load(lan, environment={}, folder=NO_FILES, home=NO_FILES)
    assert KEY not in str(caught.value)
    allowed = {**lan, "ARCHIVE_MCP_ALLOW_INSECURE": "1"}
    assert (
        load(allowed, environment={}, folder=NO_FILES, home=NO_FILES).archivebox_url
        == "http://nas.lan:8000"
    )


async def default_0_9_31(asked: Asked) -> Answer | None:
    """A 0.9.31 as it is installed: everything under another name than its own is sent there."""
    name, _, port = asked.headers["host"].partition(":")
    if name.endswith(".archivebox.localhost"):
        return None
    return Answer(302, {"location": f"http://web.archivebox.localhost:{port}{asked.target}"}, b"")


@pytest.mark.parametrize("credentials", [{"ARCHIVEBOX_API_KEY": KEY}, LOGIN])
async def test_a_default_0_9_31_that_redirects_everything_is_told_with_the_address_that_works(
    credentials: dict[str, str],
) -> None:
    front = Front(box("0.9.31"), instead=default_0_9_31)
    async with open_server(front) as url:
        async with calls_with(ARCHIVEBOX_URL=url, **credentials) as calls:
            failed = await refused(calls, "list_snapshots")
        assert failed.code is Code.NOT_CONFIGURED
        assert (front.keys(), front.times("get_api_token")) == ([], 0)
        match = re.search(r"ARCHIVEBOX_URL=(\S+)", failed.hint)
        assert match
        assert match[1] == url.replace("127.0.0.1", "web.archivebox.localhost")
        async with calls_with(ARCHIVEBOX_URL=match[1], **credentials) as calls:
            assert (await call(calls, "list_snapshots", limit=3))["totalCount"] == 20
