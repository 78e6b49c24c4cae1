"""Names of export files: what a caller may choose, and what is chosen where nothing was.

The rules are those of the strictest system a file may travel to, so that a name that works here
works on Windows too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal, get_args

from server.errors import Code, Failure

Format = Literal["jsonl", "csv", "parquet", "png"]
"""What an export file can be; also its extension."""
FORMATS: tuple[Format, ...] = get_args(Format)

MAX_CHARACTERS = 120
MAX_BYTES = 200
"""Of a whole file name in UTF-8: what is put around it (a number, a job's id) keeps it within the
usual 255."""

_FIRST_NUMBER, _LAST_NUMBER = 2, 999
_MAX_AUTOMATIC = 80
_FORBIDDEN = frozenset('<>:"|?*')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9])", re.IGNORECASE
)
_EXTENSION = re.compile(rf"\.({'|'.join(FORMATS)})\Z", re.IGNORECASE)
_EXAMPLE = 'Send a plain name such as "q4-report", without a folder.'


def file_name(name: str, file_format: Format) -> str:
    """The file's name for a caller's `name`: the extension follows the format.

    Raises:
        Failure: `INVALID_ARGUMENT` with the rule that the name breaks.
    """
    chosen = _EXTENSION.sub("", _checked(name))
    return _checked(f"{_checked(chosen)}.{file_format}")


def existing_name(name: str) -> str:
    """The name of an export as it was listed, checked by the same rules.

    Raises:
        Failure: `INVALID_ARGUMENT` for a name that no export can have.
    """
    checked = _checked(name)
    _checked(_EXTENSION.sub("", checked))
    if _EXTENSION.search(checked) is None:
        raise _refusal(
            f"{name!r} is not an export: they end in {', '.join(f'.{each}' for each in FORMATS)}."
        )
    return checked


def automatic_name(what: str, when: datetime, file_format: Format) -> str:
    """A name from what is exported and the minute in UTC:
    `creators-northwind-2026-11-02-0915.csv`."""
    plain = unicodedata.normalize("NFKD", what).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_MAX_AUTOMATIC].strip("-")
    return f"{slug or 'export'}-{when.astimezone(UTC):%Y-%m-%d-%H%M}.{file_format}"


def format_of(name: str) -> Format | None:
    """The format that a file's extension says, None for a file that is no export."""
    ending = name.rpartition(".")[2].lower()
    return next((each for each in FORMATS if each == ending), None)


def is_export(name: str) -> bool:
    """Whether a file in the folder can be an export, by its name."""
    try:
        existing_name(name)
    except Failure:
        return False
    return True


def alternatives(name: str) -> Iterator[str]:
    """The name itself, then `name-2`, `name-3` and so on in front of the extension."""
    yield name
    stem, _, ending = name.rpartition(".")
    for number in range(_FIRST_NUMBER, _LAST_NUMBER + 1):
        yield f"{stem}-{number}.{ending}"


def _checked(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise _refusal("The name is empty.")
    if "/" in name or "\\" in name:
        raise _refusal(
            "The name holds a path; files are only written into the export folder itself."
        )
    if not name.isprintable():
        raise _refusal("The name holds a control character, an invisible one or an unusual blank.")
    if found := sorted(_FORBIDDEN.intersection(name)):
        raise _refusal(f"The name holds {' '.join(found)}, which not every system allows.")
    if name.startswith((".", " ")) or name.endswith((".", " ")):
        raise _refusal("The name starts or ends with a dot or a space.")
    if len(name) > MAX_CHARACTERS or len(name.encode()) > MAX_BYTES:
        raise _refusal(f"The name is longer than {MAX_CHARACTERS} characters or {MAX_BYTES} bytes.")
    # Windows also takes the digits of COM and LPT as superscripts, and ignores what follows the
    # first dot.
    if _DEVICE.fullmatch(unicodedata.normalize("NFKC", name).partition(".")[0].strip()):
        raise _refusal(f"{name!r} is the name of a device on Windows.")
    return name


def _refusal(message: str) -> Failure:
    return Failure(Code.INVALID_ARGUMENT, f"File name: {message}", _EXAMPLE)
