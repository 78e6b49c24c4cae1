"""The redaction of secrets in outgoing text."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sys
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from server import redaction
from server.errors import Code, Failure
from server.redaction import MARK, guard_streams, learn, redact, redact_message

TOKEN = "tok_9f8e7d6c5b4a3210"
ODD = 'pa"ss/w\\örd +&<'

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "percent": lambda secret: quote(secret, safe=""),
    "percent in small letters": lambda secret: re.sub(
        "%..", lambda match: match[0].lower(), quote(secret, safe="")
    ),
    "form": quote_plus,
    "percent twice": lambda secret: quote(quote(secret), safe=""),
    "percent of every letter": lambda secret: "".join(f"%{code:02X}" for code in secret.encode()),
    "html": html.escape,
    "html of Django": lambda secret: html.escape(secret).replace("&quot;", "&#34;"),
    "html of every letter": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "escapes of every letter": lambda secret: "".join(f"\\u{ord(each):04x}" for each in secret),
    "capitals": str.upper,
    "Python": lambda secret: repr(secret)[1:-1],
    "CSV": lambda secret: secret.replace('"', '""'),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json in json": lambda secret: json.dumps(json.dumps(secret)),
    "hex": lambda secret: secret.encode().hex(),
    "hex in capitals, with colons": lambda secret: secret.encode().hex(":").upper(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "basic": lambda secret: base64.b64encode(f"anna:{secret}".encode()).decode(),
    "basic of another": lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
    "url-safe base64": lambda secret: base64.urlsafe_b64encode(f"i{secret}".encode()).decode(),
}


@pytest.mark.parametrize("secret", [TOKEN, ODD])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_taken_out_in_every_spelling(secret: str, spelling: str) -> None:
    learn(secret)
    text = redact(f"the header was: {SPELLINGS[spelling](secret)}; try again")
    assert MARK in text
    assert text.startswith("the header was: ")
    assert text.endswith("; try again")
    # Of an encoded secret at most the ends remain, whose bits belong to a neighbour.
    assert len(text) < len("the header was: ; try again") + len(MARK) + 14


def test_text_without_a_secret_stays_the_same_object() -> None:
    learn(TOKEN)
    text = "nothing to hide" * 100
    assert redact(text) is text
    assert redact_message(text) is text


def test_a_short_secret_counts_as_a_word_only_and_a_tiny_one_not_at_all() -> None:
    learn("winter", "abc")
    assert redact("winter, midwinter, abc") == f"{MARK}, midwinter, abc"


def test_a_message_stays_json_and_keeps_its_id_and_numbers() -> None:
    learn("1234567890123", ODD)
    message = {
        "jsonrpc": "2.0",
        "id": "1234567890123",
        "result": {"n": 1234567890123, "text": json.dumps({"error": f"bad key {ODD}"})},
    }
    line = redact_message(json.dumps(message))
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "id": "1234567890123",
        "result": {"n": 1234567890123, "text": json.dumps({"error": f"bad key {MARK}"})},
    }


def test_so_does_a_list_of_messages() -> None:
    learn(TOKEN)
    line = redact_message(json.dumps([{"id": 1, "result": TOKEN}, {"id": 2, "error": TOKEN}]))
    assert json.loads(line) == [{"id": 1, "result": MARK}, {"id": 2, "error": MARK}]


def test_a_failure_holds_no_secret_whoever_shows_or_journals_it() -> None:
    learn(TOKEN)
    failure = Failure(Code.REJECTED, f"bad {TOKEN}", f"use {TOKEN}", choices=[{"name": TOKEN}])
    assert TOKEN not in f"{failure} {failure.message} {failure.hint} {failure.details}"


def test_what_the_process_prints_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    learn(TOKEN)
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    guard_streams()
    print(f"key {TOKEN}")
    print(f"key {TOKEN}", file=sys.stderr)
    assert (out.getvalue(), err.getvalue()) == (f"key {MARK}\n", f"key {MARK}\n")


def test_a_secret_is_unlearned_with_the_last_who_learned_it() -> None:
    redaction.learn("first-secret-0123", "second-secret-0123")
    redaction.learn("first-secret-0123")
    redaction.unlearn("first-secret-0123")
    assert redaction.redact("first-secret-0123") == redaction.MARK
    redaction.unlearn("first-secret-0123", "never-learned-0123")
    assert redaction.redact("first-secret-0123") == "first-secret-0123"
    assert redaction.redact("second-secret-0123") == redaction.MARK
    redaction.unlearn("second-secret-0123")
    assert redaction.redact("second-secret-0123, anything") == "second-secret-0123, anything"
