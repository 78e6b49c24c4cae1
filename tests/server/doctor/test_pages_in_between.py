"""A page in place of an API: the doctor says whose it is and what to do, and blames neither token
nor address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from server.doctor.remote import _explain_failure
from server.doctor.report import Report
from server.errors import Code, Failure
from server.http import retry
from server.http.intermediary import _SIGNS
from tests.support.doctored import (
    HOME,
    TOKEN,
    answering,
    check,
    examined,
    given,
    http,
    listing_first,
    workspaces,
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again is sent again at once."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)


class Page(NamedTuple):
    """A page, whose it is in the doctor's words, and what it advises."""

    status: str
    body: str
    headers: Mapping[str, str]
    who: str
    advice: str


def page(status: str, body: str, who: str, advice: str, **headers: str) -> Page:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(status, body, {"content-type": "text/html", **named}, who, advice)


FORM = '<html><title>Log in</title><form><input type="password"></form></html>'
PAGES = {
    "a proxy's refusal": page(
        "403 Forbidden", "<h1>Squid: Access Denied</h1>", "a firewall", "let requests of programs"
    ),
    "a firewall's block": page(
        "403 Forbidden",
        "<h1>Request blocked</h1>",
        "a firewall",
        "without a VPN",
        server="CloudFront",
    ),
    "a rule of Cloudflare": page(
        "403 Forbidden", "<h1>Error 1020</h1>", "Cloudflare", "another network", server="cloudflare"
    ),
    "a check of Cloudflare": page(
        "403 Forbidden", "<title>Just a moment...</title>", "Cloudflare", "without a VPN"
    ),
    "a page of nobody known": page(
        "403 Forbidden", "<html>Forbidden</html>", "a web page", "stands before the address in"
    ),
    "a captive portal": page(
        "511 Network Authentication Required", "<html>", "this network", "in a browser"
    ),
    "a login page": page("200 OK", FORM, "a sign-in page", "in a browser"),
    "a password of the web server": page(
        "401 Unauthorized",
        "<html>",
        "a web server in front of it",
        "with a password",
        www_authenticate='Basic realm="x"',
    ),
    "a proxy's sign-in": page(
        "407 Proxy Authentication Required", "<html>", "a proxy", "HTTPS_PROXY"
    ),
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_in_place_of_archive_is_named(name: str, tmp_path: Path) -> None:
    page = PAGES[name]
    async with answering(lambda body: http(page.body, page.status, page.headers)) as url:
        report = await examined(given(tmp_path, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=TOKEN))

    judge(report, "api", "token", page, "Archive")


@pytest.mark.parametrize("name", [name for name in PAGES if name != "a login page"])
async def test_a_page_in_place_of_archivebox_is_named(name: str, tmp_path: Path) -> None:
    page = PAGES[name]
    async with answering(lambda body: http(page.body, page.status, page.headers)) as url:
        address = url.partition("/api")[0]
        report = await examined(
            given(tmp_path, ARCHIVEBOX_URL=address, ARCHIVEBOX_API_KEY="a-key-of-it")
        )

    judge(report, "archivebox", "archivebox key", page, "ArchiveBox")


def judge(report: Report, api: str, secret: str, page: Page, title: str) -> None:
    """Look at the lines of an API and of its token or key."""
    assert check(report, api).status == "fail"
    assert page.advice in check(report, api).hint
    assert title in check(report, api).detail or page.who == "this network"
    assert check(report, secret).status == "skip"
    assert check(report, secret).detail == f"not checked: {page.who} answered, and not {title}"
    assert "<" not in check(report, api).detail


async def test_a_page_in_the_middle_of_the_checks_is_named_too(tmp_path: Path) -> None:
    page = PAGES["a firewall's block"]
    refusal = http(page.body, page.status, page.headers)
    respond = listing_first(workspaces((HOME, "Home")), refusal)

    async with answering(respond) as url:
        report = await examined(given(tmp_path, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=TOKEN))

    assert check(report, "token").status == "ok"
    assert check(report, "access").status == "fail"
    assert "A firewall" in check(report, "access").detail
    assert page.advice in check(report, "access").hint


def test_everybody_who_can_be_recognized_has_a_name() -> None:
    assert all(sign.who for sign in _SIGNS)


def test_a_failure_of_the_api_itself_is_its_own() -> None:
    checks = _explain_failure(Failure(Code.UNAVAILABLE, "It did not answer."), "Archive")

    assert checks[1].detail == "not checked, because Archive did not answer"
