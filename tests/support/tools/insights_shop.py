"""Insights through the whole path of a call, and the records of the sandbox behind them for
calculating otherwise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pytest

from server.dispatch import Dispatcher
from server.errors import Failure
from server.sandbox import Answer, Sandbox
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.metrics import Engagement
from server.sandbox.archive.data.workspace import Workspace
from server.services import Services
from server.settings import load
from server.tool.elicitation import Nobody
from server.tool.result import Result
from tests.support.clocks import FIXED_TIME
from tests.support.doctored import tools
from tests.support.doubles import OpenLimiter
from tests.support.places import NO_FILES

MAIN = "Northwind Skincare"
COFFEE = "Bluebird Coffee"
OUTDOOR = "Northwind Outdoor"
FIELDS = {
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "views": "views",
    "impressions": "impressions",
    "earnedMediaValue": "earned_media_value",
}
"""Metric of the API -> attribute of the sandbox's engagement."""
PER_DOLLAR = 100


def name_shown(metric: str) -> str:
    """The name of a metric of the API in what people look at."""
    return "earnedMediaValueUsd" if metric == "earnedMediaValue" else metric


def as_shown(metric: str, value: float | None) -> Any:
    """A value of the sandbox as people look at it: money in dollars, to the cent."""
    if value is None or metric != "earnedMediaValue":
        return value
    return pytest.approx(value / PER_DOLLAR, abs=0.0051)


Json = dict[str, Any]


class Counted(Sandbox):
    """A sandbox that keeps what was asked of it, and answers some pages of items with other
    values."""

    def __init__(self, items: int) -> None:
        super().__init__(items=items, rate=10_000, plan="boundless", **FIXED_TIME)
        self.asked: list[Json] = []
        self.changed: Json = {}
        """Values of the first item of each page, in place of its own."""
        self.hidden = False
        """Whether pages that are sorted hold items without metrics alone, unless those with metrics
        are asked for."""

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request."""
        sent = json.loads(body)
        self.asked.append(sent)
        answer = await super().handle(method, path, headers, body)
        if not sent["query"].startswith("query SearchItems") or not (self.changed or self.hidden):
            return answer
        found, given = json.loads(answer.body), sent["variables"]
        nodes = found["data"]["items"]["nodes"]
        if self.changed and nodes:
            nodes[0]["currentEngagement"] |= self.changed
        if self.hidden and "sorting" in given and "engagement" not in given.get("filter", {}):
            for node in nodes:
                node["currentEngagement"] = None
        return Answer(answer.status, answer.headers, json.dumps(found).encode())

    @property
    def pages(self) -> list[Json]:
        """The variables of the pages of items that were asked for."""
        return [
            each["variables"]
            for each in self.asked
            if each["query"].startswith("query SearchItems")
        ]


@dataclass
class Shop:
    """Calls tools by name."""

    calls: Dispatcher
    sandbox: Counted

    async def result(self, tool: str, workspace: str = MAIN, **arguments: Any) -> Result:
        """What a tool answers, with its text."""
        return await self.calls.call(tool, {"workspace": workspace, **arguments}, Nobody())

    async def call(self, tool: str, workspace: str = MAIN, **arguments: Any) -> Json:
        """What a tool answers."""
        return (await self.result(tool, workspace, **arguments)).structured

    async def summary(self, workspace: str = MAIN, **arguments: Any) -> Json:
        """A summary of performance."""
        return await self.call("archive_summarize_performance", workspace, **arguments)

    async def top(self, workspace: str = MAIN, **arguments: Any) -> Json:
        """Top content."""
        return await self.call("archive_get_top_content", workspace, **arguments)

    async def brands(self, workspace: str = MAIN, **arguments: Any) -> Json:
        """Brands beside each other."""
        return await self.call("archive_compare_brands", workspace, **arguments)

    async def jobs(self) -> list[Json]:
        """All jobs, newest first."""
        found: list[Json] = (
            await self.calls.call("archive_mcp_list_jobs", {}, Nobody())
        ).structured["nodes"]
        return found

    async def refused(self, tool: str, **arguments: Any) -> Failure:
        """The failure that a call meets."""
        with pytest.raises(Failure) as caught:
            await self.call(tool, **arguments)
        return caught.value

    def home(self, name: str = MAIN) -> Workspace:
        """A workspace as the sandbox makes it up."""
        return next(each for each in self.sandbox.world.workspaces if each.name == name)

    def items(self, name: str = MAIN) -> list[Item]:
        """All its items, newest first."""
        home = self.home(name)
        return [home.item(number) for number in home.numbers]


@asynccontextmanager
async def shop(items: int = 400) -> AsyncIterator[Shop]:
    """A server over a sandbox in this process."""
    sandbox = Counted(items)
    surface = tools()
    surface.offer(backends={"archive"}, toolsets=["all"], read_only=True)
    settings = load(
        {"ARCHIVE_MCP_READ_ONLY": "1"}, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES
    )
    async with Services(settings, limiter=OpenLimiter(), sandbox=sandbox) as services:
        yield Shop(Dispatcher(surface, services, UTC), sandbox)


def known(items: list[Item], metric: str) -> list[int]:
    """The values of a metric that there are."""
    values = [getattr(each.current_engagement, FIELDS[metric], None) for each in items]
    return [each for each in values if each is not None]


def engagement(item: Item) -> Engagement:
    """The metrics of an item that has some."""
    assert item.current_engagement is not None
    return item.current_engagement
