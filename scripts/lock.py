"""Pin what the tests run with: `python -m scripts.lock` writes requirements-dev.lock anew.

The versions that are pinned already stay while pyproject.toml still allows them; `--upgrade` takes
the newest of each, `--upgrade NAME...` of those packages. The file holds for every supported
Python and system, and names no index, so that pip takes the packages from the one it is set up for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-dev.lock"

OPTIONS = (
    "--all-extras",
    "--group=dev",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=python -m scripts.lock",
    "--quiet",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the lock file, with a resolver that is installed for this one run."""
    parser = argparse.ArgumentParser(prog="scripts.lock", description=__doc__)
    parser.add_argument(
        "--upgrade",
        nargs="*",
        metavar="NAME",
        help="take newer versions: of these packages, or of all where none is given",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        uv = install_uv(Path(folder))
        compile_lock(uv, upgrade_options(options.upgrade))


def upgrade_options(names: Sequence[str] | None) -> list[str]:
    """Return what the resolver takes for the packages to upgrade: None means none of them."""
    if names is None:
        return []
    return [f"--upgrade-package={name}" for name in names] or ["--upgrade"]


def install_uv(folder: Path) -> list[str]:
    """Return the command of uv, installed into a virtual environment of its own."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(programs / "python")
    # The commands are fixed and their arguments are passed as they are, without a shell.
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)  # noqa: S603
    return [python, "-m", "uv"]


def compile_lock(uv: Sequence[str], upgrades: Sequence[str]) -> None:
    """Resolve pyproject.toml into the lock file, which is also read for what is pinned so far."""
    # Named without a folder: the file repeats the name of its source.
    command = [*uv, "pip", "compile", "pyproject.toml", *OPTIONS, *upgrades]
    subprocess.run([*command, f"--output-file={LOCK.name}"], cwd=ROOT, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
