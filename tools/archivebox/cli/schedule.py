"""Save pages regularly: `archivebox schedule`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from server import wall_clock
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.cron import ADVERBS, WORDS, Cron
from server.archivebox.endpoints import (
    Confirmed,
    Text,
)
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.text import quote_title, show_url
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, drop_nulls, whole
from tools.archivebox.cli.filters import run_command
from tools.archivebox.cli.schedules import ADMIN_PAGE, describe, list_schedules, read_active
from tools.archivebox.records import Report
from tools.archivebox.shapes import leave_out
from tools.archivebox.tag_names import TagText

_SHOWN = 5


class Schedule(Confirmed[Report]):
    """Show, add or clear the schedule of pages that ArchiveBox saves regularly (such as weekly).
    Each run makes a new copy, unless `only_new`. The user is asked before changes."""

    operation = "POST /cli/schedule"
    title = "Schedule saving"
    search_hint = (
        "every day, every week, daily, monthly, hourly, regularly, recurring, automatically, "
        "captured weekly, save the homepage each morning, keep saving, timetable, cron, set up "
        "regular copies, show schedule, stop the regular saving, monitor a page for changes, "
        "webcomic, newspaper, each night, once a month, on a regular basis, check back, what is "
        "scheduled, planned captures, cancel the schedule, front page, news site, function for "
        "scheduling, every monday, from now on, friday, nightly, once a day, fortnightly, every "
        "hour, periodically, auto"
    )
    risk: ClassVar[Risk] = "changes"
    reads_too = True
    repeatable = False
    verify = "show the schedule."

    show: bool = Field(False, description="Only show it.")
    import_path: Text | None = Field(None, description="URL to save.")
    every: Text | None = Field(
        None, description="daily, weekly, monthly, yearly, hour, minute, or cron (UTC)."
    )
    depth: int | None = Field(None, ge=0, le=4, description="Levels of links to follow.")
    tag: TagText | None = Field(None, description="Tags (labels), separated by commas.")
    only_new: bool = Field(False, description="Skip URLs saved already: no new copies.")
    clear: bool = Field(False, description="Delete all schedules.")

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
            self._parse_times()

    def _parse_times(self) -> Cron:
        """Return when the schedule runs.

        Raises:
            Failure: as `Cron.parse`.
        """
        return Cron.parse(self.every or "")

    def call_risk(self) -> Risk:
        return "reads" if self.show else self.risk

    def body(self) -> dict[str, Any]:
        if self.clear:
            return {"clear": True}
        options = {"depth": self.depth, "tag": self.tag, "only_new": self.only_new}
        body = {"add": True, "import_path": self.import_path, "every": (self.every or "").strip()}
        return body | drop_nulls(options)

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        # Before 0.9.73 each run makes a new copy, and the argument does not exist.
        if not self.only_new and not description.takes(self.operation, "only_new"):
            values = leave_out(values, ("only_new",))
        return super().require_supported(description, values)

    async def prepare(self, context: ArchiveBoxContext) -> None:
        if not context.description.takes(self.operation, "show"):
            version = context.description.version
            raise Failure(
                Code.UNSUPPORTED,
                f"The schedule command of ArchiveBox {version} fails on this route, "
                "whatever it is sent.",
                "The user schedules on the server itself, or updates ArchiveBox.",
            )
        if not self.show:
            await super().prepare(context)

    async def preview(self, context: ArchiveBoxContext) -> Preview | None:
        if self.show:
            return None
        if self.clear:
            return _preview_clear(await list_schedules(context.api))
        cron = self._parse_times()
        depth = self.depth or 0
        skipped = (
            "only while the URL is not saved yet: no new copies"
            if self.only_new
            else "each time a new copy"
        )
        when = f"every `{cron.expression}` (cron, UTC)"
        if self.every in WORDS:
            when = f"{ADVERBS[cron.expression]} ({cron.expression}, UTC)"
        tags = f", tags {quote_title(self.tag)}" if self.tag else ""
        return Preview(
            f"Save {show_url(self.import_path)} {when} from now on, {skipped}; links "
            f"followed: {depth} levels{tags}?",
            {
                "import_path": self.import_path,
                "every": self.every,
                "cron": cron.expression,
                "only_new": self.only_new,
                "depth": depth,
                "tag": self.tag,
            },
        )

    async def run(self, context: ArchiveBoxContext) -> Result:
        if self.show:
            return whole(describe(await list_schedules(context.api), context.client.url))
        body = self.require_supported(context.description, self.body())
        report = await run_command(self, context.api, body)
        active = await read_active(context.api)
        # What the command reports of itself is from before it was done.
        report = {**report, "active_schedule_ids": active}
        return whole(report if self.clear else {**report, **self._outlook(context)})

    def _outlook(self, context: ArchiveBoxContext) -> dict[str, Any]:
        """Return when the new schedule runs first, which the server does not say."""
        cron = self._parse_times()
        first = cron.next_run(wall_clock.utc_now())
        return {
            "cron": cron.expression,
            "first_run": first and wall_clock.utc_stamp(first),
            "notes": [
                "Nothing is saved before the first run (UTC), and only while ArchiveBox's own "
                f"server runs. The user sees and changes schedules at "
                f"{context.client.url}{ADMIN_PAGE}."
            ],
        }


def _preview_clear(schedules: list[dict[str, Any]]) -> Preview:
    urls = [show_url(schedule.get("urls", ["?"])[0]) for schedule in schedules]
    visible = ", ".join(urls[:_SHOWN]) + (", ..." if len(urls) > _SHOWN else "")
    # The ids are part of what is confirmed: a schedule added meanwhile is not deleted unseen.
    ids = sorted(str(schedule["id"]) for schedule in schedules)
    return Preview(
        f"Delete all schedules of ArchiveBox ({len(schedules)}{': ' if urls else ''}{visible})? "
        "Saved pages stay.",
        {"clear": True, "schedules": ids, "urls": urls},
    )
