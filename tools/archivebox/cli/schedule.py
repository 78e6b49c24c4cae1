"""Save pages regularly: `archivebox schedule`."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Confirmed,
    Text,
)
from server.archivebox.failures import get_command_result
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.tool.confirmation import Preview
from server.tool.request import Risk
from tools.archivebox.records import Report

# The server answers anything else with a 503, like any fault of its own.
_CRON = re.compile(r"(minute|hour|day|week|month|year|(\S+\s+){4}\S+)\Z")


class Schedule(Confirmed[Report]):
    """Show, add or clear the schedule of pages that ArchiveBox saves regularly. The user is asked
    before changes."""

    operation = "POST /cli/schedule"
    title = "Schedule saving"
    risk: ClassVar[Risk] = "changes"
    repeatable = False
    verify = "show the schedule."

    show: bool = Field(False, description="Only show it")
    import_path: Text | None = Field(None, description="URL to save")
    every: Text | None = Field(None, description="hour, day, week, month, or cron")
    depth: int | None = Field(None, ge=0, le=4, description="Levels of links to follow")
    tag: Text | None = Field(None, description="Tag names with commas")
    clear: bool = Field(False, description="Delete all schedules")

    def check(self) -> None:
        requested = [self.show, self.clear, self.import_path is not None]
        if sum(requested) != 1:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give exactly one of `show`, `clear` and `import_path`.",
                "One call does one thing.",
            )
        if self.import_path:
            check_web_address(self.import_path)
            if not self.every or not _CRON.match(self.every):
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    "`every` must be minute, hour, day, week, month, year, or a cron expression "
                    "of five fields.",
                    "For example day.",
                )

    def body(self) -> dict[str, Any]:
        return {**self.request_values(), **({"add": True} if self.import_path else {})}

    async def prepare(self, context: ArchiveBoxContext) -> None:
        if not context.description.takes(self.operation, "show"):
            version = context.description.version
            raise Failure(
                Code.UNSUPPORTED,
                f"The schedule command of ArchiveBox {version} fails on this route, "
                "whatever it is sent.",
                "The user schedules on the server itself, or updates ArchiveBox.",
            )
        await super().prepare(context)

    def present(self, answer: Any) -> dict[str, Any]:
        result = get_command_result(answer)
        return result if isinstance(result, dict) else {"schedules": result}

    async def preview(self, context: ArchiveBoxContext) -> Preview | None:
        if self.show:
            return None
        if self.clear:
            # The ids are part of what is confirmed: a schedule added meanwhile is not deleted
            # unseen.
            ids = await self._active(context.api)
            return Preview(
                f"Delete all schedules of ArchiveBox ({len(ids)})?",
                {"clear": True, "schedules": ids},
            )
        return Preview(
            f"Save {self.import_path} every {self.every} from now on (links followed: "
            f"{self.depth or 0} levels)?",
            {
                "import_path": self.import_path,
                "every": self.every,
                "depth": self.depth or 0,
                "tag": self.tag,
            },
        )

    async def _active(self, api: ArchiveBoxApi) -> list[str]:
        """Return the ids of the active schedules."""
        # The endpoint that changes schedules also shows them, and showing may be repeated.
        result = get_command_result(
            await api.change("POST", self.path(), {"show": True}, repeatable=True, verify="")
        )
        return (
            sorted(map(str, result.get("active_schedule_ids") or []))
            if isinstance(result, dict)
            else []
        )
