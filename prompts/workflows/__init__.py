"""Prompts for whole tasks: each asks for a few names and leads the assistant to the right tools.

A text is Markdown with `{argument}` where a value goes. Values are inserted as people entered them,
as code spans or blocks that they cannot end; a line with an argument that has no value is left out.
No argument has to be filled in, since some hosts do not ask for any: the text then says what the
assistant asks for first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from prompts.workflows.quotes import is_split, rejoin, strip_quotes

__all__ = ["WORKFLOWS", "Argument", "Workflow"]

_PLACE = re.compile(r"\{(\w+)\}")
_TICKS = re.compile(r"`+")
_CLOSING = "closing.md"
_MISSING = "(ask the user which)"
_SPLIT = (
    "The client split the values at blanks: a quotation mark has no other. Work out from all of "
    "them what the user meant, and ask before anything is changed."
)
_REJOINED = (
    "The client split what stood in quotation marks; the values were put together again. Ask the "
    "user where one of them looks odd."
)


@dataclass(frozen=True)
class Argument:
    """Describe a value that a prompt asks for.

    The task needs one that is `required`: where it is missing, the assistant asks the user.
    `values` are the possible ones, or mere proposals where the argument is `open`; `variable` names
    what there is in a workspace that completes it. `default` stands where no value was entered.
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
    """Describe a prompt with arguments. Of those in `one_of` the task needs exactly one."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    one_of: tuple[str, ...] = ()

    def text(self, entries: Mapping[str, str]) -> str:
        """Return the text with these values; a blank one counts as missing.

        Raises:
            ValueError: An argument is unknown, or not one of its values.
            FileNotFoundError: The package was built without its Markdown files.
        """
        # Hosts send an empty text for a field that people leave empty.
        stripped = {name: entry.strip() for name, entry in entries.items()}
        self._check_names(stripped)
        values, notes = self._mend({name: entry for name, entry in stripped.items() if entry})
        values = self._check_values(values)
        notes += self._list_questions(values)
        lines = f"{_read(f'{self.name}.md')}\n{_read(_CLOSING)}".splitlines()
        missing = {argument.name for argument in self.arguments if argument.required} - set(values)
        complete = [line for line in lines if set(_PLACE.findall(line)) <= values.keys() | missing]
        # Before anything that the assistant would do without them.
        body = [*complete[:1], *(f"\n{note}" for note in notes), *complete[1:]]
        return "\n".join(_fill(line, values) for line in body) + "\n"

    def _check_names(self, entries: Mapping[str, str]) -> None:
        names = [argument.name for argument in self.arguments]
        for name in entries:
            if name not in names:
                choices = ", ".join(names)
                raise ValueError(f"{self.name} has no argument {name!r}. It takes: {choices}.")

    def _mend(self, entries: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Return the values without stray quotation marks, and what the assistant should know."""
        if not is_split(entries):
            return {name: strip_quotes(entry) for name, entry in entries.items()}, []
        names = [argument.name for argument in self.arguments]
        mended = rejoin(entries, names)
        # One place, so that the values in the notes are quoted as all others are.
        if mended is None:
            return entries, [_SPLIT]
        return mended, [_REJOINED]

    def _check_values(self, entries: Mapping[str, str]) -> dict[str, str]:
        """Return the value of every argument that has one."""
        values: dict[str, str] = {}
        for argument in self.arguments:
            if entry := entries.get(argument.name, argument.default):
                values[argument.name] = _check_value(argument, entry)
        return values

    def _list_missing(self, values: Mapping[str, str]) -> set[str]:
        """Return the arguments that the task needs and that have no value."""
        missing = {argument.name for argument in self.arguments if argument.required}
        if not values.keys() & set(self.one_of):
            missing |= set(self.one_of)
        return missing - values.keys()

    def _list_questions(self, values: Mapping[str, str]) -> list[str]:
        """Return what the assistant asks the user before it begins."""
        questions = [
            f"Ask the user first for the {argument.name}, which was not given: "
            f"{argument.description}"
            for argument in self.arguments
            if argument.required and argument.name not in values
        ]
        entered = [name for name in self.one_of if name in values]
        if self.one_of and len(entered) != 1:
            choices = f"{', '.join(self.one_of[:-1])} or {self.one_of[-1]}"
            problem = "Only one of them can count" if entered else "None was given"
            questions.append(f"Ask the user first which {choices} it is about. {problem}.")
        return questions


def _check_value(argument: Argument, entry: str) -> str:
    """Return the value; one of a closed set as it is written there."""
    if argument.open or not argument.values:
        return entry
    for value in argument.values:
        # People type: "CSV" is meant as "csv".
        if value.casefold() == entry.casefold():
            return value
    choices = ", ".join(argument.values)
    raise ValueError(f"{argument.name} is not {entry!r}. It is one of: {choices}.")


def _fill(line: str, values: Mapping[str, str]) -> str:
    # In one pass, so that braces in a value are not taken for places.
    return _PLACE.sub(lambda place: _render_value(values, place[1]), line)


def _render_value(values: Mapping[str, str], name: str) -> str:
    return _quote(values[name]) if name in values else _MISSING


def _quote(value: str) -> str:
    """Return the value as Markdown code that nothing in it can end: a span, or a block where it has
    several lines."""
    # Markdown ends code only at as many backticks as began it.
    longest = max(map(len, _TICKS.findall(value)), default=0)
    if len(value.splitlines()) > 1:
        fence = "`" * max(3, longest + 1)
        return f"\n{fence}text\n{value}\n{fence}"
    ticks = "`" * (longest + 1)
    # A blank keeps a backtick at either end apart; Markdown takes it off again.
    space = " " if longest else ""
    return f"{ticks}{space}{value}{space}{ticks}"


def _read(file: str) -> str:
    # Imported late: a list of the prompts needs no file.
    from importlib.resources import files

    return files(__name__).joinpath(file).read_text(encoding="utf-8")


_WORKSPACE = Argument(
    "workspace", "Name or id of the workspace. Default: the configured one.", variable="workspace"
)
# In the words of the text; it translates them into the API's.
_METRIC = Argument(
    "metric",
    "Metric that counts as best. Default: earned media value.",
    values=("earned media value", "likes", "comments", "shares", "views"),
    default="earned media value",
)
# Open, because an assistant understands any words; the values are what a menu shows.
_PERIOD = Argument(
    "period",
    "When it was posted, in your own words. Default: any time.",
    values=("last 7 days", "last 30 days", "this month", "last month", "last 90 days", "this year"),
    open=True,
)


def _view(*, required: bool) -> Argument:
    return Argument("view", "Name or id of the content view.", required=required, variable="view")


def _collection(description: str, *, required: bool) -> Argument:
    return Argument("collection", description, required=required, variable="collection")


# In the order of their listing. The names are a contract: people type them as commands.
WORKFLOWS: tuple[Workflow, ...] = (
    Workflow(
        name="move_view_to_collection",
        title="Put a view into a collection",
        description=(
            "Put every post of a content view into a collection of Archive, however many there are."
        ),
        arguments=(
            _view(required=True),
            _collection("Name of the collection. A new name creates a new one.", required=True),
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
                "Format of the file. Default: csv.",
                values=("csv", "xlsx", "jsonl", "parquet"),
                default="csv",
            ),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="top_content",
        title="Find the top posts",
        description="Show the best posts of a creator or of the whole workspace, with pictures.",
        arguments=(
            Argument("creator", "Account name, without @. Default: the whole workspace."),
            _METRIC,
            _PERIOD,
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="performance_report",
        title="Report how posts performed",
        description=(
            "Give totals, averages and the mix of the posts of a view, a collection or a campaign."
        ),
        arguments=(
            _view(required=False),
            _collection("Or the name or id of a collection.", required=False),
            Argument("campaign", "Or the name or id of a campaign.", variable="campaign"),
            _WORKSPACE,
        ),
        one_of=("view", "collection", "campaign"),
    ),
    Workflow(
        name="campaign_report",
        title="Report on a campaign",
        description=(
            "Report on a campaign: figures, best posts and creators, charts, and a file of all "
            "posts."
        ),
        arguments=(
            Argument("campaign", "Name or id of the campaign.", required=True, variable="campaign"),
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
                "Links of the posts, separated by spaces, commas or line breaks.",
                required=True,
            ),
            _collection("Name of the collection to put them into.", required=False),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="compare_with_competitors",
        title="Compare with competitors",
        description=(
            "Show the share of voice of your brand and its competitors, and how it changed."
        ),
        arguments=(
            Argument(
                "period",
                "Month or week. Default: month.",
                values=("month", "week"),
                default="month",
            ),
            Argument(
                "date", "A day in the period, like 2026-03-01. Default: the last whole period."
            ),
            _WORKSPACE,
        ),
    ),
    Workflow(
        name="refresh_engagement",
        title="Refresh the engagement of a view",
        description=(
            "Fetch new metrics for every post of a content view. Costs billing credits; you are "
            "asked first."
        ),
        arguments=(_view(required=True), _WORKSPACE),
    ),
    Workflow(
        name="save_urls",
        title="Save pages in ArchiveBox",
        description=(
            "Save web pages in your own ArchiveBox, wait for them, and report which were saved."
        ),
        arguments=(
            Argument(
                "urls", "Addresses of the pages, separated by spaces or line breaks.", required=True
            ),
            Argument("tags", "Tags for the pages, separated by commas."),
        ),
    ),
    Workflow(
        name="retry_failed_pages",
        title="Retry failed pages in ArchiveBox",
        description=(
            "Find saved pages of your ArchiveBox that failed, say why, and archive them again."
        ),
        arguments=(
            Argument(
                "since",
                "Since when, in your own words. Default: the last 7 days.",
                values=("last 24 hours", "last 7 days", "last 30 days", "ever"),
                open=True,
                default="last 7 days",
            ),
        ),
    ),
)
