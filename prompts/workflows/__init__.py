"""Prompts for whole tasks: each asks for a few names, and leads the assistant to the tools that do
the work.

A text is Markdown with `{argument}` where a value goes. Values are inserted as they were given, as
code spans or blocks that they cannot end; a line with an argument that was not given is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["WORKFLOWS", "Argument", "Workflow"]

_PLACE = re.compile(r"\{(\w+)\}")
_TICKS = re.compile(r"`+")
_CLOSING = "closing.md"


@dataclass(frozen=True)
class Argument:
    """What a prompt asks for.

    `values` are what it may be, or, where it is `open`, what is proposed; `variable` names what
    there is in a workspace that completes it. `default` stands where nothing was given.
    """

    name: str
    description: str
    required: bool = False
    values: tuple[str, ...] = ()
    open: bool = False
    variable: str = ""
    default: str = ""


@dataclass(frozen=True)
class Workflow:
    """A prompt with arguments. Of the arguments in `one_of` exactly one is given."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    one_of: tuple[str, ...] = ()

    def text(self, given: Mapping[str, str]) -> str:
        """The text with these values; a blank one counts as not given.

        Raises:
            ValueError: an argument that is missing, unknown, not one of its values, or too much.
            FileNotFoundError: the package was built without its Markdown files.
        """
        values = self._check(
            {name: value.strip() for name, value in given.items() if value.strip()}
        )
        lines = f"{_read(f'{self.name}.md')}\n{_read(_CLOSING)}".splitlines()
        return "\n".join(_fill(line, values) for line in lines if _has_all(line, values)) + "\n"

    def _check(self, given: Mapping[str, str]) -> dict[str, str]:
        known = {each.name: each for each in self.arguments}
        for name in given:
            if name not in known:
                raise ValueError(
                    f"{self.name} has no argument {name!r}. It takes: {', '.join(known)}."
                )
        for each in self.arguments:
            if each.required and each.name not in given:
                raise ValueError(
                    f"{self.name} needs the argument {each.name!r}: {each.description}"
                )
        if self.one_of and sum(name in given for name in self.one_of) != 1:
            raise ValueError(
                f"{self.name} needs exactly one of the arguments {', '.join(self.one_of)}."
            )
        values = {each.name: each.default for each in self.arguments if each.default}
        return {**values, **{name: _value(known[name], value) for name, value in given.items()}}


def _value(argument: Argument, given: str) -> str:
    """The value; of a closed set as it is written there."""
    if argument.open or not argument.values:
        return given
    written = {each.casefold(): each for each in argument.values}
    if given.casefold() not in written:
        raise ValueError(
            f"{argument.name} is not {given!r}. It is one of: {', '.join(argument.values)}."
        )
    return written[given.casefold()]


def _has_all(line: str, values: Mapping[str, str]) -> bool:
    return all(name in values for name in _PLACE.findall(line))


def _fill(line: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: _quote(values[found[1]]), line)


def _quote(value: str) -> str:
    """The value as Markdown code that nothing in it can end: a span, or a block where it has
    several lines."""
    longest = max((len(run) for run in _TICKS.findall(value)), default=0)
    if len(value.splitlines()) > 1:
        fence = "`" * max(3, longest + 1)
        return f"\n{fence}text\n{value}\n{fence}"
    ticks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{ticks}{space}{value}{space}{ticks}"


def _read(file: str) -> str:
    # Imported late: a list of the prompts needs no file.
    from importlib.resources import files

    return files(__name__).joinpath(file).read_text(encoding="utf-8")


_WORKSPACE = Argument(
    "workspace", "Workspace: name or id. Without it the configured one.", variable="workspace"
)
_METRIC = Argument(
    "metric",
    "What counts as best. Without it earned media value.",
    values=("earned media value", "likes", "comments", "shares", "views"),
    default="earned media value",
)
_PERIOD = Argument(
    "period",
    "When it was posted, in your words. Without it all time.",
    values=("last 7 days", "last 30 days", "this month", "last month", "last 90 days", "this year"),
    open=True,
)


def _view(*, required: bool) -> Argument:
    return Argument("view", "Content view: name or id.", required=required, variable="view")


def _collection(description: str, *, required: bool) -> Argument:
    return Argument("collection", description, required=required, variable="collection")


WORKFLOWS: tuple[Workflow, ...] = (
    Workflow(
        name="move_view_to_collection",
        title="Put a view into a collection",
        description="Put every post of a content view into a collection of Archive, however many there are.",
        arguments=(
            _view(required=True),
            _collection("Collection: name. A new name makes a new one.", required=True),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="export_creators_with_emails",
        title="Export creators with their e-mails",
        description="Write all creators of a workspace with e-mails and attributes to a file.",
        arguments=(
            Argument(
                "format",
                "Of the file. Without it csv.",
                values=("csv", "jsonl", "parquet"),
                default="csv",
            ),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="top_content",
        title="Find the top posts",
        description="The best posts of a creator or of the whole workspace, with pictures.",
        arguments=(
            Argument("creator", "Account name, without @. Without it the whole workspace."),
            _METRIC,
            _PERIOD,
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="performance_report",
        title="Report how posts performed",
        description="Totals, averages and the mix of the posts of a view, a collection or a campaign.",
        arguments=(
            _view(required=False),
            _collection("Or a collection: name or id.", required=False),
            Argument("campaign", "Or a campaign: name or id.", variable="campaign"),
            _WORKSPACE,
        ),
        one_of=("view", "collection", "campaign"),
    ),
    Workflow(
        name="campaign_report",
        title="Report on a campaign",
        description="How a campaign did: figures, best posts and creators, charts, and a file of all posts.",
        arguments=(
            Argument("campaign", "Campaign: name or id.", required=True, variable="campaign"),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="import_posts",
        title="Import posts by link",
        description="Have Archive fetch posts by their links, and put them into a collection.",
        arguments=(
            Argument(
                "urls",
                "Links of the posts, separated by blanks, commas or line breaks.",
                required=True,
            ),
            _collection("Collection to put them into: name.", required=False),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="compare_with_competitors",
        title="Compare with competitors",
        description="Share of voice of the own brand and its competitors, and how it changed.",
        arguments=(
            Argument(
                "period",
                "month or week. Without it month.",
                values=("month", "week"),
                default="month",
            ),
            Argument(
                "date", "A day in the period, like 2026-03-01. Without it the last whole period."
            ),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="refresh_engagement",
        title="Refresh the engagement of a view",
        description="Fetch fresh metrics of every post of a content view. Costs billing credits; you are asked first.",
        arguments=(_view(required=True), _WORKSPACE),
    ),
    Workflow(
        name="save_urls",
        title="Save pages in ArchiveBox",
        description="Save web pages in your own ArchiveBox, wait for them, and tell which were saved.",
        arguments=(
            Argument(
                "urls", "Addresses of the pages, separated by blanks or line breaks.", required=True
            ),
            Argument("tags", "Tags for them, separated by commas."),
        ),
    ),
    Workflow(
        name="retry_failed_pages",
        title="Retry failed pages in ArchiveBox",
        description="Find saved pages of your ArchiveBox that failed, say why, and archive them again.",
        arguments=(
            Argument(
                "since",
                "From when on, in your words. Without it the last 7 days.",
                values=("last 24 hours", "last 7 days", "last 30 days", "ever"),
                open=True,
                default="last 7 days",
            ),
        ),
    ),
)
