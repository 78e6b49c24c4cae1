"""The launcher: finds the code, installed or in the repository, and wires server, tools and prompts
together."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LIB = _HERE / "archive_mcp_lib"
ROOT = _LIB if _LIB.is_dir() else _HERE


def main() -> int:
    """Run the program; the exit status is its result."""
    # Nothing that is imported becomes garbage: collecting meanwhile costs a tenth of the start.
    gc.disable()
    sys.path.insert(0, str(ROOT))
    from server.main import Product, run

    return run(
        Product(launcher=Path(__file__), surface=ROOT / "tools" / "surface.json", prompts="prompts")
    )


if __name__ == "__main__":
    sys.exit(main())
