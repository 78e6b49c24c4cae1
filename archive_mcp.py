"""The launcher: find the code, installed or in the repository, and wire its parts together."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LIB = _HERE / "archive_mcp_lib"
# Installed, the folders stand in one of their own: a package called `server` or `tools` beside
# this file would overwrite, or be overwritten by, anybody else's.
ROOT = _LIB if _LIB.is_dir() else _HERE


def main() -> int:
    """Run the program and return its exit status."""
    # Nothing that is imported becomes garbage: collecting meanwhile costs a tenth of the start.
    gc.disable()
    # First in the path, so that no other package of such a name is found before ours.
    sys.path.insert(0, str(ROOT))
    from server.main import Product, run

    product = Product(
        launcher=Path(__file__),
        surface=ROOT / "tools" / "surface.json",
        opening=ROOT / "tools" / "opening.json",
        prompts="prompts",
    )
    return run(product)


if __name__ == "__main__":
    sys.exit(main())
