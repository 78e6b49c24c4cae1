"""A new collection whose name looks like a slip in an existing one's is asked about; no other
is."""

from __future__ import annotations

from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.operations import ArchiveRequest
from server.errors import Code, Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Asker, Nobody, Reply
from tests.support.doubles import IdleProcess, Person, ScriptedArchive
from tests.support.tools.calling import parsed
from tools.archive.collections import AddItemToCollections, RemoveItemFromCollections

HOME = "11111111-1111-4111-8111-111111111111"
ROWS = [
    {"name": "Q3 Report", "itemCount": 1312},
    {"name": "Team Favourites", "itemCount": 1},
    {"name": "✨✨", "itemCount": 4},
]
QUESTION = (
    'There is no collection "Q3 Reprot", but there is "Q3 Report" (1,312 items). Create a new one?'
)


class Desk:
    """An API with three collections, and a server that remembers its tokens."""

    def __init__(
        self,
        mode: Any = "ask",
        rows: list[dict[str, Any]] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        self.rows = ROWS if rows is None else rows
        self.errors = errors or []
        self.archive = ScriptedArchive(self._respond)
        self._backend = ArchiveBackend(
            self.archive, HOME, Confirmations(mode, MemoryTokens(self.archive.clock)), IdleProcess()
        )

    def _respond(self, call: Call) -> Any:
        if call.operation == "collections":
            return self.rows
        if call.operation == "workspaces":
            page = {"endCursor": None, "hasNextPage": False}
            return {"nodes": [{"id": HOME, "name": "Home"}], "pageInfo": page}
        item = None if self.errors else {"id": "1", "archivePublicUrl": None}
        return {"item": item, "userErrors": self.errors}

    async def add(self, *names: str, asker: Asker | None = None, **more: Any) -> dict[str, Any]:
        request = parsed(AddItemToCollections, itemId="1", collectionNames=list(names), **more)
        answer = await self._backend.run(
            request, Caller(asker or Nobody(), self.archive.now() + 45)
        )
        return answer.structured

    async def rejected(self, kind: type[ArchiveRequest[Any]], *names: str) -> Failure:
        request = parsed(kind, itemId="1", collectionNames=list(names))
        with pytest.raises(Failure) as caught:
            await self._backend.run(request, Caller(Nobody(), self.archive.now() + 45))
        assert caught.value.code is Code.REJECTED
        return caught.value

    async def refused(self, *names: str, asker: Asker | None = None, **more: Any) -> Failure:
        with pytest.raises(Failure) as caught:
            await self.add(*names, asker=asker, **more)
        assert "addItemToCollections" not in self.operations
        return caught.value

    @property
    def operations(self) -> list[str]:
        return [each.operation for each in self.archive.calls]


@pytest.mark.parametrize(
    ("name", "existing"),
    [
        ("Q3 Reprot", "Q3 Report"),
        ("q3 report", "Q3 Report"),
        ("Q3-Report", "Q3 Report"),
        ("Q3 Report.", "Q3 Report"),
        ("Q3 Reports", "Q3 Report"),
        ("Team Favorites", "Team Favourites"),
        ("teamfavourites", "Team Favourites"),
    ],
)
async def test_a_name_close_to_an_existing_one_is_asked_about(name: str, existing: str) -> None:
    person = Person([Reply("accept", {"confirm": True})])
    desk = Desk()

    await desk.add(name, asker=person, autoCreate=True)

    assert (
        f'There is no collection "{name}", but there is "{existing}" ('
        in person.questions[0].message
    )
    assert desk.archive.calls[-1].variables == {
        "itemId": "1",
        "collectionNames": [name],
        "autoCreate": True,
    }


@pytest.mark.parametrize(
    "name", ["Q3 Report", "Q4 Report", "Summer Shoot", "Gallery", "✨", "🎉🎉", "Team"]
)
async def test_an_existing_name_and_a_far_one_are_not_asked_about(name: str) -> None:
    desk = Desk()

    await desk.add(name, asker=Person(), autoCreate=True)

    assert desk.operations == ["collections", "addItemToCollections"]
    assert desk.archive.calls[0].cost == 5


async def test_the_first_collection_of_all_is_not_asked_about() -> None:
    desk = Desk(rows=[])

    await desk.add("Q3 Reprot", asker=Person(), autoCreate=True)

    assert desk.operations[-1] == "addItemToCollections"


UNKNOWN = "Collection 'Q3 Reprot' does not exist"


@pytest.mark.parametrize("request_type", [AddItemToCollections, RemoveItemFromCollections])
async def test_a_name_that_archive_does_not_know_gets_the_nearest_one_at_once(
    request_type: type[ArchiveRequest[Any]],
) -> None:
    desk = Desk(errors=[{"path": ["collectionNames"], "message": UNKNOWN}])

    failure = await desk.rejected(request_type, "Q3 Reprot", "Team Favourites")

    assert UNKNOWN in failure.message
    assert failure.hint.startswith(
        'Did you mean "Q3 Report" instead of "Q3 Reprot"? Nothing was changed. {filterPre'
    )
    assert desk.operations == [request_type.operation, "collections"]


async def test_a_refusal_for_another_reason_keeps_its_hint() -> None:
    desk = Desk(errors=[{"path": ["itemId"], "message": "Item not found"}])

    failure = await desk.rejected(AddItemToCollections, "Q3 Report")

    assert failure.hint == f"Nothing was changed. {AddItemToCollections.refused}"


@pytest.mark.parametrize("more", [{}, {"autoCreate": False}])
async def test_without_leave_to_create_nothing_is_looked_up(more: dict[str, Any]) -> None:
    desk = Desk("never")

    await desk.add("Q3 Reprot", asker=Person(), **more)

    assert desk.operations == ["addItemToCollections"]


async def test_the_question_tells_what_there_is() -> None:
    person = Person([Reply("accept", {"confirm": True})])

    await Desk().add("Q3 Reprot", "Q3 Report", "Other", asker=person, autoCreate=True)

    (question,) = person.questions
    assert question.message == f"Home: {QUESTION}"


async def test_a_name_that_archive_may_not_have_listed_is_not_said_to_be_missing() -> None:
    rows = [*ROWS, *({"name": f"{n}", "itemCount": 0} for n in range(1000 - len(ROWS)))]

    failure = await Desk(rows=rows).refused("Q3 Reprot", autoCreate=True)

    assert (
        '"Q3 Reprot" is not among the 1,000 collections that Archive lists, but there is "Q3'
        in failure.message
    )
    assert "There is no collection" not in failure.message


async def test_a_server_that_never_asks_still_offers_the_existing_name() -> None:
    failure = await Desk("never").refused("Q3 Reprot", autoCreate=True)

    assert failure.code is Code.DECLINED
    assert "ARCHIVE_MCP_CONFIRM=never" in failure.message
    assert "Call again with 'Q3 Report' instead of 'Q3 Reprot' in `collectionNames`" in failure.hint


async def test_several_doubts_are_one_question() -> None:
    failure = await Desk().refused("Q3 Reprot", "Team Favorites", "Q3 Reprot", autoCreate=True)

    assert (
        '"Q3 Report" (1,312 items). There is no collection "Team Favorites", but there is'
        in failure.message
    )
    assert failure.message.endswith('"Team Favourites" (1 item). Create new ones?')
    assert failure.details["preview"]["create"] == ["Q3 Reprot", "Team Favorites"]


@pytest.mark.parametrize("reply", [Reply("decline"), Reply("accept", {"confirm": False})])
async def test_after_a_no_nothing_is_made_and_the_existing_name_is_offered(reply: Reply) -> None:
    failure = await Desk().refused("Q3 Reprot", asker=Person([reply]), autoCreate=True)

    assert failure.code is Code.DECLINED
    assert "Call again with 'Q3 Report' instead of 'Q3 Reprot' in `collectionNames`" in failure.hint


async def test_where_nobody_can_be_asked_the_question_comes_back_with_a_token_for_this_call() -> (
    None
):
    desk = Desk()
    failure = await desk.refused("Q3 Reprot", autoCreate=True)
    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert QUESTION in failure.message
    assert "After a no: Call again with 'Q3 Report'" in failure.hint
    token = failure.details["confirm"]

    other = await desk.refused("Q3 Rport", autoCreate=True, confirm=token)
    assert other.code is Code.CONFIRMATION_REQUIRED
    await desk.add("Q3 Reprot", autoCreate=True, confirm=token)

    assert desk.archive.calls[-1].operation == "addItemToCollections"
    assert "confirm" not in desk.archive.calls[-1].variables


async def test_a_server_that_never_confirms_creates_no_doubtful_collection() -> None:
    assert (await Desk("never").refused("Q3 Reprot", autoCreate=True)).code is Code.DECLINED
    await Desk("never").add("Summer Shoot", autoCreate=True)
