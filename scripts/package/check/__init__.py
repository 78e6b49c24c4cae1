"""Validate each package with its own tool, start it as its host would, and print what was seen."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.package.build import BuildError, Built
from scripts.package.check import claude, codex, distributions, docker, documents, gemini, mcpb
from scripts.package.check.bench import Bench, serve_sandbox
from scripts.package.check.git_server import copy_repository, serve_repository
from scripts.package.check.result import CheckError, Result, UnavailableError, render_table
from scripts.package.product import DIST, Product

CHECKS: Mapping[str, Callable[[Bench, Result], None]] = {
    "wheel": distributions.check_wheel,
    "sdist": distributions.check_sdist,
    "git": distributions.check_git,
    "mcpb": mcpb.check_bundle,
    "claude": claude.check_plugin,
    "gemini": gemini.check_extension,
    "codex": codex.check_codex,
    "snippets": documents.check_snippets,
    "registry": documents.check_registry_entry,
    "docker": docker.check_image,
}


def check_all(product: Product, built: Built, names: Sequence[str] = ()) -> int:
    """Check the packages, print the table, and return 1 if one is wrong.

    Args:
        names: which packages; all by default.
    """
    with open_bench(product, built) as bench:
        results = [check_one(bench, name) for name in names or CHECKS]
    table = render_table(results)
    (DIST / "check.md").write_text(table, encoding="utf-8")
    print(table)
    return int(any(result.failure for result in results))


def check_one(bench: Bench, name: str) -> Result:
    """Check one package; what goes wrong is noted, so that the others are checked too."""
    result = Result(name)
    print(f"checking {name} ...", file=sys.stderr)
    try:
        CHECKS[name](bench, result)
    except UnavailableError as error:
        result.skipped = str(error)
    except (CheckError, BuildError, OSError, subprocess.TimeoutExpired) as error:
        result.failure = str(error)
    return result


@contextmanager
def open_bench(product: Product, built: Built) -> Iterator[Bench]:
    """Yield what the checks need; servers end and folders are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="archive-mcp-packages-") as name:
        folder = Path(name)
        served = folder / "served"
        served.mkdir()
        tree = copy_repository(served)
        with serve_sandbox() as api_url, serve_repository(served) as repository:
            yield Bench(product, built, folder, api_url, repository, tree)
