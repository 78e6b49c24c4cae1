"""Names of export files: which ones a caller may choose, and the automatic ones.

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

# The formats of an export file; each is its extension too.
Format = Literal["jsonl", "csv", "xlsx", "parquet", "png", "txt"]
FORMATS: tuple[Format, ...] = get_args(Format)
_BY_ENDING: dict[str, Format] = {file_format: file_format for file_format in FORMATS}

MAX_CHARACTERS = 120
# The most bytes of a file name in UTF-8. With what is put around it (a number, a job's id) it stays
# within the 255 that most file systems allow.
MAX_BYTES = 200

_FIRST_NUMBER, _LAST_NUMBER = 2, 999
_MAX_AUTOMATIC = 80
_SEPARATORS = frozenset("/\\")
_FORBIDDEN = frozenset('<>:"|?*')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9])", re.IGNORECASE
)
_EXTENSION = re.compile(rf"\.({'|'.join(FORMATS)})\Z", re.IGNORECASE)
_EXAMPLE = 'Send a plain name such as "q4-report", without a folder.'


def make_file_name(name: str, file_format: Format) -> str:
    """Return the file's name for a caller's `name`: the extension follows the format.

    Raises:
        Failure: `INVALID_ARGUMENT` with the rule that the name breaks.
    """
    # Checked before and after: without its extension a name may end in a dot or be a device.
    stem = _EXTENSION.sub("", _normalize(name))
    return _normalize(f"{_normalize(stem)}.{file_format}")


def check_existing_name(name: str) -> str:
    """Return the name of a listed export after the checks that every name passes.

    Raises:
        Failure: `INVALID_ARGUMENT` for a name that no export can have.
    """
    normalized = _normalize(name)
    _normalize(_EXTENSION.sub("", normalized))
    if _EXTENSION.search(normalized) is None:
        endings = f".{', .'.join(FORMATS)}"
        raise _make_refusal(f"{name!r} is not an export: exports end in {endings}.")
    return normalized


def make_automatic_name(what: str, when: datetime, file_format: Format) -> str:
    """Return a name from what is exported and the minute in UTC.

    An example is `creators-northwind-2026-11-02-0915.csv`.
    """
    # NFKD separates accents from their letters, so that "Café" becomes "cafe".
    plain = unicodedata.normalize("NFKD", what).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_MAX_AUTOMATIC].strip("-")
    return f"{slug or 'export'}-{when.astimezone(UTC):%Y-%m-%d-%H%M}.{file_format}"


def detect_format(name: str) -> Format | None:
    """Return the format that a file's extension stands for, None for a file that is no export."""
    ending = name.rpartition(".")[2].lower()
    return _BY_ENDING.get(ending)


def is_export(name: str) -> bool:
    """Return whether a file in the folder can be an export, by its name."""
    try:
        check_existing_name(name)
    except Failure:
        return False
    return True


def number_names(name: str) -> Iterator[str]:
    """Yield the name itself, then `name-2`, `name-3` and so on, each with the extension."""
    yield name
    stem, _, ending = name.rpartition(".")
    for number in range(_FIRST_NUMBER, _LAST_NUMBER + 1):
        yield f"{stem}-{number}.{ending}"


def _normalize(name: str) -> str:
    """Return the name in the form NFC, if it breaks no rule."""
    # macOS hands out decomposed names: without one form a name would not equal itself.
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise _make_refusal("The name is empty.")
    if not _SEPARATORS.isdisjoint(name):
        raise _make_refusal("The name contains a path; files go into the export folder itself.")
    if not name.isprintable():
        raise _make_refusal(
            "The name contains a control character, an invisible character or an unusual blank."
        )
    if forbidden := sorted(_FORBIDDEN.intersection(name)):
        raise _make_refusal(
            f"The name contains {' '.join(forbidden)}, which not every system allows."
        )
    # Windows drops dots and spaces at the end; a dot in front marks this server's working files.
    if name != name.strip(". "):
        raise _make_refusal("The name starts or ends with a dot or a space.")
    if len(name) > MAX_CHARACTERS or len(name.encode()) > MAX_BYTES:
        raise _make_refusal(
            f"The name is longer than {MAX_CHARACTERS} characters or {MAX_BYTES} bytes."
        )
    # Windows also takes the digits of COM and LPT as superscripts, and ignores what follows the
    # first dot.
    if _DEVICE.fullmatch(unicodedata.normalize("NFKC", name).partition(".")[0].strip()):
        raise _make_refusal(f"{name!r} is the name of a device on Windows.")
    return name


def _make_refusal(message: str) -> Failure:
    return Failure(Code.INVALID_ARGUMENT, f"File name: {message}", _EXAMPLE)
