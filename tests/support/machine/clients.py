"""Clients of other projects, each installed from PyPI into an environment of its own outside the
checkout, and kept between runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine.node import cache_folder
from tests.support.suite.locking import locked

CONVERTING = Path(__file__).with_name("converting.py")
_INSTALL_SECONDS = 600
_CONVERT_SECONDS = 180


@dataclass(frozen=True)
class Client:
    """A client by its name in `converting.CLIENTS`, and the packages that it consists of."""

    name: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is installed; other packages are another folder."""
        version = f"{sys.version_info.major}.{sys.version_info.minor} {' '.join(self.packages)}"
        return cache_folder() / f"client-{self.name}-{sha256(version.encode()).hexdigest()[:8]}"

    def convert(self, command: Sequence[str], env: Mapping[str, str]) -> dict[str, Any]:
        """Return what the client makes of the tools of a server: their number and the failures.

        The test is skipped where the client cannot be installed.
        """
        done = subprocess.run(
            [str(self.python_or_skip()), str(CONVERTING), self.name, *command],
            env={**env, **_QUIET},
            cwd=env["HOME"],
            capture_output=True,
            text=True,
            timeout=_CONVERT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return report

    def python_or_skip(self) -> Path:
        """The Python that has the client, installed if it is not yet; the test is skipped where it
        cannot be had."""
        with locked(self.folder):
            if not (self.folder / "complete").is_file():
                self._install_or_skip()
        return self._python()

    def _python(self) -> Path:
        if sys.platform == "win32":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    def _install_or_skip(self) -> None:
        make = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        install = [str(self._python()), "-m", "pip", "install", "--quiet", *self.packages]
        for command in (make, install):
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
            )
            if done.returncode != 0:
                why = done.stderr.strip()[-300:]
                pytest.skip(f"{self.name} could not be installed from PyPI: {why}")
        (self.folder / "complete").touch()


# Some report to their makers otherwise.
_QUIET = {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true"}

CLIENTS = (
    Client("google-genai", ("google-genai>=1.50", "mcp<2")),
    Client("home-assistant", ("voluptuous-openapi>=0.1", "mcp<2")),
    Client("autogen", ("autogen-ext[mcp]>=0.7", "autogen-agentchat>=0.7", "mcp<2")),
    Client("openai-agents", ("openai-agents>=0.10",)),
    Client("langchain", ("langchain-mcp-adapters>=0.2", "langchain-core>=1")),
    Client("pydantic-ai", ("pydantic-ai-slim[mcp]>=2",)),
)
# 900 MB.
LARGE_CLIENTS = (Client("crewai", ("crewai-tools[mcp]>=1",)),)
