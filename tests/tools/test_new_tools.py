"""What a tool needs besides its class: what is missing is told, with the file it belongs in."""

from __future__ import annotations

import pytest

from tests.support.archive.example_calls import VIEWS, Found, arguments
from tests.support.paths import ARCHIVE_API
from tests.support.surface import API, CLASSES, OPERATION_TOOLS, OPERATIONS, ROWS
from tests.support.tools.write_cases_views import CASES
from tests.tools.archivebox.test_archivebox_surface import CONTRACT as BOX_CONTRACT
from tests.tools.test_surface import CONTRACT

ANYTHING = Found(["1"], "u", "1", "a", "TIKTOK", "1", "1", "1", "1", dict.fromkeys(VIEWS, "1"))

BACKENDS = {row["tool"]["name"]: row["backend"] for row in ROWS}
SERVED = {row["operation"] for row in ROWS if row["tool"]["name"] in OPERATION_TOOLS}
WRITES = [name for name in OPERATION_TOOLS if CLASSES[name].risk != "reads"]
BOX = [name for name, backend in BACKENDS.items() if backend == "archivebox"]


@pytest.mark.parametrize(
    ("needed", "present", "where"),
    [
        (SERVED, OPERATIONS, f"{ARCHIVE_API.name}, under `queries` or `mutations`"),
        (OPERATIONS, SERVED, "tools/archive, as a tool"),
        (OPERATION_TOOLS, CONTRACT, "CONTRACT of tests/tools/test_surface.py"),
        (WRITES, CASES, "CASES of tests/support/tools/write_cases.py or write_cases_views.py"),
        (OPERATION_TOOLS, arguments(ANYTHING), "tests/support/archive/example_calls.py"),
        (BOX, BOX_CONTRACT, "CONTRACT of tests/tools/archivebox/test_archivebox_surface.py"),
    ],
    ids=["api", "tools", "contract", "writes", "examples", "archivebox"],
)
def test_everything_that_a_tool_needs_is_there(
    needed: set[str], present: dict[str, object], where: str
) -> None:
    missing = sorted(set(needed) - set(present))

    assert not missing, f"to be added to {where}: {', '.join(missing)}"


def test_the_list_of_the_api_is_whole() -> None:
    # The figures of the published schema: a list that lost a part would hold nothing to it.
    assert (len(API["queries"]), len(API["mutations"])) == (29, 24)
