"""Long work in the background, journalled so that a crash loses nothing and repeats next to
nothing.

    async with LocalJobs(SqliteJournal(folder)) as jobs:
        row = await jobs.start(NewJob(...), work)
        row = await jobs.wait(row.id, 20)

`Work` is what a kind of work implements; the engine knows no tool and no API.
"""

from server.jobs.engine import LocalJobs
from server.jobs.handle import Handle
from server.jobs.interface import Jobs, Progress, Work
from server.jobs.journal import Journal
from server.jobs.model import (
    Account,
    JobRow,
    JobState,
    LostLease,
    NewJob,
    NewRecord,
    Phase,
    RecordRow,
    RecordState,
    Stopped,
)
from server.jobs.sqlite import Leases, SqliteJournal

__all__ = [
    "Account",
    "Handle",
    "JobRow",
    "JobState",
    "Jobs",
    "Journal",
    "Leases",
    "LocalJobs",
    "LostLease",
    "NewJob",
    "NewRecord",
    "Phase",
    "Progress",
    "RecordRow",
    "RecordState",
    "SqliteJournal",
    "Stopped",
    "Work",
]
