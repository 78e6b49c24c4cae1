"""A Python of a given version that any user can run: one of this machine, or Debian's as a private
prefix."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ASK = "import os, sys; print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.executable))"
_OURS = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_APT_SECONDS = 300
_APT_CONFIGURATION = """
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/nonexistent";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Debug::NoLocking "1";
"""


class Unavailable(Exception):
    """Something that a real ArchiveBox needs cannot be had on this machine; the text says what."""


@dataclass(frozen=True)
class Wanted:
    """Python `version`, such as "3.13", and the Debian release that ships it."""

    version: str
    debian: str


def python_of_this_machine(version: str, *, for_everybody: bool) -> Path | None:
    """An installed interpreter of this version, or None.

    Args: version: such as "3.13". for_everybody: only one that any user may run; that leaves out
        what lies in a private home, as root's pyenv.
    """
    for candidate in _candidates(version):
        found = _asked(candidate, version)
        if found is not None and (not for_everybody or open_to_everybody(found)):
            return found
    return None


def open_to_everybody(path: Path) -> bool:
    """Whether any user may reach this file or folder, as far as it exists: every folder above it
    lets them through."""
    return all(
        part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents) if part.exists()
    )


def unconfigured() -> dict[str, str]:
    """This process's environment without what would lead another Python to this one's packages."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def debian_python(wanted: Wanted, folder: Path, patchelf: Path) -> Path:
    """Unpack Debian's packages of this Python and of all it needs, down to the C library, into
    `folder`.

    The machine's own packages, package lists and apt state stay as they are, and no privileges are
    needed. The mirror is the one this machine's apt uses.

    Raises:
        Unavailable: no Debian, no mirror, or the packages cannot be fetched.
    """
    packages = _fetched(wanted, folder / "apt")
    prefix = folder / "python"
    for package in packages:
        subprocess.run(["dpkg", "-x", str(package), str(prefix)], check=True)
    shutil.rmtree(folder / "apt")
    libraries = [
        found for place in ("lib", "usr/lib") for found in prefix.glob(f"{place}/*-linux-gnu*")
    ]
    loader = next(found for library in libraries for found in library.glob("ld-linux*"))
    python = prefix / "usr" / "bin" / f"python{wanted.version}"
    search = ":".join(map(str, libraries))
    own_libraries = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", search]
    subprocess.run([str(patchelf), *own_libraries, str(python)], check=True)
    # Debian compiles the standard library when a package is installed, which has not happened here.
    modules = prefix / "usr" / "lib" / f"python{wanted.version}"
    subprocess.run(
        [str(python), "-m", "compileall", "-qq", str(modules)], env=unconfigured(), check=False
    )
    return python


def _candidates(version: str) -> Iterator[Path]:
    for folder in (
        *os.environ.get("PATH", os.defpath).split(os.pathsep),
        "/usr/bin",
        "/usr/local/bin",
    ):
        yield Path(folder) / f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(pyenv.glob(f"{version}*/bin/python{version}"))


def _asked(candidate: Path, version: str) -> Path | None:
    """The interpreter itself: a candidate may be a link, a virtual environment's, or pyenv's shim,
    which may refuse."""
    if not os.access(candidate, os.X_OK):
        return None
    question = [str(candidate), "-c", _ASK]
    done = subprocess.run(
        question, env=unconfigured(), capture_output=True, text=True, timeout=60, check=False
    )
    found, _, path = done.stdout.strip().partition(" ")
    return Path(path) if done.returncode == 0 and found == version else None


def _fetched(wanted: Wanted, folder: Path) -> list[Path]:
    """Debian's packages of the Python and everything below it, as files."""
    source = f"deb [signed-by={_KEYRING}] {_mirror()} {wanted.debian} main\n"
    for each in ("state/lists/partial", "cache/archives/partial"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(source)
    (folder / "status").touch()  # nothing is installed: apt must fetch the C library as well
    (folder / "apt.conf").write_text(_APT_CONFIGURATION.format(folder=folder))
    _apt(folder, "update")
    names = (f"python{wanted.version}", f"python{wanted.version}-venv")
    _apt(folder, "-y", "--no-install-recommends", "--download-only", "install", *names)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _apt(folder: Path, *arguments: str) -> None:
    env = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    command = ["apt-get", "-qq", *arguments]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=_APT_SECONDS, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"apt-get {arguments[-1]} failed: {done.stderr.strip()[-300:]}")


def _mirror() -> str:
    """The Debian mirror in this machine's apt configuration."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None or not _KEYRING.is_file():
        raise Unavailable("this is no Debian, whose packages could stand in")
    listing = ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE)"]
    done = subprocess.run(listing, capture_output=True, text=True, timeout=60, check=False)
    for line in done.stdout.splitlines():
        address, _, release = line.partition(" ")
        if address.rstrip("/").endswith("/debian") and "-" not in release:
            return address
    raise Unavailable("apt is configured without a Debian mirror")
