"""A home with clients in it, on any system, and keychains that are programs of their own."""

from __future__ import annotations

import json
import os
import stat
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from server.command_line import build_parser
from server.settings.keychain import Keychain
from server.setup.clients import CLIENTS, Installed
from server.setup.machine import Machine

_SECURITY = '''#!{python}
"""Stands in for the program of macOS: the same words, the same statuses, a file in its place."""
import json, pathlib, shlex, sys
FILE = pathlib.Path({file!r})
ITEMS = json.loads(FILE.read_text()) if FILE.exists() else {{}}
if sys.argv[1:] == ["-i"]:
    words = shlex.split(sys.stdin.read())
    assert words[:2] == ["add-generic-password", "-U"], words
else:
    words = sys.argv[1:]
    assert "add-generic-password" not in words, "others can see the arguments of a program"
options = dict(zip(words, words[1:]))
key = options["-s"] + "/" + options["-a"]
if words[0] == "find-generic-password" or words[0] == "delete-generic-password":
    if key not in ITEMS:
        sys.stderr.write("security: The specified item could not be found.\\n")
        sys.exit(44)
if words[0] == "find-generic-password":
    print(ITEMS[key])
elif words[0] == "delete-generic-password":
    del ITEMS[key]
else:
    ITEMS[key] = options["-w"]
FILE.write_text(json.dumps(ITEMS))
'''
_KEYRING = '''"""Stands in for the command line of the library: a file in its place."""
import json, os, pathlib, sys
FILE = pathlib.Path(os.environ["KEYRING_FILE"])
ITEMS = json.loads(FILE.read_text()) if FILE.exists() else {}
action, service, name = sys.argv[1:]
key = service + "/" + name
if os.environ.get("KEYRING_TROUBLE"):
    raise RuntimeError(os.environ["KEYRING_TROUBLE"])
if action == "get":
    if key not in ITEMS:
        sys.exit(1)
    print(ITEMS[key])
elif action == "set":
    ITEMS[key] = sys.stdin.read()
else:
    del ITEMS[key]
FILE.write_text(json.dumps(ITEMS))
'''


def make_machine(home: Path, platform: str = "linux", **environment: str) -> Machine:
    """A computer whose user has nothing but this home."""
    home.mkdir(parents=True, exist_ok=True)
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin", **environment}
    return Machine(home, platform, variables, lambda name: None)


def installed(machine: Machine, id: str, program: str | None = None) -> Installed:
    """A client, whether it is there or not."""
    (client,) = (client for client in CLIENTS if client.id == id)
    return Installed(client, client.file(machine), program)


def mac_keychain(folder: Path) -> Keychain:
    """A keychain as macOS has it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "security"
    program.write_text(_SECURITY.format(python=sys.executable, file=str(folder / "items.json")))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Keychain("darwin", {"PATH": "/usr/bin:/bin"}, security=str(program))


def library_keychain(folder: Path, **environment: str) -> Keychain:
    """A keychain as the library keyring opens it; `KEYRING_TROUBLE` makes it fail."""
    package = folder / "library" / "keyring"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(_KEYRING)
    variables = {
        "PYTHONPATH": str(package.parent),
        "KEYRING_FILE": str(folder / "items.json"),
        "PATH": os.environ.get("PATH", ""),
    }
    return Keychain("linux", {**variables, **environment})


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def options_for(*arguments: str) -> Namespace:
    """The options of `setup` as the command line gives them."""
    return build_parser().parse_args(["setup", *arguments])
