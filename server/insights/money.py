"""Earned media value as money: the one place that converts it, field by field.

Archive gives the value of a post as a whole number, and its unit is an assumption: cents by the
published schema, dollars by the account of one user. The value of a competitor brand is in US
dollars already and is never converted. Data keeps the API's number and names its unit; what people
look at (charts, summaries, reports, spreadsheets) shows dollars and says that they are assumed
until the setting `ARCHIVE_MCP_EMV_UNIT` settles it.

    money = context.money  # of an ArchiveContext
    answer = money.show_dollars(answer)  # each `earnedMediaValue` becomes `earnedMediaValueUsd`
    answer["units"] = money.units
    answer["notes"] += money.notes
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from server.insights.summary import round_figure

if TYPE_CHECKING:
    from server.settings import EmvUnit

Figure = int | float | str | None
"""A number of a result: text where JSON would not hold it exactly, None where it is unknown."""

VALUE: Literal["earnedMediaValue"] = "earnedMediaValue"
DOLLARS = "earnedMediaValueUsd"
"""The names of the API's number and of the dollars that come of it."""
SETTING = "ARCHIVE_MCP_EMV_UNIT"

_AMOUNTS = frozenset({"total", "mean", "median"})
_DATA_UNITS = {None: "cents", "cents": "cents", "dollars": "USD"}
_PER_DOLLAR = {None: 100, "cents": 100, "dollars": 1}


@dataclass(frozen=True)
class Money:
    """Converts the earned media value of posts.

    Args:
        setting: the unit of the API's numbers as the user set it; None means that nobody did, so
            that cents are assumed.
    """

    setting: EmvUnit | None = None

    @property
    def assumed(self) -> bool:
        """Whether the unit is a guess."""
        return self.setting is None

    @property
    def data_unit(self) -> str:
        """The unit of the API's numbers, as results name it: "cents" or "USD"."""
        return _DATA_UNITS[self.setting]

    @property
    def dollars_unit(self) -> str:
        """The unit of converted figures, with a word where it is a guess."""
        return self._state("USD")

    @property
    def units(self) -> dict[str, str]:
        """The `units` of a result that shows dollars."""
        return {DOLLARS: self.dollars_unit}

    @property
    def notes(self) -> list[str]:
        """What a result that shows dollars says about them: nothing where the unit was set."""
        if not self.assumed:
            return []
        return [
            f"{DOLLARS} takes Archive's values for cents: the user's {SETTING} (cents or dollars) "
            "settles it."
        ]

    def to_dollars(self, value: Fraction | Figure) -> Figure:
        """Return a value of a post in dollars, to the cent; None stays None.

        Args:
            value: the API's number, or a figure computed from such numbers.

        Raises:
            ValueError: The value is a text, and no number.
        """
        return None if value is None else round_figure(self._convert(value))

    def show_dollars(self, answer: Any) -> Any:
        """Return a copy of an answer in which each `earnedMediaValue` is `earnedMediaValueUsd`.

        Plain values are converted, and of a metric's figures the total, mean and median. Call it
        before `units` are added, and never with the figures of competitor brands.
        """
        if isinstance(answer, list | tuple):
            return [self.show_dollars(entry) for entry in answer]
        if not isinstance(answer, dict):
            return answer
        shown: dict[str, Any] = {}
        for name, value in answer.items():
            if name == VALUE:
                shown[DOLLARS] = self._show_amounts(value)
            else:
                shown[name] = self.show_dollars(value)
        return shown

    def restate_units(self, units: dict[str, str]) -> dict[str, str]:
        """Return the units of data, cents replaced by what the user set, or named as assumed."""
        names = {"cents": self._state(self.data_unit)}
        return {field: names.get(unit, unit) for field, unit in units.items()}

    def _state(self, unit: str) -> str:
        return f"{unit}, assumed" if self.assumed else unit

    def _show_amounts(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return self.to_dollars(value)
        shown = dict(value)
        # What else a result says of a metric, such as `known`, counts items.
        for name in _AMOUNTS & value.keys():
            shown[name] = self.to_dollars(value[name])
        return shown

    def _convert(self, value: Fraction | int | float | str) -> Fraction:
        # By way of its text a float is the decimal number that it stands for.
        return Fraction(str(value)) / _PER_DOLLAR[self.setting]


ASSUMED_CENTS = Money()
"""The conversion where nothing was set."""
