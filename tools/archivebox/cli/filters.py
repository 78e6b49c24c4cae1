"""The filters that several commands share, and how a command is run."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.endpoints import (
    Change,
    EndpointRequest,
)
from server.archivebox.failures import get_command_result
from server.archivebox.filters import FilterType, Patterns
from server.archivebox.moments import Seconds
from server.errors import Failure
from server.tool.result import drop_nulls

R = TypeVar("R")


class Filters(EndpointRequest[R], Generic[R]):
    """The filters that several commands share."""

    filter_type: FilterType = Field(
        "substring",
        description="How the patterns match.",
    )
    # The command calls them `after` and `before`; in a list `after` is the cursor.
    after_: Seconds | None = Field(
        None, alias="bookmarked_after", description="Day, instant or Unix seconds."
    )
    before_: Seconds | None = Field(
        None, alias="bookmarked_before", description="Day, instant or Unix seconds."
    )

    def patterns(self) -> Patterns:
        """Return the patterns of the call.

        Raises:
            Failure: `INVALID_ARGUMENT` for one that is no regular expression, or no domain.
        """
        return Patterns.parse(self.filter_type, getattr(self, "filter_patterns", None) or [])

    def check(self) -> None:
        super().check()
        self.patterns()

    def times(self) -> dict[str, Any]:
        """Return the dates as the command takes them, in Unix seconds."""
        times = drop_nulls({"after": self.after_, "before": self.before_})
        return dict(zip(times, map(float, times.values()), strict=True))


async def run_command(
    request: Change[Any], api: ArchiveBoxApi, body: dict[str, Any]
) -> dict[str, Any]:
    """Return the report of a command; 0.8.5 does it and then cannot write its answer."""
    try:
        result = get_command_result(await request.send(api, body))
    except Failure as failure:
        if "is not JSON serializable" not in failure.message:
            raise
        return {
            "notes": [f"ArchiveBox {api.description.version} did it, and cannot say more about it."]
        }
    return result if isinstance(result, dict) else {"result": result}
