"""What a chart measures: the number of posts, or one of their metrics, as table and picture show
it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from server.insights.money import DOLLARS, VALUE, Figure, Money
from server.insights.rows import Row
from server.insights.summary import list_values, round_figure
from server.pictures.charts import Bars
from server.pictures.labels import shorten_dollars, shorten_number

Metric = Literal["items", "likes", "comments", "shares", "views", "impressions", "earnedMediaValue"]

ITEMS: Metric = "items"
_TITLES: dict[Metric, str] = {
    "items": "Posts",
    "likes": "Likes",
    "comments": "Comments",
    "shares": "Shares",
    "views": "Views",
    "impressions": "Impressions",
    "earnedMediaValue": "Earned media value",
}


@dataclass(frozen=True)
class Measure:
    """A metric of posts; earned media value is shown in dollars."""

    metric: Metric
    money: Money

    @property
    def is_money(self) -> bool:
        """Whether it is an amount of dollars."""
        return self.metric == VALUE

    @property
    def column(self) -> str:
        """Its name in the table."""
        return DOLLARS if self.is_money else self.metric

    @property
    def title(self) -> str:
        """What is measured."""
        return _TITLES[self.metric]

    @property
    def label(self) -> str:
        """What is measured, with its unit on a line of its own."""
        unit = f"\n({self.money.dollars_unit})" if self.is_money else ""
        return self.title + unit

    @property
    def shorten(self) -> Callable[[float], str]:
        """What writes a figure as people say it."""
        return shorten_dollars if self.is_money else shorten_number

    def count_unknown(self, rows: Sequence[Row]) -> int:
        """Return how many of the posts lack the metric."""
        return 0 if self.metric == ITEMS else len(rows) - len(list_values(rows, self.metric))

    def total(self, rows: Sequence[Row]) -> Figure:
        """Return the sum over the posts that have the metric, None where none has."""
        if self.metric == ITEMS:
            return len(rows)
        values = list_values(rows, self.metric)
        return self.figure(sum(values)) if values else None

    def figure(self, value: int | None) -> Figure:
        """Return a value of the API as the table holds it."""
        return self.money.to_dollars(value) if self.is_money else round_figure(value)

    def make_bars(self, figures: Sequence[Figure], unknown: str = "unknown") -> Bars:
        """Return bars of these figures; where one is None the text is `unknown`."""
        values = list(map(to_number, figures))
        texts = [unknown if value is None else self.shorten(value) for value in values]
        return Bars(self.label, values, texts, self.shorten)


def join_titles(measures: Sequence[Measure]) -> str:
    """Return what is measured as a title says it, such as "Posts, likes and views"."""
    *first, last = [measure.title.lower() for measure in measures]
    titles = f"{', '.join(first)} and {last}" if first else last
    return titles.capitalize()


def to_number(figure: Figure) -> float | None:
    """Return a figure as a number: what is too large to be exact in JSON comes as text."""
    return None if figure is None else float(figure)
