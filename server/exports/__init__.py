"""Files for the user: one folder, safe names, and nothing under a final name that is not complete.

    folder = ExportFolder(settings.export_dir) target = folder.target("q4", "csv") with
    Spool.open(folder, target.name, job_id, offset) as spool: offset = spool.append(rows)
    # page by page, each followed by a checkpoint of the job draft = build(folder, spool, target)
    # the file, complete on disk, not yet under its name export = publish(folder, draft)        #
    the name, in one step; the draft is journalled before spool.remove()

A resumed job asks `published(folder, draft)` first; `discard(folder, job)` clears up after one that
ended otherwise.

All of it blocks on the disk: async callers run `build` in a worker thread.
"""

from server.exports.directory import Leftover
from server.exports.names import FORMATS, Format
from server.exports.paths import (
    ExportFolder,
    Listed,
    Piece,
    Target,
)
from server.exports.publish import (
    Draft,
    Export,
    publish,
    published,
    store,
)
from server.exports.spool import Spool, discard, leftovers
from server.exports.writers import build, check_available

__all__ = [
    "FORMATS",
    "Draft",
    "Export",
    "ExportFolder",
    "Format",
    "Leftover",
    "Listed",
    "Piece",
    "Spool",
    "Target",
    "build",
    "check_available",
    "discard",
    "leftovers",
    "publish",
    "published",
    "store",
]
