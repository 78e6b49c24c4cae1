"""The journal in one SQLite file, which all processes of a user on a machine share."""

from server.jobs.sqlite.database import FILE
from server.jobs.sqlite.file import JournalFile
from server.jobs.sqlite.journal import SqliteJournal
from server.jobs.sqlite.leases import Leases

__all__ = ["FILE", "JournalFile", "Leases", "SqliteJournal"]
