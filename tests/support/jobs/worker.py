"""One process that works on the one job of a journal until it has ended, and prints how.

    worker.py FOLDER SENT COUNT LEASE [--repeatable] [--stop-at NUMBER]

Each record's key is appended to SENT right after its admission, after the number of this process.
--stop-at stops the process (SIGSTOP) right before it admits that record.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
from pathlib import Path
from typing import Any

import anyio

from server.errors import Failure
from server.jobs import (
    Handle,
    JobRow,
    Leases,
    LocalJobs,
    NewJob,
    NewRecord,
    RecordRow,
    SqliteJournal,
)

JOB = NewJob("a_tool", "A title", "https://api.test", "account")
SECONDS = 0.002


class Appending:
    """Sends a key by appending it to a file."""

    writes = True
    batch = 1
    width = 1

    def __init__(self, options: argparse.Namespace) -> None:
        self.repeatable: bool = options.repeatable
        self._stop_at: int = options.stop_at
        self._file = os.open(options.sent, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def gather(self, job: Handle) -> None:
        raise AssertionError("the records are known")

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        (record,) = records
        if record.number == self._stop_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        await job.admit(records)
        os.write(self._file, f"{os.getpid()} {record.key}\n".encode())
        await anyio.sleep(SECONDS)
        job.mark_done(record)

    async def finish(self, job: Handle) -> dict[str, Any]:
        return {}


async def run(options: argparse.Namespace) -> None:
    journal = SqliteJournal(options.folder, leases=Leases(options.lease))
    work = Appending(options)
    async with LocalJobs(journal) as jobs:
        job = await worked_off(jobs, work, options.count)
    print(json.dumps({"state": job.state, "counts": job.counts}), flush=True)
    journal.close()


async def worked_off(jobs: LocalJobs, work: Appending, count: int) -> JobRow:
    if not await jobs.list():
        await jobs.start(JOB, work, [NewRecord(f"k{number}") for number in range(1, count + 1)])
    while True:
        (job,) = await jobs.list()
        if job.ended:
            return job
        if not job.owned:
            try:
                await jobs.resume(job.id, work)
            except Failure:  # another one was faster
                continue
        await jobs.wait(job.id, 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("sent", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("lease", type=float)
    parser.add_argument("--repeatable", action="store_true")
    parser.add_argument("--stop-at", type=int, default=0)
    anyio.run(run, parser.parse_args())


if __name__ == "__main__":
    main()
