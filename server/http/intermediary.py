"""Who answered in the place of an API: firewalls, login pages and proxies on the way to it.

What they say is not the API's word. The token or key was not looked at, so neither is blamed; and
nothing that they name decides where a key goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from server.errors import Code
from server.http.retry import Transient
from server.http.transport import Reply
from server.text import truncate_line

# A page may be long, and tells at its beginning whose it is.
_MOST_BYTES = 4_000
_LONGEST_HOST = 100
_SIGN_IN = re.compile(r"\b(basic|digest|negotiate|ntlm|kerberos)\b", re.IGNORECASE)
_FIREWALL = re.compile(
    r"cloudfront|akamai|incapsula|imperva|sucuri|mod_?security|big-?ip|fortiweb|barracuda|"
    r"request blocked|access denied|not acceptable|reference #|web application firewall|zscaler"
)


class Page(NamedTuple):
    """An answer as it is judged: its beginning and the server's name, in small letters."""

    reply: Reply
    text: str

    @property
    def is_html(self) -> bool:
        """Whether it is markup."""
        return self.text.lstrip().startswith("<")

    @property
    def is_of_cloudflare(self) -> bool:
        """Whether Cloudflare says that it is its own."""
        return "cloudflare" in self.header("server") or bool(self.header("cf-ray"))

    def header(self, name: str) -> str:
        """Return a header in small letters."""
        return self.reply.headers.get(name, "").lower()


class Intercepted(Transient):
    """Somebody between here and the API answered in its place: `who` it was, as a noun."""

    who = ""


@dataclass(frozen=True)
class Sign:
    """The signs of somebody in between, who it is, and what to say about it; `{api}` stands for the
    API's name, `{status}` for the HTTP status and `{url}` for the variable of its address."""

    fits: Callable[[Page], bool]
    who: str
    message: str
    hint: str
    passes: bool = False
    code: Code = Code.UNAVAILABLE


_PASSWORD = re.compile(r"type=.?password|captive|sign[ -]?in|log[ -]?in|saml|oauth|sso")
_WHO_RUNS_IT = "whoever runs it must let requests of programs to {api} pass"
_SIGNS = (
    Sign(
        lambda page: (
            page.is_html and page.reply.status == 200 and bool(_PASSWORD.search(page.text))
        ),
        "a sign-in page",
        "A sign-in page answered in place of {api} (HTTP {status}): the token or key was not "
        "looked at.",
        "The user opens any page in a browser on this machine: if the network asks for a sign-in, "
        "they sign in and try again; else {url} is behind a sign-in, and " + _WHO_RUNS_IT + ".",
        # It was sent as if it were an answer.
        code=Code.BAD_RESPONSE,
    ),
    Sign(
        lambda page: page.reply.status == 511,
        "this network",
        "This network asks for a sign-in before anything passes (HTTP 511).",
        "The user opens any page in a browser on this machine, signs in to the network, and tries "
        "again.",
    ),
    Sign(
        lambda page: page.reply.status == 407,
        "a proxy",
        "A proxy on the way to {api} asks for a user name and a password (HTTP 407).",
        "Put them into the URL of the proxy variable (HTTPS_PROXY or HTTP_PROXY); `archive-mcp "
        "doctor` tests it.",
    ),
    Sign(
        lambda page: (
            page.reply.status == 401 and bool(_SIGN_IN.search(page.header("www-authenticate")))
        ),
        "a web server in front of it",
        "A web server in front of {api} asks for a sign-in of its own (HTTP 401): the token or key "
        "was not looked at.",
        "It protects the address in {url} with a password: " + _WHO_RUNS_IT + ".",
    ),
    Sign(
        lambda page: page.is_of_cloudflare and page.reply.status >= 520,
        "Cloudflare",
        "Cloudflare, in front of {api}, could not reach it (HTTP {status}).",
        "Try again in a minute.",
        passes=True,
    ),
    Sign(
        lambda page: page.is_of_cloudflare and page.reply.status == 429,
        "Cloudflare",
        "Cloudflare, in front of {api}, limits the requests from this network (HTTP 429).",
        "Wait a minute; other programs of the same network may be the cause.",
        passes=True,
    ),
    Sign(
        lambda page: bool(page.header("cf-mitigated")) or "just a moment" in page.text,
        "Cloudflare",
        "Cloudflare, in front of {api}, asks for a check that only a browser can pass (HTTP "
        "{status}).",
        "Try from another network, without a VPN; or " + _WHO_RUNS_IT + ".",
    ),
    Sign(
        lambda page: page.is_of_cloudflare and page.reply.status in (401, 403, 406),
        "Cloudflare",
        "Cloudflare, in front of {api}, blocks this network or program by a rule (HTTP {status}): "
        "the token or key was not looked at.",
        "Try from another network, without a VPN; or " + _WHO_RUNS_IT + ".",
    ),
    Sign(
        lambda page: page.reply.status in (413, 414, 431) and page.reply.body[:1] != b"{",
        "a web server in front of it",
        "A web server in front of {api} refuses requests of that size (HTTP {status}).",
        "Ask for less at once: fewer ids, links or fields.",
    ),
    Sign(
        lambda page: (
            page.reply.status in (400, 401, 403, 405, 406) and bool(_FIREWALL.search(page.text))
        ),
        "a firewall",
        "A firewall in front of {api} blocked the request (HTTP {status}): the token or key was "
        "not looked at.",
        "Try from another network, without a VPN; or " + _WHO_RUNS_IT + ".",
    ),
    Sign(
        lambda page: (
            page.reply.status in (401, 403)
            # Those of an API come as JSON, or ask for a token.
            and page.text.lstrip()[:1] not in ("<", "{", "[")
            and "bearer" not in page.header("www-authenticate")
        ),
        "something in front of it",
        "Something in front of {api} refused the request in words that are not {api}'s own (HTTP "
        "{status}): the token or key was not looked at.",
        "A gateway, proxy or firewall stands before the address in {url}: " + _WHO_RUNS_IT + ".",
    ),
    Sign(
        lambda page: page.reply.status in (401, 403, 405, 406) and page.is_html,
        "a web page",
        "A web page answered in place of {api} (HTTP {status}): the token or key was not looked "
        "at.",
        "A proxy, firewall or sign-in stands before the address in {url}: " + _WHO_RUNS_IT + ".",
    ),
)


def recognize(reply: Reply, api: str, variable: str) -> Intercepted | None:
    """Return the failure if somebody in between answered, else None.

    Args:
        reply: an answer that is not the API's JSON.
        api: the API's name.
        variable: the setting that holds its address.
    """
    beginning = reply.body[:_MOST_BYTES].decode("latin-1")
    page = Page(reply, f"{beginning} {reply.headers.get('server', '')}".lower())
    sign = next((sign for sign in _SIGNS if sign.fits(page)), None)
    if sign is None:
        return None
    words = {"api": api, "status": reply.status, "url": variable}
    failure = Intercepted(
        sign.code,
        sign.message.format(**words),
        sign.hint.format(**words),
        # What is blocked stays blocked. And a firewall may hold back an answer as well as a
        # request: a change may have been made.
        worth_repeating=False,
    )
    failure.retryable = sign.passes
    failure.who = sign.who
    return failure


def find_redirect_host(reply: Reply) -> str:
    """Return the host that a redirect names, for messages; empty if it stays on the same one."""
    try:
        host = urlsplit(reply.headers.get("location", "")).hostname or ""
    except ValueError:
        host = ""
    return truncate_line(host, _LONGEST_HOST)
