"""Starts a server for a host, and notes what the host says about itself: `python tee.py FILE
COMMAND...`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def find_name(value: Any) -> str:
    """Return the name of the client in a message, wherever the era has it; empty without one."""
    if not isinstance(value, dict):
        return ""
    for key, inner in value.items():
        if key.rpartition("/")[2] == "clientInfo":
            return str(inner["name"])
        if name := find_name(inner):
            return name
    return ""


def main() -> int:
    """Hand everything on, and return the server's status."""
    note, command = Path(sys.argv[1]), sys.argv[2:]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        assert server.stdin is not None
        for line in sys.stdin.buffer:
            if not note.exists() and b"clientInfo" in line:
                note.write_text(find_name(json.loads(line)), encoding="utf-8")
            server.stdin.write(line)
            server.stdin.flush()
        server.stdin.close()
    return server.returncode


if __name__ == "__main__":
    sys.exit(main())
