"""What a domain, an address and a tag mean, whatever the server makes of them."""

from __future__ import annotations

import re

import pytest

from server.archivebox.filters import (
    Domain,
    FilterType,
    Patterns,
    has_tag,
    normalize_url,
    same_url,
    spellings,
    url_pattern,
)
from server.errors import Code, Failure

ONE_ADDRESS = [
    ("HTTP://Example.COM:80", "http://example.com/"),
    ("https://example.com:443/%7euser?q=%c3%a4#x", "https://example.com/~user?q=ä#x"),
    ("http://münchen.example/ä", "http://xn--mnchen-3ya.example/%C3%A4"),
    ("http://a.example/b c", "http://a.example/b%20c"),
    ("http://[::1]:80/", "http://[::1]"),
    ("http://u:p@A.example/x", "http://u:p@a.example/x"),
    ("http://a.example/x?", "http://a.example/x"),
    ("http://a.example./x", "http://a.example/x"),
]
OTHER_ADDRESSES = [
    ("http://a.example/X", "http://a.example/x"),
    ("http://a.example/x#1", "http://a.example/x"),
    ("http://a.example/a%2Fb", "http://a.example/a/b"),
    ("http://a.example/x/", "http://a.example/x"),
    ("http://a.example:81/", "http://a.example/"),
    ("https://a.example/", "http://a.example/"),
]


@pytest.mark.parametrize(("one", "other"), ONE_ADDRESS)
def test_spellings_of_one_address_are_the_same(one: str, other: str) -> None:
    assert same_url(one, other)
    assert normalize_url(normalize_url(one)) == normalize_url(one)
    # What the server is asked with finds both, since it keeps either as it was sent.
    for asked, stored in ((one, other), (other, one), (one, one)):
        assert re.search(url_pattern(asked), stored, re.IGNORECASE)


@pytest.mark.parametrize(("one", "other"), OTHER_ADDRESSES)
def test_other_addresses_are_not_the_same(one: str, other: str) -> None:
    assert not same_url(one, other)


def test_what_is_no_address_is_compared_as_it_is() -> None:
    assert normalize_url(" not a url ") == "not a url"
    assert re.search(url_pattern("not a (url"), "not a (url")
    assert normalize_url("http://a.example:no/") == "http://a.example:no/"


def test_the_usual_spellings_begin_with_the_one_that_was_asked_for() -> None:
    assert spellings("HTTP://a.example") == [
        "HTTP://a.example",
        "http://a.example/",
        "http://a.example",
    ]
    assert spellings("http://a.example/x/") == ["http://a.example/x/"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://www.example.com/x",
        "http://x@EXAMPLE.com:81/",
        "http://example.com./",
        "http://a.b.example.com?x",
    ],
)
def test_a_domain_has_its_host_and_what_is_below_it(url: str) -> None:
    domain = Domain.parse("Example.com")
    assert domain.has(url)
    assert re.search(domain.pattern(), url, re.IGNORECASE)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com.evil.example/",
        "http://example.community/",
        "http://notexample.com/",
        "http://evil.example/http://example.com/",
        "http://evil.example/?@example.com/",
        "http://example.com@evil.example/",
        "no address",
    ],
)
def test_a_domain_has_no_neighbour(url: str) -> None:
    assert not Domain.parse("example.com").has(url)


def test_a_domain_with_a_port_has_only_that_port() -> None:
    domain = Domain.parse("example.com:8080")
    assert domain.has("http://www.example.com:8080/")
    assert not domain.has("http://example.com/")
    assert Domain.parse("example.com:80").has("http://example.com/")


@pytest.mark.parametrize("text", ["*.example.com", ".example.com", "example.com."])
def test_a_domain_may_be_written_with_a_star_or_a_point(text: str) -> None:
    assert Domain.parse(text) == Domain("example.com")


def test_a_domain_of_another_script_is_its_network_form() -> None:
    assert Domain.parse("münchen.example").has("http://xn--mnchen-3ya.example/")
    assert re.search(Domain.parse("münchen.example").pattern(), "http://münchen.example/")


@pytest.mark.parametrize("text", ["http://example.com", "example.com/x", "", " ", "a b", "x:y:z"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        Domain.parse(text)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_capitals_make_no_other_tag() -> None:
    assert has_tag(["Press", "x"], " pRESS")
    assert not has_tag(["Pressed"], "press")
    assert not has_tag(None, "press")


PAGE = {
    "url": "https://www.example.com/News?a=1",
    "tags": ["Press"],
    "timestamp": "1700000000.123",
}


@pytest.mark.parametrize(
    ("kind", "pattern", "fits"),
    [
        ("exact", "HTTPS://WWW.example.com:443/News?a=1", True),
        ("exact", "https://www.example.com/news?a=1", False),
        ("substring", "EXAMPLE.COM/news", True),
        ("regex", r"news\?a=\d$", True),
        ("domain", "example.com", True),
        ("domain", "ample.com", False),
        ("tag", "PRESS", True),
        ("timestamp", "1700000000.123", True),
        ("timestamp", "1700000000", False),
    ],
)
def test_patterns_select_the_same_on_every_version(
    kind: FilterType, pattern: str, fits: bool
) -> None:
    patterns = Patterns.parse(kind, ["never fits", pattern] if kind != "domain" else [pattern])
    assert patterns.keep()(PAGE) is fits


def test_without_patterns_every_page_fits() -> None:
    assert Patterns("domain", ()).keep()(PAGE)


def test_the_server_is_never_asked_for_a_domain_or_an_exact_address() -> None:
    for kind in ("domain", "exact"):
        assert Patterns(kind, ("example.com",)).for_server()[0] == "regex"
    assert Patterns("tag", ("x",)).for_server() == ("tag", ["x"])


def test_a_pattern_that_does_not_compile_is_refused() -> None:
    with pytest.raises(Failure) as caught:
        Patterns.parse("regex", ["("])
    assert caught.value.code is Code.INVALID_ARGUMENT
