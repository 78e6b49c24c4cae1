"""The export folder while it is open: files are reached from the folder itself, not by its path.

Where the system can (POSIX), everything is relative to a descriptor of the folder, so that a folder
that is swapped for a link meanwhile redirects nothing. Elsewhere (Windows) the folder is checked
for links right before use.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from server.errors import Code, Failure
from server.private_folder import make_private

# Whether this system can open files relative to an open folder.
RELATIVE = {os.open, os.stat, os.link, os.rename, os.unlink} <= os.supports_dir_fd

# Windows lacks most of these flags, POSIX lacks O_BINARY.
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
# FILE_ATTRIBUTE_REPARSE_POINT: junctions on Windows, which `stat` does not report as links.
_REPARSE_POINT = 0x400

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK})
_ELSEWHERE = "Set ARCHIVE_MCP_EXPORT_DIR to another folder and start the server again"


@dataclass(frozen=True)
class Leftover:
    """A working file in the folder: its job, size in bytes and last change in Unix seconds."""

    name: str
    job: str
    bytes: int
    modified: float


class Directory:
    """The open folder. All methods raise OSError; `open_folder` turns it into a Failure."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def stat(self, name: str) -> os.stat_result | None:
        """Return the status of `name` itself, not of what it links to; None where it is free."""
        try:
            return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def create(self, name: str) -> int:
        """Create a file that only its user can read, and return its descriptor.

        Raises:
            FileExistsError: the name is taken.
        """
        return self._open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def open_existing(self, name: str, *, write: bool = False) -> int:
        """Return a descriptor of an existing regular file.

        Raises:
            FileNotFoundError: there is nothing, or anything else.
        """
        if is_regular(self.stat(name)):
            access = os.O_RDWR if write else os.O_RDONLY
            # Not blocking: opening a pipe that was put in its place meanwhile would otherwise wait
            # for its writer for ever.
            descriptor = self._open(name, access | _NON_BLOCKING)
            if is_regular(os.fstat(descriptor)):
                return descriptor
            os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)

    def assign_name(self, temporary: str, name: str) -> None:
        """Put a file under its final name in one step.

        Raises:
            FileExistsError: the name is taken.
        """
        # Renaming never replaces a file on Windows; on POSIX it would, so there a link is made.
        if os.name == "nt":
            Path(self._at(temporary)).rename(self._at(name))
            return
        try:
            self._link(temporary, name)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Some file systems (FAT) have no hard links: there it takes two steps.
            if self.stat(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from error
            self.replace(temporary, name)
        else:
            self.remove(temporary)

    def replace(self, source: str, name: str) -> None:
        """Rename a file, replacing whatever has the name."""
        os.replace(
            self._at(source),
            self._at(name),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
        )

    def remove(self, name: str) -> None:
        """Remove a file if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)

    def list_names(self) -> list[str]:
        """Return the names in the folder, in no order."""
        folder = self.path if self._descriptor is None else self._descriptor
        return os.listdir(folder)  # noqa: PTH208 - a path cannot stand for a descriptor

    def sync(self) -> None:
        """Make the names survive a power cut, where the system can."""
        # Syncing a file writes its bytes, but not the folder's entry for it.
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _link(self, source: str, name: str) -> None:
        os.link(
            self._at(source),
            self._at(name),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
            follow_symlinks=False,
        )

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags | _SAFE, 0o600, dir_fd=self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)


def is_regular(status: os.stat_result | None) -> TypeGuard[os.stat_result]:
    """Return whether there is an ordinary file: no link, folder, device or pipe."""
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    return not getattr(status, "st_file_attributes", 0) & _REPARSE_POINT


@contextmanager
def open_folder(path: Path, *, create: bool = False) -> Iterator[Directory]:
    """Open the folder for the length of the block.

    Args:
        create: makes a missing folder, readable by its user alone.

    Raises:
        Failure: `FORBIDDEN` for a folder that may not be written or became a link, `UNAVAILABLE`
            for a full disk and other trouble, `NOT_FOUND` where it is missing.
    """
    with translate_errors(path):
        if create:
            try:
                _make_folder(path)
            except FileNotFoundError as error:
                # Some places take no new folder and say that there is none.
                raise _make_unusable(error, path) from None
        if not RELATIVE:
            _check_links(path)
            yield Directory(path, None)
            return
        descriptor = os.open(path, os.O_RDONLY | _FOLDER | _SAFE)
        try:
            # Checked after it was opened: what is swapped from now on does not matter.
            _check_links(path)
            yield Directory(path, descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn trouble with the disk into a Failure in the user's words."""
    try:
        yield
    except OSError as error:
        raise _make_failure(error, path) from error


def _make_folder(path: Path) -> None:
    try:
        make_private(path)
    except FileExistsError:
        # A link is left to `_check_links`, whose message says what happened.
        if not path.is_symlink() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None


def _check_links(path: Path) -> None:
    # `path` was resolved when the server started: a link in it now was put there since.
    if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
        raise _make_redirection(path)


def _make_redirection(path: Path) -> Failure:
    return Failure(
        Code.FORBIDDEN,
        f"The export folder {path} became a link to another place after the server started; "
        "nothing was written.",
        "Put the folder back, or start the server again if the new place is meant.",
    )


def _make_unusable(error: OSError, path: Path) -> Failure:
    return Failure(
        Code.FORBIDDEN,
        f"The export folder {path} cannot be used: {error.strerror or type(error).__name__}.",
        f"Allow this user to write there. {_ELSEWHERE} otherwise.",
    )


def _make_failure(error: OSError, path: Path) -> Failure:
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return Failure(
            Code.UNAVAILABLE,
            f"The disk of the export folder {path} is full ({reason}); "
            "the unfinished file was removed.",
            f"Free some space and start the export again. {_ELSEWHERE} if another disk has room.",
            retryable=True,
            # A job pauses at once: no second try of its own would find more room.
            disk="full",
        )
    if error.errno in _REFUSED:
        return _make_unusable(error, path)
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and path.is_symlink():
        return _make_redirection(path)
    if error.errno == errno.ENOTDIR:
        return Failure(
            Code.FORBIDDEN, f"{path} is not a folder, so nothing can be exported.", f"{_ELSEWHERE}."
        )
    if isinstance(error, FileNotFoundError):
        return Failure(Code.NOT_FOUND, f"There is no such file in the export folder {path}.")
    return Failure(Code.UNAVAILABLE, f"The export folder {path} failed: {reason}.", retryable=True)
