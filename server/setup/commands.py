"""Clients that have a command of their own to add a server: it knows the form of their files."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from server.setup.clients import Installed
from server.setup.machine import Machine
from server.text import truncate_line

_SECONDS = 60.0
# For this user in every folder, which is not what Claude Code does by itself.
_SCOPES = {"claude-code": ("--scope", "user")}


class CommandError(Exception):
    """A client's command failed; the message quotes it."""


def add_command(installed: Installed, name: str, value: dict[str, Any]) -> list[str]:
    """Return the command that adds a server."""
    options = list(_SCOPES.get(installed.client.id, ()))
    for variable, text in value.get("env", {}).items():
        options += ["--env", f"{variable}={text}"]
    line = [value["command"], *value["args"]]
    return [_program(installed), "mcp", "add", name, *options, "--", *line]


def remove_command(installed: Installed, name: str) -> list[str]:
    """Return the command that removes a server."""
    scope = _SCOPES.get(installed.client.id, ())
    return [_program(installed), "mcp", "remove", name, *scope]


def run_command(machine: Machine, command: Sequence[str]) -> None:
    """Run a client's command.

    Raises:
        CommandError: It failed.
    """
    try:
        result = subprocess.run(  # noqa: S603  # the client's program, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**machine.environment, "HOME": str(machine.home)},
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{command[0]} did not end within {_SECONDS:.0f} s.") from None
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be started: {error.strerror or error}.") from None
    if result.returncode:
        words = truncate_line(f"{result.stderr}{result.stdout}", 200)
        raise CommandError(f"{command[0]} failed: {words}")


def _program(installed: Installed) -> str:
    return installed.program or installed.client.program
