"""Whoever quotes a secret to the doctor: the report does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.http import retry
from tests.support.doctored import (
    AWAY,
    HOME,
    TOKEN,
    Respond,
    answering,
    examined,
    given,
    http,
    inside,
    listing_first,
    workspaces,
)

NOWHERE = "http://127.0.0.1:9/api/v2"  # the discard port: nothing listens there
ONE = workspaces((HOME, "Home"))
NOWHERE = "http://127.0.0.1:9/api/v2"  # the discard port: nothing listens there
ONE = workspaces((HOME, "Home"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again is sent again at once."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)


def _quoting(request: bytes) -> str:
    """The token that the request carried, as a server may quote it."""
    head = request.partition(b"\r\n\r\n")[0]
    line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:"))
    return line.decode().partition("Bearer ")[2]


def _cut(request: bytes) -> bytes:
    """All is well until the live questions: their quotations are so long that they are cut inside
    the token."""
    if b"workspaces(first: $first" in request:
        return ONE
    if b"workspace { id name }" in request:
        return inside()
    return http({"errors": [{"message": "x" * 125 + _quoting(request)}]})


QUOTERS: dict[str, Respond] = {
    "refused": lambda request: http(
        {"errors": f"Invalid authentication token {_quoting(request)}"}, "401 No"
    ),
    "rejected": lambda request: http({"errors": [{"message": f"No: {_quoting(request)}"}]}),
    "another workspace": listing_first(
        workspaces((HOME, "Home"), (AWAY, "Away")),
        http({"errors": f"Shop not found {TOKEN}"}, "404 No"),
    ),
    "a name": lambda request: workspaces((HOME, f"Home of {_quoting(request)}")),
    "a page": lambda request: http(f"<html>{_quoting(request)}</html>", f"500 {_quoting(request)}"),
    "headers": lambda request: (
        ONE
        if b"workspaces(" in request
        else inside(headers={"ratelimit-policy": f'"{_quoting(request)}";q=90000;w=9'})
    ),
    "cut": _cut,
}


@pytest.mark.parametrize("configured", ["", "Nowhere", AWAY])
@pytest.mark.parametrize("name", QUOTERS)
async def test_the_token_is_never_told_whoever_quotes_it(
    tmp_path: Path, name: str, configured: str
) -> None:
    async with answering(QUOTERS[name]) as url:
        settings = given(
            tmp_path, ARCHIVE_API_URL=url, ARCHIVE_APP_TOKEN=TOKEN, ARCHIVE_WORKSPACE_ID=configured
        )
        report = await examined(settings, live=True)
    printed = report.render() + report.to_json()
    assert "unmistak" not in printed
    assert TOKEN[-4:] in printed  # masked, as the settings show it
    json.loads(report.to_json())


async def test_the_token_is_not_told_when_nothing_answers(tmp_path: Path) -> None:
    report = await examined(
        given(tmp_path, ARCHIVE_API_URL=NOWHERE, ARCHIVE_APP_TOKEN=TOKEN), live=True
    )
    assert "unmistak" not in report.render() + report.to_json()
