"""One process that takes turns and prints, per turn, when it was claimed and when the caller had
it.

    pacer_worker.py FOLDER WINDOW TURNS [--freeze TURN] [--penalty TURN SECONDS]

It prints a line once it is ready, and begins when it reads one.
--freeze stops the process (SIGSTOP) inside the transaction of that turn; --penalty answers that
turn with 429.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import anyio

from server.limiter import Pacer, state_key


class Worker:
    """Takes the turns that the arguments ask for."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.turn = 0
        self.frozen = False
        self.pacer = Pacer(options.folder, window=options.window, clock=self.clock)

    def clock(self) -> float:
        db = self.pacer._store._db if self.turn and self.turn == self.options.freeze else None
        if db and db.in_transaction and not self.frozen:
            self.frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return time.monotonic()

    async def run(self) -> None:
        print("ready", flush=True)
        sys.stdin.readline()
        key = state_key("https://archive.test", "shared")
        while self.turn < self.options.turns:
            self.turn += 1
            async with self.pacer.slot(key) as slot:
                had = time.monotonic()
                print(getattr(slot, "stamp", 0.0), had, flush=True)
                if self.turn == int(self.options.penalty[0]):
                    slot.report_answer(429, {}, retry_after=self.options.penalty[1])
        self.pacer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("window", type=float)
    parser.add_argument("turns", type=int)
    parser.add_argument("--freeze", type=int, default=0)
    parser.add_argument("--penalty", type=float, nargs=2, default=[0.0, 0.0])
    anyio.run(Worker(parser.parse_args()).run)


if __name__ == "__main__":
    main()
