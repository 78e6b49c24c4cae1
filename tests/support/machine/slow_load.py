"""The program on a machine that takes long to load it: `python -m tests.support.machine.slow_load
SECONDS ARGUMENT...`; with the seconds `broken` it cannot be loaded at all."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from server import main
from server.main import Product, run
from tests.support.paths import OPENING, ROOT, SURFACE

_import_server = main._import_server


def _import_slowly() -> None:
    # What goes to stdout here must not reach the client.
    print("a library speaks")
    if sys.argv[1] == "broken":
        raise ImportError("the SDK is not there")
    time.sleep(float(sys.argv[1]))
    _import_server()


if __name__ == "__main__":
    main._import_server = _import_slowly
    product = Product(Path(ROOT / "archive_mcp.py"), SURFACE, OPENING, "prompts")
    sys.exit(run(product, sys.argv[2:]))
