"""What wget was answered, read from its WARC."""

from __future__ import annotations

import gzip

from server.archivebox.pages.warc import find_answer, read_answers

PAGE = "http://a.example/page"


def record(url: str, status: int, headers: str, body: bytes, kind: str = "response") -> bytes:
    answer = f"HTTP/1.1 {status} X\r\n{headers}\r\n\r\n".encode() + body
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <{url}>\r\n\r\n"
    return gzip.compress(head.encode() + answer + b"\r\n\r\n")


def test_the_answer_of_the_page_is_found_at_the_end_of_its_redirects() -> None:
    warc = (
        record("http://a.example/robots.txt", 200, "Content-Type: text/plain", b"")
        + record(PAGE, 302, "Location: /new", b"")
        + record("http://a.example/new", 404, "Content-Type: Text/HTML; charset=x", b"gone")
        + record("http://ads.example/", 200, "Content-Type: text/html", b"advert")
    )
    answer = find_answer(read_answers(warc), f"{PAGE}#part")
    assert answer is not None
    assert (answer.url, answer.status, answer.body) == ("http://a.example/new", 404, b"gone")
    assert (answer.kind, answer.content_type) == ("text/html", "Text/HTML; charset=x")


def test_packed_and_chunked_bodies_are_unpacked() -> None:
    packed = record(PAGE, 200, "Content-Encoding: gzip", gzip.compress(b"hello"))
    chunked = record(PAGE, 200, "Transfer-Encoding: chunked", b"3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n")
    for warc in (packed, chunked):
        answer = find_answer(read_answers(warc), PAGE)
        assert answer is not None
        assert answer.body == b"hello"


def test_a_beginning_is_enough_for_the_headers_and_says_that_it_is_one() -> None:
    body = b"".join(number.to_bytes(4, "big") for number in range(20_000))
    answer = find_answer(read_answers(record(PAGE, 200, "A: b", body)[:5_000]), PAGE)
    assert answer is not None
    assert (answer.status, answer.is_whole) == (200, False)


def test_what_is_no_warc_holds_no_answers() -> None:
    assert read_answers(b"<html>") == []
    assert read_answers(b"\x1f\x8bbroken") == []
    assert find_answer([], PAGE) is None
