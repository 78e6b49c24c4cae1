"""The programs that validate and start packages, installed once, outside the checkout."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from scripts.package.check.result import UnavailableError

MCPB = "@anthropic-ai/mcpb@2.1.2"
CLAUDE = "@anthropic-ai/claude-code@2.1.332"
GEMINI = "@google/gemini-cli@0.61.0"
CODEX = "@openai/codex@0.171.0"
NODE = "22"
UV = "uv==0.13.9"
# The one that Claude Desktop brings.
DESKTOP_UV = "uv==0.9.7"
TWINE = "twine==7.0.0"
_INSTALL_SECONDS = 600


def cache_folder() -> Path:
    """Return where installed programs are kept between runs."""
    chosen = os.environ.get("ARCHIVE_MCP_TEST_CACHE")
    root = Path(chosen) if chosen else Path.home() / ".cache" / "archive-mcp-tests"
    return root / "packages"


def install_from_npm(package: str, program: str) -> Path:
    """Return the path of a program of npm's.

    Args:
        package: name and version, like `@scope/name@1.2.3`.

    Raises:
        UnavailableError: npm or the package cannot be had.
    """
    folder = _folder_of(package)
    if not (folder / "complete").is_file():
        npm = _require("npm")
        options = ["--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
        _install([npm, "install", *options, package], package)
        (folder / "complete").touch()
    return folder / "node_modules" / ".bin" / program


def install_node() -> Path:
    """Return the folder of a Node that is new enough for all of them."""
    system = {"Windows": "win"}.get(platform.system(), platform.system().lower())
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine()
    )
    name = f"node-{system}-{machine}"
    install_from_npm(f"{name}@{NODE}", "node")
    return _folder_of(f"{name}@{NODE}") / "node_modules" / name / "bin"


def install_from_pypi(requirement: str, program: str) -> Path:
    """Return the path of a program of PyPI's, in a virtual environment of its own.

    Raises:
        UnavailableError: The package cannot be had.
    """
    folder = _folder_of(requirement)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not (folder / "complete").is_file():
        venv.create(folder, with_pip=True)
        python = str(programs / "python")
        _install([python, "-m", "pip", "install", "--quiet", requirement], requirement)
        (folder / "complete").touch()
    return programs / program


def require_program(name: str) -> str:
    """Return the path of a program of the system.

    Raises:
        UnavailableError: It is not installed.
    """
    return _require(name)


def _require(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(f"{name} is not installed")
    return path


def _folder_of(package: str) -> Path:
    return cache_folder() / package.strip("@").replace("/", "-").replace("@", "-")


def _install(command: Sequence[str], package: str) -> None:
    _folder_of(package).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  # npm and pip, without a shell
        command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise UnavailableError(f"{package} could not be installed: {done.stderr.strip()[-300:]}")
