"""The filters that several commands share, and how a command is run."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.endpoints import (
    Change,
    EndpointRequest,
)
from server.archivebox.failures import get_command_result
from server.errors import Code, Failure

FilterType = Literal["exact", "substring", "regex", "domain", "tag", "timestamp"]
"""All there are: any other one takes the server's web process down."""


class Filters(EndpointRequest[Any]):
    """The filters that several commands share."""

    filter_type: FilterType = Field("substring", description="How patterns match")
    # The command calls them `after` and `before`; in a list `after` is the cursor.
    after_: float | None = Field(None, alias="bookmarked_after", description="Unix seconds")
    before_: float | None = Field(None, alias="bookmarked_before", description="Unix seconds")

    def patterns(self) -> list[str]:
        """Return the patterns of the call."""
        return list(getattr(self, "filter_patterns", None) or [])

    def check(self) -> None:
        super().check()
        # The server answers a pattern that does not compile with a 503, like any other fault.
        for pattern in self.patterns() if self.filter_type == "regex" else []:
            try:
                re.compile(pattern)
            except re.error as error:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"{pattern!r} is not a regular expression: {error}.",
                    "Correct the pattern.",
                ) from None

    def filters(self) -> dict[str, Any]:
        """Return the filters as the command takes them."""
        times = {"after": self.after_, "before": self.before_}
        return {
            "filter_type": self.filter_type,
            **{name: each for name, each in times.items() if each is not None},
        }


async def run_command(request: Change[Any], api: ArchiveBoxApi, body: dict[str, Any]) -> Any:
    """Return the result of a command; 0.8.5 does it and then cannot write its answer."""
    try:
        return get_command_result(await request.send(api, body))
    except Failure as failure:
        if "is not JSON serializable" not in failure.message:
            raise
        return {
            "notes": [f"ArchiveBox {api.description.version} did it, and cannot say more about it."]
        }
