"""The image: built and run by buildah over a Debian made here, since images cannot be pulled
everywhere."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.package.build import BuildError, run_checked
from scripts.package.check.bench import TOKEN, Bench
from scripts.package.check.programs import cache_folder, require_program
from scripts.package.check.result import CheckError, Result, UnavailableError
from scripts.package.check.session import talk
from scripts.package.product import ROOT

SUITE = "bookworm"
_PACKAGES = "python3,python3-venv,ca-certificates"
# Of the machine that builds: how its pip reaches an index, and whom it trusts.
_MACHINE = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/ssl/certs", "/opt/wheels")
_STORAGE = ("--storage-driver", "vfs")


def check_image(bench: Bench, result: Result) -> None:
    """Build the image, start it as a user without rights, and look who owns its volume."""
    buildah = require_program("buildah")
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise UnavailableError("debootstrap and buildah need root on Linux")
    tag = f"archive-mcp-check-{secrets.token_hex(4)}"
    base, image = f"localhost/{tag}-base", f"localhost/{tag}"
    command = [buildah, *_STORAGE]
    try:
        _make_base(command, base)
        _build(command, base, image, bench)
        _start(command, image, bench, result)
        result.notes.append(
            f"of its size {_measure(str(_base_folder())) / 1e6:.0f} MB are the base by debootstrap "
            f"({SUITE}); python:3.13-slim and docker's own run cannot be tried here"
        )
    finally:
        for name in (image, base):
            subprocess.run([*command, "rmi", "--force", name], capture_output=True, check=False)  # noqa: S603


def _make_base(command: list[str], name: str) -> None:
    """Make an image out of a minimal Debian with Python; the folder is kept between runs."""
    root = _base_folder()
    complete = root.with_name(f"{root.name}.complete")
    if not complete.is_file():
        debootstrap = require_program("debootstrap")
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        options = ["--variant=minbase", f"--include={_PACKAGES}"]
        try:
            run_checked([debootstrap, *options, SUITE, str(root)])
        except BuildError as error:
            raise UnavailableError(f"no base image: {str(error)[-500:]}") from None
        shutil.rmtree(root / "var" / "cache" / "apt", ignore_errors=True)
        shutil.rmtree(root / "var" / "lib" / "apt" / "lists", ignore_errors=True)
        complete.touch()
    container = run_checked([*command, "from", "scratch"]).strip()
    run_checked([*command, "add", container, str(root), "/"])
    run_checked([*command, "commit", "--rm", container, name])


def _build(command: list[str], base: str, image: str, bench: Bench) -> None:
    product = bench.product
    arguments = {
        "BASE": base,
        "SERVER_NAME": product.identity.server_name,
        "VERSION": product.version,
    }
    options = [part for item in arguments.items() for part in ("--build-arg", "=".join(item))]
    for path in filter(os.path.exists, _MACHINE):
        options += ["--volume", f"{path}:{path}:ro"]
    try:
        run_checked(
            [*command, "build", "--isolation", "chroot", *options, "--tag", image, str(ROOT)]
        )
    except BuildError as error:
        raise CheckError(str(error)[-2000:]) from None


def _start(command: list[str], image: str, bench: Bench, result: Result) -> None:
    container = run_checked([*command, "from", image]).strip()
    home = bench.make_home(result.package)
    # buildah runs a command instead of the image's entry point, with the image's user and settings.
    inside = [*command, "run", "--isolation", "chroot"]
    values = {"ARCHIVE_API_URL": bench.api_url, "ARCHIVE_APP_TOKEN": TOKEN}
    handed = [part for item in values.items() for part in ("--env", "=".join(item))]
    program = [container, "--", "/opt/archive-mcp/bin/archive-mcp"]
    try:
        bench.start_twice(result, [*inside, *handed, *program], dict(os.environ), home)
        # Some platforms choose the user themselves, always with the group of root; the folder of
        # the first user is closed to that one.
        options = ["--user", "12345:0", "--env", "ARCHIVE_MCP_STATE_DIR=/data/chosen"]
        talk([*inside, *options, *handed, *program], dict(os.environ), home)
        user = run_checked([*inside, container, "--", "id", "-u"]).strip()
        owner = run_checked([*inside, container, "--", "stat", "-c", "%u", "/data/state"]).strip()
        if (user, owner) != ("10001", "10001"):
            raise CheckError(f"runs as user {user}, and its state belongs to {owner}")
        described = run_checked([*command, "inspect", "--type", "image", image])
        if bench.product.identity.server_name not in described or TOKEN in described:
            raise CheckError("the label is missing, or the token is in the image")
        result.size = _measure(run_checked([*command, "mount", container]).strip())
    finally:
        run_checked([*command, "rm", container])
    result.validator = "buildah: built; user 10001, volume /data, label for the registry"
    result.credentials = "environment of the container only; not in the image"


def _base_folder() -> Path:
    return cache_folder() / f"debian-{SUITE}"


def _measure(folder: str) -> int:
    """Return the bytes of all files; `du` counts one with several names once."""
    return int(run_checked(["du", "--summarize", "--bytes", folder]).split()[0])
