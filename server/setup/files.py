"""Reads and replaces files that belong to other programs: whole, with a backup, or not at all."""

from __future__ import annotations

import codecs
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 64 * 1024 * 1024
_PRIVATE = 0o600
_WRITABLE = 0o222
_BACKUP = ".before-archive-mcp"


class FileError(Exception):
    """A file cannot be read or replaced, and is as it was; the message says why."""


@dataclass(frozen=True)
class TextFile:
    """A file as it was read.

    Args:
        path: the file itself, behind all links.
        content: its bytes; None where there is no file yet.
        text: its text without the byte order mark.
        mark: the byte order mark.
    """

    path: Path
    content: bytes | None
    text: str
    mark: bytes = b""

    def replace(self, text: str, *, is_secret: bool = False) -> Path | None:
        """Put a text in the place of the file's and return the backup, where there is one.

        Args:
            is_secret: nobody but the user may read the file from now on, and no copy of it stays.

        Raises:
            FileError: The file changed meanwhile, or cannot be written; it is as it was.
        """
        try:
            return self._replace(self.mark + text.encode("utf-8"), is_secret=is_secret)
        except OSError as error:
            raise FileError(f"{self.path} cannot be written: {_explain(error)}.") from None

    def _replace(self, content: bytes, *, is_secret: bool) -> Path | None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = _PRIVATE
        if self.content is not None:
            mode = self._check_owner(self.path.stat())
        if is_secret:
            mode = _PRIVATE
        fresh = _write_beside(self.path, content, mode)
        try:
            # The client itself may have written since; what it wrote must not be lost.
            if _read_bytes(self.path) != self.content:
                raise FileError(f"{self.path} was changed meanwhile. Run this again.")
            backup = None if is_secret else self._copy()
            fresh.replace(self.path)
        except BaseException:
            with suppress(OSError):
                fresh.unlink()
            raise
        return backup

    def _check_owner(self, status: os.stat_result) -> int:
        mode = stat.S_IMODE(status.st_mode)
        # A new file takes its place, which asks only for rights in the folder.
        if not mode & _WRITABLE:
            raise FileError(f"{self.path} is read-only.")
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise FileError(f"{self.path} belongs to another user.")
        return mode

    def delete(self) -> None:
        """Delete the file.

        Raises:
            FileError: It cannot be deleted.
        """
        try:
            self.path.unlink()
        except OSError as error:
            raise FileError(f"{self.path} cannot be deleted: {_explain(error)}.") from None

    def back_up(self) -> Path | None:
        """Write a copy of the file and return its path; None where there is no file.

        Raises:
            FileError: It cannot be written.
        """
        try:
            return self._copy()
        except OSError as error:
            raise FileError(f"{self.path} cannot be backed up: {_explain(error)}.") from None

    def _copy(self) -> Path | None:
        """Write a copy beside the file under a name that no earlier copy has."""
        if self.content is None:
            return None
        for number in range(1, 1000):
            suffix = _BACKUP if number == 1 else f"{_BACKUP}-{number}"
            backup = self.path.with_name(f"{self.path.name}{suffix}")
            if backup.exists():
                continue
            copy = _write_beside(backup, self.content, stat.S_IMODE(self.path.stat().st_mode))
            copy.replace(backup)
            return backup
        raise FileError(f"{self.path} has a thousand backups already. Delete some.")


def read_text_file(path: Path) -> TextFile:
    """Return a file; one that does not exist yet is empty.

    Raises:
        FileError: It is no file, too large, unreadable, or no UTF-8 text.
    """
    try:
        # A link stays a link: it is the file behind it that is replaced.
        target = Path(os.path.realpath(path, strict=path.exists()))
        content = _read_bytes(target)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {_explain(error)}.") from None
    if content is None:
        return TextFile(target, None, "")
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    try:
        text = content[len(mark) :].decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"{path}, line {line}: it is not UTF-8 text.") from None
    return TextFile(target, content, text, mark)


def _read_bytes(path: Path) -> bytes | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # A pipe or a device would keep us waiting.
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path} is no file.")
    if status.st_size > _MOST_BYTES:
        raise FileError(f"{path} is larger than {_MOST_BYTES // 1024**2} MB.")
    return path.read_bytes()


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    """Write the content to a new file in the folder of a path, on the disk for good."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(mode)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    return fresh


def _explain(error: OSError) -> str:
    return error.strerror or str(error)
