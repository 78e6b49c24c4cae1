from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.errors import Code
from tests.support.tools.exporting_shop import (
    Json,
    Shop,
    shop,
)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server over a sandbox, with an export folder that does not exist yet."""
    async with shop(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "con",
        "NUL.csv",
        ".hidden",
        "x" * 300,
        "a\x00b",
        "c:x",
        "e.",
    ],
)
async def test_a_hostile_name_is_refused_before_any_request(there: Shop, name: str) -> None:
    failure = await there.refused(search={}, name=name)

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.message.startswith("File name: ")
    assert there.sandbox.requests == 0
    assert not there.out.exists()


async def test_a_key_that_the_workspace_lacks_is_refused_before_a_file_is_begun(
    there: Shop,
) -> None:
    mail = {"field": "email", "operator": "IS_NOT_EMPTY", "type": "TEXT"}
    failure = await there.refused(what="creators", creators={"customAttributeConditions": [mail]})

    assert "Did you mean `emails`?" in failure.message
    assert not there.out.exists()


async def test_a_folder_that_is_none_is_told_before_anything_is_read(there: Shop) -> None:
    there.out.write_text("a file")
    failure = await there.refused(search={})

    assert failure.code is Code.FORBIDDEN
    assert "is not a folder" in failure.message
    assert there.sandbox.pages == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"search": {"presetId": "b"}, "itemIds": ["a"]}, "exactly one of"),
        ({"what": "creators", "takenAt": {"from": "2026-01-01"}}, "are about items"),
        ({"search": {"limit": 3}}, "takes filter"),
        ({"search": {}, "creators": {"presetId": "b"}}, "`what` set to creators"),
        ({"what": "creators", "search": {"presetId": "b"}}, "are about items"),
        ({"what": "creators", "creators": {"sorting": [{"a": 1}]}}, "takes filter"),
        ({"search": {}, "fields": ["currentEngagement.saves"]}, "does not exist"),
        ({"what": "creators", "fields": ["email"]}, "does not exist"),
        ({"search": {}, "format": "ods"}, "format"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_before_any_request(
    there: Shop, arguments: Json, said: str
) -> None:
    failure = await there.refused(**arguments)

    assert failure.code is Code.INVALID_ARGUMENT
    assert said in failure.message
    assert there.sandbox.requests == 0
