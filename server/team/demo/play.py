"""The script of the demonstration, printed as it happens."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from server.sandbox import MAIN, TOKEN
from server.team.demo.client import Json, call_tool
from server.team.demo.postgres import serve_postgres
from server.team.demo.processes import Processes, find_free_port
from server.team.identity.machine_keys import digest, make_key

COLLECTION = "Autumn launch"
# Enough for a job of some twenty seconds at the pace of the API, five requests a second.
POSTS = 80
_WAIT_SECONDS = 240.0
_POLICY = """\
[archive.brand]
token = {{ env = "BRAND_TOKEN" }}

[[group]]
name = "marketing"
archive = "brand"
read_only = false
may_delete = true

[[group]]
name = "interns"
archive = "brand"

[[machine]]
name = "Ann"
group = "marketing"
key_sha256 = "{ann}"

[[machine]]
name = "Bob"
group = "interns"
key_sha256 = "{bob}"
"""


def play(launcher: Path, database_url: str | None) -> int:
    """Let two made-up people work while processes die, and return the exit status.

    Args:
        launcher: the script that starts this program.
        database_url: an empty database, instead of one of this computer's PostgreSQL.

    Raises:
        SettingsError: something that it needs is missing or does not start.
    """
    with tempfile.TemporaryDirectory(prefix="archive-mcp-demo-") as name:
        folder = Path(name)
        # PostgreSQL may run as another user, who has to reach its folder in this one.
        folder.chmod(0o711)
        with _open_database(folder, database_url) as url:
            return _play_over(launcher, folder, url)


@contextmanager
def _open_database(folder: Path, url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    _say("PostgreSQL starts, on this computer alone.")
    with serve_postgres(folder / "postgres") as own_url:
        yield own_url


def _play_over(launcher: Path, folder: Path, url: str) -> int:
    home = folder / "team"
    home.mkdir(mode=0o700)
    keys = {"Ann": make_key(), "Bob": make_key()}
    policy = home / "policy.toml"
    policy.write_text(_POLICY.format(ann=digest(keys["Ann"]), bob=digest(keys["Bob"])))
    sandbox, first, second = find_free_port(), find_free_port(), find_free_port()
    settings = {
        "ARCHIVE_API_URL": f"http://127.0.0.1:{sandbox}/api/v2",
        "BRAND_TOKEN": TOKEN,
        "ARCHIVE_MCP_POLICY": str(policy),
        "ARCHIVE_MCP_DATABASE_URL": url,
        "ARCHIVE_MCP_STATE_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ARCHIVE_MCP_STATE_DIR": str(home / "state"),
        "ARCHIVE_MCP_EXPORT_DIR": str(home / "exports"),
    }
    with Processes(launcher, home, settings) as processes:
        _say("An Archive of made-up data, two servers and two workers start.")
        processes.start("sandbox", "sandbox", "--port", str(sandbox))
        processes.wait_for("sandbox", f"http://127.0.0.1:{sandbox}/__sandbox__/stats")
        processes.run("migrate")
        for name, port in (("server 1", first), ("server 2", second)):
            processes.start(name, "serve", "--http", "--port", str(port))
        for name in ("worker 1", "worker 2"):
            processes.start(name, "worker")
        for name, port in (("server 1", first), ("server 2", second)):
            processes.wait_for(name, f"http://127.0.0.1:{port}/readyz")
        story = _Story(processes, keys, (first, second))
        is_complete = anyio.run(story.tell)
        _say("The audit log, as `archive-mcp audit` shows it:")
        print(processes.run("audit"), end="")
    if not is_complete:
        _say("Something was lost.")
        return 1
    _say("Nothing was lost. All processes have ended, and all data of this is gone.")
    return 0


class _Story:
    def __init__(self, processes: Processes, keys: dict[str, str], ports: tuple[int, int]) -> None:
        self._processes = processes
        self._keys = keys
        self._ports = ports

    async def tell(self) -> bool:
        """Return whether everything that was asked for was done."""
        first, second = self._ports
        posts = await self._find_posts(first)
        arguments = {"itemIds": posts, "collectionNames": [COLLECTION], "autoCreate": True}
        _ask("Ann", f"Put these {len(posts)} posts into the collection {COLLECTION}.")
        refused = await self._call("Ann", first, "archive_start_collection_job", arguments)
        _say(f"Server 1 shows what would change. {refused['message']}")
        _say("Ann agrees, and server 2 gets her answer: it knows what she was shown.")
        confirmed = {**arguments, "confirm": refused["confirm"]}
        async with anyio.create_task_group() as group:
            # The call follows the job for a while.
            group.start_soon(self._call, "Ann", second, "archive_start_collection_job", confirmed)
            job = await self._find_job(first)
            await self._let_bob_try(second, job)
            await self._wait_for_progress(first, job, len(posts) // 4)
            self._kill()
        row = await self._follow(second, job)
        _say(f"The job is {row['state']}: {row['records']}")
        content = await self._call(
            "Bob", second, "archive_search_items", {"presetId": COLLECTION, "countOnly": True}
        )
        _say(f"{COLLECTION} holds {content['totalCount']} posts.")
        return bool(row["state"] == "done" and content["totalCount"] == len(posts))

    async def _find_posts(self, port: int) -> list[str]:
        arguments = {"fields": ["id"], "limit": POSTS}
        answer = await self._call("Ann", port, "archive_search_items", arguments)
        return [post["id"] for post in answer["nodes"]]

    async def _find_job(self, port: int) -> str:
        while True:
            answer = await self._call("Ann", port, "archive_mcp_list_jobs", {})
            if answer["nodes"]:
                return str(answer["nodes"][0]["jobId"])
            await anyio.sleep(0.2)

    async def _let_bob_try(self, port: int, job: str) -> None:
        _ask("Bob", f"Make a collection of my own. And what is {job}?")
        refused = await self._call(
            "Bob", port, "archive_create_collection", {"input": {"name": "Bob's"}}
        )
        _say(f"Bob may only read. {refused['code']}: {refused['message']}")
        hidden = await self._call("Bob", port, "archive_mcp_get_job", {"id": job})
        _say(f"Jobs of others he does not see. {hidden['code']}: {hidden['message']}")

    async def _wait_for_progress(self, port: int, job: str, count: int) -> None:
        while True:
            row = await self._call("Ann", port, "archive_mcp_get_job", {"id": job})
            if row.get("records", {}).get("done", 0) >= count or row["state"] != "running":
                _say(f"So far: {row['records']}")
                return
            await anyio.sleep(0.2)

    def _kill(self) -> None:
        for name in ("server 1", "worker 1"):
            self._processes.kill(name)
        _say("Server 1 and worker 1 are killed, as by a power cut. The others go on.")

    async def _follow(self, port: int, job: str) -> Json:
        with anyio.fail_after(_WAIT_SECONDS):
            while True:
                row = await self._call("Ann", port, "archive_mcp_get_job", {"id": job, "wait": 20})
                if row["state"] not in ("running", "paused"):
                    return row

    async def _call(self, person: str, port: int, tool: str, arguments: Json) -> Json:
        """Return the result of a tool, or its error."""
        needs_workspace = not tool.startswith("archive_mcp_")
        place = {"workspace": MAIN} if needs_workspace else {}
        url = f"http://127.0.0.1:{port}/mcp"
        return await call_tool(url, self._keys[person], tool, {**place, **arguments})


def _ask(person: str, text: str) -> None:
    print(f"\n{person}> {text}", flush=True)


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def read_database_url() -> str | None:
    """Return the address of the database to use instead of one of its own.

    Raises:
        SettingsError: it is no address of a PostgreSQL.
    """
    from server.team.settings import load_team
    from server.team.store.addresses import reveal_address

    team = load_team(os.environ)
    if team.database_url is None:
        return None
    return reveal_address("ARCHIVE_MCP_DATABASE_URL", team.database_url)
