"""Charts of posts: drawn here from what Archive answers, with the numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field

from server.archive.batching import answers
from server.archive.context import ArchiveContext
from server.archive.operations import Text, Workflow
from server.errors import Code, Failure
from server.exports import ExportFolder, store
from server.exports.links import MIME_TYPES, make_uri
from server.exports.names import make_file_name
from server.insights.rows import Row, make_row
from server.pictures import is_installed, make_missing_library
from server.pictures.drawings import (
    Drawing,
    Metric,
    chart_engagement,
    chart_platform_mix,
    chart_top_creators,
    chart_weeks,
)
from server.tool.result import (
    Image,
    Link,
    Result,
    prose,
)
from tools.archive.content.items import GetEngagementHistory
from tools.archive.items_source import ItemSource

# More lines than these cannot be told apart in a picture; 3,000 items are 30 pages, which one call
# can wait for.
MOST_ITEMS, MOST_TIMELINES, MOST_METRICS = 3_000, 6, 3
_FIELDS = ["id", "provider", "type", "takenAt", "creator.id", "socialProfile.accountName"]
Kind = Literal["engagement_over_time", "top_creators", "platform_mix", "weekly"]


class Chart(ItemSource, Workflow[dict[str, Any]]):
    """Draw a PNG chart and return its numbers: engagement over time of up to 6 items; top creators,
    platform mix or posts by week of up to 3,000 items. If you need only figures, use
    archive_summarize_performance. Null metrics are gaps; earnedMediaValue is in cents. It changes
    nothing in Archive; `save` writes a file."""

    operation = "chart"
    title = "Draw a chart"
    search_hint = (
        "chart, charts, graph, graphs, plot, draw, diagram, bar chart, line chart, pie, picture "
        "of the numbers, visual, visualise, visualize, for a slide, slides, deck, presentation, "
        "posts per week, by week, weekly, likes over time, platform split, top creators, "
        "leaderboard, visual of, as a picture, trend line, bars, curve, diagramm, can you draw, "
        "make a graph, plot the weekly posts, show it graphically, infographic, what options do "
        "charts have, charts"
    )
    risk = "adds"
    repeatable = False
    verify = "look into the export folder; nothing in Archive was changed."

    kind: Kind = Field(description="What the chart shows.")
    metrics: Annotated[list[Metric], Field(min_length=1, max_length=MOST_METRICS)] = Field(
        ["likes"], description="One metric; up to 3 for `engagement_over_time`."
    )
    top: int = Field(10, ge=1, le=25, description="Number of creators in `top_creators`.")
    save: Text | None = Field(None, description="Also save the chart as a file of this name.")

    @classmethod
    def output_schema(cls) -> dict[str, Any] | None:
        # A picture is content, not structured data: a schema would promise what the result lacks.
        return None

    def check(self) -> None:
        self.require_source()
        if self.kind != "engagement_over_time" and len(self.metrics) > 1:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`metrics`: {self.kind} shows one metric; got {len(self.metrics)}.",
                "Make one chart for each metric.",
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
            rows, notes = await self._rows(
                context, MOST_ITEMS, [f"currentEngagement.{self.metrics[0]}"]
            )
            drawing = self._of(rows)
        # Drawing takes long enough to hold up the other calls of the server.
        png = await anyio.to_thread.run_sync(drawing.draw)
        about = {"kind": self.kind, **drawing.to_dict()}
        notes += drawing.notes
        links: list[Link] = []
        if self.save is not None:
            about["file"], link = await anyio.to_thread.run_sync(
                _save, context.exports(), self.save, png
            )
            links.append(link)
        if notes:
            about["notes"] = notes
        return prose(about, "", Image("image/png", png)).with_links(*links)

    def _of(self, rows: Sequence[Row]) -> Drawing:
        if not rows:
            raise Failure(
                Code.NOT_FOUND, "No items match, so there is nothing to draw.", "Widen the search."
            )
        metric = self.metrics[0]
        if self.kind == "top_creators":
            return chart_top_creators(rows, metric, self.top)
        return (
            chart_platform_mix(rows, metric)
            if self.kind == "platform_mix"
            else chart_weeks(rows, metric)
        )

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
        # By id: links may lead to the same item twice.
        rows: dict[str, Row] = {}
        missing_links, is_partial = 0, False
        async for batch in self.batches(context.api, None, [*_FIELDS, *more]):
            rows |= {item["id"]: make_row(item) for item in batch.items}
            missing_links += len(batch.missing)
            is_partial |= batch.partial
        notes = [f"{missing_links} of the links lead to no item."] if missing_links else []
        if self.item_ids is not None and len(rows) < (total or 0):
            notes.append(f"{(total or 0) - len(rows)} of the ids name no item in this workspace.")
        if is_partial:
            notes.append("Archive could not compute some values now; they count as unknown.")
        return list(rows.values()), notes

    async def _timelines(self, context: ArchiveContext) -> tuple[Drawing, list[str]]:
        rows, notes = await self._rows(context, MOST_TIMELINES, [])
        if not rows:
            raise Failure(
                Code.NOT_FOUND, "No items match, so there is nothing to draw.", "Widen the search."
            )
        requested = [GetEngagementHistory.model_validate({"itemId": row.id}) for row in rows]
        # One timeline per request is the only way Archive offers; they travel together as aliases.
        result = await answers(context.api, requested, ["at", *self.metrics])
        if any(page["pageInfo"]["hasNextPage"] for page in result):
            notes.append("Only the latest 100 snapshots of each item are shown.")
        return chart_engagement(rows, [page["nodes"] for page in result], self.metrics), notes


def _save(folder: ExportFolder, name: str, png: bytes) -> tuple[dict[str, Any], Link]:
    export = store(folder, folder.choose_target(name, "png"), png)
    return {"path": export.path, "bytes": export.bytes}, Link(
        make_uri(export.name), export.name, MIME_TYPES["png"], export.bytes
    )
