"""What all clients see of the tools, as the tests of it read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.tool.request import Request
from tests.support.paths import ARCHIVE_API
from tools.surface import (
    requests,
    rows,
)

Schema = dict[str, Any]
API = json.loads(ARCHIVE_API.read_text(encoding="utf-8"))
OPERATIONS = [*API["queries"], *API["mutations"]]
OPERATION_META = "archive-mcp/operation"
ROWS = rows()
TOOLS: dict[str, Schema] = {row["tool"]["name"]: row["tool"] for row in ROWS}
OPERATION_TOOLS = [row["tool"]["name"] for row in ROWS if OPERATION_META in row["tool"]["_meta"]]
ARCHIVE = [row["tool"]["name"] for row in ROWS if row["backend"] == "archive"]
CLASSES: dict[str, type[Request[Any, Any]]] = {each.tool_name(): each for each in requests()}
each_tool = pytest.mark.parametrize("name", TOOLS)
each_archive_tool = pytest.mark.parametrize("name", ARCHIVE)
