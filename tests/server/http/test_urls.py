from __future__ import annotations

from typing import Any

import pytest

from server.http.urls import (
    find_url_problem,
    is_loopback,
    is_public,
    parse_origin,
    rewrite_loopback,
    split_links,
)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "a.localhost",
        "A.b.Localhost.",
    ],
)
def test_these_hosts_can_only_be_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost.example",
        "notlocalhost",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "127.0.0.1.example",
        "::2",
        "",
        "127.1",
    ],
)
def test_these_hosts_may_be_another_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must start with https://"),
        ("app.archive.com/api", "must start with https://"),
        ("ftp://app.archive.com", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("https://", "name a host"),
        # What the rules of 2003 allow and those of 2008, the client's, do not.
        ("https://\ufb00.example", "a host that cannot exist"),
        ("https://xn--zzzzzzz--.example", "a host that cannot exist"),
        ("https://host:port", "is not a URL"),
        ("https://host:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://me@host", "user name or password"),
        ("https://:word@host", "user name or password"),
        ("https://@host", "user name or password"),
        ("http://me:word@127.0.0.1", "user name or password"),
        ("http://host", "plain http to another machine (host)"),
        ("http://127.0.0.1.example", "plain http to another machine"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_in_words(url: str, words: str) -> None:
    why = find_url_problem("THE_URL", url, allow_insecure=False)

    assert why.startswith("THE_URL ")
    assert words in why
    assert "word@" not in why


@pytest.mark.parametrize(
    "url", ["https://host/path?x=1", "http://127.0.0.1:8", "http://x.localhost", "HTTPS://HOST"]
)
def test_a_usable_url_is_not_refused(url: str) -> None:
    assert find_url_problem("THE_URL", url, allow_insecure=False) == ""


def test_plain_http_is_allowed_to_whoever_allows_it_but_a_password_never() -> None:
    assert find_url_problem("THE_URL", "http://host", allow_insecure=True) == ""
    assert "password" in find_url_problem("THE_URL", "http://a:b@host", allow_insecure=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host:8443/a/b?c", "https://host:8443"),
        ("http://user:word@host/", "http://host"),
        ("https://[::1]:9/x", "https://[::1]:9"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert parse_origin(url) == expected


@pytest.mark.parametrize(
    ("url", "target", "headers"),
    [
        (
            "http://box.localhost:8000/api?x=1",
            "http://127.0.0.1:8000/api?x=1",
            {"host": "box.localhost:8000"},
        ),
        ("http://Box.LocalHost./", "http://127.0.0.1/", {"host": "box.localhost"}),
        ("http://localhost:8000/", "http://localhost:8000/", {}),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/", {}),
        ("https://box.localhost.example/", "https://box.localhost.example/", {}),
    ],
)
def test_only_names_below_localhost_are_reached_by_number(
    url: str, target: str, headers: dict[str, str]
) -> None:
    assert rewrite_loopback(url) == (target, headers)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2606:4700::5efe:808:808",
    ],
)
def test_a_public_address_is_public_also_where_it_is_wrapped(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "224.0.0.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:fffe::8.8.8.8",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:a00:1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "2001:db8::1",
        "100::1",
        "5f00::1",
        "not an address",
    ],
)
def test_an_address_of_a_local_network_is_not_public_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("given", "links"),
    [
        (["https://a.example/x"], ["https://a.example/x"]),
        (
            ["https://a.example/x, https://b.example/y"],
            ["https://a.example/x", "https://b.example/y"],
        ),
        (["https://a.example/x\nb.example/y\n"], ["https://a.example/x", "https://b.example/y"]),
        (["https://a.example/x,https://b.example"], ["https://a.example/x", "https://b.example"]),
        (["https://a.example/1,2,3"], ["https://a.example/1,2,3"]),
        (["  <https://a.example/x>; "], ["https://a.example/x"]),
        (["tiktok.com/@mia/video/7"], ["https://tiktok.com/@mia/video/7"]),
        (["www.instagram.com"], ["https://www.instagram.com"]),
        (["file:///etc/passwd", "javascript:x"], ["file:///etc/passwd", "javascript:x"]),
        (["HTTPS://A.example/X"], ["https://A.example/X"]),
        (["note"], ["note"]),
        (["http://localhost:8000/x"], ["http://localhost:8000/x"]),
        (["https://a.example/", ""], ["https://a.example/", ""]),
        ([" "], [" "]),
        ([7], [7]),
        ("a.example b.example", ["https://a.example", "https://b.example"]),
        (["1. https://a.example\n2. b.example/x"], ["https://a.example", "https://b.example/x"]),
        (["- https://a.example\n- https://b.example"], ["https://a.example", "https://b.example"]),
        (["https://a.example|https://b.example"], ["https://a.example", "https://b.example"]),
        (["https://a.example\uff0chttps://b.example"], ["https://a.example", "https://b.example"]),
    ],
)
def test_links_are_read_as_people_give_them(given: Any, links: list[str]) -> None:
    assert split_links(given) == links
