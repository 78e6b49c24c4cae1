"""The optional libraries: which are there, and how the user gets one that is missing, by the exact
command for this very interpreter."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys

from server.errors import Code, Failure

DISTRIBUTION = "archive-mcp-server"

# Extra -> the module that is imported, and the package that brings it.
_LIBRARIES = {
    "otel": ("opentelemetry.sdk", "archive-mcp-server[otel]"),
    "charts": ("matplotlib", "matplotlib"),
    "parquet": ("pyarrow", "pyarrow"),
    "pictures": ("PIL", "Pillow"),
    "xlsx": ("xlsxwriter", "XlsxWriter"),
}


def is_installed(extra: str) -> bool:
    """Return whether the library of an extra is there; import nothing."""
    module, _ = _LIBRARIES[extra]
    return importlib.util.find_spec(module) is not None


def describe_installation(extra: str) -> str:
    """Return what the user does to have the library of an extra, as a sentence."""
    _, package = _LIBRARIES[extra]
    return f"The user runs `{install_command(package)}` and starts the server again."


def describe_missing_team(module: str, extra: str = "team") -> str:
    """Return what to do where a library of a server for a team is missing, as a sentence."""
    command = install_command(f"{DISTRIBUTION}[{extra}]")
    return f"A server for a team needs {module}, which is not installed. Run: {command}"


def make_missing_library(extra: str, what: str, otherwise: str = "") -> Failure:
    """Return the refusal where the library of an extra is missing.

    Args:
        what: the things that need it, in the plural.
        otherwise: a sentence about what works without it.
    """
    _, package = _LIBRARIES[extra]
    return Failure(
        Code.UNSUPPORTED,
        f"{what} need the library {package}, which is not installed.",
        f"{describe_installation(extra)} {otherwise}".strip(),
        extra=extra,
    )


def install_command(package: str) -> str:
    """Return the command that installs a package where this server runs."""
    if importlib.util.find_spec("pip") is None and (uv := shutil.which("uv")):
        # An environment made by uv has no pip of its own.
        return _join([uv, "pip", "install", "--python", sys.executable, package])
    return _join([sys.executable, "-m", "pip", "install", package])


def _join(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
