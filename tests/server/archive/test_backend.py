from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.operations import ArchiveRequest
from server.errors import Code, Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import (
    Asker,
    Nobody,
    Question,
    Reply,
)
from server.tool.result import compact
from tests.support.doubles import IdleProcess, Person, ScriptedArchive
from tools.archive.collections import AddItemToCollections, RemoveItemFromCollections
from tools.archive.content.items import SearchItems
from tools.archive.content.refetch import RefetchEngagementBulk
from tools.archive.creators import GetCreator, GetSocialProfile, SearchCreators
from tools.archive.schema.inputs import NO_SUCH_PLACE
from tools.archive.workspace import GetWorkspaces

Json = dict[str, Any]
HOME, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class Backend:
    """A backend whose API answers by operation; the workspaces come in two pages."""

    def __init__(self, mode: Any = "ask", default: str | None = HOME, **answers: Any) -> None:
        self._answers = answers
        self.archive = ScriptedArchive(self._respond)
        self.backend = ArchiveBackend(
            self.archive,
            default,
            Confirmations(mode, MemoryTokens(self.archive.clock)),
            IdleProcess(),
        )

    def _respond(self, call: Call) -> Any:
        if call.operation == "workspaces" and "workspaces" not in self._answers:
            assert call.workspace is None
            second = call.variables.get("after") == "c1"
            assert second or "after" not in call.variables
            node = (
                {"id": OTHER, "name": "Other"} if second else {"id": HOME.upper(), "name": "Home"}
            )
            return {
                "nodes": [node],
                "pageInfo": {"endCursor": "c2" if second else "c1", "hasNextPage": not second},
            }
        answer = self._answers[call.operation]
        return answer(call) if callable(answer) else answer

    async def perform(self, request: ArchiveRequest[Any], asker: Asker | None = None) -> Json:
        result = await self.backend.run(request, Caller(asker or Nobody(), self.archive.now() + 45))
        assert result.text == compact(result.structured)
        return result.structured

    async def refused(self, request: ArchiveRequest[Any], asker: Asker | None = None) -> Failure:
        with pytest.raises(Failure) as caught:
            await self.perform(request, asker)
        return caught.value

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.archive.calls]


def add(**more: Any) -> AddItemToCollections:
    return AddItemToCollections.model_validate({"itemId": "1", "collectionNames": ["Best"], **more})


def refetch(*ids: str, **more: Any) -> RefetchEngagementBulk:
    return RefetchEngagementBulk.model_validate({"itemIds": list(ids or ("1", "2")), **more})


def found(call: Call) -> Json:
    """The items of a preview: those whose id is a number, odd hundreds being stories."""
    known = [each for each in call.variables["filter"]["ids"] if each.isdecimal()]
    kinds = {each: "STORY" if int(each) >= 900 else "POST" for each in known}
    return {
        "nodes": [
            {"id": each, "type": kinds[each], "socialProfile": {"accountName": "mia"}}
            for each in known
        ],
        "pageInfo": {"endCursor": None, "hasNextPage": False},
    }


STARTED = {"operationId": "op", "processedCount": 2, "skippedItemIds": [], "userErrors": []}


async def test_one_record_is_read_from_the_workspace_in_use() -> None:
    backend = Backend(creator={"id": "5", "customAttributes": {"full_name": "Mia"}})

    answer = await backend.perform(GetCreator(id="5", fields=["id", "customAttributes"]))

    assert answer == {"id": "5", "customAttributes": {"full_name": "Mia"}}
    (call,) = backend.archive.calls
    assert (call.workspace, call.variables, call.repeatable, call.verify) == (
        HOME,
        {"id": "5"},
        True,
        "",
    )


async def test_a_record_that_is_not_there_is_told_with_where_to_look() -> None:
    failure = await Backend(socialProfile=None).refused(GetSocialProfile(id="5"))

    assert failure.code is Code.NOT_FOUND
    assert failure.message == "No such profile is in this workspace."
    assert "`fallback`" in failure.hint


async def test_the_units_of_a_single_record_are_told() -> None:
    request = SearchItems(fields=["currentEngagement.earnedMediaValue"])
    # Read, as records are told apart by it, but not shown to who did not ask for it.
    nodes = [{"id": "1", "currentEngagement": {"earnedMediaValue": "1234"}}]
    backend = Backend(
        items={
            "nodes": nodes,
            "pageInfo": {"endCursor": None, "hasNextPage": False},
            "totalCount": 1,
        }
    )

    answer = await backend.perform(request)

    assert answer["nodes"] == [{"currentEngagement": {"earnedMediaValue": 1234}}]
    assert answer["units"] == {"earnedMediaValue": "cents, assumed"}


async def test_the_list_of_workspaces_needs_none() -> None:
    page = {
        "nodes": [{"id": HOME}],
        "pageInfo": {"endCursor": None, "hasNextPage": False},
        "totalCount": 1,
    }
    backend = Backend(default=None, workspaces=page)

    assert (await backend.perform(GetWorkspaces(fields=["id"])))["nodes"] == [{"id": HOME}]
    assert [call.workspace for call in backend.archive.calls] == [None]


async def test_a_workspace_is_found_by_name_on_any_page_of_the_list() -> None:
    backend = Backend(creator={"id": "5"})

    await backend.perform(GetCreator(id="5", fields=["id"], workspace="other"))
    await backend.perform(GetCreator(id="5", fields=["id"], workspace="HOME"))

    assert backend.operations == ["workspaces", "workspaces", "creator", "creator"]
    assert [call.workspace for call in backend.archive.calls[2:]] == [OTHER, HOME]


async def test_an_unknown_workspace_is_answered_with_the_choices() -> None:
    refusal = Failure(Code.NOT_FOUND, "No such workspace.", unknown_workspace=True)

    failure = await Backend(creator=refusal).refused(GetCreator(id="5"))

    assert failure.details == {
        "choices": [{"id": HOME, "name": "Home"}, {"id": OTHER, "name": "Other"}]
    }
    assert "the user should correct ARCHIVE_WORKSPACE_ID" in failure.hint


async def test_a_workspace_that_the_call_names_wrongly_is_no_fault_of_the_settings() -> None:
    refusal = Failure(Code.NOT_FOUND, "No such workspace.", unknown_workspace=True)

    failure = await Backend(creator=refusal).refused(GetCreator(id="5", workspace=OTHER))

    assert failure.hint == "Use one of these names or ids."


@pytest.mark.parametrize(
    ("request_type", "chosen"),
    [
        (SearchCreators, {"locations": [{"city": "berlin"}]}),
        (SearchItems, {"creatorLocations": [{"city": "berlin"}]}),
        (SearchItems, {"ugcLocations": [{"country": "DE"}]}),
    ],
)
@pytest.mark.parametrize("count", [0, 1])
async def test_a_search_by_place_that_finds_nothing_says_why_that_may_be(
    request_type: type[ArchiveRequest[Any]], chosen: Json, count: int
) -> None:
    page: Any = {
        "nodes": [{"id": "1"}] * count,
        "pageInfo": {"hasNextPage": False},
        "totalCount": count,
    }
    backend = Backend(**{request_type.operation: page})

    answer = await backend.perform(
        request_type.model_validate({"filter": chosen, "fields": ["id"]})
    )

    place = next(iter(chosen))
    empty = [f"Nothing meets filter.{place}: check its values, or leave it out.", NO_SUCH_PLACE]
    assert answer.get("notes", []) == ([] if count else empty)


@pytest.mark.parametrize(
    ("hint", "expected"), [("", "{creators} finds creators by name or e-mail."), ("Own.", "Own.")]
)
async def test_a_record_that_archive_does_not_find_is_told_with_where_to_look(
    hint: str, expected: str
) -> None:
    failure = await Backend(creator=Failure(Code.NOT_FOUND, "Not found.", hint)).refused(
        GetCreator(id="5")
    )

    assert (failure.message, failure.hint) == ("Not found.", expected)


@pytest.mark.parametrize("code", [Code.FORBIDDEN, Code.REJECTED])
async def test_another_failure_is_told_as_it_is(code: Code) -> None:
    failure = await Backend(creator=Failure(code, "No.")).refused(GetCreator(id="5"))

    assert (failure.code, failure.hint) == (code, "")


async def test_a_change_is_sent_with_how_to_check_it_and_answered_with_its_payload() -> None:
    backend = Backend(
        addItemToCollections={"item": {"id": "1", "archivePublicUrl": "u"}, "userErrors": []}
    )

    assert await backend.perform(add()) == {"item": {"id": "1", "archivePublicUrl": "u"}}
    (call,) = backend.archive.calls
    assert call.variables == {"itemId": "1", "collectionNames": ["Best"]}
    assert call.repeatable
    assert "{items}" in call.verify
    assert "userErrors { field message }" in call.document


async def test_a_change_that_archive_refuses_is_a_failure() -> None:
    payload = {
        "item": None,
        "userErrors": [{"field": ["collectionNames"], "message": "Best is unknown"}],
    }

    no_collections: Json = {
        "nodes": [],
        "pageInfo": {"endCursor": None, "hasNextPage": False},
        "totalCount": 0,
    }

    failure = await Backend(addItemToCollections=payload, collections=no_collections).refused(add())

    assert failure.code is Code.REJECTED
    assert "collectionNames: Best is unknown" in failure.message
    assert failure.hint.startswith("Nothing was changed. {filterPresets} lists the collections")


async def test_taking_out_and_adding_need_no_confirmation() -> None:
    backend = Backend("never", removeItemFromCollections={"item": None, "userErrors": []})

    await backend.perform(
        RemoveItemFromCollections.model_validate({"itemId": "1", "collectionIds": ["7"]})
    )


async def test_money_is_spent_only_after_a_yes_to_what_it_costs() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)
    person = Person([Reply("accept", {"confirm": True})])

    answer = await backend.perform(refetch("1", "2", "901", "gone", "2"), person)

    assert answer == {"operationId": "op", "processedCount": 2, "skippedItemIds": []}
    (question,) = person.questions
    assert '2 Archive items (by "mia") for up to 6 billing credits (3 each)?' in question.message
    assert "Left out: 1 story and 1 unknown id." in question.message
    assert backend.operations == ["items", "workspaces", "workspaces", "refetchEngagementBulk"]
    assert backend.archive.calls[0].variables["filter"] == {"ids": ["1", "2", "901", "gone"]}
    assert not backend.archive.calls[-1].repeatable


async def test_a_preview_names_whose_items_are_refreshed_and_nobody_elses() -> None:
    def by_many(call: Call) -> Json:
        nodes = found(call)["nodes"]
        return {
            **found(call),
            "nodes": [
                each | {"socialProfile": {"accountName": f"n{each['id']}"}} for each in nodes
            ],
        }

    failure = await Backend(items=by_many).refused(refetch(*"12345678", "901"))

    assert '8 Archive items (by "n1", "n2", "n3", "n4", "n5", 3 more)' in failure.message
    assert failure.message.endswith("Left out: 1 story.")


@pytest.mark.parametrize(
    "reply", [Reply("decline"), Reply("cancel"), Reply("accept", {"confirm": False})]
)
async def test_without_a_yes_nothing_is_spent(reply: Reply) -> None:
    backend = Backend(items=found)

    await backend.refused(refetch(), Person([reply]))

    assert backend.operations == ["items", "workspaces", "workspaces"]


async def test_a_token_repeats_the_very_call_it_was_given_for() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)
    failure = await backend.refused(refetch())
    assert failure.details["preview"] == {
        "items": 2,
        "billingCredits": 6,
        "leftOut": [],
        "workspace": HOME,
    }
    token = failure.details["confirm"]

    assert (
        await backend.refused(refetch("1", "3", confirm=token))
    ).code is Code.CONFIRMATION_REQUIRED
    assert (
        await backend.refused(refetch(workspace=OTHER, confirm=token))
    ).code is Code.CONFIRMATION_REQUIRED
    assert (await backend.perform(refetch(confirm=token)))["operationId"] == "op"
    assert (await backend.refused(refetch(confirm=token))).code is Code.CONFIRMATION_REQUIRED
    sent = [
        call.variables
        for call in backend.archive.calls
        if call.operation == "refetchEngagementBulk"
    ]
    assert sent == [{"itemIds": ["1", "2"]}]


async def test_what_changed_since_the_preview_is_previewed_again() -> None:
    state: dict[str, Callable[[Call], Json]] = {"items": found}
    backend = Backend(items=lambda call: state["items"](call), refetchEngagementBulk=STARTED)
    token = (await backend.refused(refetch())).details["confirm"]
    state["items"] = lambda call: {**found(call), "nodes": found(call)["nodes"][:1]}

    failure = await backend.refused(refetch(confirm=token))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details["preview"]["items"] == 1


async def test_a_server_told_never_to_spend_asks_the_api_nothing() -> None:
    backend = Backend("never")

    assert (await backend.refused(refetch())).code is Code.DECLINED
    assert backend.operations == []


@pytest.mark.parametrize("ids", [("901", "902"), ("gone",), ("901", "gone")])
async def test_what_cannot_be_refreshed_is_refused_before_anybody_is_asked(
    ids: tuple[str, ...],
) -> None:
    failure = await Backend(items=found).refused(refetch(*ids), Person([]))

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.hint.startswith("Nothing was spent.")


async def test_many_items_are_previewed_a_hundred_at_a_time() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)

    await backend.refused(refetch(*(str(n) for n in range(250))))

    looked_up = [call for call in backend.archive.calls if call.operation == "items"]
    assert [len(call.variables["filter"]["ids"]) for call in looked_up] == [100, 100, 50]
    assert all(call.variables["first"] == 100 for call in looked_up)


async def test_a_refresh_that_started_nothing_says_so() -> None:
    payload = {"operationId": None, "processedCount": 0, "skippedItemIds": ["1"], "userErrors": []}
    backend = Backend(items=found, refetchEngagementBulk=payload)

    answer = await backend.perform(refetch(), Person([Reply("accept", {"confirm": True})]))

    assert answer["notes"] == ["Nothing was started: these items need no refresh now."]


async def test_a_change_makes_the_next_page_be_read_anew() -> None:
    nodes = [{"id": str(n), "caption": "y" * 1000} for n in range(100)]
    page = {"nodes": nodes, "pageInfo": {"endCursor": "c", "hasNextPage": False}, "totalCount": 100}
    backend = Backend(items=page, addItemToCollections={"item": None, "userErrors": []})
    search = {"fields": ["id", "caption"], "limit": 100}
    first = await backend.perform(SearchItems.model_validate(search))
    await backend.perform(add())

    await backend.perform(SearchItems.model_validate({**search, "after": first["nextCursor"]}))

    assert backend.operations == ["items", "addItemToCollections", "items"]


async def test_a_change_that_is_answered_with_nothing_is_of_unknown_outcome() -> None:
    failed = await Backend(addItemToCollections=None).refused(add())
    assert failed.code is Code.OUTCOME_UNKNOWN
    assert AddItemToCollections.verify in failed.hint


async def test_a_yes_that_took_its_time_counts_only_for_what_is_still_so() -> None:
    kinds = iter(["REEL", "STORY"])

    def items(call: Call) -> Json:
        node = {"id": "1", "type": next(kinds), "socialProfile": {"accountName": "mia"}}
        other = {"id": "2", "type": "REEL", "socialProfile": {"accountName": "mia"}}
        return {"nodes": [node, other], "pageInfo": {"hasNextPage": False}}

    made = Backend(items=items)

    class Slow(Person):
        async def ask(self, question: Question) -> Reply:
            made.archive.clock.now += 20
            return await super().ask(question)

    failure = await made.refused(refetch("1", "2"), Slow([Reply("accept", {"confirm": True})]))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert "has changed meanwhile" in failure.message
    assert "refetchEngagementBulk" not in made.operations
