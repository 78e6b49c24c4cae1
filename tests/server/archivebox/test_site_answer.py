"""What a site answered, from the start of a WARC as wget writes it."""

from __future__ import annotations

import gzip
import random

import pytest

from server.archivebox.site_answer import SiteAnswer, parse_warc

HERE = "https://a.example/"


def record(kind: str, url: str, block: bytes) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <{url}>\r\n"
    text = f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"
    return gzip.compress(text)


def response(url: str, status: str, *fields: str, body: bytes = b"") -> bytes:
    lines = "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
    return record("response", url, lines.encode() + body)


INFO = record("warcinfo", HERE, b"software: Wget/1.21.3\r\n\r\nrobots: off\r\n")
ASKED = record("request", HERE, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
LATER = response(f"{HERE}gone.png", "404 Not Found")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([response(HERE, "200 OK", "Content-Length: 2", body=b"ok")], (200, False, False)),
        ([response(HERE, "404 Not Found")], (404, True, False)),
        ([response(HERE, "302 Found", "Location: /"), LATER], (302, True, False)),
        (
            [
                response(HERE, "301 Moved", "Location: https://b.example/x"),
                response("https://b.example/x", "410 Gone"),
            ],
            (410, True, False),
        ),
        ([response(HERE, "200 OK", "Content-Length: 9", body=b"cut")], (200, False, True)),
    ],
)
def test_the_last_answer_on_the_way_counts(
    answers: list[bytes], expected: tuple[int, bool, bool]
) -> None:
    answer = parse_warc(b"".join([INFO, ASKED, *answers, LATER]), HERE)
    assert (answer.status, answer.is_error, answer.is_cut) == expected
    assert answer.describe()


@pytest.mark.parametrize("data", [b"", b"no WARC", INFO, b"\x1f\x8b broken"])
def test_what_tells_nothing_is_no_answer(data: bytes) -> None:
    assert not parse_warc(data, HERE).is_known


@pytest.mark.parametrize(
    ("body", "is_cut"),
    [(b"2\r\nok\r\n0\r\n\r\n", False), (b"2\r\nok\r\n", True), (b"9\r\ncut", True), (b"", True)],
)
def test_a_page_in_chunks_is_whole_with_its_last_one(body: bytes, is_cut: bool) -> None:
    chunked = response(HERE, "200 OK", "Transfer-Encoding: chunked", body=body)
    assert parse_warc(INFO + chunked, HERE).is_cut is is_cut


@pytest.mark.parametrize(("stored", "is_cut"), [(None, False), (400_000, False), (399_999, True)])
def test_the_pages_own_file_tells_the_length_of_a_large_page(
    stored: int | None, is_cut: bool
) -> None:
    body = random.Random(1).randbytes(400_000)
    large = response(HERE, "200 OK", "Content-Length: 400000", body=body)
    assert parse_warc((INFO + large)[:65_536], HERE, stored).is_cut is is_cut


def test_the_start_of_a_packed_file_is_enough() -> None:
    whole = INFO + response(HERE, "503 Service Unavailable") + response(f"{HERE}a.png", "200 OK")
    assert parse_warc(whole[:-30], HERE) == SiteAnswer(503)
