"""Build, validate and start every package.

python -m scripts.package              write the generated files, and build everything into dist/
python -m scripts.package bundle       build what an assistant takes: the bundle and the links
python -m scripts.package generate     write only the files that are generated and committed
python -m scripts.package check        build, validate each with its own tool, and start each
python -m scripts.package release      build for publishing; refuses while the owner is unknown
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.package.build import BuildError, build_all, build_for_assistants
from scripts.package.committed import find_stale, write_stale
from scripts.package.identity import PlaceholderError
from scripts.package.product import DIST, Product, UndescribedError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.package", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "command",
        nargs="?",
        choices=("build", "bundle", "generate", "check", "release"),
        default="build",
    )
    parser.add_argument(
        "names", nargs="*", metavar="PACKAGE", help="check only these, for example mcpb or docker"
    )
    options = parser.parse_args(arguments)
    try:
        product = Product()
        match options.command:
            case "bundle":
                return _print_paths(build_for_assistants(product))
            case "generate":
                return _generate(product)
            case "check":
                return _check(product, options.names)
            case "release":
                return _release(product)
        return _generate(product) or _build(product)
    except (BuildError, PlaceholderError, UndescribedError) as error:
        print(error, file=sys.stderr)
        return 1


def _generate(product: Product) -> int:
    for name in write_stale(product):
        print(f"written: {name}")
    return 0


def _build(product: Product) -> int:
    return _print_paths(vars(build_all(product)).values())


def _print_paths(paths: Iterable[Path]) -> int:
    for path in sorted(paths):
        size = f"{path.stat().st_size:,} bytes" if path.is_file() else "folder"
        print(f"{path.relative_to(DIST.parent)}  {size}")
    return 0


def _check(product: Product, names: Sequence[str]) -> int:
    # Imported here: building needs none of the programs that checking installs.
    from scripts.package.check import CHECKS, check_all

    if unknown := set(names) - set(CHECKS):
        raise BuildError(f"no such package: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    return check_all(product, build_all(product), names)


def _release(product: Product) -> int:
    product.identity.require_real()
    if stale := find_stale(product):
        raise BuildError(f"Out of date, run `python -m scripts.package`: {', '.join(stale)}")
    return _build(product)


if __name__ == "__main__":
    sys.exit(main())
