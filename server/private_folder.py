"""Folders for this user alone: made private with their new parents, and mended where they are
not."""

from __future__ import annotations

import errno
import logging
import os
import stat
from itertools import takewhile
from pathlib import Path

_PRIVATE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

log = logging.getLogger("archive_mcp")


def make_private(folder: Path) -> None:
    """Make the folder and its missing parents for this user alone; mend it where it exists.

    Raises:
        OSError: It cannot be made, or others can write to it and this user cannot change that.
    """
    missing = list(takewhile(lambda path: not path.exists(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(mode=_PRIVATE, exist_ok=True)
        # A mask of the process may have taken rights of this user too.
        path.chmod(_PRIVATE)
    if not missing:
        _mend(folder)


def is_open_to_others(folder: Path) -> bool:
    """Return whether other users can write to an existing folder.

    Raises:
        OSError: It cannot be looked at.
    """
    # Windows has lists of rights instead, which these bits do not show.
    return os.name != "nt" and bool(folder.stat().st_mode & _OTHERS_WRITE)


def _mend(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not is_open_to_others(folder):
        return
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "other users can write to it", str(folder))
    # A sticky folder is shared on purpose, as the one for temporary files is: others can add files
    # to it, and cannot take or replace ours.
    if status.st_mode & stat.S_ISVTX:
        return
    folder.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS_WRITE)
    # Some file systems keep no permissions; there nothing can be mended, nor was it ever private.
    result = "cannot be changed" if is_open_to_others(folder) else "was taken from them"
    log.warning("Other users could write to the folder %s; that right %s.", folder, result)
