"""Faults of the connection: answers that are cut, late, endless, packed wrongly or no HTTP."""

from __future__ import annotations

import gzip
import zlib

from server.sandbox import Answer
from tests.campaign.faults.server import Fault, Wire, render

BIG = 9 * 2**20


def _cut(answer: Answer) -> Wire:
    whole = render(answer)
    return Wire((whole[: max(1, len(whole) // 2)],))


def _slow(answer: Answer) -> Wire:
    whole = render(answer)
    return Wire((whole[:20], 0.3, whole[20:]), close=False)


def _drip(answer: Answer) -> Wire:
    drops: list[bytes | float] = [b"x", 0.4] * 60
    return Wire((render(answer)[:60], *drops))


def _packed(answer: Answer, body: bytes, coding: str) -> Answer:
    return Answer(answer.status, {**answer.headers, "content-encoding": coding}, body)


def _chunked(answer: Answer, *, end: bool) -> Wire:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (len(answer.body), answer.body)
    return Wire((head, chunk, b"0\r\n\r\n" if end else b""), close=not end)


def _raw(text: bytes) -> Fault:
    return lambda answer: Wire((text,))


def _with_header(name: str, value: str) -> Fault:
    return lambda answer: Answer(answer.status, {**answer.headers, name: value}, answer.body)


def _with_body(body: bytes) -> Fault:
    return lambda answer: Answer(200, {"content-type": "application/json"}, body)


WIRE: dict[str, Fault] = {
    "closed at once": lambda answer: Wire(),
    "cut in the middle": _cut,
    "head alone": lambda answer: Wire((render(answer).partition(b"\r\n\r\n")[0] + b"\r\n\r\n",)),
    "silence": lambda answer: Wire((30.0,)),
    "a slow answer": _slow,
    "drops for ever": _drip,
    "no http": _raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a status of letters": _raw(b"HTTP/1.1 OK fine\r\n\r\n"),
    "a status of 999": _raw(b"HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n"),
    "early hints for ever": _raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40),
    "headers of a megabyte": _raw(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 2**20 + b"\r\n\r\n"),
    "ten thousand headers": _raw(b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 10_000 + b"\r\n"),
    "chunks": lambda answer: _chunked(answer, end=True),
    "chunks without an end": lambda answer: _chunked(answer, end=False),
    "a chunk of letters": _raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    "two lengths": _raw(
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}       "
    ),
    "a negative length": _raw(b"HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\n{}"),
    "gzip": lambda answer: _packed(answer, gzip.compress(answer.body), "gzip"),
    "gzip that is none": lambda answer: _packed(answer, answer.body, "gzip"),
    "gzip cut": lambda answer: _packed(answer, gzip.compress(answer.body)[:-9], "gzip"),
    "gzip bomb": lambda answer: _packed(
        answer, gzip.compress(b'{"a":"' + b" " * (64 * 2**20) + b'"}', 1), "gzip"
    ),
    "deflate bomb": lambda answer: _packed(
        answer, zlib.compress(b"[" + b"0," * (16 * 2**20) + b"0]", 1), "deflate"
    ),
    "an unknown packing": lambda answer: _packed(answer, answer.body, "sdch"),
    "9 MB": _with_body(b'{"data":"' + b"x" * BIG + b'"}'),
    "7 MB of brackets": _with_body(b"[" * (7 * 2**20)),
    "7 MB of numbers": _with_body(b"[" + b"1," * (3 * 2**20) + b"1]"),
    "a number of a million digits": _with_body(b'{"data":' + b"9" * 1_000_000 + b"}"),
    "a text type": _with_header("content-type", "text/plain"),
    "a cookie": _with_header("set-cookie", "session=1; Path=/"),
    "a byte order mark": lambda answer: Answer(
        answer.status, answer.headers, b"\xef\xbb\xbf" + answer.body
    ),
    "invalid UTF-8": lambda answer: Answer(
        answer.status, answer.headers, answer.body.replace(b'"', b'"\xff', 3)
    ),
    "UTF-16": lambda answer: Answer(
        answer.status, answer.headers, answer.body.decode("utf-8", "replace").encode("utf-16")
    ),
    "a null byte": lambda answer: Answer(answer.status, answer.headers, answer.body + b"\0"),
}
"""Each by its name; all of them after the API did what it was asked."""

THROTTLED: dict[str, Fault] = {
    "retry after ages": lambda answer: Answer(429, {"retry-after": "9" * 400}, b"{}"),
    "retry after a date": lambda answer: Answer(
        429, {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, b""
    ),
    "retry after less than nothing": lambda answer: Answer(429, {"retry-after": "-5"}, b"{}"),
}
"""Each by its name; the API does nothing, because it was asked too often."""

HARMLESS = frozenset(
    ("a slow answer", "chunks", "gzip", "a text type", "a cookie", "a byte order mark")
)
"""Those that no call may even notice."""
