"""`compose.yaml`: the schema accepts it, and what its services run also runs without containers.

No container is started here: images come from registries that a test must not need.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from server.sandbox import TOKEN
from tests.support.machine.clients import Client
from tests.support.machine.ports import reserved_port
from tests.support.paths import ROOT

FILE = ROOT / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# It has the schema of compose within it.
CHECKER = Client("check-jsonschema", ("check-jsonschema>=0.33,<1",))
_PATIENCE = 60.0


def settings(folder: Path, database_url: str) -> dict[str, str]:
    """The environment of the services, with the secrets and files of the containers in a folder."""
    places = {"/run/secrets": folder / "secrets", "/data": folder / "data"}
    places["/etc/archive-mcp"] = folder
    (folder / "secrets").mkdir()
    (folder / "data" / "exports").mkdir(parents=True)
    secrets = {
        "database_url": database_url,
        "state_keys": base64.b64encode(bytes(range(32))).decode(),
        "archive_token": TOKEN,
    }
    for name, value in secrets.items():
        (folder / "secrets" / name).write_text(value)
    policy = (ROOT / "docs" / "policy.example.toml").read_text(encoding="utf-8")
    (folder / "policy.toml").write_text(policy.replace("/run/secrets", str(places["/run/secrets"])))
    values: dict[str, str] = {}
    for name, value in COMPOSE["x-team"]["environment"].items():
        text = str(value)
        # As compose does with a variable that nobody set.
        if text.startswith("${"):
            text = text.partition(":-")[2].rstrip("}")
        # One of them at most: a folder of the test may itself have such a name in it.
        place = next((place for place in places if text.startswith(place)), None)
        if place is not None:
            text = f"{places[place]}{text.removeprefix(place)}"
        values[name] = text.replace("${PUBLIC_NAME:-archive-mcp.example.com}", "team.example.com")
    # Only this computer may reach what a test starts.
    return values | {"ARCHIVE_MCP_HTTP_HOST": "127.0.0.1"}


@contextmanager
def started(
    service: str, environment: dict[str, str], *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(ROOT / "archive_mcp.py"), *SERVICES[service]["command"]]
    home = Path(environment["HOME"])
    with (home / f"{service}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options], env=environment, cwd=home, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_schema_of_compose_accepts_it() -> None:
    python = CHECKER.python_or_skip()
    options = ["--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(
        [str(python), "-m", "check_jsonschema", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_secret_volume_and_network_that_is_used_is_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert volumes - {"./policy"} <= COMPOSE["volumes"].keys()
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    for name in ("server", "worker"):
        assert SERVICES[name]["deploy"]["replicas"] == 2


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a container has a POSIX system in it")
def test_what_the_services_run_runs(tmp_path: Path, empty_database: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        **settings(tmp_path, empty_database),
    }
    with started("migrate", environment) as migrate:
        assert migrate.wait(_PATIENCE) == 0, (tmp_path / "migrate.log").read_text()
    with (
        reserved_port() as port,
        started("server", environment, "--port", str(port)) as server,
        started("worker", environment) as worker,
    ):
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
                break
            except httpx.TransportError:
                assert server.poll() is None, (tmp_path / "server.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
        assert answer.status_code == 200, answer.text
        while "works on the team's jobs" not in (tmp_path / "worker.log").read_text():
            assert worker.poll() is None, (tmp_path / "worker.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        for process in (server, worker):
            process.send_signal(signal.SIGTERM)
        assert worker.wait(_PATIENCE) == 0, (tmp_path / "worker.log").read_text()
        assert server.wait(_PATIENCE) in (0, -signal.SIGTERM), (tmp_path / "server.log").read_text()
