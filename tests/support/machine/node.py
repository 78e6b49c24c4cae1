"""The official MCP inspector, installed from npm into a folder outside the checkout, and kept
between runs."""

from __future__ import annotations

import json
import os
import platform
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
    with locked(folder):
        if not (folder / "complete").is_file():
            _install_or_skip(folder)
    return Inspector(folder)


def _install_or_skip(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: the official MCP inspector cannot be run")
    folder.mkdir(parents=True, exist_ok=True)
    packages = [f"{_node_package()}@{NODE}", f"@modelcontextprotocol/inspector@{INSPECTOR}"]
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
