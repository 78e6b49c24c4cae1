"""Leads one client over one server, in the environment of the client: `python drive.py DRIVER
COMMAND...` prints the row of the table as JSON, on the last line."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from pathlib import Path

# First only for these imports: other projects have folders called `tools` and `tests` too.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
driver = importlib.import_module(f"tests.clients.{sys.argv[1]}")
from tests.clients.tour import Row, tour  # noqa: E402

del sys.path[0]


async def main() -> None:
    """Print what the client saw."""
    async with driver.connect(sys.argv[2:]) as client:
        row: Row = await tour(client)
        sys.stdout.write(f"\n{json.dumps(row)}\n")
        sys.stdout.flush()
        # At once: some fail on the answer to a call that they gave up, or leave threads behind.
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
