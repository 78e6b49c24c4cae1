from __future__ import annotations

from typing import Any

import pytest

from server.archive.operations import ArchiveRequest
from server.errors import Code, Failure
from tests.support.archive.scripted_backend import HOME, OTHER, Backend, Json
from tools.archive.collections import AddItemToCollections, RemoveItemFromCollections
from tools.archive.content.items import SearchItems
from tools.archive.creators import GetCreator, GetSocialProfile, SearchCreators
from tools.archive.schema.inputs import NO_SUCH_PLACE
from tools.archive.workspace import GetWorkspaces


def add(**more: Any) -> AddItemToCollections:
    return AddItemToCollections.model_validate({"itemId": "1", "collectionNames": ["Best"], **more})


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


@pytest.mark.parametrize(("hint", "expected"), [("", GetCreator.instead), ("Own.", "Own.")])
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
