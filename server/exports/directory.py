"""The export folder while it is open: names are reached from the folder itself, not by its path.

Where the system can (POSIX), everything is relative to a descriptor of the folder, so that a folder
that is swapped for a link meanwhile redirects nothing. Elsewhere (Windows) links are looked for
right before.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.errors import Code, Failure

RELATIVE = {os.open, os.stat, os.link, os.rename, os.unlink} <= os.supports_dir_fd
"""Whether this system reaches files relative to an open folder."""

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
_REPARSE_POINT = 0x400

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK})
_ELSEWHERE = "Set ARCHIVE_MCP_EXPORT_DIR to another folder and start the server again"


@dataclass(frozen=True)
class Leftover:
    """A working file in the folder: its job, its size in bytes and its last change in seconds since
    1970."""

    name: str
    job: str
    bytes: int
    modified: float


class Directory:
    """The open folder. All methods raise OSError; `opened` turns it into a Failure."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def look(self, name: str) -> os.stat_result | None:
        """What stands under `name`, itself and not what it points to; None where there is
        nothing."""
        try:
            return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def create(self, name: str) -> int:
        """A descriptor of a new file of the user alone; FileExistsError where the name is taken."""
        return self._open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def read(self, name: str, *, write: bool = False) -> int:
        """A descriptor of an existing regular file; FileNotFoundError for anything else."""
        found = self.look(name)
        if found is None or not regular(found):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        # Not blocking: a pipe put in its place meanwhile would otherwise wait for its writer for
        # ever.
        descriptor = self._open(name, (os.O_RDWR if write else os.O_RDONLY) | _NON_BLOCKING)
        if regular(os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)

    def give_name(self, temporary: str, name: str) -> None:
        """Put a file under its final name in one step; FileExistsError where the name is taken."""
        if os.name == "nt":  # renaming there never replaces
            Path(self._at(temporary)).rename(self._at(name))
            return
        try:
            self._link(temporary, name)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Some file systems (FAT) have no hard links: there the look and the rename are two
            # steps.
            if self.look(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from error
            self.replace(temporary, name)
        else:
            self.remove(temporary)

    def replace(self, source: str, name: str) -> None:
        """Rename, over whatever is there."""
        os.replace(
            self._at(source),
            self._at(name),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
        )

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        try:
            os.unlink(self._at(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return

    def names(self) -> list[str]:
        """The names in the folder, in no order."""
        place = self.path if self._descriptor is None else self._descriptor
        return os.listdir(place)  # noqa: PTH208 - a path cannot stand for a descriptor

    def sync(self) -> None:
        """Make the names themselves survive a power cut, where the system can."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _link(self, source: str, name: str) -> None:
        here = self._descriptor
        os.link(
            self._at(source),
            self._at(name),
            src_dir_fd=here,
            dst_dir_fd=here,
            follow_symlinks=False,
        )

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags | _SAFE, 0o600, dir_fd=self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)


def regular(found: os.stat_result) -> bool:
    """Whether it is an ordinary file: no link, folder, device or pipe."""
    return (
        stat.S_ISREG(found.st_mode) and not getattr(found, "st_file_attributes", 0) & _REPARSE_POINT
    )


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[Directory]:
    """The folder, open for the length of the block; `create` makes it, for its user alone, where it
    is missing.

    Raises: Failure: `FORBIDDEN` for a folder that may not be written or became a link,
        `UNAVAILABLE` for a full disk and other trouble, `NOT_FOUND` where it is missing.
    """
    with told(path):
        if create:
            _make(path)
        if not RELATIVE:
            _check_place(path)
            yield Directory(path, None)
            return
        descriptor = os.open(path, os.O_RDONLY | _FOLDER | _SAFE)
        try:
            _check_place(path)
            yield Directory(path, descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns trouble with the disk into a Failure in the user's words."""
    try:
        yield
    except OSError as error:
        raise _failure(error, path) from error


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not path.is_symlink() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None


def _check_place(path: Path) -> None:
    """`path` was resolved when the server started: a link in it now was put there since."""
    if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
        raise _moved(path)


def _moved(path: Path) -> Failure:
    return Failure(
        Code.FORBIDDEN,
        f"The export folder {path} became a link to another place after the server started; nothing was written.",
        "Put the folder back, or start the server again if the new place is meant.",
    )


def _failure(error: OSError, path: Path) -> Failure:
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return Failure(
            Code.UNAVAILABLE,
            f"The disk of the export folder {path} is full ({reason}); the unfinished file was removed.",
            f"Free some space and start the export again. {_ELSEWHERE} if another disk has room.",
            retryable=True,
        )
    if error.errno in _REFUSED:
        return Failure(
            Code.FORBIDDEN,
            f"The export folder {path} cannot be used: {reason}.",
            f"Allow this user to write there. {_ELSEWHERE} otherwise.",
        )
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and path.is_symlink():
        return _moved(path)
    if error.errno == errno.ENOTDIR:
        return Failure(
            Code.FORBIDDEN, f"{path} is not a folder, so nothing can be exported.", f"{_ELSEWHERE}."
        )
    if isinstance(error, FileNotFoundError):
        return Failure(Code.NOT_FOUND, f"There is no such file in the export folder {path}.")
    return Failure(Code.UNAVAILABLE, f"The export folder {path} failed: {reason}.", retryable=True)
