"""The extension: Gemini CLI validates it, installs it from the repository, asks and connects."""

from __future__ import annotations

import json
import os
import re
import select
import sys
import time
from pathlib import Path

from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, find_token, install_uv
from scripts.package.check.result import CheckError, Result, UnavailableError, measure_size
from scripts.package.check.scripted_model import serve_model
from scripts.package.check.session import describe_call
from scripts.package.product import SERVER

_ACCOUNT = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
_LIMIT_SECONDS = 120.0
# After so long without a word from the program its question is complete.
_QUIET_SECONDS = 1.5


def check_extension(bench: Bench, result: Result) -> None:
    """Validate the extension, install it in a terminal, answer its questions and connect."""
    home = bench.make_home(result.package)
    # Gemini CLI takes the working folder for a project; the home itself is none.
    work = home / "work"
    work.mkdir()
    program = programs.install_from_npm(programs.GEMINI, "gemini")
    environment = bench.environment(home, programs.install_node(), install_uv())
    printed = bench.run([program, "extensions", "validate", bench.tree], environment, work)
    said = _last_line(printed, "validated").replace(str(bench.tree), bench.tree.name)
    result.validator = f"gemini extensions validate: {said}"
    questions = len(bench.product.asked_settings)
    install = [str(program), "extensions", "install", bench.repository, "--consent"]
    # Secrets are asked for first; the token is the first of them.
    printed = _answer(install, environment, work, [TOKEN, *[""] * (questions - 1)])
    if "installed successfully" not in printed:
        raise CheckError(printed[-1500:])
    result.cold = _connect(bench, program, environment, work)
    result.warm = _connect(bench, program, environment, work)
    result.tools, result.call = _call(bench, program, environment, work)
    result.size = measure_size(bench.built.sdist)
    store = home / ".gemini" / "gemini-credentials.json"
    mode = f"{store.stat().st_mode & 0o777:o}" if store.is_file() else "not there"
    place = f"keychain, or encrypted in ~/.gemini/{store.name} ({mode})"
    result.credentials = f"{place}; as text {find_token(home)}"
    result.notes.append(
        "all by the host itself: cold and warm are `gemini mcp list`; in its session a stand-in "
        "for the model saw the tools and made the call"
    )


def _call(bench: Bench, program: Path, environment: dict[str, str], work: Path) -> tuple[int, str]:
    """Return the number of tools that a session shows the model, and what a call brought."""
    settings = work.parent / ".gemini" / "settings.json"
    settings.write_text(json.dumps(_ACCOUNT), encoding="utf-8")
    with serve_model() as seen:
        handed = environment | {
            "GEMINI_API_KEY": "none",
            "GOOGLE_GEMINI_BASE_URL": seen.address,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        ask = [str(program), "--prompt", "Which workspaces are there?", "--approval-mode", "yolo"]
        bench.run([*ask, "--model", "gemini-2.5-flash"], handed, work)
        tools, answer = seen.require()
    return tools, describe_call(answer)


def _connect(bench: Bench, program: Path, environment: dict[str, str], work: Path) -> float:
    start = time.perf_counter()
    printed = bench.run([program, "mcp", "list"], environment, work)
    if not re.search(rf"{SERVER} .*Connected", printed) or "Disconnected" in printed:
        raise CheckError(printed.strip()[-1500:])
    return time.perf_counter() - start


def _last_line(text: str, word: str) -> str:
    lines = [line for line in text.splitlines() if word in line]
    return lines[-1] if lines else text.strip()[-200:]


def _answer(command: list[str], environment: dict[str, str], work: Path, answers: list[str]) -> str:
    """Run a program in a terminal of its own, and answer each question when it falls silent."""
    if sys.platform == "win32":
        raise UnavailableError("its questions need a terminal, which this check has on Unix only")
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(work)
        os.execvpe(command[0], command, environment)  # noqa: S606  # a host's own command
    return _converse(child, terminal, list(answers))


def _converse(child: int, terminal: int, answers: list[str]) -> str:
    printed, deadline = b"", time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], _QUIET_SECONDS)
        if ready:
            chunk = _read(terminal)
            if not chunk:
                break
            printed += chunk
        elif answers and b"?" in printed:
            os.write(terminal, answers.pop(0).encode() + b"\r")
    else:
        os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(terminal)
    return printed.decode(errors="replace")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux reports the end of a terminal as an error.
        return b""
