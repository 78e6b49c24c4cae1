"""The launcher with a window of a millisecond for the pace of a team's server: the pace is in the
path of every call, and nobody waits for it. `python -m tests.benchmarks.team.open_pace serve ...`.
"""

from __future__ import annotations

import sys
from functools import partial

import archive_mcp
from server.limiter import Pacer
from server.team.store import opening
from server.team.store.postgres_pace import PostgresPace

WINDOW = 0.001


def main() -> int:
    """Run the program."""
    vars(opening)["PostgresPace"] = partial(PostgresPace, window=WINDOW)
    vars(opening)["Pacer"] = partial(Pacer, window=WINDOW)
    return archive_mcp.main()


if __name__ == "__main__":
    sys.exit(main())
