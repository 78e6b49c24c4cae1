"""What a chart measures: the number of posts, or one of their metrics, as table and picture show
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.insights.money import ASSUMED_CENTS, DOLLARS, VALUE, Figure, Money
from server.insights.rows import Row
from server.insights.summary import Group, list_values, round_figure
from server.pictures.charts import Bars
from server.pictures.labels import FORMS, Form

Metric = Literal["items", "likes", "comments", "shares", "views", "impressions", "earnedMediaValue"]
ITEMS: Metric = "items"


@dataclass(frozen=True)
class Measure:
    """A metric of posts: its name in the API and in words.

    `column` is its name in the table, `unit` is empty for plain numbers, `notes` are what a result
    says about its figures.
    """

    metric: Metric
    title: str
    column: str
    form: Form = "number"
    unit: str = ""
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What is measured, with its unit on a line of its own."""
        lines = (self.title, f"({self.unit})")
        return "\n".join(lines[: 1 + bool(self.unit)])

    def count_unknown(self, rows: Sequence[Row]) -> int:
        """Return how many of the posts lack the metric."""
        return len(rows) - len(list_values(rows, self.metric))

    def total(self, rows: Sequence[Row]) -> Figure:
        """Return the sum over the posts that have the metric.

        It is None where none of them has, and 0 where there are no posts.
        """
        values = list_values(rows, self.metric)
        is_unknown = bool(rows) and not values
        return None if is_unknown else self.figure(sum(values))

    def figure(self, value: int | None) -> Figure:
        """Return a value of the API as the table holds it."""
        return round_figure(value)

    def list_totals(self, groups: Sequence[Group]) -> list[Figure]:
        """Return the total of each group."""
        return [self.total(group.rows) for group in groups]

    def make_bars(self, groups: Sequence[Group], unknown: str) -> Bars:
        """Return a bar for each group, with its total or the word for an unknown one."""
        values = list(map(to_number, self.list_totals(groups)))
        shorten = FORMS[self.form]
        texts = [unknown if value is None else shorten(value) for value in values]
        return Bars(self.label, values, texts, self.form)


class PostCount(Measure):
    """The number of posts, which is never unknown."""

    def count_unknown(self, rows: Sequence[Row]) -> int:
        """Return 0."""
        return 0

    def total(self, rows: Sequence[Row]) -> Figure:
        """Return how many posts these are."""
        return len(rows)


@dataclass(frozen=True)
class MediaValue(Measure):
    """The earned media value of posts, in dollars."""

    money: Money = ASSUMED_CENTS

    def figure(self, value: int | None) -> Figure:
        """Return a value of the API in dollars."""
        return self.money.to_dollars(value)


def make_measure(metric: Metric, money: Money) -> Measure:
    """Return the measure of a metric."""
    if metric == VALUE:
        unit, notes = money.dollars_unit, tuple(money.notes)
        return MediaValue(VALUE, "Earned media value", DOLLARS, "dollars", unit, notes, money)
    if metric == ITEMS:
        return PostCount(ITEMS, "Posts", ITEMS)
    return Measure(metric, metric.capitalize(), metric)


def join_titles(measures: Sequence[Measure]) -> str:
    """Return what is measured as a title says it, such as "Posts, likes and views"."""
    *first, last = [measure.title.lower() for measure in measures]
    before = ", ".join(first)
    return " and ".join(filter(None, (before, last))).capitalize()


def to_number(figure: Figure) -> float | None:
    """Return a figure as a number: what is too large to be exact in JSON comes as text."""
    return None if figure is None else float(figure)
