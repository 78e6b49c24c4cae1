"""Requests to one workspace of Archive, sent as an interactive call or as a job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from server.archive.client import Archive, Call
from server.archive.failures import Answer, describe_doubt, user_errors
from server.archive.records import Record, Selection, fields_of
from server.archive.selection import convert_record, select
from server.archive.walk import Walk, describe_endless, drop_repeats
from server.errors import Failure
from server.limiter import Admit, Lane

PAGE = 100
"""Records of the largest page that Archive sends (Archive docs, pagination)."""

JOB_SECONDS = 300.0
"""Seconds that one request of a job may wait for its turn and its answer: interactive calls go
first."""


class Document(Protocol):
    """A GraphQL operation with its arguments."""

    operation: ClassVar[str]

    @classmethod
    def record(cls) -> type[Record]:
        """Return the type of what is returned, one or many of it."""

    @classmethod
    def document(cls, selection: Selection) -> str:
        """Return the GraphQL text that asks for a selection."""

    def variables(self) -> dict[str, Any]:
        """Return the arguments under the API's names."""

    def credits(self) -> float:
        """Return the rate credits that one request takes."""


class Query(Document, Protocol):
    """A document that reads."""

    def default_selection(self) -> Selection:
        """Return what the caller asked for."""

    def convert(self, data: Any, selection: Selection) -> Any:
        """Return the data of the answer, its text numbers as numbers."""


class Change(Document, Protocol):
    """A document that changes something."""

    selected: ClassVar[str]
    refused: ClassVar[str]
    repeatable: ClassVar[bool]
    verify: ClassVar[str]


@dataclass
class Page:
    """A page as the API sent it, numbers converted: its records, and what follows it."""

    records: list[dict[str, Any]]
    end: str | None
    has_next: bool
    total: int | None
    partial: bool
    repeats: int = 0
    """Records left out because they came before."""


@dataclass(frozen=True)
class Api:
    """One workspace of one Archive, or none for the one operation that takes none.

    `deadline` is on the client's monotonic clock, in seconds; None gives each request its own, as
    jobs need.
    """

    archive: Archive
    workspace: str | None
    lane: Lane = "interactive"
    deadline: float | None = None

    async def read_page(
        self,
        request: Query,
        after: str | None = None,
        size: int = PAGE,
        selection: Selection | None = None,
    ) -> Page:
        """Return one page of a list, from Archive's own cursor `after` on.

        Raises:
            Failure: as `Archive.execute`.
        """
        # A null `after` would be sent too; left out, the API starts at the beginning.
        data, partial = await self.read(
            request, selection, first=size, **({} if after is None else {"after": after})
        )
        return make_page(data, partial, after)

    async def read_pages(self, request: Query, after: str | None = None) -> AsyncIterator[Page]:
        """Yield the pages from the cursor `after` on."""
        # One page at a time, so that a reader that stops pays for no page behind its last.
        walk = Walk()
        while True:
            page = await self.read_page(request, after)
            before = walk.repeats
            records = [record for record in page.records if walk.take(record)]
            # Before the page is used: an endless list is to be journalled no further.
            if page.has_next:
                walk.step(page.end, page.total)
            yield replace(page, records=records, repeats=page.repeats + walk.repeats - before)
            if not page.has_next:
                return
            after = page.end

    async def read_whole(self, request: Query, selection: Selection | None = None) -> Page:
        """Return a list that Archive sends whole, as its one page."""
        # Such lists carry neither a cursor nor a totalCount, so the rows themselves are the total.
        data, partial = await self.read(request, selection)
        records, repeats = drop_repeats(data)
        return Page(records, None, False, len(records), partial, repeats)

    async def read(self, request: Query, selection: Selection | None = None, **more: Any) -> Answer:
        """Return the data of a query, numbers converted, and whether a part could not be computed.

        Args:
            more: variables beside those of the request.

        Raises:
            Failure: as `Archive.execute`.
        """
        choice = request.default_selection() if selection is None else selection
        variables = {**request.variables(), **more}
        answer = await self.execute(
            request.operation, request.document(choice), variables, request.credits()
        )
        return Answer(request.convert(answer.data, choice), answer.partial)

    async def apply(self, request: Change, admit: Admit | None = None) -> dict[str, Any]:
        """Send a change and return its payload.

        Args:
            admit: awaited just before each send; what it raises keeps the request from leaving.

        Raises:
            Failure: `REJECTED` for userErrors, `OUTCOME_UNKNOWN` where it may or may not have
                happened.
        """
        # userErrors are always asked for: a refused change comes as HTTP 200 without `errors`.
        selection = select(
            request.record(), [*request.selected.split(), "userErrors.field", "userErrors.message"]
        )
        answer = await self.archive.execute(
            Call(
                request.operation,
                request.document(selection),
                request.variables(),
                self.workspace,
                request.credits(),
                self._until(),
                repeatable=request.repeatable,
                verify=request.verify,
                lane=self.lane,
                admit=admit,
                check=lambda data: check_payload(request, data, selection),
            )
        )
        payload: dict[str, Any] = dict(answer.data)
        # An empty list means success (Archive docs, error handling), so it is left out of the
        # result.
        del payload["userErrors"]
        return payload

    async def execute(
        self,
        operation: str,
        document: str,
        variables: dict[str, Any],
        cost: float,
        admit: Admit | None = None,
    ) -> Answer:
        """Send a reading document unchanged.

        Raises:
            Failure: as `Archive.execute`.
        """
        return await self.archive.execute(self.call(operation, document, variables, cost, admit))

    def call(
        self,
        operation: str,
        document: str,
        variables: dict[str, Any],
        cost: float,
        admit: Admit | None = None,
    ) -> Call:
        """Return a reading document as a request to this workspace."""
        return Call(
            operation,
            document,
            variables,
            self.workspace,
            cost,
            self._until(),
            lane=self.lane,
            admit=admit,
        )

    def _until(self) -> float:
        # Counted from each request: a job may take hours, so one deadline for all of it means
        # nothing.
        return self.archive.now() + JOB_SECONDS if self.deadline is None else self.deadline


def check_payload(request: Change, payload: Any, selection: Selection) -> None:
    """Raise unless a payload says that the change was made.

    Raises:
        Failure: `REJECTED` for userErrors, with which nothing was changed.
        Transient: the payload is not what the schema promises, so it says neither yes nor no.
    """
    # Payloads are nullable in the schema.
    if payload is None:
        raise describe_doubt(f"{request.operation} with nothing")
    odd = describe_doubt(f"{request.operation} with something other than its result")
    errors = payload.get("userErrors") if isinstance(payload, dict) else None
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        raise odd
    # What comes first is what was made: beside it an error is no refusal.
    first = next(iter(selection))
    made = payload.get(first)
    if errors and (request.repeatable or not made):
        raise user_errors(request.operation, errors, request.refused)
    # A new thing that is not shown may not have been made; elsewhere null can mean "nothing to do".
    shows_things = fields_of(request.record())[first].record is not None
    unseen = made is None and not request.repeatable and shows_things
    if any((errors, unseen, payload.keys() < selection.keys())):
        raise odd
    try:
        convert_record(payload, request.record(), selection)
    except Failure:
        raise odd from None


def make_page(data: dict[str, Any], partial: bool, after: str | None = None) -> Page:
    """Return the page in the data of `read`; `after` is the cursor that it follows."""
    # Only `endCursor` leads on: edge cursors are not valid for every list (Archive docs,
    # pagination).
    info = data.get("pageInfo") or {}
    end = info.get("endCursor")
    has_next = bool(info.get("hasNextPage"))
    # To end here would take a part of the list for all of it.
    if has_next and end in (None, after):
        raise describe_endless("its cursor does not lead on")
    records, repeats = drop_repeats(data["nodes"])
    return Page(records, end, has_next, data.get("totalCount"), partial, repeats)
