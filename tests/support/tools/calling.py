"""Arguments as a call brings them, for the tests of the tools."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any, TypeVar

import pytest

from server.archive.operations import ArchiveRequest, ArchiveTool
from server.errors import Code, Failure
from server.tool.arguments import parse

T = TypeVar("T", bound=ArchiveTool[Any])


def parsed(
    request: type[T],
    *,
    zone: tzinfo = UTC,
    instants: list[dict[str, str]] | None = None,
    **raw: Any,
) -> T:
    """The request that the arguments spell; `instants` collects what plain days became."""
    return parse(request, raw, {"timezone": zone, "instants": [] if instants is None else instants})


def sent(request: type[ArchiveRequest[Any]], **raw: Any) -> dict[str, Any]:
    """The variables that the arguments become."""
    return parsed(request, **raw).variables()


def refused(request: type[ArchiveTool[Any]], **raw: Any) -> Failure:
    """The refusal that the arguments meet."""
    with pytest.raises(Failure) as caught:
        parsed(request, **raw)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.hint
    return caught.value
