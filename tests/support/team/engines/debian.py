"""Programs of Debian packages, unpacked into a folder outside the checkout and kept between runs.

Neither the packages nor the package lists of the machine change, and no privileges are needed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.support.archivebox.install import plain_account, servers_folder
from tests.support.suite.locking import locked

_STATUS = Path("/var/lib/dpkg/status")
_APT_SECONDS = 300


class Unavailable(Exception):
    """A program cannot be had on this machine; the text says why."""


@cache  # what could not be had is not asked for again by the next test
def unpack_packages(*names: str) -> Path | Unavailable:
    """Return the folder that holds these packages and whatever they need that is not installed."""
    folder = servers_folder(plain_account()) / f"debian-{names[0]}"
    with locked(folder):
        if not (folder / "complete").is_file():
            try:
                _unpack(names, folder)
            except Unavailable as reason:
                return reason
            (folder / "complete").touch()
    return folder


def find_libraries(folder: Path) -> str:
    """Return the value of LD_LIBRARY_PATH for the programs in `folder`."""
    places = [*folder.glob("usr/lib/*-linux-gnu*"), *folder.glob("lib/*-linux-gnu*")]
    return ":".join(str(place) for place in places if place.is_dir())


def _unpack(names: Sequence[str], folder: Path) -> None:
    if shutil.which("apt-get") is None or not _STATUS.is_file():
        raise Unavailable("this is no Debian, whose packages could stand in")
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run left
    apt = folder / "apt"
    for part in ("state/lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    folder.chmod(0o755)
    _run_apt(apt, "update")
    # With the status of the machine: what is installed already need not be fetched.
    _run_apt(apt, "--yes", "--no-install-recommends", "--download-only", "install", *names)
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    shutil.rmtree(apt)


def _run_apt(apt: Path, *arguments: str) -> None:
    options = {
        "Dir::State": apt / "state",
        "Dir::State::status": _STATUS,
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["apt-get", "-qq", *settings, *arguments],
        capture_output=True,
        text=True,
        timeout=_APT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"apt-get {arguments[-1]} failed: {done.stderr.strip()[-300:]}")
