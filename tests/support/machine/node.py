"""Programs from npm, the official MCP inspector first of all: installed into a folder outside the
checkout, and kept between runs."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.suite.locking import locked

INSPECTOR = "2.12.0"
NODE = "22"
_CALL_SECONDS = 180
_INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Inspector:
    """An installed inspector: the folder of npm's packages."""

    folder: Path

    def run(
        self, env: Mapping[str, str], target: Sequence[str], *options: str
    ) -> subprocess.CompletedProcess[str]:
        """Start the server `target` under the inspector's CLI; its answer is JSON on stdout."""
        modules = self.folder / "node_modules"
        node = next(modules.glob("node-*/bin/node*"))
        command = [
            str(node),
            str(modules / ".bin" / "mcp-inspector"),
            "--cli",
            "-q",
            "--format",
            "json",
        ]
        # The inspector hands a server only what it is told to; its variadic options would swallow a
        # target behind them.
        settings = [
            part
            for name in env
            if name.startswith("ARCHIVE")
            for part in ("-e", f"{name}={env[name]}")
        ]
        return subprocess.run(
            [*command, *target, *settings, *options],
            env=dict(env),
            cwd=env["HOME"],
            capture_output=True,
            text=True,
            timeout=_CALL_SECONDS,
            check=False,
        )

    def call(
        self, env: Mapping[str, str], target: Sequence[str], tool: str, arguments: Any, era: str
    ) -> subprocess.CompletedProcess[str]:
        """Call a tool; exit status 5 means that the call failed."""
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        return self.run(env, target, "--protocol-era", era, "--method", "tools/call", *given)


def cache_folder() -> Path:
    """Where installed programs are kept between runs, outside any checkout."""
    chosen = os.environ.get("ARCHIVE_MCP_TEST_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "archive-mcp-tests"


def inspector_or_skip() -> Inspector:
    """The inspector, installed if it is not yet; the test is skipped only where npm or its packages
    cannot be had."""
    folder = cache_folder() / f"inspector-{INSPECTOR}-node{NODE}"
    packages = (f"{_node_package()}@{NODE}", f"@modelcontextprotocol/inspector@{INSPECTOR}")
    _install_or_skip(folder, packages)
    return Inspector(folder)


def node_or_skip() -> Path:
    """A Node of the version that current clients need, installed if it is not yet."""
    modules = modules_or_skip(f"{_node_package()}@{NODE}")
    return next(modules.glob("node-*/bin/node*"))


def modules_or_skip(*packages: str) -> Path:
    """The folder `node_modules` of some packages, installed if they are not yet."""
    folder = cache_folder() / re.sub(r"[^\w.@-]+", "-", " ".join(packages))
    _install_or_skip(folder, packages)
    return folder / "node_modules"


def node_program_or_skip(package: str, name: str) -> tuple[Path, Path]:
    """Node of a version of our own, and a program for it, installed as `program_or_skip` does."""
    folder = cache_folder() / f"{package.replace('/', '-')}-node{NODE}"
    _install_or_skip(folder, (f"{_node_package()}@{NODE}", package))
    modules = folder / "node_modules"
    return next(modules.glob("node-*/bin/node*")), modules / ".bin" / name


def program_or_skip(package: str, name: str, *after: str) -> Path:
    """A program of an npm package, installed if it is not yet; the test is skipped only where it
    cannot be had.

    Args:
        package: the package with its version.
        name: what the program is called.
        after: a script of the package that its installation ends with, for Node.
    """
    folder = cache_folder() / package.replace("/", "-")
    is_new = _install_or_skip(folder, (package,))
    modules = folder / "node_modules"
    if after and is_new:
        place = modules / package.rpartition("@")[0]
        done = subprocess.run(
            ["node", *after], cwd=place, capture_output=True, timeout=_INSTALL_SECONDS
        )
        if done.returncode != 0:
            pytest.skip(f"{package} could not be installed: {done.stderr.decode()[-300:]}")
    return modules / ".bin" / name


def _install_or_skip(folder: Path, packages: Sequence[str]) -> bool:
    """Install packages, and return whether they were not there before."""
    with locked(folder):
        if (folder / "complete").is_file():
            return False
        _install(folder, packages)
    return True


def _install(folder: Path, packages: Sequence[str]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed: {packages[-1]} cannot be run")
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        "--prefix",
        str(folder),
        *packages,
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm could not install {' and '.join(packages)}: {done.stderr.strip()[-300:]}")
    (folder / "complete").touch()


def _node_package() -> str:
    """npm's own package of Node for this machine: hosts often have an older one than the inspector
    needs."""
    system = {"Windows": "win"}.get(platform.system(), platform.system().lower())
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine()
    )
    return f"node-{system}-{machine}"
