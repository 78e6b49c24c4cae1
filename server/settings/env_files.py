"""Reads one `.env` file as people write it, on every system and in every editor."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dotenv.parser import Binding

MOST_BYTES = 1024 * 1024
"""The most bytes that are read of a file; one with settings has a few hundred."""

# Notepad's "Unicode" is UTF-16, and its "UTF-8" begins with a byte order mark.
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In quotes the format reads `\n` as a line break, and `"C:\new"` would lose its folder.
_QUOTED_WINDOWS_PATH = re.compile(
    r"""^(?P<start>\s*(?:export\s+)?\w+\s*=\s*)"""
    r"""(?P<quote>["'])(?P<path>(?:[A-Za-z]:|\\)\\[^"'\r\n]*)(?P=quote)""",
    re.MULTILINE,
)
_SINGLE_BACKSLASH = re.compile(r"(?<!\\)\\(?!\\)")
# A comment has a blank behind its `#`; without one it is more likely a part of the value.
_DOUBTFUL_COMMENT = re.compile(r"=\s*[^'\"\s].*?\s#\S")

# What needs no quotes in any reader of such files.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=-]+")


class EnvFileError(Exception):
    """A file cannot be read; the message says which one, why, and what to do."""


class NotTextError(EnvFileError):
    """A file is no text, so that nothing can be said about what is in it."""


@dataclass(frozen=True)
class EnvFile:
    """The values of a file, the line of each, and what may have been meant otherwise."""

    values: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_env_file(path: Path, names: Collection[str]) -> EnvFile:
    """Return what a file says about these names; an absent file says nothing.

    Raises:
        EnvFileError: The file is there and cannot be read as text.
    """
    text = _read_text(path)
    if not text:
        return EnvFile()
    # Imported only where there is a file: the start of a server should not pay for it.
    from io import StringIO

    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    warnings: list[str] = []
    # The parser and not `dotenv_values`: it tells the lines, and leaves a `$` in a token alone.
    for binding in parse_stream(StringIO(_QUOTED_WINDOWS_PATH.sub(_escape_path, text))):
        statement = binding.original.string
        # The parser counts blank lines before a statement as a part of it.
        blank = statement[: len(statement) - len(statement.lstrip())]
        line = binding.original.line + blank.count("\n")
        if binding.error:
            warnings += _report_unreadable(path, line, statement, names)
        if binding.key is None or binding.value is None:
            continue
        if binding.key not in names:
            warnings += _report_other_name(path, line, binding.key, names)
            continue
        values[binding.key], lines[binding.key] = binding.value, line
        if _DOUBTFUL_COMMENT.search(statement):
            warnings.append(
                f"{path}, line {line}: what follows the # in {binding.key} was taken for a "
                "comment. If it belongs to the value, put the value in single quotes."
            )
    return EnvFile(values, lines, tuple(warnings))


def _read_text(path: Path) -> str:
    try:
        status = path.stat()
        # A pipe or a device would keep the start waiting, or never end.
        if not stat.S_ISREG(status.st_mode):
            raise EnvFileError(f"{path} is not a file.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvFileError(f"{path} cannot be read: {reason}.") from None
    if len(content) > MOST_BYTES:
        raise EnvFileError(f"{path} is larger than {MOST_BYTES // 1024**2} MB.")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> str:
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotTextError(
            f"{path}, line {line}: it is not UTF-8 text. Save the file as UTF-8."
        ) from None
    if "\0" in text:
        raise NotTextError(f"{path} is not UTF-8 text. Save the file as UTF-8.")
    return text


def _escape_path(match: re.Match[str]) -> str:
    """Return a quoted Windows path so that the parser reads each backslash as one."""
    # Somebody who doubled every backslash knows the format.
    if not _SINGLE_BACKSLASH.search(match["path"]):
        return match[0]
    escaped = match["path"].replace("\\", "\\\\")
    return f"{match['start']}'{escaped}'"


def _report_unreadable(path: Path, line: int, statement: str, names: Collection[str]) -> list[str]:
    """Return a warning where a statement that makes no sense holds one of the names."""
    skipped = [name for name in names if name in statement]
    if not skipped:
        return []
    return [
        f"{path}, line {line}: this cannot be read as NAME=value (is a quote left open?), "
        f"so {', '.join(skipped)} is not read from it."
    ]


def _report_other_name(path: Path, line: int, key: str, names: Collection[str]) -> list[str]:
    """Return a warning where a name is one of these in other letters or as another shell has it."""
    name = key.rpartition(":")[2].upper()
    if name not in names:
        return []
    return [f"{path}, line {line}: {key} is not {name}, and is not read. Write {name}=value."]


def _read_name(binding: Binding) -> str:
    return "" if binding.error else binding.key or ""


def change_variables(text: str, changes: Mapping[str, str | None]) -> str:
    """Return the text of a file with these values, where None removes a variable.

    Everything else stays as it is, comments and the order of lines included.
    """
    from io import StringIO

    from dotenv.parser import parse_stream

    line_break = "\r\n" if "\r\n" in text else "\n"
    missing = dict(changes)
    parts: list[str] = []
    for binding in parse_stream(StringIO(text, newline="")):
        statement = binding.original.string
        name = _read_name(binding)
        if name in changes:
            # The last of several would win: all of them become the new one.
            statement = _replace(statement, name, changes[name], line_break)
            missing.pop(name, None)
        parts.append(statement)
    result = "".join(parts)
    # A last line without its break would run into the next.
    if result and not result.endswith(("\n", "\r")):
        result += line_break
    for name, value in missing.items():
        result += _replace("", name, value, line_break)
    return result


def _replace(statement: str, name: str, value: str | None, line_break: str) -> str:
    """Return a statement with another value; of one without a value the blank lines before it."""
    # The parser counts those as a part of the statement.
    bare = statement.lstrip()
    blank = statement[: len(statement) - len(bare)]
    if value is None:
        return blank
    export = "export " if bare.startswith("export") else ""
    return f"{blank}{export}{name}={_quote(value)}{line_break}"


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
