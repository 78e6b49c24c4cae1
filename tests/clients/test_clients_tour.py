"""Real clients and hosts see what the server says: each is led over it, and what it saw is in one
table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.tool.hosts import find_host
from tests.clients.hosts.hosts import HOSTS, Host
from tests.clients.record import SEEN, remember, render
from tests.clients.running import run_node, run_python, run_real_host, serving_apis
from tests.clients.table import (
    HOST_DIFFERS,
    NODE,
    PYTHON,
    TITLES,
    YES,
    NodeClient,
    PythonClient,
)
from tests.clients.tour import Row
from tests.support.paths import SURFACE

ROWS = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
LISTED = sum(row["toolset"] != "discover" for row in ROWS)
SHORT = sum(row["toolset"] == "discover" or bool(row.get("core")) for row in ROWS)


def read_params(rows: tuple[PythonClient, ...] | tuple[NodeClient, ...]) -> list[object]:
    """Mark what takes longer than a minute to install."""
    return [
        pytest.param(row, id=row.title, marks=() if row.is_quick else pytest.mark.campaign)
        for row in rows
    ]


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """Both APIs, as sandboxes on loopback."""
    with serving_apis() as variables:
        yield variables


@pytest.mark.parametrize("client", read_params(PYTHON))
def test_a_client_from_pypi_sees_everything(
    client: PythonClient, settings: dict[str, str], tmp_path: Path
) -> None:
    check(client, run_python(client, settings, tmp_path))


@pytest.mark.parametrize("client", read_params(NODE))
async def test_a_client_from_npm_sees_everything(
    client: NodeClient, settings: dict[str, str], tmp_path: Path
) -> None:
    check(client, await run_node(client, settings, tmp_path))


@pytest.mark.campaign
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_the_model_of_a_host_sees_everything(
    host: Host, settings: dict[str, str], tmp_path: Path
) -> None:
    row = run_real_host(host, settings, tmp_path)

    remember(host.name, row)
    usual = {**YES, "confirmation": "previewed", "second call": "token"}
    compare(row, {**usual, **HOST_DIFFERS.get(host.name, {})})
    assert int(row["list"]) <= LISTED
    # By the name that it gives, the server knows what it can take.
    treatment = find_host(row["client name"])
    assert treatment.title == host.name
    if treatment.sends_all:
        assert int(row["list"]) == SHORT


def check(client: PythonClient | NodeClient, row: Row) -> None:
    """Compare what a client saw with what it should see."""
    remember(client.title, row)
    steps = {"confirmation": client.confirmation, "progress": client.progress, "cancel": "yes"}
    compare(row, {**YES, "list": str(LISTED), **steps, **client.differs})


def compare(row: Row, usual: Row) -> None:
    """Look at each step; of what fails or is cut, the reason stands behind."""
    for name, word in usual.items():
        whole = {"yes", row[name]} if name == "large result" else {row[name]}
        assert word in whole or row[name].startswith(f"{word}:"), (name, row)
        if name == "large result":
            assert row[name] == "yes" or row[name].endswith("characters"), row


def test_the_table_has_a_row_for_each_client() -> None:
    seen = json.loads(SEEN.read_text(encoding="utf-8"))

    assert sorted(seen) == sorted(TITLES)
    assert len(seen) >= 15


def test_the_table_for_readers_is_made_of_what_was_seen() -> None:
    seen = json.loads(SEEN.read_text(encoding="utf-8"))

    assert SEEN.with_name("README.md").read_text(encoding="utf-8") == render(seen)
