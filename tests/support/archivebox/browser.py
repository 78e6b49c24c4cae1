"""Debian's Chromium for servers of the tests, unpacked into a folder outside the checkout: this
machine's own packages stay as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.archivebox.install import plain_account, servers_folder
from tests.support.archivebox.python import Unavailable
from tests.support.suite.locking import locked

_APT_SECONDS = 600
_LAUNCHER = """#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
libraries="$root/usr/lib/x86_64-linux-gnu"
export LD_LIBRARY_PATH="$libraries:$libraries/pulseaudio:$root/usr/lib/chromium"
exec "$root/usr/lib/chromium/chromium" --no-sandbox "$@"
"""


def chromium_or_skip() -> Path:
    """Return the folder of a program `chromium` that every user can start; skipped only where
    Debian's package cannot be had."""
    found = _chromium()
    if isinstance(found, Unavailable):
        pytest.skip(f"no Chromium here: {found}")
    return found


@cache  # what could not be had is not asked for again by the next test
def _chromium() -> Path | Unavailable:
    if installed := shutil.which("chromium"):
        return Path(installed).parent
    if shutil.which("apt-get") is None or os.uname().machine != "x86_64":
        return Unavailable("this is no Debian for amd64, whose package could stand in")
    folder = servers_folder(plain_account()) / "chromium"
    with locked(folder):
        try:
            if not (folder / "chromium").is_file():
                _unpack(folder)
        except Unavailable as reason:
            return reason
    return folder


def _unpack(folder: Path) -> None:
    """Unpack the package, and those that it needs beyond what is installed.

    Raises:
        Unavailable: they cannot be fetched, or do not run.
    """
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run left
    packages = folder / "packages"
    (packages / "partial").mkdir(parents=True)
    options = ["-qq", "-y", "--no-install-recommends", "--download-only"]
    options += ["-o", f"Dir::Cache::archives={packages}", "-o", "Debug::NoLocking=1"]
    _run(["apt-get", *options, "install", "chromium"])
    for package in packages.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(folder / "root")])
    shutil.rmtree(packages)
    # Only now: it says that all is there.
    launcher = folder / "launcher"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)
    _run([str(launcher), "--version"])
    folder.chmod(0o755)
    launcher.rename(folder / "chromium")


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_APT_SECONDS, check=False
    )
    if done.returncode != 0:
        step = " ".join((Path(command[0]).name, *command[1:2]))
        raise Unavailable(f"{step} failed: {(done.stderr or done.stdout).strip()[-300:]}")
