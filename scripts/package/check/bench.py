"""What every check uses: homes of their own, a sandbox to call, and the environment of a host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.package.build import Built
from scripts.package.check import programs
from scripts.package.check.result import CheckError, Result
from scripts.package.check.session import talk
from scripts.package.product import ROOT, Product

TOKEN = "sandbox-token"  # noqa: S105  # opens nothing but made-up data
_COMMAND_SECONDS = 300
# Tools write much; a token is in a small file.
_LARGEST_SEARCHED = 2_000_000


@dataclass
class Bench:
    """Hold what a check needs.

    Args:
        folder: a temporary folder, one for the whole run.
        api_url: where the sandbox answers.
        repository: the repository's address, served by git.
        tree: a checkout of it.
    """

    product: Product
    built: Built
    folder: Path
    api_url: str
    repository: str
    tree: Path

    def make_home(self, name: str) -> Path:
        """Return a new and empty home folder."""
        home = self.folder / "homes" / name
        home.mkdir(parents=True)
        return home

    def environment(self, home: Path, *folders: Path) -> dict[str, str]:
        """Return the small environment that a host gives to what it starts.

        Args:
            folders: where programs are, before the system's own.
        """
        path = [*map(str, folders), "/usr/local/bin", "/usr/bin", "/bin"]
        return {
            "HOME": str(home),
            "PATH": os.pathsep.join(path),
            "LANG": "C.UTF-8",
            # In place of the real service; everything else comes through the package.
            "ARCHIVE_API_URL": self.api_url,
        }

    def run(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        cwd: Path,
        text: str = "",
    ) -> str:
        """Run a program of a host's and return what it printed.

        Raises:
            CheckError: It failed.
        """
        done = subprocess.run(  # noqa: S603  # a host's own commands, without a shell
            [str(part) for part in command],
            env=dict(environment),
            cwd=cwd,
            input=text,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        printed = done.stdout + done.stderr
        if done.returncode:
            raise CheckError(f"{command[0]} {command[1]}: {printed.strip()[-1500:]}")
        return printed

    def start_twice(
        self, result: Result, command: Sequence[str], environment: Mapping[str, str], cwd: Path
    ) -> None:
        """Start a server with empty caches and again, and note what both showed."""
        cold = talk(command, environment, cwd)
        warm = talk(command, environment, cwd)
        result.cold, result.warm = cold.seconds, warm.seconds
        result.tools, result.call = warm.tools, warm.call


def find_token(home: Path) -> str:
    """Return where the token lies in a home folder: files with their modes."""
    places = [
        f"{path.relative_to(home)} ({path.stat().st_mode & 0o777:o})"
        for path in sorted(home.rglob("*"))
        if _holds_token(path)
    ]
    return ", ".join(places) or "in no file of the home folder"


@contextmanager
def serve_sandbox() -> Iterator[str]:
    """Serve a made-up Archive on this machine; yield its address."""
    command = [sys.executable, str(ROOT / "archive_mcp.py"), "sandbox", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        line = process.stdout.readline() if process.stdout else ""
        match = re.search(r"http://\S+", line)
        if match is None:
            raise CheckError(f"the sandbox does not start: {line}")
        yield match.group()
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def install_uv(requirement: str = programs.UV) -> Path:
    """Return the folder with uv and uvx."""
    return programs.install_from_pypi(requirement, "uv").parent


def _holds_token(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_SEARCHED:
        return False
    if TOKEN.encode() not in path.read_bytes():
        return False
    # Documents, tests and the sandbox itself name the token: copies of them say nothing, nor does
    # the README that becomes a package's description.
    if path.parent.suffix == ".dist-info":
        return False
    tails = ("/".join(path.parts[index:]) for index in range(1, len(path.parts)))
    return not any((ROOT / tail).is_file() for tail in tails)
