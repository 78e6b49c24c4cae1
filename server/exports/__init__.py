"""Files for the user: one folder, safe names, and nothing under a final name that is incomplete.

    folder = ExportFolder(settings.export_dir)
    target = folder.choose_target("q4", "csv")
    with Spool.open(folder, target.name, job_id, offset) as spool:
        offset = spool.append(rows)  # page by page, each followed by a checkpoint of the job
        draft = build(folder, spool, target)  # complete on disk, not yet under its name
        export = publish(folder, draft)  # names it in one step, once the draft is journalled
        spool.remove()

A resumed job first asks `find_published(folder, draft)`; `discard(folder, job)` removes the working
files of one that ended in another way.

All of it blocks on the disk: async callers run it in a worker thread.
"""

from server.exports.directory import Leftover
from server.exports.draft import Draft
from server.exports.names import FORMATS, Format
from server.exports.paths import Download, ExportFolder, FolderEntry, Piece, Target
from server.exports.publish import Export, find_published, publish, store, withdraw
from server.exports.spool import Spool, discard, list_leftovers
from server.exports.writers import Layout, build, check_available, check_file

__all__ = [
    "FORMATS",
    "Download",
    "Draft",
    "Export",
    "ExportFolder",
    "FolderEntry",
    "Format",
    "Layout",
    "Leftover",
    "Piece",
    "Spool",
    "Target",
    "build",
    "check_available",
    "check_file",
    "discard",
    "find_published",
    "list_leftovers",
    "publish",
    "store",
    "withdraw",
]
