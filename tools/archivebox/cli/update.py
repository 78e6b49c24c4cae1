"""Complete saved pages: `archivebox update`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from server import wall_clock
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Change,
    Text,
)
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox.cli.filters import Filters, run_command
from tools.archivebox.patterns import server_filters
from tools.archivebox.records import Report

_DAY = 86_400


class Update(Filters[Report], Change[Report]):
    """Run what has not run yet for the matching saved pages, or bring their index up to date. To
    save failed pages anew use archivebox_start_save."""

    operation = "POST /cli/update"
    title = "Complete saved pages"
    search_hint = (
        "older pages don't have a screenshot, complete captures, run missing extractors, finish "
        "incomplete pages, rebuild the index, index up to date, catch up, repair, do the missing "
        "parts, complete the archive, missing outputs, missing formats, add pdfs to older pages, "
        "fill gaps, refresh the index, finish half-saved pages, partly saved, fill these in, "
        "missing pdf and screenshot, incomplete, pages lacking"
    )
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    verify = "look at the pages' outputs ({GET /core/archiveresults})."

    filter_patterns: list[Text] = Field(min_length=1, description="Patterns of the pages.")
    index_only: bool | None = Field(None, description="Only the index.")

    def body(self) -> dict[str, Any]:
        kind, patterns = self.patterns().for_server()
        body = {"filter_patterns": patterns, "filter_type": kind, **self.times()}
        if self.index_only is not None:
            body["index_only"] = self.index_only
        if "before" not in body:
            # The default of 0.9.31 is a moment beyond the calendar, which it then cannot read
            # itself.
            body["before"] = int(wall_clock.utc_now().timestamp()) + _DAY
        return body

    async def run(self, context: ArchiveBoxContext) -> Result:
        # A tag as the server spells it.
        body = {**self.body(), **await server_filters(context.api, self.patterns())}
        body = self.require_supported(context.description, body)
        return whole(await run_command(self, context.api, body))
