"""How a package that is missing is installed: by the exact command for this very interpreter."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys


def install_command(package: str) -> str:
    """Return the command that installs a package where this server runs."""
    if importlib.util.find_spec("pip") is None and (uv := shutil.which("uv")):
        # An environment made by uv has no pip of its own.
        return _join([uv, "pip", "install", "--python", sys.executable, package])
    return _join([sys.executable, "-m", "pip", "install", package])


def _join(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
