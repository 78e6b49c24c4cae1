"""One process that takes turns and prints, per turn, when it was claimed and when the caller had
it.

    pacer_worker.py PLACE WINDOW TURNS [--freeze TURN] [--penalty TURN SECONDS]

PLACE is a folder, or the address of a PostgreSQL or a Redis. The process prints a line once it is
ready, and begins when it reads one.
--freeze stops the process (SIGSTOP) inside the transaction of that turn; --penalty answers that
turn with 429.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

import anyio

from server.limiter import Pacer, state_key
from server.limiter.store import SqliteStore
from tests.support.pace.stores import open_pacer

KEY = state_key("https://archive.test", "shared")


class Worker:
    """Takes the turns that the arguments ask for."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.turn = 0
        self.frozen = False
        self.pacer: Pacer | None = None

    def clock(self) -> float:
        is_due = self.turn and self.turn == self.options.freeze and not self.frozen
        if is_due and self.pacer and is_in_transaction(self.pacer):
            self.frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return time.monotonic()

    async def run(self) -> None:
        options = self.options
        async with open_pacer(options.place, options.window, self.clock) as pacer:
            self.pacer = pacer
            # A server's clock is read once, so that the pause of a new process is over.
            await pacer.snapshot(KEY)
            print("ready", flush=True)
            sys.stdin.readline()
            while self.turn < options.turns:
                self.turn += 1
                async with pacer.slot(KEY) as slot:
                    had = time.monotonic()
                    print(getattr(slot, "stamp", 0.0), had, flush=True)
                    if self.turn == int(options.penalty[0]):
                        slot.report_answer(429, {}, retry_after=options.penalty[1])


def is_in_transaction(pacer: Pacer) -> bool:
    """Whether the pacer is between reading a record and writing it."""
    store = pacer._store
    if not isinstance(store, SqliteStore):
        # The others have no transaction, and read their clock often: the change reads it too.
        return True
    return bool(store._db and store._db.in_transaction)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("place")
    parser.add_argument("window", type=float)
    parser.add_argument("turns", type=int)
    parser.add_argument("--freeze", type=int, default=0)
    parser.add_argument("--penalty", type=float, nargs=2, default=[0.0, 0.0])
    anyio.run(Worker(parser.parse_args()).run)


if __name__ == "__main__":
    main()
