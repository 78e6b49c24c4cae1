"""Charts of posts: drawn here from what Archive answers, with the numbers behind them."""

from __future__ import annotations

from contextlib import suppress
from operator import itemgetter
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field

from server import wall_clock
from server.archive.batching import answers
from server.archive.context import ArchiveContext
from server.archive.operations import Text, Workflow
from server.errors import Code, Failure
from server.exports import ExportFolder, store
from server.exports.links import MIME_TYPES, make_uri
from server.exports.names import make_file_name
from server.insights.rows import Row
from server.pictures.drawings import (
    Drawing,
    Subject,
    chart_engagement,
    chart_platform_mix,
    chart_top_creators,
    chart_weeks,
)
from server.pictures.measures import ITEMS, Measure, Metric, make_measure
from server.settings.extras import is_installed, make_missing_library
from server.tool.request import Risk
from server.tool.result import (
    Image,
    Link,
    Result,
    prose,
)
from tools.archive.content.lookups import GetEngagementHistory
from tools.archive.insights.base import SourceItems, describe_items
from tools.archive.insights.chart_words import describe_posts, find_period
from tools.archive.items_window import WindowedSource
from tools.archive.workspace import GetFilterPresets

# More lines than these cannot be told apart in a picture; 3,000 items are 30 pages, which one call
# can wait for.
MOST_ITEMS, MOST_TIMELINES, MOST_METRICS = 3_000, 6, 3
_FIELDS = ["id", "provider", "type", "takenAt", "creator.id", "socialProfile.accountName"]
Kind = Literal["engagement_over_time", "top_creators", "platform_mix", "weekly"]
# What is drawn where no metric is chosen; of the other kinds the number of posts.
_DEFAULTS: dict[Kind, Metric] = {"engagement_over_time": "likes"}


class Chart(WindowedSource, Workflow[dict[str, Any]]):
    """Draw a PNG chart and return its numbers: engagement over time of up to 6 items; top creators,
    platform mix or posts by week of up to 3,000 items. If you need only figures, use
    archive_summarize_performance. Null metrics are gaps; earned media value is in dollars. It
    changes nothing in Archive; `save` writes a file."""

    operation = "chart"
    title = "Draw a chart"
    search_hint = (
        "plot, diagram, bar chart, pie, picture of the numbers, visual, visualise, visualize, for "
        "a slide, deck, presentation, posts per week, weekly, likes over time, platform split, "
        "top creators, leaderboard, trend line, curve, diagramm, make a graph, show it "
        "graphically, infographic, what options do charts have, graph, line, draw, bars, paste, "
        "biggest influencers as bars, showing, trendline, histogram, donut, chart as an image, "
        "graphic"
    )
    risk = "adds"
    reads_by_call = True
    repeatable = False
    verify = "look into the export folder; nothing in Archive was changed."

    kind: Kind = Field(description="What the chart shows.")
    metrics: Annotated[list[Metric], Field(min_length=1, max_length=MOST_METRICS)] | None = Field(
        None,
        description="Up to 3 metrics to draw; the first ranks creators. The default is `items`, "
        "the number of posts (over time: likes).",
    )
    top: int = Field(10, ge=1, le=25, description="Number of creators in `top_creators`.")
    save: Text | None = Field(None, description="Also save the chart as a file of this name.")

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        # A picture is content, not structured data: a schema would promise what the result lacks.
        return None

    @property
    def requested_metrics(self) -> list[Metric]:
        """The metrics to draw, each once."""
        return list(dict.fromkeys(self.metrics or [_DEFAULTS.get(self.kind, ITEMS)]))

    def call_risk(self) -> Risk:
        return "reads" if self.save is None else "adds"

    def check(self) -> None:
        self.require_source()
        self.narrow_by_time()
        if self.kind == "engagement_over_time" and ITEMS in self.requested_metrics:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`metrics`: the number of posts does not change over time.",
                "Choose likes, comments, shares, views, impressions or earnedMediaValue.",
            )
        if self.save is not None:
            # Called for its error: a bad name is refused before anything is read.
            make_file_name(self.save, "png")

    async def run(self, context: ArchiveContext) -> Result:
        # Drawing is an optional extra: the server starts and serves the rest without it.
        if not is_installed("charts"):
            raise make_missing_library(
                "charts", "Charts", "Without it, {performance} has the figures."
            )
        if self.kind == "engagement_over_time":
            drawing, notes = await self._timelines(context)
        else:
            drawing, notes = await self._totals(context)
        # Drawing takes long enough to hold up the other calls of the server.
        png = await anyio.to_thread.run_sync(drawing.draw)
        about = {"kind": self.kind, **drawing.to_dict()}
        notes += drawing.list_notes()
        links: list[Link] = []
        if self.save is not None:
            about["file"], link = await anyio.to_thread.run_sync(
                _save, context.exports(), self.save, png
            )
            links.append(link)
        if notes:
            about["notes"] = notes
        return prose(about, "", Image("image/png", png)).with_links(*links)

    async def _totals(self, context: ArchiveContext) -> tuple[Drawing, list[str]]:
        metrics = self.requested_metrics
        paths = [f"currentEngagement.{name}" for name in metrics if name != ITEMS]
        rows, notes = await self._rows(context, MOST_ITEMS, paths)
        subject = await self._subject(context)
        measures = self._measures(context)
        if self.kind == "top_creators":
            return chart_top_creators(rows, measures, self.top, subject), notes
        if self.kind == "platform_mix":
            return chart_platform_mix(rows, measures, subject), notes
        today = wall_clock.utc_now().date()
        return chart_weeks(rows, measures, find_period(self), today, subject), notes

    def _measures(self, context: ArchiveContext) -> list[Measure]:
        return [make_measure(metric, context.money) for metric in self.requested_metrics]

    async def _subject(self, context: ArchiveContext) -> Subject:
        """Return what stands above the chart: the workspace and the filter, by their names."""
        workspace = await context.workspaces.name_of(context.workspace, context.deadline)
        return Subject(workspace, describe_posts(self, await self._preset_name(context)))

    async def _preset_name(self, context: ArchiveContext) -> str:
        preset = self.preset
        if not preset:
            return ""
        # A title without the name is no reason to refuse the chart.
        with suppress(Failure):
            page = await context.api.read_whole(GetFilterPresets.model_validate({}))
            names = {record["id"]: str(record["name"]) for record in page.records}
            return names.get(preset, preset)
        return preset

    async def _rows(
        self, context: ArchiveContext, most: int, more: list[str]
    ) -> tuple[list[Row], list[str]]:
        """The items, and what must be said about them."""
        total = await self.total(context.api)
        # Counted first, so that nothing is read for a refusal.
        if total is not None and total > most:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.kind} takes up to {most:,} items; these are {total:,}.",
                "Narrow the search (a shorter `takenAt`), or name the items.",
                total=total,
            )
        result = SourceItems()
        async for batch in self.batches(context.api, None, [*_FIELDS, *more]):
            result.add(batch)
        if not result.rows:
            raise Failure(
                Code.NOT_FOUND, "No items match, so there is nothing to draw.", "Widen the search."
            )
        notes = describe_items(self, result)
        notes += await self.find_doubts(context, context.api, total)
        if result.named:
            notes.append(f"Links that lead to no item: {', '.join(result.named)}.")
        return result.rows, notes

    async def _timelines(self, context: ArchiveContext) -> tuple[Drawing, list[str]]:
        rows, notes = await self._rows(context, MOST_TIMELINES, [])
        requested = [GetEngagementHistory.model_validate({"itemId": row.id}) for row in rows]
        # One timeline per request is the only way Archive offers; they travel together as aliases.
        result = await answers(context.api, requested, ["at", *self.requested_metrics])
        if any(page["pageInfo"]["hasNextPage"] for page in result):
            notes.append("Only the latest 100 snapshots of each item are shown.")
        histories = list(map(itemgetter("nodes"), result))
        subject = await self._subject(context)
        return chart_engagement(rows, histories, self._measures(context), subject), notes


def _save(folder: ExportFolder, name: str, png: bytes) -> tuple[dict[str, Any], Link]:
    export = store(folder, folder.choose_target(name, "png"), png)
    return {"path": export.path, "bytes": export.bytes}, Link(
        make_uri(export.name), export.name, MIME_TYPES["png"], export.bytes
    )
