"""The redaction that all outgoing text passes: an API may repeat a secret in whatever it answers.

The secrets are those of the process, not of a call: log lines and tracebacks know no call.

    learn("token-1234")       once for each secret
    redact(text)              a text without them
    redact_message(line)      a JSON-RPC message without them, still valid JSON
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus

from server.text import change_texts

MARK = "[secret]"

_ENTITIES = (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#x27"))

# Characters of a shorter secret are words of everyday texts, and would blot them out.
_SHORTEST = 6
# A shorter secret counts only where it is a word of its own, for the same reason.
_SHORTEST_ANYWHERE = 12
# A result is JSON text within a JSON message, and an API may answer with JSON text within that.
_ESCAPES = 3
# As `html.escape` has it, which takes long to import.
_HTML = {ord(letter): f"&{name};" for letter, name in _ENTITIES}
# With numbers for the quotation marks, as other libraries have it.
_DJANGO = {**_HTML, ord('"'): "&#34;", ord("'"): "&#39;"}
# As quoted values of CSV and SQL have it.
_DOUBLED = {ord(letter): letter * 2 for letter in "\"'"}
_PERCENT = re.compile(r"%[0-9A-F]{2}")
# The members of a message that hold text; its id belongs to the client.
_PARTS = ("result", "error", "params")


class _Secrets:
    """The spellings of the secrets of this process, and the pattern that finds them all."""

    def __init__(self) -> None:
        self.spellings: tuple[str, ...] = ()
        self.pattern = re.compile("(?!)")
        # How often each was learned: of two that learn one, one may forget it.
        self._counts: Counter[str] = Counter()

    def add(self, secret: str) -> None:
        if len(secret) < _SHORTEST:
            return
        self._counts[secret] += 1
        if self._counts[secret] == 1:
            self._spell()

    def remove(self, secret: str) -> None:
        if secret not in self._counts:
            return
        self._counts[secret] -= 1
        if not self._counts[secret]:
            del self._counts[secret]
            self._spell()

    def _spell(self) -> None:
        words: set[str] = set()
        anywhere: set[str] = set()
        for secret in self._counts:
            plain = anywhere if len(secret) >= _SHORTEST_ANYWHERE else words
            plain.update(_spell_plainly(secret))
            anywhere.update(_spell_encoded(secret.encode("utf-8", "replace")))
        self.spellings = _drop_longer(words | anywhere)
        # The longest first: an escaped spelling may hold a plain one.
        bounded = [rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])" for word in _order(words)]
        self.pattern = re.compile("|".join([*_order(anywhere), *bounded]) or "(?!)")


_secrets = _Secrets()


def learn(*secrets: str) -> None:
    """Take out these secrets from now on, but for those of a few characters."""
    for secret in secrets:
        _secrets.add(secret)


def unlearn(*secrets: str) -> None:
    """Undo `learn` once for each of these: whose they are has gone."""
    for secret in secrets:
        _secrets.remove(secret)


def forget() -> None:
    """Take out nothing any more."""
    global _secrets  # the one state of this module
    _secrets = _Secrets()


def holds_secret(text: str) -> bool:
    """Return whether a text may hold a secret; quick, as nearly no text does."""
    # One search for each spelling: many times faster than a pattern of all.
    for spelling in _secrets.spellings:  # noqa: SIM110  # a generator costs as much as a search
        if spelling in text:
            return True
    return False


def redact(text: str) -> str:
    """Return the text with a mark in the place of each secret."""
    return _secrets.pattern.sub(MARK, text) if holds_secret(text) else text


def redact_values(value: Any) -> Any:
    """Return JSON-ready data with a mark for each secret in its texts and names; numbers stay."""
    return change_texts(value, redact)


def redact_message(line: str) -> str:
    """Return a JSON-RPC message with a mark for each secret in its texts."""
    if not holds_secret(line):
        return line
    # By its values: a secret of digits may look like a number, and a mark is none.
    content = json.loads(line)
    is_batch = isinstance(content, list)
    content = [_redact_parts(item) for item in content] if is_batch else _redact_parts(content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _redact_parts(message: dict[str, Any]) -> dict[str, Any]:
    parts = {part: redact_values(message[part]) for part in _PARTS if part in message}
    return {**message, **parts}


class _CleanStream:
    """A text stream that shows no secret."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redact(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_streams() -> None:
    """Let whatever this process prints pass the redaction: tracebacks and warnings too."""
    sys.stdout = _guard(sys.stdout)
    sys.stderr = _guard(sys.stderr)


def _guard(stream: TextIO | None) -> TextIO:
    # A program without a console has no streams at all.
    if stream is None or isinstance(stream, _CleanStream):
        return cast("TextIO", stream)
    return cast("TextIO", _CleanStream(stream))


def _drop_longer(spellings: set[str]) -> tuple[str, ...]:
    """Return the spellings without those that hold another, which is found in them anyway."""
    return tuple(text for text in spellings if not _holds_another(text, spellings))


def _holds_another(text: str, spellings: set[str]) -> bool:
    return any(other in text for other in spellings if other != text)


def _order(spellings: set[str]) -> list[str]:
    return [re.escape(text) for text in sorted(spellings, key=len, reverse=True)]


def _spell_plainly(secret: str) -> set[str]:
    """Return a secret as it is, and as addresses, HTML and JSON write it."""
    percent = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    # An address within an address.
    percent |= {quote(text, safe="") for text in percent}
    lower = {_PERCENT.sub(lambda match: match[0].lower(), text) for text in percent}
    spellings = {secret, *percent, *lower, *_spell_letters(secret)}
    spellings |= {secret.translate(table) for table in (_HTML, _DJANGO, _DOUBLED)}
    if len(secret) >= _SHORTEST_ANYWHERE:
        # Some programs write names and values of headers in letters of one size.
        spellings |= {secret.upper(), secret.lower()}
    for _ in range(_ESCAPES):
        for text in tuple(spellings):
            spellings |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return spellings | {text.replace("/", "\\/") for text in spellings}


def _spell_letters(secret: str) -> Iterator[str]:
    """Yield the spellings that write every letter by its number, and that of Python."""
    yield repr(secret)[1:-1]
    codes, octets = [ord(letter) for letter in secret], secret.encode("utf-8", "replace")
    for form in ("&#{};", "&#x{:x};", "&#x{:X};", "\\u{:04x}"):
        yield "".join(map(form.format, codes))
    for form in ("%{:02x}", "%{:02X}", "\\x{:02x}"):
        yield "".join(map(form.format, octets))


def _spell_encoded(secret: bytes) -> Iterator[str]:
    """Yield the spellings in base64 and in hexadecimal digits."""
    for between in ("", " ", ":"):
        digits = secret.hex(between) if between else secret.hex()
        yield from (digits, digits.upper())
    # Three spellings, after how many bytes stand before it: `user:` before a password.
    for before in range(3):
        padded = bytes(before) + secret
        # The characters that hold bits of a neighbour differ from case to case.
        first, last = -(-before * 8 // 6), len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            word = encode(padded).decode()[first:last]
            yield from (word, quote(word, safe=""))
