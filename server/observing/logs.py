"""Log lines as JSON, for programs that collect them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from server.audit.auditor import REQUEST_ID
from server.text import clean_sentence


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object on a line, with the id of the HTTP request."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        content: dict[str, str] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": clean_sentence(record.getMessage()),
        }
        if request := REQUEST_ID.get():
            content["request"] = request
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


def write_json() -> None:
    """Have all log lines of this process written as JSON from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonFormatter())
