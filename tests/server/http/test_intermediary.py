"""Who answers in the place of an API is told, with what can be done; a token is not blamed."""

from __future__ import annotations

import httpx
import pytest

from server.archivebox.failures import make_redirect_failure
from server.errors import Code
from server.http.intermediary import find_redirect_host, recognize
from server.http.transport import Reply

CLOUDFLARE = {"server": "cloudflare", "cf-ray": "8a1b2c3d-FRA"}


def reply(status: int, body: str = "", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, httpx.Headers(named), body.encode(), False)


@pytest.mark.parametrize(
    ("answer", "words", "advice"),
    [
        (reply(403, "<h1>Error 1020</h1>", **CLOUDFLARE), "Cloudflare", "another network"),
        (reply(403, "error code: 1020", **CLOUDFLARE), "blocks this network", "without a VPN"),
        (reply(403, "<title>Just a moment...</title>"), "only a browser can pass", "VPN"),
        (reply(503, "", cf_mitigated="challenge"), "only a browser can pass", "VPN"),
        (reply(522, "<h1>522</h1>", **CLOUDFLARE), "could not reach it", "in a minute"),
        (reply(429, "error code: 1015", **CLOUDFLARE), "limits the requests", "Wait a minute"),
        (reply(403, "<h1>403 ERROR</h1>", server="CloudFront"), "A firewall", "pass"),
        (reply(403, "<h1>Access Denied</h1> Reference #18", server="AkamaiGHost"), "firewall", ""),
        (reply(406, "<h1>Not Acceptable!</h1> Mod_Security"), "A firewall", "pass"),
        (reply(511, "<html>"), "asks for a sign-in before", "in a browser"),
        (reply(401, "", www_authenticate='Basic realm="x"'), "a sign-in of its own", "password"),
        (reply(401, "", www_authenticate="Negotiate"), "a sign-in of its own", "password"),
        (reply(407), "A proxy on the way", "HTTPS_PROXY"),
        (reply(413, "<h1>Too Large</h1>"), "requests of that size", "fewer ids"),
        (reply(401), "Something in front of Archive refused", "gateway"),
        (reply(403, "Forbidden"), "Something in front of Archive refused", "gateway"),
        (reply(403, "<html>no</html>"), "A web page answered in place of Archive", "X_URL"),
    ],
)
def test_who_stands_in_between_is_told_and_what_to_do(
    answer: Reply, words: str, advice: str
) -> None:
    failure = recognize(answer, "Archive", "X_URL")

    assert failure is not None
    assert failure.code is Code.UNAVAILABLE
    assert words in failure.message
    assert advice in failure.hint
    assert not failure.worth_repeating
    assert "{" not in failure.message + failure.hint
    # It may have held back the answer to a change that was made.
    assert failure.may_have_happened


@pytest.mark.parametrize(
    "answer",
    [
        reply(401, '{"errors": "Bad token"}'),
        reply(401, "", www_authenticate="Bearer"),
        reply(404, "<h1>404</h1>"),
        reply(502, "<h1>502</h1>", server="nginx"),
        reply(200, "<html>"),
        reply(500, "x"),
    ],
)
def test_what_may_be_the_api_itself_is_left_to_it(answer: Reply) -> None:
    assert recognize(answer, "Archive", "X_URL") is None


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://login.corp.example/x", "login.corp.example"),
        ("/login", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_where_a_redirect_leads_is_told_by_its_host(location: str, host: str) -> None:
    assert find_redirect_host(reply(302, location=location)) == host


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://box.example/api/v1/core/tags", "https://box.example"),
        ("https://box.example:8443/api/v1/core/tags", "https://box.example:8443"),
        ("http://web.archivebox.localhost:8000/x", "http://web.archivebox.localhost:8000"),
        ("https://evil.example/api/v1/core/tags", ""),
        ("http://box.example.evil.example/api/v1", ""),
        ("https://archivebox.localhost.evil.example/", ""),
        ("http://other.example/", ""),
        ("http://box.example:9000/api/v1/core/tags", ""),
    ],
)
def test_a_redirect_does_not_decide_where_a_key_is_sent(location: str, told: str) -> None:
    url = "http://box.example/api/v1/core/tags"
    failure = make_redirect_failure(reply(302, location=location), url)

    assert failure.code is Code.NOT_CONFIGURED
    assert ("ARCHIVEBOX_URL=" in failure.hint) == bool(told)
    assert f"ARCHIVEBOX_URL={told}" in failure.hint or not told
    assert "evil.example" not in failure.hint
