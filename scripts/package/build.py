"""What is built into dist/: wheel, sdist, bundle, registry entry and configurations of clients."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.package import bundle, clients
from scripts.package.hosts import describe_bundle_package, describe_registry_entry
from scripts.package.product import DIST, ROOT, Product, render_json


class BuildError(Exception):
    """A package could not be built; the message has what the builder said."""


@dataclass(frozen=True)
class Built:
    """Where the packages lie: files, the folder that became the bundle, and the clients' folder."""

    wheel: Path
    sdist: Path
    bundle: Path
    bundle_folder: Path
    registry_entry: Path
    clients: Path


def build_all(product: Product, folder: Path = DIST) -> Built:
    """Build every package into an emptied folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wheel, sdist = _build_distributions(folder)
    packed, snippets = build_for_assistants(product, folder)
    entry = describe_registry_entry(product)
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    entry["packages"].append(describe_bundle_package(product, digest))
    registry_entry = folder / "server.json"
    registry_entry.write_text(render_json(entry), encoding="utf-8")
    return Built(wheel, sdist, packed, folder / "bundle", registry_entry, snippets)


def build_for_assistants(product: Product, folder: Path = DIST) -> tuple[Path, Path]:
    """Build the bundle and what the other clients take; return both.

    It needs nothing but what the server needs, so that everybody can do it who installed that.
    """
    staged, packed = folder / "bundle", folder / f"archive-mcp-{product.version}.mcpb"
    bundle.stage_bundle(product, staged)
    bundle.zip_bundle(staged, packed)
    snippets = folder / "clients"
    _write_clients(product, snippets)
    return packed, snippets


def run_checked(command: Sequence[str], cwd: Path = ROOT) -> str:
    """Run a program and return what it printed.

    Raises:
        BuildError: It failed.
    """
    # The commands are the caller's own, and are passed as they are, without a shell.
    done = subprocess.run(  # noqa: S603
        command, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _build_distributions(folder: Path) -> tuple[Path, Path]:
    """Build the wheel and the sdist with the builder that pyproject.toml names."""
    for target in ("wheel", "sdist"):
        run_checked([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)])
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def _write_clients(product: Product, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in clients.render_snippets(product).items():
        (folder / name).write_text(text, encoding="utf-8")
    links = clients.render_links(product)
    (folder / "links.json").write_text(render_json(links), encoding="utf-8")
