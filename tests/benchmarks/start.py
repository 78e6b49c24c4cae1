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

    answered, listed: seconds from spawning to the answers. processor: seconds of processor time up
    to then, which other work on the machine does not lengthen. memory: MiB. exit: seconds from EOF
    to the exit.
    """

    answered: float
    listed: float
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
    found: dict[tuple[str, Era], list[Start]] = defaultdict(list)
    for number in range(-1, runs):
        turns = [
            (name, command, era)
            for era in ERAS
            for name, command in (("ours", ours), ("bare", BARE))
        ]
        for name, command, era in turns if number % 2 else reversed(turns):
            start = await _start(command, era, folder)
            if number >= 0:  # the first round only warms the file cache
                found[name, era].append(start)
    figures = []
    for era in ERAS:
        own, bare = found["ours", era], found["bare", era]
        first = f"spawn to {_FIRST[era]} answered"
        figures.append(compared(first, _ms(own, "answered"), _ms(bare, "answered"), "ms", goal=1.0))
        listed = f"spawn to tools/list answered, {era}"
        figures.append(compared(listed, _ms(own, "listed"), _ms(bare, "listed"), "ms", goal=1.0))
    own, bare = ([each for era in ERAS for each in found[name, era]] for name in ("ours", "bare"))
    figures.append(
        compared("processor time up to there", _ms(own, "processor"), _ms(bare, "processor"), "ms")
    )
    figures.append(
        compared("EOF to exit", _ms(own, "exit"), _ms(bare, "exit"), "ms", goal=60, judged="value")
    )
    memory = [[each.memory for each in starts] for starts in (own, bare)]
    figures.append(compared("memory before the first call", memory[0], memory[1], "MiB", goal=1.15))
    return figures


async def _start(command: Sequence[str], era: Era, folder: Path) -> Start:
    env = clean(folder) | {
        "ARCHIVE_APP_TOKEN": "never-sent",
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
    }
    async with StdioServer.spawn(command, env=env, cwd=folder) as server:
        await server.handshake(era)
        answered = server.age()
        await server.request("tools/list")
        listed = server.age()
        processor, memory = cpu_seconds(server.pid), resident(server.pid)
        left = await server.close()
    return Start(answered, listed, processor, memory, left.seconds)


async def _memory_after_calls(ours: Sequence[str], folder: Path, runs: int) -> Figure:
    own: list[float] = []
    bare: list[float] = []
    with sandbox_process(items=2000) as sandbox:
        for _ in range(runs):
            bare.append((await _start(BARE, "handshake", folder)).memory)
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
