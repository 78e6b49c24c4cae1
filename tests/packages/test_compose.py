"""`compose.yaml`: the schema accepts it, and what its services run also runs without containers.

No container is started here: images come from registries that a test must not need.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from server.sandbox import TOKEN
from server.team.identity.machine_keys import digest, make_key
from tests.support.machine.clients import Client
from tests.support.machine.ports import reserved_port
from tests.support.paths import ROOT
from tests.support.team.behind_proxy import CALLS, SERVERS
from tests.support.team.engines.debian import Unavailable, unpack_packages
from tests.support.team.engines.redis import find_redis

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


def on_loopback(port: int) -> tuple[str, ...]:
    """What keeps a Redis of a test to this computer."""
    return ("--port", str(port), "--bind", "127.0.0.1")


@contextmanager
def using_redis(environment: dict[str, str], port: int) -> Iterator[None]:
    """Have the services keep the pace in Redis, as the profile does."""
    environment["ARCHIVE_MCP_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    yield


@contextmanager
def started(
    service: str, environment: dict[str, str], *options: str, program: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run what a service runs; `program` stands for the first word of a command that has one."""
    command = [sys.executable, str(ROOT / "archive_mcp.py"), *SERVICES[service]["command"]]
    if program is not None:
        command = [program, *SERVICES[service]["command"][1:]]
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
        assert volumes - {"./policy", "./docs/Caddyfile"} <= COMPOSE["volumes"].keys()
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    for name in ("server", "worker"):
        # podman-compose starts one of them where the mode is left out.
        assert SERVICES[name]["deploy"] == {"mode": "replicated", "replicas": 2}


def test_a_database_that_is_still_set_up_is_not_ready() -> None:
    # Its image sets it up with a server that listens on the socket alone, and is ended then.
    options = SERVICES["database"]["healthcheck"]["test"]
    assert options[options.index("-h") + 1] == "127.0.0.1"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a container has a POSIX system in it")
def test_what_the_services_run_runs(tmp_path: Path, empty_database: str) -> None:
    program, libraries = find_redis()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        **settings(tmp_path, empty_database),
    }
    with started("migrate", environment) as migrate:
        assert migrate.wait(_PATIENCE) == 0, (tmp_path / "migrate.log").read_text()
    with (
        reserved_port() as port,
        reserved_port() as redis_port,
        started("redis", {**environment, **libraries}, *on_loopback(redis_port), program=program),
        using_redis(environment, redis_port),
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
        with socket.create_connection(("127.0.0.1", redis_port)) as connection:
            connection.sendall(b"CLIENT LIST\r\n")
            # This one, and those of the server.
            assert connection.recv(65_536).count(b"addr=") > 1
        while "works on the team's jobs" not in (tmp_path / "worker.log").read_text():
            assert worker.poll() is None, (tmp_path / "worker.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        for process in (server, worker):
            process.send_signal(signal.SIGTERM)
        assert worker.wait(_PATIENCE) == 0, (tmp_path / "worker.log").read_text()
        assert server.wait(_PATIENCE) in (0, -signal.SIGTERM), (tmp_path / "server.log").read_text()


def find_caddy() -> str:
    """The proxy of the machine, or of Debian's package."""
    installed = shutil.which("caddy")
    if installed is not None:
        return installed
    unpacked = unpack_packages("caddy")
    if isinstance(unpacked, Unavailable):
        pytest.skip(f"no Caddy here: {unpacked}")
    return str(unpacked / "usr" / "bin" / "caddy")


def read_caddyfile(caddy: str) -> str:
    """The proxy's configuration for servers on loopback, without certificates from the internet."""
    text = (ROOT / "docs" / "Caddyfile").read_text(encoding="utf-8")
    assert "server:8765" in text
    assert "request_buffers 4MiB" in text
    # The names of containers are known to docker alone.
    text = text.replace("server:8765", " ".join(f"{address}:8765" for address in SERVERS))
    done = subprocess.run([caddy, "version"], capture_output=True, text=True, check=True)
    version = tuple(int(number) for number in re.findall(r"\d+", done.stdout)[:3])
    if version < (2, 6, 4):
        # The name that it had before.
        text = text.replace("request_buffers 4MiB", "buffer_requests")
    return f"{{\n\tlocal_certs\n\tskip_install_trust\n\tadmin off\n}}\n{text}"


def enter_network(command: list[str]) -> list[str]:
    """What runs a command in a network of its own, with loopback alone."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    if sys.platform != "linux" or unshare is None or ip is None:
        pytest.skip("a network of its own takes Linux, unshare and ip")
    # A plain account may listen on port 443 there.
    ready = f"{ip} link set lo up && echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"
    inside = ["sh", "-c", f'{ready} && exec "$@"', "sh", *command]
    entered = [unshare, "--net", *inside]
    tried = subprocess.run([unshare, "--net", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network of its own here: {tried.stderr.decode().strip()}")
    return entered


@pytest.mark.slow
def test_the_proxy_leads_to_two_servers_and_is_the_only_one_that_is_believed(
    tmp_path: Path,
) -> None:
    caddy = find_caddy()
    environment = settings(tmp_path, "")
    # Without a database: what is tried here is the way to the servers.
    for name in ("ARCHIVE_MCP_DATABASE_URL_FILE", "ARCHIVE_MCP_HTTP_HOST"):
        del environment[name]
    key = make_key()
    policy = (tmp_path / "policy.toml").read_text(encoding="utf-8")
    (tmp_path / "policy.toml").write_text(policy.replace("0" * 64, digest(key)))
    job = {
        "server": [sys.executable, str(ROOT / "archive_mcp.py"), *SERVICES["server"]["command"]],
        "proxy": SERVICES["proxy"]["command"],
        "Caddyfile": read_caddyfile(caddy),
        "key": key,
        "environment": {
            **environment,
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "ARCHIVE_MCP_TRUSTED_PROXIES": "127.0.0.1",
        },
    }
    folder = Path(tempfile.mkdtemp(prefix="archive-mcp-proxy-"))
    try:
        folder.chmod(0o755)
        (folder / "job.json").write_text(json.dumps(job))
        module = "tests.support.team.behind_proxy"
        command = [sys.executable, "-m", module, str(folder), caddy]
        done = subprocess.run(
            enter_network(command),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        logs = "\n".join(path.read_text() for path in folder.glob("*.log"))
        assert done.returncode == 0, done.stderr + logs
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seen = json.loads(done.stdout)
    assert (seen["statuses"], seen["other answers"]) == ([200], []), seen
    assert min(seen["shares"]) > 0, seen
    assert sum(seen["shares"]) == CALLS
    # The proxy's own empty answer.
    assert seen["wrong name"] == [200, ""], seen
    for refused in ("stranger", "plain"):
        status, text = seen[refused]
        assert (status, "https://" in text) == (403, True), seen
