"""What of a server's own words is shown: no markup, no traceback, no folder and no module."""

from __future__ import annotations

import re

from server.text import truncate_line

_MARKUP = re.compile(r"<[a-z!/][^>]*>|\x1b\[[0-9;]*m", re.IGNORECASE)
# Of an absolute path, never of a URL: a colon, a slash or a word stands before the slash of these.
_FOLDER = re.compile(r"(?<![\w:/.])/(?:[^\s/'\"<>:,;()\[\]]+/)+|\b[A-Za-z]:\\(?:[^\s\\'\"<>|]+\\)+")
_MODULE = re.compile(
    r"\b(?:django|ninja|pydantic\w*|archivebox|abx\w*|core|crawls|machine|personas|urllib3?|httpx?)"
    r"\.(?:\w+\.)*([A-Z]\w*)"
)
# Its own functions; not its host names, which begin with the same word.
_OWN_MODULE = re.compile(
    r"\barchivebox\.(?:api|cli|config|core|crawls|extractors|hooks|machine|misc|plugins|workers)"
    r"(?:\.\w+)*\.(\w+)"
)


def hide_internals(text: str) -> str:
    """Return a text of the server without the folders of its files and the modules of its classes:
    they tell strangers how the server is built, and a caller nothing."""
    return _OWN_MODULE.sub(r"\1", _MODULE.sub(r"\1", _FOLDER.sub("", text)))


def clean(text: str, most: int = 300) -> str:
    """Return a message of the server without markup, colours and traceback, and not at length.

    Args:
        most: characters of the result.
    """
    text = text.split("Traceback (most recent call last)")[0]
    return truncate_line(hide_internals(_MARKUP.sub(" ", text)), most)
