"""Starting, leaving and memory, against a server of the bare SDK that has no tools."""

from __future__ import annotations

import compileall
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure, compared
from tests.support.machine.procfs import cpu_seconds, resident
from tests.support.paths import ROOT
from tests.support.sandboxed import clean, sandbox_process, using
from tests.support.stdio import Era, StdioServer

ERAS: tuple[Era, ...] = ("handshake", "modern")
BARE = (sys.executable, str(Path(__file__).with_name("bare_server.py")))

_FIRST = {"handshake": "initialize", "modern": "server/discover"}
_CALLS = 20


@dataclass(frozen=True)
class Start:
    """One start.

    answered, listed, called: seconds from spawning to the answers; the bare server has no tool to
    call. processor: seconds of processor time up
    to then, which other work on the machine does not lengthen. memory: MiB. exit: seconds from EOF
    to the exit.
    """

    answered: float
    listed: float
    called: float
    processor: float
    memory: float
    exit: float


async def measure(quick: bool) -> list[Figure]:
    """Both eras in turns, then memory after calls."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        ours = _compiled_copy(folder)
        figures = await _starts(ours, folder, runs=3 if quick else 9)
        return [*figures, await _memory_after_calls(ours, folder, runs=1 if quick else 3)]


async def _starts(ours: Sequence[str], folder: Path, runs: int) -> list[Figure]:
    starts: dict[tuple[str, Era], list[Start]] = defaultdict(list)
    competitors = (("ours", ours), ("not quick", ours), ("bare", BARE))
    for number in range(-1, runs):
        turns = [(name, command, era) for era in ERAS for name, command in competitors]
        for name, command, era in turns if number % 2 else reversed(turns):
            start = await _start(command, era, folder, name)
            if number >= 0:  # the first round only warms the file cache
                starts[name, era].append(start)
    figures = []
    for era in ERAS:
        own, bare, whole = (starts[name, era] for name in ("ours", "bare", "not quick"))
        first = f"spawn to {_FIRST[era]} answered"
        figures.append(
            compared(first, _ms(own, "answered"), _ms(bare, "answered"), "ms", goal=0.35)
        )
        listed = f"spawn to tools/list answered, {era}"
        figures.append(compared(listed, _ms(own, "listed"), _ms(bare, "listed"), "ms", goal=0.35))
        # Not against the bare server: against the program that answers nothing before it is loaded.
        called = f"spawn to first call answered, {era}"
        figures.append(compared(called, _ms(own, "called"), _ms(whole, "called"), "ms", goal=1.05))
    own, bare = (
        [start for era in ERAS for start in starts[name, era]] for name in ("ours", "bare")
    )
    figures.append(
        compared("EOF to exit", _ms(own, "exit"), _ms(bare, "exit"), "ms", goal=60, judged="value")
    )
    memory = [[start.memory for start in group] for group in (own, bare)]
    figures.append(compared("memory before the first call", memory[0], memory[1], "MiB", goal=1.15))
    loaded = "processor time until all is loaded"
    figures.append(compared(loaded, _ms(own, "processor"), _ms(bare, "processor"), "ms"))
    return figures


async def _start(command: Sequence[str], era: Era, folder: Path, name: str = "ours") -> Start:
    env = clean(folder) | {
        "ARCHIVE_APP_TOKEN": "never-sent",
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
        "ARCHIVE_MCP_QUICK_START": "off" if name == "not quick" else "on",
    }
    async with StdioServer.spawn(command, env=env, cwd=folder) as server:
        await server.handshake(era)
        answered = server.age()
        await server.request("tools/list")
        listed = server.age()
        if name != "bare":
            # Never answered before everything is loaded.
            await server.request("resources/list")
        processor, memory = cpu_seconds(server.pid), resident(server.pid)
        if name != "bare":
            # A tool that needs no API.
            await server.call_tool("archive_mcp_list_jobs")
        called = server.age()
        left = await server.close()
    return Start(answered, listed, called, processor, memory, left.seconds)


async def _memory_after_calls(ours: Sequence[str], folder: Path, runs: int) -> Figure:
    own: list[float] = []
    bare: list[float] = []
    with sandbox_process(items=2000) as sandbox:
        for _ in range(runs):
            bare.append((await _start(BARE, "handshake", folder, "bare")).memory)
            async with StdioServer.spawn(ours, env=using(sandbox, folder), cwd=folder) as server:
                await server.handshake()
                for number in range(_CALLS):
                    name = ("archive_get_workspace", "archive_search_items")[number % 2]
                    await server.call_tool(name, {"limit": 100} if number % 2 else {})
                own.append(resident(server.pid))
    return compared(f"memory after {_CALLS} calls", own, bare, "MiB", goal=1.4)


def _compiled_copy(folder: Path) -> Sequence[str]:
    """The program as an installer leaves it: beside its bytecode. How to start it."""
    copy = folder / "program"
    copy.mkdir()
    for name in ("server", "tools", "prompts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "archive_mcp.py", copy)
    compileall.compile_dir(copy, quiet=1)
    return (sys.executable, str(copy / "archive_mcp.py"))


def _ms(starts: Sequence[Start], what: str) -> list[float]:
    return [1000 * float(getattr(start, what)) for start in starts]
